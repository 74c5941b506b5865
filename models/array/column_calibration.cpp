#include "models/array/column_calibration.h"

#include <algorithm>
#include <cmath>

namespace imssa {

namespace {

/// Share of the converters' range that the calibration uses.
constexpr double kRange = 0.9;
/// Reads of the calibration have numbers that no step has, and its lanes identities that no sequence has.
constexpr std::uint32_t kFirstRead = 0xc0000000U;
constexpr std::uint64_t kLastSequence = 0xffffffffU;

/// Largest code of an input that keeps the wanted sums of all columns in range.
float amplitude(const MatrixRM& wanted, int input, int input_limit, const AdcErrors& converters, int first_output) {
    double limit = input_limit;
    for (int output = 0; output < wanted.cols(); ++output) {
        const double weight = std::abs(static_cast<double>(wanted(input, output)));
        if (weight > 0.0) {
            limit = std::min(limit, kRange * converters.largest_sum(first_output + output) / weight);
        }
    }
    return std::max(1.0F, static_cast<float>(std::floor(limit)));
}

/// By output, of estimated weights. differs: whether a conversion was not that of exact cells.
std::vector<double> fitted_factors(const Eigen::MatrixXd& weights, const MatrixRM& wanted,
                                   const std::vector<bool>& differs, const std::vector<float>& limits,
                                   double trim_step_codes) {
    std::vector<double> factors(differs.size(), 1.0);
    for (std::size_t output = 0; output < factors.size(); ++output) {
        const Eigen::Index column = static_cast<Eigen::Index>(output);
        const double match = weights.col(column).dot(wanted.col(column).cast<double>());
        if (!differs[output] || !(match > 0.0)) {
            continue;
        }
        const double factor = match / weights.col(column).squaredNorm();
        const double step = trim_step_codes / static_cast<double>(limits[output]);
        factors[output] = step > 0.0 ? std::max(step, step * std::round(factor / step)) : factor;
    }
    return factors;
}

}  // namespace

ColumnTrim measure_columns(const Crossbar& array, int block, const AdcErrors& converters, int first_output,
                           const ColumnCalibration& calibration) {
    const int first_input = array.first_input(block);
    const int count = array.inputs_of(block);
    const MatrixRM wanted = array.matrix().driven_codes().middleRows(first_input, count);
    std::vector<std::uint64_t> identities;
    std::vector<float> amplitudes;
    for (int lane = 0; lane < count; ++lane) {
        identities.push_back(kLastSequence - static_cast<std::uint64_t>(first_input + lane));
        amplitudes.push_back(amplitude(wanted, lane, array.input_limit(), converters, first_output));
    }
    LaneMatrix driven(array.inputs(), count);
    LaneMatrix sums(array.outputs(), count);
    LaneMatrix exact(converters.outputs(), count);
    LaneMatrix converted(converters.outputs(), count);
    Eigen::MatrixXd weights = Eigen::MatrixXd::Zero(wanted.rows(), wanted.cols());
    std::vector<bool> differs(static_cast<std::size_t>(array.outputs()), false);
    ColumnTrim trim;
    for (int sample = 0; sample < calibration.samples; ++sample) {
        const float sign = sample % 2 == 0 ? 1.0F : -1.0F;
        for (int lane = 0; lane < count; ++lane) {
            driven(first_input + lane, lane) = sign * amplitudes[static_cast<std::size_t>(lane)];
        }
        const std::uint32_t number = kFirstRead + static_cast<std::uint32_t>(sample);
        array.read(driven, identities, number, sums, block);
        const ReadEnergy energy = array.read_energy(driven);
        trim.energy.device_j += energy.device_j;
        trim.energy.supply_j += energy.supply_j;
        for (int output = 0; output < array.outputs(); ++output) {
            for (int lane = 0; lane < count; ++lane) {
                converted(first_output + output, lane) = sums(output, lane);
                exact(first_output + output, lane) = wanted(lane, output) * driven(first_input + lane, lane);
            }
        }
        converters.apply(identities, number, converted);
        converters.digitize(converted);
        converters.digitize(exact);
        for (int output = 0; output < array.outputs(); ++output) {
            for (int lane = 0; lane < count; ++lane) {
                const float sum = converted(first_output + output, lane);
                const double code = static_cast<double>(driven(first_input + lane, lane));
                weights(lane, output) += static_cast<double>(sum) / (code * calibration.samples);
                if (sum != exact(first_output + output, lane)) {
                    differs[static_cast<std::size_t>(output)] = true;
                }
            }
        }
    }
    trim.factors = fitted_factors(weights, wanted, differs, array.matrix().output_limit, calibration.trim_step_codes);
    return trim;
}

void calibrate_columns(Crossbar& array, int block, const AdcErrors& converters, int first_output,
                       const ColumnCalibration& calibration) {
    if (calibration.samples > 0) {
        const ColumnTrim trim = measure_columns(array, block, converters, first_output, calibration);
        array.trim_outputs(trim.factors, trim.energy, block);
    }
}

}  // namespace imssa
