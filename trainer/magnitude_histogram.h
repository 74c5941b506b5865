#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace imssa {

/// Counts of magnitudes in logarithmic bins, 32 an octave from 2^-40 to 2^24 (smaller ones in the first bin).
class MagnitudeHistogram {
public:
    void add(float magnitude) {
        ++counts_[static_cast<std::size_t>(bin_of(magnitude))];
        ++total_;
    }

    /// Upper end of the bin up to which at least `percent` of all magnitudes lie: at most 3.2 % above the percentile.
    float percentile(double percent) const {
        const double wanted = percent / 100.0 * static_cast<double>(total_);
        double below = 0.0;
        int bin = 0;
        for (; bin < kBins - 1; ++bin) {
            below += static_cast<double>(counts_[static_cast<std::size_t>(bin)]);
            if (below >= wanted) {
                break;
            }
        }
        const std::uint32_t bits = static_cast<std::uint32_t>(bin + 1 + kFirst) << kShift;
        float upper = 0.0F;
        std::memcpy(&upper, &bits, sizeof(upper));
        return upper;
    }

private:
    // The upper bits of a float are its exponent and the first five bits of its mantissa: a logarithmic scale.
    static constexpr int kShift = 18;
    static constexpr int kFirst = (127 - 40) << 5;
    static constexpr int kBins = 64 << 5;

    static int bin_of(float magnitude) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &magnitude, sizeof(bits));
        return std::clamp(static_cast<int>(bits >> kShift) - kFirst, 0, kBins - 1);
    }

    std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(kBins, 0);
    std::uint64_t total_ = 0;
};

}  // namespace imssa
