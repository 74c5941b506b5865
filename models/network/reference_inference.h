#pragma once

#include <cstdint>
#include <vector>

#include "models/network/deployed_network.h"

namespace imssa {

/// Keys of the dither of each lane, padded to whole vectors.
std::vector<std::uint32_t> dither_keys(std::uint64_t seed, const std::vector<std::uint64_t>& sequence_ids);

/// One layer of the exact integer network, one time step at a time, for a batch of lanes.
class ReferenceLayer {
public:
    ReferenceLayer(const DeployedNetwork& network, int layer, int lanes);

    /// Clears the state registers (a new sequence starts).
    void reset();

    /// input: heads x lanes codes of u_t. Afterwards registers(), kernel_output() and output() hold the codes of step
    /// t. Throws NumericalError naming layer and step when a code is not finite.
    void step(const LaneMatrix& input, std::uint32_t step, const std::vector<std::uint32_t>& sequence_keys);

    /// Registers of every kernel after step t.
    const std::vector<StateRegisterFile>& registers() const { return registers_; }
    /// y_t codes of all kernels (with D u_t), kernels x lanes.
    const LaneMatrix& kernel_output() const { return kernel_output_; }
    const LaneMatrix& output() const { return output_; }

private:
    void kernel_step(int index, const LaneMatrix& input, std::uint32_t step,
                     const std::vector<std::uint32_t>& sequence_keys);

    const DeployedNetwork& network_;
    const DeployedLayer& layer_;
    int layer_index_;
    int lanes_;
    std::vector<MatrixRM> driven_kernels_;
    MatrixRM driven_mixing_;
    std::vector<StateRegisterFile> registers_;
    LaneMatrix array_input_, array_sums_, array_codes_;
    LaneMatrix kernel_output_, activated_, mixing_sums_, mixing_, output_;
};

/// Codes of the classifier of one batch.
struct ReferenceResult {
    LaneMatrix pooled;  ///< heads x lanes
    LaneMatrix logits;  ///< classes x lanes
};

/// Exact integer recurrent inference of a batch of sequences: the definition that the chip is compared with.
class ReferenceInference {
public:
    explicit ReferenceInference(const DeployedNetwork& network) : network_(network) {}

    /// values: one pointer a lane to steps x channels floats; sequence_ids key the dither; lengths: steps of each
    /// lane's sequence that pooling counts, all of them when empty.
    ReferenceResult run(const std::vector<const float*>& values, const std::vector<std::uint64_t>& sequence_ids,
                        std::uint64_t seed, const std::vector<int>& lengths = {}) const;

private:
    const DeployedNetwork& network_;
};

/// Input codes of one step, channels x lanes.
void step_input_codes(const DeployedNetwork& network, const std::vector<const float*>& values, int step,
                      LaneMatrix& codes);

/// Encoder of one step with a driven matrix made by QuantizedMatrix::driven_codes.
void encode(const DeployedNetwork& network, const MatrixRM& driven, const LaneMatrix& input, LaneMatrix& sums,
            LaneMatrix& codes);

}  // namespace imssa
