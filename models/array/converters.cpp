#include "models/array/converters.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include "models/array/converter_bits.h"
#include "models/array/unit_elements.h"
#include "models/common/error.h"
#include "models/common/lane_table.h"
#include "models/common/random.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

void check_up_to(double most, double value, const char* key) {
    if (!(value >= 0.0) || !(value <= most)) {
        std::ostringstream text;
        text << key << " = " << value << " is out of range: set a number from 0 to " << most;
        throw UserError(text.str());
    }
}

/// What trimming in steps leaves of an error that was measured with noise.
double trimmed(double error, double step, double measurement_noise) {
    const double measured = error + measurement_noise;
    return error - (step > 0.0 ? step * std::round(measured / step) : measured);
}

/// AdcLevels::distorted on sixteen lanes. NaN compares false: it starts at the first transition and stays NaN.
Lanes distorted(const std::vector<float>& transitions, Lanes codes) {
    const int last = static_cast<int>(transitions.size()) - 1;
    const float half_range = 0.5F * static_cast<float>(last);  // minus the first ideal transition
    const Lanes zero{};
    const Lanes end = broadcast(static_cast<float>(last));
    Lanes start = codes + half_range;
    start = start > zero ? start : zero;
    start = start < end ? start : end;
    // Transitions ascend: down and then up ends at the last one that is not above the input.
    LanesInt at = to_int(start);
    LanesInt move = (codes < gather(transitions.data(), at)) & (at > 0);
    while (any(move)) {
        at += move;  // a true lane is -1
        move = (codes < gather(transitions.data(), at)) & (at > 0);
    }
    LanesInt next = at < last ? at + 1 : at;
    move = (codes >= gather(transitions.data(), next)) & (at < last);
    while (any(move)) {
        at -= move;
        next = at < last ? at + 1 : at;
        move = (codes >= gather(transitions.data(), next)) & (at < last);
    }
    const Lanes edge = gather(transitions.data(), at);
    // Beyond the last transition codes are one wide, and so are those that no input gives.
    Lanes width = gather(transitions.data(), next) - edge;
    width = width > zero ? width : width + 1.0F;
    return (codes - edge) / width + (to_float(at) - half_range);
}

}  // namespace

void AdcConfig::validate() const {
    check_converter_bits(bits, "bits");
    constexpr double kMostCodes = 1e6;  // far beyond any range
    check_up_to(kMostCodes, input_noise_codes, "input_noise_codes");
    check_up_to(kMostCodes, offset_sigma_codes, "offset_sigma_codes");
    check_up_to(kMostConverterSigma, gain_sigma, "gain_sigma");
    check_up_to(kMostConverterSigma, unit_mismatch_sigma, "unit_mismatch_sigma");
    check_up_to(kMostCodes, calibration_step_codes, "calibration_step_codes");
    if (cco_stages < 1 || cco_stages > 65536) {
        throw UserError("cco_stages = " + std::to_string(cco_stages) + " is out of range: set 1 to 65536");
    }
    if (!(cco_compression >= 0.0) || cco_compression >= 1.0) {
        throw UserError("cco_compression = " + std::to_string(cco_compression) +
                        " is out of range: set a fraction of at least 0 and below 1");
    }
    if (calibration_samples < 1) {
        throw UserError("calibration_samples = " + std::to_string(calibration_samples) +
                        " is out of range: set at least 1");
    }
}

