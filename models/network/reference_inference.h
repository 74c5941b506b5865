#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/network/deployed_network.h"

namespace imssa {

/// Hook of the reference inference: what every code was, for comparison with the chip. Called with codes as channels x
/// lanes.
struct CodeObserver {
    /// Registers of all heads of a layer after step t.
    std::function<void(int layer, int step, const std::vector<StateRegisterFile>&)> on_state;
    std::function<void(int step, const LaneMatrix&)> on_encoder;
    std::function<void(int layer, int step, const LaneMatrix&)> on_kernel_output;
    std::function<void(int layer, int step, const LaneMatrix&)> on_layer_output;
};

/// Exact integer recurrent inference of a batch of sequences.
class ReferenceInference {
public:
    explicit ReferenceInference(const DeployedNetwork& network);

    /// values: lanes pointers to steps x channels floats; sequence_ids key the dither. Returns classes x lanes logit
    /// codes. Throws NumericalError naming layer and step when a code is not finite.
    LaneMatrix run(const std::vector<const float*>& values, const std::vector<std::uint64_t>& sequence_ids,
                   std::uint64_t seed, const CodeObserver& observer = {}) const;

private:
    const DeployedNetwork& network_;
    std::vector<std::vector<MatrixRM>> driven_kernels_;
    std::vector<MatrixRM> driven_mixing_;
    MatrixRM driven_encoder_, driven_decoder_;
};

/// Class of each lane: the largest logit, the first of equals.
std::vector<int> classify(const LaneMatrix& logits);

}  // namespace imssa
