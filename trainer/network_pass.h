#pragma once

#include "trainer/block_scan.h"
#include "trainer/dropout.h"
#include "trainer/effective_network.h"
#include "trainer/workspace.h"

namespace imssa {

/// Sees the workspace after every chunk of a forward pass, while all buffers hold that chunk.
class ChunkObserver {
public:
    virtual ~ChunkObserver() = default;
    virtual void on_chunk(Workspace& workspace, int chunk) = 0;
};

/// Forward pass of 16 sequences in real numbers, from workspace.input to workspace.logits. `kernels` are prepared for
/// the network.
void forward_float(const EffectiveNetwork& network, const BlockKernels& kernels, Workspace& workspace,
                   ChunkObserver* observer = nullptr, const Dropout& dropout = {});

/// The same with kernels of its own.
void forward_float(const EffectiveNetwork& network, Workspace& workspace, ChunkObserver* observer = nullptr);

/// Activation of one block, heads x 128, and its slope unless that is null. `value` may be `y`. Fetches `ahead`.
void activate_block(Activation activation, const float* y, float* value, float* slope, int heads,
                    const BlocksAhead& ahead = {});

/// Adds the last layer's output of one chunk to workspace.pooled_sums: the steps that pooling counts.
void pool_chunk(Workspace& workspace, int chunk);

/// Gain of each lane's pooled sum.
Lanes pooling_gains(const EffectiveNetwork& network, const Workspace& workspace);

/// The backward pass through the kernels: float or quantized.
class KernelAdjoint {
public:
    virtual ~KernelAdjoint() = default;
    /// One layer of one chunk: from workspace.gradient_a (of y) to the input's gradient, which is added to
    /// workspace.gradient_b, and to the kernels' gradient. Chunks come from the last to the first.
    virtual void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const = 0;
    /// After the first chunk.
    virtual void finish(Workspace& workspace, EffectiveTensors& gradient) const = 0;
    /// Whether a state of the layer is other than zero after any step of a chunk. Scans the chunk again.
    virtual bool live_states(Workspace& workspace, int layer, int chunk) const = 0;
    /// Makes workspace.stream(index) of one block again; nothing where it is kept.
    virtual void restore_stream(Workspace& /*workspace*/, int /*index*/, int /*block*/) const {}
    /// Likewise activation and slope.
    virtual void restore_activation(Workspace& /*workspace*/, int /*layer*/, int /*block*/) const {}
    /// Makes the mixing outputs of one block again; false where nothing rounds them.
    virtual bool restore_mixing(Workspace& /*workspace*/, int /*layer*/, int /*block*/) const { return false; }
};

/// Float mode: by blocks of 8 steps.
class BlockKernelAdjoint final : public KernelAdjoint {
public:
    BlockKernelAdjoint(const EffectiveNetwork& network, const BlockKernels& kernels)
        : network_(network), kernels_(kernels) {}
    void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const override;
    void finish(Workspace& workspace, EffectiveTensors& gradient) const override;
    bool live_states(Workspace& workspace, int layer, int chunk) const override;
    void restore_stream(Workspace& workspace, int index, int block) const override;
    void restore_activation(Workspace& workspace, int layer, int block) const override;

private:
    const EffectiveNetwork& network_;
    const BlockKernels& kernels_;
};

/// Backward pass of the sequences that went forward last: from workspace.logit_gradient (classes x 16) to the gradient
/// of the effective tensors, which is added to `gradient`. Rounding counts as the identity; codes at their limit pass
/// no gradient.
void backward(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace,
              EffectiveTensors& gradient);

// The pieces of a pass, for those that need another order of layers and chunks.

/// States and pooled sums of a new set of sequences.
void start_float(Workspace& workspace);
/// One chunk of the input through the encoder.
void encode_chunk(const EffectiveNetwork& network, Workspace& workspace, int chunk);
/// One chunk through one layer, in real numbers. With statistics of the batch, trace.normalized holds the numbers ahead
/// of the batch norm, and the layer's output is not made.
void layer_forward_float(const EffectiveNetwork& network, const BlockKernels& kernels, Workspace& workspace, int layer,
                         int chunk, const Dropout& dropout);
/// Pooled sums to logits.
void finish_float(const EffectiveNetwork& network, Workspace& workspace);

/// Makes workspace.stream(index) of one block again, to the bit: from the input through the encoder, or from
/// trace.normalized of the layer before. Where stream holds the whole sequence it does nothing.
void restore_stream(const EffectiveNetwork& network, Workspace& workspace, int index, int block);
/// The same numbers of one head over a chunk, a block behind the other, in workspace.head_input.
void restore_head_input(const EffectiveNetwork& network, Workspace& workspace, int layer, int chunk, int head);

/// Makes activation and slope of one block of a layer again from the kernels' outputs, in float. Where they are kept it
/// does nothing.
void restore_activation(const EffectiveNetwork& network, Workspace& workspace, int layer, int block);

/// From workspace.logit_gradient to the gradient of the decoder and of the pooled numbers; clears what the rest of the
/// backward pass adds up.
void start_backward(const EffectiveNetwork& network, Workspace& workspace, EffectiveTensors& gradient);
/// From the pooled numbers' gradient to that of one chunk of the last layer's output, in workspace.gradient_a.
void pooling_backward(Workspace& workspace, int chunk);
/// One layer of one chunk: workspace.gradient_a (of its output; overwritten) -> workspace.gradient_b (of its input).
void layer_backward(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace, int layer,
                    int chunk, EffectiveTensors& gradient);
/// One chunk of workspace.gradient_a, now of the encoder's output, to the encoder's gradient.
void encoder_backward(const EffectiveNetwork& network, Workspace& workspace, int chunk, EffectiveTensors& gradient);

/// pooled (heads x 16) -> logits in real numbers, without rounding.
void decode(const EffectiveNetwork& network, const float* pooled, float* logits);

}  // namespace imssa
