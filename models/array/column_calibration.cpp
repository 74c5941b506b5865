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

}  // namespace

ColumnCalibration::ColumnCalibration(const Crossbar& array, int block)
    : array_(array),
      block_(block),
      wanted_(array.matrix().driven_codes().middleRows(array.first_input(block), array.inputs_of(block))),
      measured_(Eigen::MatrixXd::Zero(wanted_.rows(), wanted_.cols())),
      differs_(static_cast<std::size_t>(array.outputs()), false) {}

void ColumnCalibration::measure(const AdcErrors& converters, int first_output, int samples) {
    const int first_input = array_.first_input(block_);
    const int count = array_.inputs_of(block_);
    std::vector<std::uint64_t> identities;
    std::vector<float> amplitudes;
    for (int lane = 0; lane < count; ++lane) {
        identities.push_back(kLastSequence - static_cast<std::uint64_t>(first_input + lane));
        amplitudes.push_back(amplitude(wanted_, lane, array_.input_limit(), converters, first_output));
    }
    LaneMatrix driven(array_.inputs(), count);
    LaneMatrix sums(array_.outputs(), count);
    LaneMatrix exact(converters.outputs(), count);
    LaneMatrix converted(converters.outputs(), count);
    for (int sample = 0; sample < samples; ++sample) {
        const float sign = sample % 2 == 0 ? 1.0F : -1.0F;
        for (int lane = 0; lane < count; ++lane) {
            driven(first_input + lane, lane) = sign * amplitudes[static_cast<std::size_t>(lane)];
        }
        const std::uint32_t number = kFirstRead + static_cast<std::uint32_t>(sample);
        array_.read(driven, identities, number, sums, block_);
        const ReadEnergy energy = array_.read_energy(driven);
        energy_.device_j += energy.device_j;
        energy_.supply_j += energy.supply_j;
        for (int output = 0; output < array_.outputs(); ++output) {
            for (int lane = 0; lane < count; ++lane) {
                converted(first_output + output, lane) = sums(output, lane);
                exact(first_output + output, lane) = wanted_(lane, output) * driven(first_input + lane, lane);
            }
        }
        converters.apply(identities, number, converted);
        converters.digitize(converted);
        converters.digitize(exact);
        for (int output = 0; output < array_.outputs(); ++output) {
            for (int lane = 0; lane < count; ++lane) {
                const float sum = converted(first_output + output, lane);
                const double code = static_cast<double>(driven(first_input + lane, lane));
                measured_(lane, output) += static_cast<double>(sum) / (code * samples);
                if (sum != exact(first_output + output, lane)) {
                    differs_[static_cast<std::size_t>(output)] = true;
                }
            }
        }
    }
}

std::vector<double> ColumnCalibration::factors(double trim_step) const {
    std::vector<double> factors(differs_.size(), 1.0);
    for (std::size_t output = 0; output < factors.size(); ++output) {
        const Eigen::Index column = static_cast<Eigen::Index>(output);
        const Eigen::VectorXd weights = measured_.col(column);
        const double match = weights.dot(wanted_.col(column).cast<double>());
        if (!differs_[output] || !(match > 0.0)) {
            continue;
        }
        const double factor = match / weights.squaredNorm();
        const double step = trim_step / static_cast<double>(array_.matrix().output_limit[output]);
        factors[output] = step > 0.0 ? std::max(step, step * std::round(factor / step)) : factor;
    }
    return factors;
}

}  // namespace imssa