AdcErrors::AdcErrors(const AdcConfig& config, const QuantizedMatrix& matrix, int outputs_per_adc, std::uint64_t seed,
                     std::uint32_t tile, const std::vector<bool>& partial, std::optional<std::uint32_t> site)
    : code_gain_(matrix.gain),
      code_offset_(matrix.offset),
      code_limit_(matrix.output_limit),
      partial_(partial),
      rounds_(matrix.gain.size(), false),
      ideal_(config.has_no_errors()),
      seed_(seed),
      tile_(tile) {
    assert(outputs_per_adc > 0);
    const CounterRandom random(seed, RandomPurpose::converter, site.value_or(tile));
    const CounterRandom references(seed, RandomPurpose::converter_calibration, site.value_or(tile));
    const double measured_noise = config.input_noise_codes / std::sqrt(config.calibration_samples);
    for (std::size_t output = 0; output < code_gain_.size(); ++output) {
        const bool constant = code_gain_[output] == 0.0F;
        const double sums_per_code = constant ? 0.0 : 1.0 / static_cast<double>(code_gain_[output]);
        const std::uint64_t adc = output / static_cast<std::size_t>(outputs_per_adc);
        double gain_error = config.gain_sigma == 0.0 || constant ? 0.0 : config.gain_sigma * random.normal(2 * adc);
        double offset_codes =
            config.offset_sigma_codes == 0.0 ? 0.0 : config.offset_sigma_codes * random.normal(2 * adc + 1);
        if (config.calibrate && !constant) {
            const double full = static_cast<double>(code_limit_[output]);
            offset_codes = trimmed(offset_codes, config.calibration_step_codes,
                                   measured_noise == 0.0 ? 0.0 : measured_noise * references.normal(2 * adc));
            gain_error = trimmed(gain_error, config.calibration_step_codes / full,
                                 measured_noise == 0.0 ? 0.0 : measured_noise / full * references.normal(2 * adc + 1));
        }
        gain_factor_.push_back(1.0 + gain_error);
        offset_.push_back(static_cast<float>(offset_codes * sums_per_code));
        if (config.input_noise_codes > 0.0) {
            noise_sigma_.push_back(static_cast<float>(config.input_noise_codes * std::abs(sums_per_code)));
        }
    }
    if (config.bits > 0) {
        set_grids(config.bits, partial);
    }
    if (!config.has_linear_levels()) {
        add_levels(config, outputs_per_adc, site.value_or(tile));
    }
}

void AdcErrors::set_grids(int bits, const std::vector<bool>& partial) {
    for (std::size_t output = 0; output < code_gain_.size(); ++output) {
        if (code_gain_[output] == 0.0F) {
            continue;
        }
        const CodeGrid grid = code_grid(static_cast<double>(code_limit_[output]), bits);
        code_gain_[output] /= grid.step;
        code_offset_[output] /= grid.step;
        code_limit_[output] = grid.limit;
        if (!partial.empty() && partial[output]) {
            code_offset_[output] = 0.0F;  // added with the sum, once
            rounds_[output] = true;
            ideal_ = false;
        }
    }
}

void AdcErrors::add_levels(const AdcConfig& config, int outputs_per_adc, std::uint32_t site) {
    std::map<std::pair<std::uint32_t, int>, int> known;
    for (std::size_t output = 0; output < code_gain_.size(); ++output) {
        const std::uint32_t adc = static_cast<std::uint32_t>(output) / static_cast<std::uint32_t>(outputs_per_adc);
        const int limit = static_cast<int>(code_limit_[output]);
        const auto [at, inserted] = known.emplace(std::pair{adc, limit}, static_cast<int>(levels_.size()));
        if (inserted) {
            levels_.emplace_back(config, limit, seed_, site, adc);
        }
        levels_of_.push_back(at->second);
    }
}

ConversionCounts AdcErrors::apply(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
                                  LaneMatrix& sums) const {
    assert(static_cast<std::size_t>(sums.channels()) == gain_factor_.size());
    assert(sequence_ids.size() == static_cast<std::size_t>(sums.lanes()));
    if (!ideal_) {
        add_errors(sequence_ids, step, sums);
    }
    const ConversionCounts counts = count(sums);
    round_partial_sums(sums);
    return counts;
}

