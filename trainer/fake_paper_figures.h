#pragma once

#include <string>
#include <vector>

#include "models/cost/paper_metrics.h"
#include "trainer/fake_quantization.h"

namespace imssa {

/// The published metrics of a network on the grids of a FakeQuantization, of one time step.
struct FakePaperFigures {
    PaperModel model;
    PaperBits bits;
    double ace = 0.0;
    double model_size_bits = 0.0;
    double adc_complexity = 0.0;
    InferenceMemory memory;  ///< bits
};

/// Bits of one group of [fake_quantization].
struct GroupBits {
    std::string name;
    int bits = 0;
};

/// The groups that a network consists of: continuous A and step, or Abar where that is quantized; Bbar where it is, or
/// where B is a parameter. 32 bits where a quantizer is off.
std::vector<GroupBits> group_bits(const ModelConfig& model, const FakeQuantization& options);

/// The same as the metrics name them. Ternary numbers count 1 bit, as in QS4D; A the mean of its real and its imaginary
/// part; B = 1 as in QS4D no bits unless Bbar is quantized: it follows from A and the step size.
PaperBits paper_bits(const ModelConfig& model, const FakeQuantization& options);

/// Kernels that pruning has set to zero (C and D, or their column of the mixing matrix) do not count, nor modes without
/// C, of which all kernels of a layer keep as many as the one with most: what a chip would remove.
FakePaperFigures fake_paper_figures(const ModelConfig& model, const NetworkParameters& parameters,
                                    const FakeQuantization& options);

/// Bits of the groups and the metrics, as lines of a report.
std::vector<std::string> fake_paper_report(const ModelConfig& model, const NetworkParameters& parameters,
                                           const FakeQuantization& options);

}  // namespace imssa
