#include "models/chip/pole_calibration.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "models/network/quantizer.h"

namespace imssa {

namespace {

/// A difference below this many standard deviations is noise.
constexpr double kSignificance = 4.0;
/// Share of the converters' range that the calibration uses.
constexpr double kRange = 0.9;

/// Largest amplitude on a mode's inputs that keeps all its conversions in range.
double amplitude_limit(const DeployedKernel& kernel, int mode) {
    const QuantizedMatrix& array = kernel.array;
    double limit = code_limit(kernel.options.state_bits);
    for (int column = kernel.state_columns_per_mode() * mode; column < kernel.state_columns_per_mode() * (mode + 1);
         ++column) {
        const std::size_t at = static_cast<std::size_t>(column);
        const double slope =
            std::hypot(array.codes(2 * mode, column), array.codes(2 * mode + 1, column)) * array.gain[at];
        if (slope > 0.0) {
            limit = std::min(limit, kRange * array.output_limit[at] / slope);
        }
    }
    return std::max(limit, 1.0);
}

/// Pseudo-random integer amplitudes within a circle on the two inputs of a mode.
LaneMatrix amplitudes(const DeployedKernel& kernel, int mode, int reads) {
    LaneMatrix inputs(kernel.array.inputs(), reads);
    const double limit = amplitude_limit(kernel, mode);
    std::uint32_t state = mix32(static_cast<std::uint32_t>(mode) + 1U);
    const auto uniform = [&state] {
        state = mix32(state + 0x9e3779b9U);
        return 2.0 * state / 4294967296.0 - 1.0;
    };
    for (int lane = 0; lane < reads; ++lane) {
        double a = 0.0;
        double b = 0.0;
        do {
            a = uniform();
            b = uniform();
        } while (a * a + b * b > 1.0);
        inputs(2 * mode, lane) = static_cast<float>(std::trunc(a * limit));
        inputs(2 * mode + 1, lane) = static_cast<float>(std::trunc(b * limit));
    }
    return inputs;
}

struct Fit {
    double first = 0.0, second = 0.0;  ///< slopes of the two inputs
    double deviation = 0.0;            ///< of a slope
    double undithered = 0.0;           ///< share of the rounding that nothing is sure to have made random
};

/// Least squares of value = first a + second b, each value the sum of `conversions` with steps of `code_step`.
Fit fit(const LaneMatrix& inputs, int mode, const std::vector<double>& values, double code_step, int conversions) {
    double aa = 0.0, ab = 0.0, bb = 0.0, av = 0.0, bv = 0.0, vv = 0.0;
    for (int lane = 0; lane < inputs.lanes(); ++lane) {
        const double a = inputs(2 * mode, lane);
        const double b = inputs(2 * mode + 1, lane);
        const double v = values[static_cast<std::size_t>(lane)];
        aa += a * a;
        ab += a * b;
        bb += b * b;
        av += a * v;
        bv += b * v;
        vv += v * v;
    }
    const double determinant = aa * bb - ab * ab;
    Fit result;
    if (determinant <= 0.0) {
        return result;
    }
    result.first = (bb * av - ab * bv) / determinant;
    result.second = (aa * bv - ab * av) / determinant;
    const double residual = std::max(0.0, vv - result.first * av - result.second * bv);
    const double rounding_variance = conversions * code_step * code_step / 12.0;
    const double scatter = residual / std::max(1, inputs.lanes() - 2);
    const double variance = std::max(scatter, rounding_variance);
    // Scatter of one and a half times that of random rounding is dither enough.
    result.undithered = std::clamp(1.5 - scatter / rounding_variance, 0.0, 1.0);
    result.deviation = std::sqrt(variance * std::max(aa, bb) / determinant);
    return result;
}

double spectral_radius(const Eigen::MatrixXd& matrix) {
    return Eigen::EigenSolver<Eigen::MatrixXd>(matrix, false).eigenvalues().cwiseAbs().maxCoeff();
}

double component_unit(const DeployedKernel& kernel, int component) {
    return kernel.array_replaces_state
               ? 1.0
               : std::ldexp(1.0,
                            kernel.increment_shift[static_cast<std::size_t>(component / 2)] - kernel.register_shift);
}

/// Columns 2 mode and 2 mode + 1 of the state matrix from the conversions of one mode's reads.
void measure_mode(const DeployedKernel& kernel, int mode, const LaneMatrix& inputs, const LaneMatrix& codes,
                  double code_step, HeadCalibration& result) {
    std::vector<double> values(static_cast<std::size_t>(inputs.lanes()));
    double deviation = 0.0;
    double undithered = 0.0;
    for (int component = 0; component < kernel.state_components(); ++component) {
        for (int lane = 0; lane < inputs.lanes(); ++lane) {
            values[static_cast<std::size_t>(lane)] =
                kernel.planes() ? codes(2 * component, lane) + codes(2 * component + 1, lane) : codes(component, lane);
        }
        const double unit = component_unit(kernel, component);
        const Fit slopes = fit(inputs, mode, values, code_step, kernel.columns_per_component());
        result.state_matrix(component, 2 * mode) += slopes.first * unit;
        result.state_matrix(component, 2 * mode + 1) += slopes.second * unit;
        if (component / 2 == mode) {
            deviation = std::max(deviation, slopes.deviation * unit);
            undithered = std::max(undithered, slopes.undithered * unit);
        }
    }
    result.deviation.push_back(deviation);
    // Codes of a slope near a whole number, say, do not change until the amplitudes add up to half a code.
    constexpr double kHalfCode = 0.5;
    const double unresolved = kHalfCode * code_step * kernel.columns_per_component() / amplitude_limit(kernel, mode);
    result.tolerance.push_back(kSignificance * deviation + undithered * unresolved);
}

/// Whether cells with exactly the deployed codes, without noise, convert to the same state codes: then there is nothing
/// to correct, whatever rounding makes of the measured radius.
bool is_exact(const DeployedKernel& kernel, const LaneMatrix& inputs, const LaneMatrix& codes) {
    LaneMatrix sums(codes.channels(), codes.lanes());
    LaneMatrix exact(codes.channels(), codes.lanes());
    exact_product(kernel.array.driven_codes(), inputs, sums);
    convert_all(kernel.array, sums, exact);
    for (int column = 0; column < kernel.output_column(); ++column) {
        if (!std::equal(codes.row(column), codes.row(column) + codes.lanes(), exact.row(column))) {
            return false;
        }
    }
    return true;
}

void choose_gains(const DeployedKernel& kernel, PoleCalibration wanted, HeadCalibration& result) {
    std::vector<double> factors;
    double slowest = 0.0;
    double uncertain = 0.0;
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(mode);
        const double asked = result.asked_radius[at];
        const double measured = result.measured_radius[at];
        const double tolerance = result.tolerance[at];
        slowest = std::max(slowest, asked);
        uncertain = std::max(uncertain, tolerance);
        const bool differs = wanted == PoleCalibration::stability ? measured > asked + tolerance
                                                                  : std::abs(measured - asked) > tolerance;
        factors.push_back(differs ? std::clamp(asked / measured, 0.25, 1.75) : 1.0);
    }
    Eigen::MatrixXd closed = result.state_matrix;
    for (int component = 0; component < closed.rows(); ++component) {
        closed.row(component) *= factors[static_cast<std::size_t>(component / 2)];
    }
    const double radius = spectral_radius(closed);
    const double common = radius > slowest + uncertain ? slowest / radius : 1.0;
    for (const double factor : factors) {
        result.gains.push_back(mode_gain(factor * common, kernel.options.effective_register_bits()));
    }
}

}  // namespace

