#pragma once

#include "models/chip/chip_config.h"
#include "models/cost/paper_metrics.h"
#include "models/network/deployed_network.h"

namespace imssa {

/// The published metrics of a deployed network, and what the chip really does where they count something of the same
/// name. All counts are those of one time step of one sequence.
struct PaperFigures {
    PaperModel model;
    PaperBits bits;
    double ace = 0.0;               ///< multiply-accumulates x bits x bits
    double model_size_bits = 0.0;   ///< as QS4D counts it
    double adc_complexity = 0.0;    ///< bits that the formula has converted: all states, kernel outputs, mixing, coders
    double chip_conversions = 0.0;  ///< of the chip's converters; the classifier's spread over the steps
    double chip_converted_bits = 0.0;
    double chip_weight_cells = 0.0;  ///< cells that the weights take, of both signs, all slices and parallel cells
    InferenceMemory memory;          ///< bits; states at the width of their registers
};

/// Bits of the deployed network's groups, each its own. A complex coefficient counts as two real ones. B counts where
/// it is in cells or multipliers of its own, with no bits where it is folded into C.
PaperBits paper_bits(const DeployedNetwork& network);

/// Counts the kernels and modes that the network has: after remove_pruned those that are left, else all. In memory, D
/// and biases that are not quantized have 32 bits, as gains and offsets of norms.
PaperFigures paper_figures(const DeployedNetwork& network, const ChipConfig& config);

}  // namespace imssa
