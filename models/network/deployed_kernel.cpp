#include "models/network/deployed_kernel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "models/common/error.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

using Complex = std::complex<double>;

/// Array of one head in real units of "output code per input code", before weights become codes.
struct ArrayTargets {
    Eigen::MatrixXd weights;  ///< inputs x outputs
    int state_row = -1, output_row = -1, output_column = 0;
};

/// Code units of the state path of one head.
struct StateUnits {
    std::vector<double> dac;        ///< per mode: real units per DAC code
    std::vector<double> increment;  ///< per mode: real units per ADC code of the state columns
};

double power_of_two(int exponent) {
    return std::ldexp(1.0, exponent);
}

/// Shift of the folded input: register lsb = input lsb / 2^shift, the finest that represents the largest state.
int folded_input_shift(double largest_state, double input_scale, int dac_limit, int register_shift) {
    const double ratio = largest_state / (input_scale * dac_limit);
    return static_cast<int>(std::floor(register_shift - std::log2(std::max(ratio, 1e-12))));
}

StateUnits state_units(const DiscreteKernel& discrete, const KernelScales& scales, int activation_bits,
                       DeployedKernel& kernel) {
    const int dac_limit = code_limit(kernel.options.state_bits);
    const bool folded = kernel.options.input_matrix == InputMatrix::folded;
    StateUnits units;
    if (folded) {
        const double largest = *std::max_element(scales.state.begin(), scales.state.end());
        kernel.input_shift = folded_input_shift(largest, scales.input, dac_limit, kernel.register_shift);
        units.dac.assign(scales.state.size(), scales.input * power_of_two(kernel.register_shift - kernel.input_shift));
    }
    for (std::size_t mode = 0; mode < scales.state.size(); ++mode) {
        if (!folded) {
            units.dac.push_back(scales.state[mode] / dac_limit);
        }
        int shift = 0;
        if (kernel.array_makes_state && !kernel.array_replaces_state) {
            const double register_unit = units.dac[mode] / power_of_two(kernel.register_shift);
            const double largest = kernel.options.mapping == KernelMapping::digital_decay
                                       ? std::abs(discrete.bbar[mode]) * scales.input * code_limit(activation_bits)
                                       : scales.increment[mode];
            shift = std::clamp(static_cast<int>(std::ceil(std::log2(largest / (register_unit * dac_limit)))), 0,
                               kernel.register_shift);
            units.increment.push_back(register_unit * power_of_two(shift));
        } else {
            units.increment.push_back(units.dac[mode]);
        }
        kernel.increment_shift.push_back(shift);
    }
    kernel.state_scale = units.dac;
    return units;
}

/// Output column: y = 2 Re(C x_t) + D u_t, from x_t (current, delayed) or x_{t-1} (immediate).
void set_output_column(const DiscreteKernel& discrete, const KernelScales& scales, const StateUnits& units,
                       DeployedKernel& kernel, ArrayTargets& targets) {
    const bool folded = kernel.options.input_matrix == InputMatrix::folded;
    double direct = discrete.d;
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(mode);
        Complex c = discrete.c[at];
        if (folded) {
            c *= discrete.bbar[at];
        }
        if (kernel.options.form == OutputForm::immediate) {
            direct += 2.0 * (folded ? c : c * discrete.bbar[at]).real();
            c *= discrete.abar[at];
        }
        targets.weights(2 * mode, targets.output_column) = 2.0 * c.real() * units.dac[at] / scales.output;
        targets.weights(2 * mode + 1, targets.output_column) = -2.0 * c.imag() * units.dac[at] / scales.output;
    }
    if (targets.output_row >= 0) {
        targets.weights(targets.output_row, targets.output_column) = direct * scales.input / scales.output;
    } else {
        kernel.feedthrough = static_cast<float>(direct * scales.input / scales.output);
    }
}

