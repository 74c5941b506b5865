#pragma once

#include <string>
#include <vector>

#include "trainer/training_run.h"

namespace imssa {

/// What `bits` of state quantization do to a network in either mode. Differences are those of kernel outputs y (with D
/// u) over all heads, steps and probed sequences of a layer, root mean square over that of y in float, mean over the
/// layers; every layer gets the input that it has in float, so that differences of one layer do not pass to the next.
struct ModeComparisonRow {
    int bits = 0;
    double recurrent_accuracy = 0.0, convolution_accuracy = 0.0;  ///< of the test split
    double recurrent_error = 0.0;                                 ///< recurrent with quantized states - float
    double convolution_error = 0.0;                               ///< convolution with indirect quantization - float
    double divergence = 0.0;                                      ///< recurrent - convolution
    double state_error = 0.0;  ///< states of the recurrence - float, over the states in float
};

/// "2,3,8" -> {2, 3, 8}. Throws UserError.
std::vector<int> parse_bits(const std::string& text);

/// Throws UserError where the configuration cannot quantize states with one of these bits in both modes.
void check_mode_comparison(const TrainConfig& config, const std::vector<int>& bits);

/// Compares recurrent and indirect (convolution) state quantization of the network options.init for every number of
/// bits. Quantizer and scale are those of fake_quantization.state, all else of fake_quantization applies to both modes.
/// Differences are measured on the first `probed_sequences` of the test split. Writes `<name>_modes.csv`. Throws
/// UserError.
std::vector<ModeComparisonRow> compare_modes(const TrainingOptions& options, const std::vector<int>& bits,
                                             int probed_sequences = 64);

}  // namespace imssa
