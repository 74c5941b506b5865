#include "models/network/array_quantization.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/common/error.h"
#include "models/network/power_of_two.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

using Complex = std::complex<double>;

/// Largest exponent of a divider with which every sum stays exact in float: rows x full-scale products below 2^24.
int largest_divider_exponent(const QuantizedMatrix& array, Eigen::Index inputs) {
    const double largest_sum = static_cast<double>(inputs) * array.code_limit * array.input_limit;
    return std::clamp(static_cast<int>(std::floor(24.0 - std::log2(largest_sum))), 0, 10);
}

/// Largest power-of-two divider (up to 2^largest_exponent) of a row's DAC reference that keeps its weights, multiplied
/// by it, within the range that the other rows of each column need: small weights then use all their codes.
double row_divider(const Eigen::MatrixXd& weights, int row, const std::vector<double>& column_range,
                   int largest_exponent) {
    int exponent = largest_exponent;
    for (int column = 0; column < weights.cols(); ++column) {
        const double magnitude = std::abs(weights(row, column));
        if (magnitude > 0.0) {
            const double room = column_range[static_cast<std::size_t>(column)] / magnitude;
            exponent = std::min(exponent, room >= 1.0 ? static_cast<int>(std::floor(std::log2(room))) : 0);
        }
    }
    return power_of_two(exponent);
}

/// Range per column. The columns of a mode share theirs, so that its 2x2 block stays a complex number, or those of its
/// real and of its imaginary part do, or those of all modes.
std::vector<double> column_ranges(const Eigen::MatrixXd& weights, int rows, int state_columns, double least,
                                  const DeployedKernel& kernel) {
    std::vector<double> ranges;
    for (int column = 0; column < weights.cols(); ++column) {
        ranges.push_back(weights.col(column).head(rows).cwiseAbs().maxCoeff());
    }
    const auto share = [&ranges](int one, int other) {
        double& a = ranges[static_cast<std::size_t>(one)];
        double& b = ranges[static_cast<std::size_t>(other)];
        a = b = std::max(a, b);
    };
    for (int mode = 0; mode < kernel.modes && state_columns > 0; ++mode) {
        share(kernel.state_column(mode, 0, 0), kernel.state_column(mode, 1, 1));
        share(kernel.state_column(mode, 0, 1), kernel.state_column(mode, 1, 0));
    }
    if (kernel.options.state_range == StateRange::head && state_columns > 0) {
        std::fill_n(ranges.begin(), state_columns, *std::max_element(ranges.begin(), ranges.begin() + state_columns));
    }
    if (kernel.options.weight_range != WeightRange::column) {
        std::fill(ranges.begin(), ranges.end(), std::max(least, *std::max_element(ranges.begin(), ranges.end())));
    }
    return ranges;
}

/// Rounding may carry a slow mode to or over the unit circle: take the nearest code inside. Abar itself shrinks in its
/// larger part; Abar - 1 gets a more negative real part (at least one code of decay) as long as that helps, then its
/// larger part shrinks. Throws UserError when no code lies inside.
void make_stable(DeployedKernel& kernel, int mode, double increment_in_dac_codes) {
    MatrixRM& codes = kernel.array.codes;
    const int re_column = kernel.state_column(mode, 0, 0);
    const int im_column = kernel.state_column(mode, 0, 1);
    float& re = codes(2 * mode, re_column);
    float& im = codes(2 * mode, im_column);
    const double re_unit = kernel.array.gain[static_cast<std::size_t>(re_column)] * increment_in_dac_codes;
    const double im_unit = kernel.array.gain[static_cast<std::size_t>(im_column)] * increment_in_dac_codes;
    const double offset = kernel.array_replaces_state ? 0.0 : 1.0;
    const auto magnitude = [&](double re_code) { return std::abs(Complex(offset + re_code * re_unit, im * im_unit)); };
    while (magnitude(re) >= 1.0) {
        if (kernel.array_replaces_state) {
            float& larger = std::abs(re) * re_unit >= std::abs(im) * im_unit ? re : im;
            larger -= std::copysign(1.0F, larger);
        } else if (re > -static_cast<float>(kernel.array.code_limit) && magnitude(re - 1.0) < magnitude(re)) {
            re -= 1.0F;
        } else if (magnitude(re + 1.0) < magnitude(re) && std::abs(offset + re * re_unit) > std::abs(im) * im_unit) {
            re += 1.0F;
        } else if (im != 0.0F) {
            im -= std::copysign(1.0F, im);
        } else {
            throw UserError("the pole of mode " + std::to_string(mode) +
                            " has no code inside the unit circle, one code of Abar - 1 is " + std::to_string(re_unit) +
                            ": use more kernel.weight_bits, kernel.state_scale 'mode' or kernel.weight_range 'column'");
        }
    }
    codes(2 * mode + 1, kernel.state_column(mode, 1, 1)) = re;
    codes(2 * mode + 1, kernel.state_column(mode, 1, 0)) = -im;
}

}  // namespace

void quantize_array(const ArrayTargets& targets, int activation_bits, DeployedKernel& kernel) {
    const KernelOptions& options = kernel.options;
    QuantizedMatrix& array = kernel.array;
    const int inputs = static_cast<int>(targets.weights.rows());
    const int outputs = static_cast<int>(targets.weights.cols());
    const int state_columns = kernel.output_column();
    Eigen::MatrixXd weights = targets.weights;
    array.code_limit = code_limit(options.weight_bits);
    array.input_limit = std::max(code_limit(options.state_bits), code_limit(activation_bits));
    array.drive.assign(static_cast<std::size_t>(inputs), 1.0F);
    const int largest_exponent = largest_divider_exponent(array, inputs);
    const std::vector<double> state_ranges =
        column_ranges(weights, 2 * kernel.modes, state_columns, targets.least_range, kernel);
    for (const int row : {targets.state_row, targets.output_row}) {
        if (row >= 0) {
            const bool only_row = row == targets.state_row && options.mapping == KernelMapping::digital_decay;
            const double divider = only_row ? 1.0 : row_divider(weights, row, state_ranges, largest_exponent);
            weights.row(row) *= divider;
            array.drive[static_cast<std::size_t>(row)] = static_cast<float>(1.0 / divider);
        }
    }
    const std::vector<double> ranges = column_ranges(weights, inputs, state_columns, targets.least_range, kernel);
    array.codes = MatrixRM::Zero(inputs, outputs);
    array.offset.assign(static_cast<std::size_t>(outputs), 0.0F);
    for (int column = 0; column < outputs; ++column) {
        const double weight_scale = std::max(ranges[static_cast<std::size_t>(column)], 1e-12) / array.code_limit;
        for (int row = 0; row < inputs; ++row) {
            array.codes(row, column) = static_cast<float>(std::nearbyint(weights(row, column) / weight_scale));
        }
        array.gain.push_back(static_cast<float>(weight_scale));
        array.output_limit.push_back(
            static_cast<float>(code_limit(column < state_columns ? options.state_bits : activation_bits)));
    }
    if (options.mapping == KernelMapping::fused) {
        for (int mode = 0; mode < kernel.modes; ++mode) {
            make_stable(kernel, mode,
                        power_of_two(kernel.increment_shift[static_cast<std::size_t>(mode)] - kernel.register_shift));
        }
    }
}

}  // namespace imssa