/// State columns: Abar or Abar - 1 (fused) and Bbar.
void set_state_columns(const DiscreteKernel& discrete, const KernelScales& scales, const StateUnits& units,
                       const DeployedKernel& kernel, ArrayTargets& targets) {
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(mode);
        const double per_code = units.dac[at] / units.increment[at];
        if (kernel.options.mapping == KernelMapping::fused) {
            const Complex a = (discrete.abar[at] - (kernel.array_replaces_state ? 0.0 : 1.0)) * per_code;
            targets.weights(2 * mode, kernel.state_column(mode, 0, 0)) = a.real();
            targets.weights(2 * mode + 1, kernel.state_column(mode, 1, 0)) = -a.imag();
            targets.weights(2 * mode, kernel.state_column(mode, 0, 1)) = a.imag();
            targets.weights(2 * mode + 1, kernel.state_column(mode, 1, 1)) = a.real();
        }
        const Complex b = discrete.bbar[at] * scales.input / units.increment[at];
        targets.weights(targets.state_row, kernel.state_column(mode, 0, 0)) = b.real();
        targets.weights(targets.state_row, kernel.state_column(mode, 1, 1)) = b.imag();
    }
}

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
std::vector<double> column_ranges(const Eigen::MatrixXd& weights, int rows, int state_columns,
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
    if (kernel.options.weight_range == WeightRange::array) {
        std::fill(ranges.begin(), ranges.end(), *std::max_element(ranges.begin(), ranges.end()));
    }
    return ranges;
}

/// Rounding may carry a slow mode to or over the unit circle: take the nearest code inside. Abar itself shrinks in its
/// larger part; Abar - 1 gets a more negative real part (at least one code of decay).
void make_stable(DeployedKernel& kernel, int mode, double increment_in_dac_codes) {
    MatrixRM& codes = kernel.array.codes;
    const int re_column = kernel.state_column(mode, 0, 0);
    const int im_column = kernel.state_column(mode, 0, 1);
    float& re = codes(2 * mode, re_column);
    float& im = codes(2 * mode, im_column);
    const double re_unit = kernel.array.gain[static_cast<std::size_t>(re_column)] * increment_in_dac_codes;
    const double im_unit = kernel.array.gain[static_cast<std::size_t>(im_column)] * increment_in_dac_codes;
    const double offset = kernel.array_replaces_state ? 0.0 : 1.0;
    const auto magnitude = [&] { return std::abs(Complex(offset + re * re_unit, im * im_unit)); };
    while (magnitude() >= 1.0) {
        if (kernel.array_replaces_state) {
            float& larger = std::abs(re) * re_unit >= std::abs(im) * im_unit ? re : im;
            larger -= std::copysign(1.0F, larger);
        } else if (re > -static_cast<float>(kernel.array.code_limit)) {
            re -= 1.0F;
        } else {
            im -= std::copysign(1.0F, im);
        }
    }
    codes(2 * mode + 1, kernel.state_column(mode, 1, 1)) = re;
    codes(2 * mode + 1, kernel.state_column(mode, 1, 0)) = -im;
}

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
    const std::vector<double> state_ranges = column_ranges(weights, 2 * kernel.modes, state_columns, kernel);
    for (const int row : {targets.state_row, targets.output_row}) {
        if (row >= 0) {
            const bool only_row = row == targets.state_row && options.mapping == KernelMapping::digital_decay;
            const double divider = only_row ? 1.0 : row_divider(weights, row, state_ranges, largest_exponent);
            weights.row(row) *= divider;
            array.drive[static_cast<std::size_t>(row)] = static_cast<float>(1.0 / divider);
        }
    }
    const std::vector<double> ranges = column_ranges(weights, inputs, state_columns, kernel);
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

/// Integer coefficient of a real increment: code over 2^exponent with the finest exponent up to `largest_exponent`.
struct Coefficient {
    std::int32_t code = 0;
    int exponent = 0;
};
Coefficient coefficient(double value, int limit, int largest_exponent) {
    Coefficient result;
    result.exponent = largest_exponent;
    if (value != 0.0) {
        result.exponent = std::min(largest_exponent, static_cast<int>(std::floor(std::log2(limit / std::abs(value)))));
    }
    result.code = static_cast<std::int32_t>(std::clamp(std::nearbyint(value * power_of_two(result.exponent)),
                                                       -static_cast<double>(limit), static_cast<double>(limit)));
    return result;
}

