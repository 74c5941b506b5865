#include "models/array/adc_levels.h"

#include <algorithm>
#include <cmath>

#include "models/array/unit_elements.h"
#include "models/common/random.h"

namespace imssa {

namespace {

/// Unit elements of one converter.
class UnitElements {
public:
    UnitElements(double sigma, std::uint64_t seed, std::uint32_t tile, std::uint32_t converter)
        : sigma_(sigma), random_(seed, RandomPurpose::unit_elements, tile), converter_(converter) {}

    /// `count` units in parallel, as element `index`; ideally `count`.
    double element(std::uint32_t index, double count) const {
        if (sigma_ == 0.0) {
            return count;
        }
        const std::uint64_t counter = (static_cast<std::uint64_t>(converter_) << 32) | index;
        return element_size(count, sigma_ * std::sqrt(count) * random_.normal(counter));
    }

private:
    double sigma_;
    CounterRandom random_;
    std::uint32_t converter_;
};

/// Input from which on a successive approximation gives at least code n: the smallest level of all codes from n on,
/// since a code whose level lies above a later one is never chosen.
std::vector<double> sar_levels(const UnitElements& units, int bits) {
    std::vector<double> capacitors;
    double total = units.element(static_cast<std::uint32_t>(bits), 1.0);  // the dummy unit
    for (int bit = 0; bit < bits; ++bit) {
        capacitors.push_back(units.element(static_cast<std::uint32_t>(bit), std::ldexp(1.0, bit)));
        total += capacitors.back();
    }
    const int count = 1 << bits;
    std::vector<double> levels(static_cast<std::size_t>(count), 0.0);
    for (int code = 0; code < count; ++code) {
        for (int bit = 0; bit < bits; ++bit) {
            levels[static_cast<std::size_t>(code)] +=
                ((code >> bit) & 1) != 0 ? capacitors[static_cast<std::size_t>(bit)] : 0.0;
        }
        levels[static_cast<std::size_t>(code)] *= count / total;
    }
    for (std::size_t code = levels.size() - 1; code-- > 0;) {
        levels[code] = std::min(levels[code], levels[code + 1]);
    }
    return levels;
}

/// Sums of equal steps, `period` different ones over and over.
std::vector<double> step_levels(const UnitElements& units, int bits, int period) {
    const int count = 1 << bits;
    std::vector<double> levels = {0.0};
    for (int step = 0; step < count; ++step) {
        levels.push_back(levels.back() + units.element(static_cast<std::uint32_t>(step % period), 1.0));
    }
    const double total = levels.back();
    levels.pop_back();
    for (double& level : levels) {
        level *= count / total;
    }
    return levels;
}

/// The oscillator runs at f (1 - c (v / full scale)^2): a larger input is needed for the same count.
void compress(double compression, std::vector<double>& levels) {
    const double full = static_cast<double>(levels.size()) / 2.0;
    for (double& level : levels) {
        const double x = (level - full) / full;
        level = full + full * x * (1.0 + compression * x * x);
    }
}

}  // namespace

AdcLevels::AdcLevels(const AdcConfig& config, int limit, std::uint64_t seed, std::uint32_t tile,
                     std::uint32_t converter)
    : half_range_(static_cast<float>(limit) - 0.5F) {
    int bits = 1;
    while ((1 << (bits - 1)) - 1 < limit) {
        ++bits;
    }
    const bool shared = config.type == AdcType::ramp;
    const UnitElements units(config.unit_mismatch_sigma, seed, tile, shared ? 0 : converter);
    std::vector<double> levels;
    switch (config.type) {
        case AdcType::sar:
            levels = sar_levels(units, bits);
            break;
        case AdcType::ramp:
            levels = step_levels(units, bits, 1 << bits);
            break;
        case AdcType::cco:
            levels = step_levels(units, bits, config.cco_stages);
            compress(config.cco_compression, levels);
            break;
    }
    // Level n = code + 2^(b-1) is the lower edge of the code; codes are centred on whole numbers.
    const int middle = 1 << (bits - 1);
    const auto edge = [&](int code) { return levels[static_cast<std::size_t>(code + middle)] - middle - 0.5; };
    const double first_error = edge(1 - limit) - (0.5 - limit);
    const double last_error = edge(limit) - (limit - 0.5);
    for (int code = 1 - limit; code <= limit; ++code) {
        double value = edge(code);
        if (config.calibrate) {
            const double part = limit > 1 ? (code - 1.0 + limit) / (2.0 * limit - 1.0) : 0.0;
            value -= first_error + part * (last_error - first_error);
        }
        transitions_.push_back(static_cast<float>(value));
    }
    for (std::size_t i = 0; i < transitions_.size(); ++i) {
        const float width = i + 1 < transitions_.size() ? transitions_[i + 1] - transitions_[i] : 1.0F;
        slopes_.push_back(width > 0.0F ? 1.0F / width : 0.0F);
    }
}

}  // namespace imssa
