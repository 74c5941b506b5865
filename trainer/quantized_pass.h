#pragma once

#include <vector>

#include "models/network/deployed_network.h"
#include "trainer/code_table.h"
#include "trainer/network_pass.h"
#include "trainer/pass_noise.h"
#include "trainer/quantized_scan.h"
#include "trainer/workspace.h"

namespace imssa {

/// Forward pass of 16 sequences in integer codes, from workspace.input (real values, replaced by their codes) to
/// workspace.logits (codes): code for code what ReferenceInference computes.
class QuantizedPass {
public:
    explicit QuantizedPass(const DeployedNetwork& network, const PassNoise& noise = {});

    /// `sequences` key the errors of activations.
    void forward(LanesUint sequence_keys, LanesUint sequences, Workspace& workspace) const;
    void forward(LanesUint sequence_keys, Workspace& workspace) const {
        forward(sequence_keys, LanesUint{}, workspace);
    }

    /// Makes activation and slope of one block of a layer again, from the codes of the kernel outputs.
    void restore_activation(Workspace& workspace, int layer, int block) const;

    const QuantizedKernel& kernel(int layer, int head) const {
        return kernels_[static_cast<std::size_t>(layer * network_.model.heads + head)];
    }

private:
    void layer_forward(LanesUint sequence_keys, LanesUint sequences, int layer, int chunk, Workspace& workspace) const;
    void disturb(LanesUint sequences, int layer, int block, float* y) const;

    const DeployedNetwork& network_;
    PassNoise noise_;
    EffectiveNetwork effective_;  ///< for what the backward pass needs of the layer unit
    std::vector<QuantizedKernel> kernels_;
    std::vector<float> encoder_;              ///< integer codes, outputs x inputs
    std::vector<std::vector<float>> mixing_;  ///< the same for every layer
    std::vector<float> decoder_;
    std::vector<CodeTable> activation_tables_;  ///< per layer: y code -> activation code
    std::vector<CodeTable> slope_tables_;       ///< per layer: d activation code / d y code
};

/// Straight-through backward pass of the quantized scan: recomputes DAC codes with the same dither as in the forward
/// pass.
class QuantizedKernelAdjoint final : public KernelAdjoint {
public:
    QuantizedKernelAdjoint(const QuantizedPass& pass, const EffectiveNetwork& network, LanesUint sequence_keys)
        : pass_(pass), network_(network) {
        std::memcpy(keys_, &sequence_keys, sizeof(keys_));
    }
    void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const override;
    void finish(Workspace& /*workspace*/, EffectiveTensors& /*gradient*/) const override {}
    /// Of the codes that C reads.
    bool live_states(Workspace& workspace, int layer, int chunk) const override;
    void restore_stream(Workspace& workspace, int index, int block) const override;
    void restore_activation(Workspace& workspace, int layer, int block) const override;

private:
    /// Makes the input codes of one head over a chunk again, a block behind the other, in workspace.head_input.
    const float* restore_head_input(Workspace& workspace, int layer, int chunk, int head) const;
    /// DAC codes of `count` modes after every step of a chunk with the inputs u, into workspace.scratch_pairs.
    void scan_states(Workspace& workspace, int layer, int chunk, int head, const float* u, int first_mode,
                     int count) const;

    const QuantizedPass& pass_;
    const EffectiveNetwork& network_;
    std::uint32_t keys_[kLaneWidth];
};

}  // namespace imssa