/// Digital coefficients of one mode: Re and Im of Abar - 1 with their own binary points, aligned to the finer one as
/// far as 32-bit accumulation allows. The decay is at least one code, and the pole lies inside the unit circle.
DigitalPole digital_pole(const Complex& abar, const DeployedKernel& kernel, int activation_bits) {
    constexpr int kFinestShift = 24;
    const int limit = code_limit(kernel.options.decay_bits());
    const Complex delta = abar - 1.0;
    const double input_code = kernel.options.input_matrix == InputMatrix::folded ? code_limit(activation_bits) : 0.0;
    for (int shift = kFinestShift; shift >= std::max(0, -kernel.input_shift); --shift) {
        Coefficient re = coefficient(delta.real(), limit, shift);
        const Coefficient im = coefficient(delta.imag(), limit, shift);
        const double im_value = im.code * power_of_two(-im.exponent);
        re.code = std::min(re.code, -1);
        while (std::abs(Complex(1.0 + re.code * power_of_two(-re.exponent), im_value)) >= 1.0 && re.code > -limit) {
            --re.code;
        }
        const double aligned_re = re.code * power_of_two(shift - re.exponent);
        const double aligned_im = im.code * power_of_two(shift - im.exponent);
        const double largest = (std::abs(aligned_re) + std::abs(aligned_im)) * kernel.register_limit +
                               input_code * power_of_two(shift + kernel.input_shift) + power_of_two(shift);
        const bool finer_than_needed =
            shift > std::max(re.exponent, im.code == 0 ? 0 : im.exponent) && shift > -kernel.input_shift;
        if (finer_than_needed || largest >= static_cast<double>(std::numeric_limits<std::int32_t>::max())) {
            continue;
        }
        if (std::abs(Complex(1.0 + re.code * power_of_two(-re.exponent), im_value)) >= 1.0) {
            continue;
        }
        return {static_cast<std::int32_t>(aligned_re), static_cast<std::int32_t>(aligned_im), shift};
    }
    throw UserError("a pole at " + std::to_string(abar.real()) + " + " + std::to_string(abar.imag()) +
                    "j cannot be held in " + std::to_string(kernel.options.decay_bits()) +
                    "-bit digital coefficients with " + std::to_string(kernel.options.effective_register_bits()) +
                    "-bit registers and 32-bit products; use fewer register bits or more a_bits");
}

}  // namespace

void refresh_effective(DeployedKernel& kernel) {
    kernel.effective_a.clear();
    kernel.effective_b.clear();
    kernel.effective_c_re.clear();
    kernel.effective_c_im.clear();
    const QuantizedMatrix& array = kernel.array;
    const int output = kernel.output_column();
    const auto weight = [&array](int row, int column) {
        return row < 0 ? 0.0
                       : static_cast<double>(array.codes(row, column)) * array.drive[static_cast<std::size_t>(row)] *
                             array.gain[static_cast<std::size_t>(column)];
    };
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(mode);
        const double increment = power_of_two(kernel.increment_shift[at] - kernel.register_shift);
        Complex a = 0.0;
        Complex b = 0.0;
        if (kernel.array_makes_state) {
            const double unit = kernel.array_replaces_state ? 1.0 : increment;
            b = Complex(weight(kernel.state_input_row(), kernel.state_column(mode, 0, 0)),
                        weight(kernel.state_input_row(), kernel.state_column(mode, 1, 1))) *
                unit;
            // With errors the 2x2 block is no complex number: this is the nearest one.
            a = 0.5 *
                    Complex(weight(2 * mode, kernel.state_column(mode, 0, 0)) +
                                weight(2 * mode + 1, kernel.state_column(mode, 1, 1)),
                            weight(2 * mode, kernel.state_column(mode, 0, 1)) -
                                weight(2 * mode + 1, kernel.state_column(mode, 1, 0))) *
                    unit +
                (kernel.array_replaces_state ? 0.0 : 1.0);
        }
        if (kernel.options.mapping == KernelMapping::digital_decay) {
            a = 1.0 + Complex(kernel.poles[at].re, kernel.poles[at].im) * power_of_two(-kernel.poles[at].shift);
            if (kernel.options.input_matrix == InputMatrix::folded) {
                b = power_of_two(kernel.input_shift - kernel.register_shift);
            }
        }
        kernel.effective_a.push_back(a);
        kernel.effective_b.push_back(b);
        kernel.effective_c_re.push_back(weight(2 * mode, output));
        kernel.effective_c_im.push_back(weight(2 * mode + 1, output));
    }
    kernel.effective_d = kernel.digital_feedthrough() ? kernel.feedthrough : weight(kernel.output_input_row(), output);
}

