#pragma once

#include <string>
#include <vector>

#include "models/common/lane_matrix.h"
#include "models/network/parameters.h"

namespace imssa {

/// A matrix as it sits in cells, with its converters: output code = convert(sum_i drive_i * code_io * input_i, gain_o,
/// offset_o).
struct QuantizedMatrix {
    MatrixRM codes;             ///< inputs x outputs: integer weight codes in [-code_limit, code_limit], held as float
    int code_limit = 127;       ///< full scale of the conductance pair
    std::vector<float> drive;   ///< per input: power-of-two divider of the DAC reference (1, 1/2, 1/4, ...)
    std::vector<float> gain;    ///< per output: output codes per unit of sum
    std::vector<float> offset;  ///< per output, in output codes (biases)
    int input_limit = 127;      ///< DAC code range
    std::vector<float> output_limit;  ///< per output: ADC code range

    /// Sums below it are exact in float, whatever the order of additions.
    static constexpr double kExactLimit = 16777216.0;

    int inputs() const { return static_cast<int>(codes.rows()); }
    int outputs() const { return static_cast<int>(codes.cols()); }

    /// codes with the drive of each input multiplied in: what the sum is computed with.
    MatrixRM driven_codes() const;

    /// The largest sum that an output can reach, in units of the finest drive.
    double largest_sum() const;

    /// Throws NumericalError when a sum could leave the 24 bits in which float arithmetic is exact; `name` is for the
    /// message.
    void check_exact(const std::string& name) const;
};

/// Weights to codes: `weights` is outputs x inputs in real units (as in parameters.h), bias per output.
/// sum and output are related by input_scale (real units per input code) and output_scale.
/// Max-scale symmetric quantization (QS4D, BitNet b1.58 form with 2^(bits-1) - 1 positive codes), range per array or
/// column.
QuantizedMatrix quantize_matrix(const Eigen::Ref<const MatrixRM>& weights,
                                const Eigen::Ref<const Eigen::VectorXf>& bias, double input_scale, double output_scale,
                                int weight_bits, int input_bits, int output_bits, WeightRange range);

/// Exact product of integer codes for every lane: sums is outputs x lanes. `driven` is inputs x outputs.
void exact_product(const MatrixRM& driven, const LaneMatrix& inputs, LaneMatrix& sums);

/// Conversions of all outputs: codes = convert(sums).
void convert_all(const QuantizedMatrix& matrix, const LaneMatrix& sums, LaneMatrix& codes);

}  // namespace imssa