void AdcErrors::add_errors(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step, LaneMatrix& sums) const {
    const std::vector<LanesUint> sequences = sequence_lanes(sequence_ids);
    const int outputs = sums.channels();
    for (int first = 0; first < outputs; first += 4) {
        const int in_quad = std::min(4, outputs - first);
        for (int vector = 0; vector < sums.vectors(); ++vector) {
            NormalQuad normals{};
            if (!noise_sigma_.empty()) {
                normals = normal_quad(seed_, RandomPurpose::converter_noise, tile_,
                                      sequences[static_cast<std::size_t>(vector)], step,
                                      static_cast<std::uint32_t>(first / 4));
            }
            for (int k = 0; k < in_quad; ++k) {
                const std::size_t output = static_cast<std::size_t>(first + k);
                float* at = sums.row(first + k) + vector * kLaneWidth;
                Lanes sum = multiply_add(load_lanes(at), broadcast(static_cast<float>(gain_factor_[output])),
                                         broadcast(offset_[output]));
                if (!noise_sigma_.empty()) {
                    sum = multiply_add(normals.values[k], broadcast(noise_sigma_[output]), sum);
                }
                store_lanes(at, sum);
            }
        }
    }
    if (!levels_.empty()) {
        for (int output = 0; output < outputs; ++output) {
            distort(output, sums);
        }
    }
}

void AdcErrors::round_partial_sums(LaneMatrix& sums) const {
    for (std::size_t output = 0; output < rounds_.size(); ++output) {
        if (rounds_[output]) {
            digitize_output(static_cast<int>(output), sums);
        }
    }
}

void AdcErrors::digitize(LaneMatrix& sums) const {
    for (int output = 0; output < sums.channels(); ++output) {
        if (!is_wide(static_cast<std::size_t>(output))) {
            digitize_output(output, sums);
            continue;
        }
        float* row = sums.row(output);
        std::transform(row, row + sums.lanes(), row, [](float sum) { return std::nearbyint(sum); });
    }
}

double AdcErrors::largest_sum(int output) const {
    const std::size_t at = static_cast<std::size_t>(output);
    if (code_gain_[at] == 0.0F || is_wide(at)) {
        return std::numeric_limits<double>::infinity();
    }
    const double codes = static_cast<double>(code_limit_[at]) - std::abs(static_cast<double>(code_offset_[at]));
    return std::max(0.0, codes) / std::abs(static_cast<double>(code_gain_[at]));
}

void AdcErrors::digitize_output(int output, LaneMatrix& sums) const {
    const std::size_t at = static_cast<std::size_t>(output);
    const float gain = code_gain_[at];
    if (gain == 0.0F) {
        return;
    }
    const float offset = code_offset_[at];
    const float sum_per_code = 1.0F / gain;
    float* row = sums.row(output);
    for (int lane = 0; lane < sums.stride(); lane += kLaneWidth) {
        const Lanes code = convert(load_lanes(row + lane), gain, offset, code_limit_[at]);
        store_lanes(row + lane, sum_per_code * (code - offset));
    }
}

void AdcErrors::distort(int output, LaneMatrix& sums) const {
    const std::size_t at = static_cast<std::size_t>(output);
    const float gain = code_gain_[at];
    if (gain == 0.0F) {
        return;
    }
    const AdcLevels& levels = levels_[static_cast<std::size_t>(levels_of_[at])];
    const float offset = code_offset_[at];
    const float sums_per_code = 1.0F / gain;
    float* row = sums.row(output);
    for (int vector = 0; vector < sums.vectors(); ++vector) {
        float* place = row + vector * kLaneWidth;
        const Lanes codes = load_lanes(place) * gain + offset;
        store_lanes(place, (distorted(levels.transitions(), codes) - offset) * sums_per_code);
    }
}

ConversionCounts AdcErrors::count(const LaneMatrix& sums) const {
    ConversionCounts counts;
    for (int output = 0; output < sums.channels(); ++output) {
        const std::size_t at = static_cast<std::size_t>(output);
        if (code_gain_[at] == 0.0F) {
            continue;
        }
        counts.conversions += sums.lanes();
        const float bound = code_limit_[at] + 0.5F;
        const float gain = code_gain_[at];
        const float offset = code_offset_[at];
        const float* row = sums.row(output);
        int saturated = 0;
        for (int lane = 0; lane < sums.lanes(); ++lane) {
            saturated += std::abs(row[lane] * gain + offset) > bound ? 1 : 0;
        }
        counts.saturated += saturated;
    }
    return counts;
}

}  // namespace imssa