DiscreteKernel discretize(const LayerParameters& layer, int head) {
    DiscreteKernel kernel;
    const double dt = std::exp(static_cast<double>(layer.log_dt(head)));
    for (int mode = 0; mode < layer.im.cols(); ++mode) {
        const Complex a(-std::exp(static_cast<double>(layer.log_neg_re(head, mode))), layer.im(head, mode));
        const Complex abar = std::exp(dt * a);
        kernel.abar.push_back(abar);
        kernel.bbar.push_back((abar - 1.0) / a);
        kernel.c.emplace_back(layer.c_re(head, mode), layer.c_im(head, mode));
    }
    kernel.d = layer.d(head);
    return kernel;
}

DeployedKernel deploy_kernel(const DiscreteKernel& discrete, const KernelScales& scales, const KernelOptions& options,
                             int activation_bits) {
    DeployedKernel kernel;
    kernel.options = options;
    kernel.modes = static_cast<int>(discrete.abar.size());
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(mode);
        if (!(std::isfinite(scales.state[at]) && scales.state[at] > 0.0)) {
            throw UserError("calibrated state range of mode " + std::to_string(mode) + " is " +
                            std::to_string(scales.state[at]) + ": the checkpoint is not calibrated");
        }
        if (!(std::abs(discrete.abar[at]) < 1.0)) {
            throw NumericalError("pole of mode " + std::to_string(mode) + " lies at |Abar| = " +
                                 std::to_string(std::abs(discrete.abar[at])) + ": not inside the unit circle");
        }
    }
    kernel.array_makes_state = options.mapping == KernelMapping::fused || options.input_matrix == InputMatrix::cells;
    kernel.array_replaces_state =
        options.mapping == KernelMapping::fused && options.representation == StateRepresentation::abar_cartesian;
    kernel.register_limit = code_limit(options.effective_register_bits());
    kernel.register_shift = options.effective_register_bits() - options.state_bits;

    const StateUnits units = state_units(discrete, scales, activation_bits, kernel);
    ArrayTargets targets;
    targets.state_row = kernel.state_input_row();
    targets.output_row = kernel.output_input_row();
    targets.output_column = kernel.output_column();
    const int inputs = 2 * kernel.modes + (targets.state_row >= 0 ? 1 : 0) + (targets.output_row >= 0 ? 1 : 0);
    targets.weights = Eigen::MatrixXd::Zero(inputs, targets.output_column + 1);
    set_output_column(discrete, scales, units, kernel, targets);
    if (kernel.array_makes_state) {
        set_state_columns(discrete, scales, units, kernel, targets);
    }
    quantize_array(targets, activation_bits, kernel);
    if (options.mapping == KernelMapping::digital_decay) {
        const bool polar = options.representation == StateRepresentation::abar_log_polar;
        if (polar) {
            kernel.log_polar = log_polar_poles(discrete.abar, options.magnitude_bits, options.phase_bits);
        }
        for (int mode = 0; mode < kernel.modes; ++mode) {
            const Complex abar = polar ? kernel.log_polar.abar(mode) : discrete.abar[static_cast<std::size_t>(mode)];
            kernel.poles.push_back(digital_pole(abar, kernel, activation_bits));
        }
    }
    refresh_effective(kernel);
    kernel.array.check_exact("kernel array");
    return kernel;
}

}  // namespace imssa