ModeGain mode_gain(double factor, int register_bits) {
    ModeGain gain;
    gain.factor = factor;
    const double excess = factor - 1.0;
    if (excess == 0.0) {
        return gain;
    }
    // |x| < 2^(register_bits - 1), so x * excess stays below 2^30.
    gain.shift = std::clamp(static_cast<int>(std::floor(31.0 - register_bits - std::log2(std::abs(excess)))), 1, 24);
    gain.excess = static_cast<std::int32_t>(std::nearbyint(std::ldexp(excess, gain.shift)));
    return gain;
}

HeadCalibration calibrate_poles(const DeployedKernel& kernel, const CalibrationConfig& config, const ArrayRead& read,
                                double code_step) {
    HeadCalibration result;
    const int components = kernel.state_components();
    result.state_matrix = Eigen::MatrixXd::Zero(components, components);
    if (!kernel.array_replaces_state) {
        result.state_matrix.setIdentity();
    }
    std::vector<std::uint64_t> ids;
    for (int index = 0; index < config.reads_per_mode; ++index) {
        ids.push_back(0xffffffffU - static_cast<std::uint32_t>(index));  // noise that no sequence sees
    }
    LaneMatrix sums(kernel.array.outputs(), config.reads_per_mode);
    LaneMatrix codes(kernel.array.outputs(), config.reads_per_mode);
    bool exact = true;
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const LaneMatrix inputs = amplitudes(kernel, mode, config.reads_per_mode);
        read(inputs, ids, 0x80000000U + static_cast<std::uint32_t>(mode), sums);
        convert_all(kernel.array, sums, codes);
        exact = exact && is_exact(kernel, inputs, codes);
        measure_mode(kernel, mode, inputs, codes, code_step, result);
    }
    for (int mode = 0; mode < kernel.modes; ++mode) {
        result.asked_radius.push_back(std::abs(kernel.effective_a[static_cast<std::size_t>(mode)]));
        result.measured_radius.push_back(spectral_radius(result.state_matrix.block(2 * mode, 2 * mode, 2, 2)));
    }
    if (exact) {
        result.gains.assign(static_cast<std::size_t>(kernel.modes), ModeGain{});
    } else {
        choose_gains(kernel, config.poles, result);
    }
    return result;
}

