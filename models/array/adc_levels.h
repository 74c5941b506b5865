#pragma once

#include <cstdint>
#include <vector>

#include "models/array/adc_config.h"

namespace imssa {

/// Where a converter's codes really change. Codes -limit ... limit of a b-bit converter, limit = 2^(b-1) - 1, are the
/// indices 1 ... 2^b - 1 of its levels (offset binary).
class AdcLevels {
public:
    /// Drawn with (seed, tile, converter). Calibrated levels have no end-point gain and offset error.
    AdcLevels(const AdcConfig& config, int limit, std::uint64_t seed, std::uint32_t tile, std::uint32_t converter);

    /// The value, in codes, that rounds to the code that this converter gives for `codes`; linear within a code.
    float distorted(float codes) const {
        const int last = static_cast<int>(transitions_.size()) - 1;
        const float shifted = codes + half_range_;
        int at = shifted <= 0.0F ? 0 : (shifted >= static_cast<float>(last) ? last : static_cast<int>(shifted));
        while (at > 0 && codes < transitions_[static_cast<std::size_t>(at)]) {
            --at;
        }
        while (at < last && codes >= transitions_[static_cast<std::size_t>(at) + 1]) {
            ++at;
        }
        const std::size_t index = static_cast<std::size_t>(at);
        return (codes - transitions_[index]) * slopes_[index] + static_cast<float>(at) - half_range_;
    }

    /// Code is above -limit + i from here on, for i = 0 ... 2 limit - 1; ideally -limit + i + 1/2.
    const std::vector<float>& transitions() const { return transitions_; }

private:
    float half_range_ = 0.0F;  ///< limit - 1/2: minus the first ideal transition
    std::vector<float> transitions_;
    std::vector<float> slopes_;  ///< codes per code between a transition and the next one
};

}  // namespace imssa
