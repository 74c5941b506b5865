#include "models/array/converters.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "models/common/error.h"
#include "models/common/random.h"

namespace imssa {

namespace {

void check_not_negative(double value, const char* key) {
    if (!(value >= 0.0) || !std::isfinite(value)) {
        throw UserError(std::string(key) + " = " + std::to_string(value) +
                        " is out of range: set a standard deviation of at least 0");
    }
}

}  // namespace

void AdcConfig::validate() const {
    check_not_negative(input_noise_codes, "input_noise_codes");
    check_not_negative(offset_sigma_codes, "offset_sigma_codes");
    check_not_negative(gain_sigma, "gain_sigma");
}

AdcErrors::AdcErrors(const AdcConfig& config, const std::vector<float>& gain, int outputs_per_adc, std::uint64_t seed,
                     std::uint32_t tile)
    : ideal_(config.is_ideal()), seed_(seed), tile_(tile) {
    assert(outputs_per_adc > 0);
    const CounterRandom random(seed, RandomPurpose::converter, tile);
    for (std::size_t output = 0; output < gain.size(); ++output) {
        const bool constant = gain[output] == 0.0F;
        const double sums_per_code = constant ? 0.0 : 1.0 / static_cast<double>(gain[output]);
        const std::uint64_t adc = output / static_cast<std::size_t>(outputs_per_adc);
        const double gain_error =
            config.gain_sigma == 0.0 || constant ? 0.0 : config.gain_sigma * random.normal(2 * adc);
        const double offset_codes =
            config.offset_sigma_codes == 0.0 ? 0.0 : config.offset_sigma_codes * random.normal(2 * adc + 1);
        gain_factor_.push_back(1.0 + gain_error);
        offset_.push_back(static_cast<float>(offset_codes * sums_per_code));
        if (config.input_noise_codes > 0.0) {
            noise_sigma_.push_back(static_cast<float>(config.input_noise_codes * std::abs(sums_per_code)));
        }
    }
}

void AdcErrors::apply(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step, LaneMatrix& sums) const {
    assert(static_cast<std::size_t>(sums.channels()) == gain_factor_.size());
    assert(sequence_ids.size() == static_cast<std::size_t>(sums.lanes()));
    if (ideal_) {
        return;
    }
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
}

}  // namespace imssa
