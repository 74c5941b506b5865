#pragma once

#include "trainer/effective_network.h"
#include "trainer/workspace.h"

namespace imssa {

/// Sees the workspace after every chunk of a forward pass, while all buffers hold that chunk.
class ChunkObserver {
public:
    virtual ~ChunkObserver() = default;
    virtual void on_chunk(Workspace& workspace, int chunk) = 0;
};

/// Forward pass of 16 sequences in real numbers, from workspace.input to workspace.logits.
void forward_float(const EffectiveNetwork& network, Workspace& workspace, ChunkObserver* observer = nullptr);

/// Adds the last layer's output of one chunk to workspace.pooled_sums, without steps beyond the sequence.
void pool_chunk(Workspace& workspace, int chunk);

/// Recomputes states of a group of modes over one chunk, as the forward pass had them: states[t + 1] is count x {re,
/// im} x 16 (see scan_states). The quantized mode has one of its own.
class StateSource {
public:
    virtual ~StateSource() = default;
    virtual void states(Workspace& workspace, int layer, int head, int chunk, int first_mode, int count,
                        float* out) const = 0;
};

class FloatStateSource final : public StateSource {
public:
    explicit FloatStateSource(const EffectiveNetwork& network) : network_(network) {}
    void states(Workspace& workspace, int layer, int head, int chunk, int first_mode, int count,
                float* out) const override;

private:
    const EffectiveNetwork& network_;
};

/// Backward pass of the sequences that went forward last: from workspace.logit_gradient (classes x 16) to the gradient
/// of the effective tensors, which is added to `gradient`. Rounding counts as the identity; codes at their limit pass
/// no gradient.
void backward(const EffectiveNetwork& network, const StateSource& source, Workspace& workspace,
              EffectiveTensors& gradient);

/// pooled (heads x 16) -> logits in real numbers, without rounding.
void decode(const EffectiveNetwork& network, const float* pooled, float* logits);

}  // namespace imssa
