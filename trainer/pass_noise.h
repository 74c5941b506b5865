#pragma once

#include <cstdint>

#include "models/common/lanes.h"
#include "trainer/noise_config.h"
#include "trainer/workspace.h"

namespace imssa {

/// Errors of numbers that change with time, of one optimisation step; keyed by (seed, place, sequence, step).
struct PassNoise {
    double activations = 0.0, states = 0.0, input = 0.0;  ///< as in NoiseConfig
    std::uint64_t seed = 0;
    double dropout = 0.0;  ///< float and fake-quantized mode

    static PassNoise of(const NoiseConfig& noise, std::uint64_t seed) {
        return {noise.activations, noise.states, noise.input, seed};
    }
};

/// Adds N(0, sigma) to the network's input, for the lanes and steps that belong to sequences.
void add_input_noise(const PassNoise& noise, LanesUint sequences, int lanes, Workspace& workspace);

/// Adds N(0, sigma) to the 8 steps of one head's block, from `first_step` on.
void add_block_noise(double sigma, std::uint64_t seed, std::uint32_t place, LanesUint sequences,
                     std::uint32_t first_step, float* values);

/// Place of the errors of one kernel output (unit = layer * heads + head).
std::uint32_t activation_noise_place(int unit);

}  // namespace imssa