std::vector<std::complex<double>> programmed_poles(const DeployedKernel& kernel, const Eigen::MatrixXd& weights,
                                                   int mode, double gain) {
    if (kernel.options.mapping != KernelMapping::fused) {
        return {kernel.effective_a[static_cast<std::size_t>(mode)]};
    }
    Eigen::Matrix2d block = Eigen::Matrix2d::Zero();
    for (int to = 0; to < 2; ++to) {
        for (int from = 0; from < 2; ++from) {
            for (int part = 0; part < kernel.columns_per_component(); ++part) {
                const int column = kernel.columns_per_component() * (2 * mode + to) + part;
                block(to, from) += weights(2 * mode + from, column) *
                                   kernel.array.gain[static_cast<std::size_t>(column)] *
                                   component_unit(kernel, 2 * mode);
            }
        }
        block(to, to) += kernel.array_replaces_state ? 0.0 : 1.0;
    }
    const Eigen::Vector2cd poles = Eigen::EigenSolver<Eigen::Matrix2d>(block * gain, false).eigenvalues();
    // Conjugates say the same: the one on the side of the deployed pole.
    if (poles(0).imag() == 0.0) {
        return {poles(0), poles(1)};
    }
    const bool below = kernel.effective_a[static_cast<std::size_t>(mode)].imag() < 0.0;
    return {below == (poles(0).imag() < 0.0) ? poles(0) : poles(1)};
}

void apply_gains(const DeployedKernel& kernel, const std::vector<ModeGain>& gains, StateRegisterFile& registers) {
    for (int component = 0; component < registers.components(); ++component) {
        const ModeGain& gain = gains[static_cast<std::size_t>(component / 2)];
        if (gain.excess == 0) {
            continue;
        }
        const std::int32_t half = 1 << (gain.shift - 1);
        for (int lane = 0; lane < registers.stride(); lane += kLaneWidth) {
            std::int32_t* at = registers.row(component) + lane;
            const LanesInt value = load_lanes_int(at);
            const LanesInt change = (value * gain.excess + half) >> gain.shift;
            store_lanes_int(at, clamp_register(value + change, kernel.register_limit));
        }
    }
}

}  // namespace imssa
