#pragma once

#include "trainer/block_scan.h"
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
                   ChunkObserver* observer = nullptr);

/// The same with kernels of its own.
void forward_float(const EffectiveNetwork& network, Workspace& workspace, ChunkObserver* observer = nullptr);

/// Adds the last layer's output of one chunk to workspace.pooled_sums, without steps beyond the sequence.
void pool_chunk(Workspace& workspace, int chunk);

/// The backward pass through the kernels: float or quantized.
class KernelAdjoint {
public:
    virtual ~KernelAdjoint() = default;
    /// One layer of one chunk: from workspace.kernel_gradient (of y) to the input's gradient, which is added to
    /// workspace.gradient_b, and to the kernels' gradient. Chunks come from the last to the first.
    virtual void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const = 0;
    /// After the first chunk.
    virtual void finish(Workspace& workspace, EffectiveTensors& gradient) const = 0;
};

/// Float mode: by blocks of 8 steps.
class BlockKernelAdjoint final : public KernelAdjoint {
public:
    BlockKernelAdjoint(const EffectiveNetwork& network, const BlockKernels& kernels)
        : network_(network), kernels_(kernels) {}
    void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const override;
    void finish(Workspace& workspace, EffectiveTensors& gradient) const override;

private:
    const EffectiveNetwork& network_;
    const BlockKernels& kernels_;
};

/// Backward pass of the sequences that went forward last: from workspace.logit_gradient (classes x 16) to the gradient
/// of the effective tensors, which is added to `gradient`. Rounding counts as the identity; codes at their limit pass
/// no gradient.
void backward(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace,
              EffectiveTensors& gradient);

/// pooled (heads x 16) -> logits in real numbers, without rounding.
void decode(const EffectiveNetwork& network, const float* pooled, float* logits);

}  // namespace imssa
