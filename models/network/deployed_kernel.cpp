#include "models/network/deployed_kernel.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/common/error.h"
#include "models/network/array_quantization.h"
#include "models/network/digital_pole.h"
#include "models/network/power_of_two.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

using Complex = std::complex<double>;

/// Code units of the state path of one head.
struct StateUnits {
    std::vector<double> dac;        ///< per mode: real units per DAC code
    std::vector<double> increment;  ///< per mode: real units per ADC code of the state columns
};

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
            const double ratio = std::max(largest / (register_unit * dac_limit), 1e-12);
            shift = std::clamp(static_cast<int>(std::ceil(std::log2(ratio))), 0, kernel.register_shift);
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

DeployedKernel kernel_of_zeros(const KernelOptions& options, int modes) {
    DeployedKernel kernel;
    kernel.options = options;
    kernel.modes = modes;
    kernel.array_makes_state = options.mapping == KernelMapping::fused || options.input_matrix == InputMatrix::cells;
    kernel.array_replaces_state =
        options.mapping == KernelMapping::fused && options.representation == StateRepresentation::abar_cartesian;
    const int inputs = 2 * modes + (kernel.state_input_row() >= 0 ? 1 : 0) + (kernel.output_input_row() >= 0 ? 1 : 0);
    kernel.array.codes = MatrixRM::Zero(inputs, kernel.output_column() + 1);
    return kernel;
}

DiscreteKernel discretize(const LayerParameters& layer, int head) {
    DiscreteKernel kernel;
    const double dt = std::exp(static_cast<double>(layer.log_dt(head)));
    for (int mode = 0; mode < layer.im.cols(); ++mode) {
        const Complex a(-std::exp(static_cast<double>(layer.log_neg_re(head, mode))), layer.im(head, mode));
        const Complex abar = std::exp(dt * a);
        kernel.abar.push_back(abar);
        const Complex held = (abar - 1.0) / a;  // of B = 1
        kernel.bbar.push_back(layer.trains_b() ? held * Complex(layer.b_re(head, mode), layer.b_im(head, mode)) : held);
        kernel.c.emplace_back(layer.c_re(head, mode), layer.c_im(head, mode));
    }
    kernel.d = layer.d(head);
    return kernel;
}

DeployedKernel deploy_kernel(const DiscreteKernel& discrete, const KernelScales& scales, const KernelOptions& options,
                             int activation_bits) {
    DeployedKernel kernel = kernel_of_zeros(options, static_cast<int>(discrete.abar.size()));
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(mode);
        if (!(std::isfinite(scales.state[at]) && scales.state[at] > 0.0)) {
            throw UserError("calibrated state range of mode " + std::to_string(mode) + " is " +
                            std::to_string(scales.state[at]) + ": the checkpoint is not calibrated");
        }
        if (options.mapping == KernelMapping::fused && options.representation != StateRepresentation::abar_cartesian &&
            !(std::isfinite(scales.increment[at]) && scales.increment[at] > 0.0)) {
            throw UserError("calibrated range of the increments of mode " + std::to_string(mode) + " is " +
                            std::to_string(scales.increment[at]) + ": the checkpoint is not calibrated");
        }
        if (!(std::abs(discrete.abar[at]) < 1.0)) {
            throw NumericalError("pole of mode " + std::to_string(mode) + " lies at |Abar| = " +
                                 std::to_string(std::abs(discrete.abar[at])) + ": not inside the unit circle");
        }
    }
    kernel.register_limit = code_limit(options.effective_register_bits());
    kernel.register_shift = options.effective_register_bits() - options.state_bits;

    const StateUnits units = state_units(discrete, scales, activation_bits, kernel);
    ArrayTargets targets;
    targets.least_range = scales.least_range;
    targets.state_row = kernel.state_input_row();
    targets.output_row = kernel.output_input_row();
    targets.output_column = kernel.output_column();
    targets.weights = Eigen::MatrixXd::Zero(kernel.array.inputs(), kernel.array.outputs());
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
    kernel.array.check_exact("kernel array (kernel.weight_bits, kernel.state_bits)");
    return kernel;
}

}  // namespace imssa
