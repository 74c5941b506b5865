#include "trainer/fake_quantizer.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"
#include "models/common/lanes.h"
#include "models/common/random.h"

namespace imssa {

namespace {

/// Smallest range of a max-scale quantizer (QS4D).
constexpr double kSmallestRange = 1e-5;

/// Numbers of one scale: rows x columns of a tensor from (row, column).
struct Part {
    int row, rows, column, columns;
};

std::vector<Part> parts_of(ScaleGranularity scale, int heads, int modes) {
    std::vector<Part> parts;
    if (scale == ScaleGranularity::tensor) {
        return {{0, heads, 0, modes}};
    }
    for (int head = 0; head < heads; ++head) {
        if (scale == ScaleGranularity::head) {
            parts.push_back({head, 1, 0, modes});
            continue;
        }
        for (int mode = 0; mode < modes; ++mode) {
            parts.push_back({head, 1, mode, 1});
        }
    }
    return parts;
}

}  // namespace

void QuantizerOptions::validate() const {
    if (quantizer == Quantizer::off) {
        return;
    }
    const int fewest = quantizer == Quantizer::max_scale ? 1 : 2;
    if (bits < fewest || bits > 16) {
        throw UserError("key 'bits' is " + std::to_string(bits) + ": must lie in [" + std::to_string(fewest) +
                        ", 16] (one bit is ternary, with quantizer 'max_scale')");
    }
    if (!(std::isfinite(range) && range >= 0.0)) {
        throw UserError(
            "key 'range' must be finite and must not be negative: the largest magnitude, or 0 for the observed one");
    }
    if (!(percentile > 50.0 && percentile <= 100.0)) {
        throw UserError("key 'percentile' must lie in (50, 100]");
    }
    if (!(momentum >= 0.0 && momentum < 1.0)) {
        throw UserError("key 'momentum' must lie in [0, 1)");
    }
    if (ranges != RangeSource::fixed && (range > 0.0 || percentile < 100.0)) {
        throw UserError("'range' and 'percentile' fix a range: they need ranges = \"fixed\"");
    }
    if (range > 0.0 && percentile < 100.0) {
        throw UserError("'range' fixes what 'percentile' would observe: give one of them");
    }
    if (range > 0.0 && quantizer == Quantizer::asymmetric) {
        throw UserError("'range' is symmetric: with quantizer 'asymmetric' leave it at 0 and use 'percentile'");
    }
}

float QuantizerGrid::nearest_code(float value) const {
    return std::fma(value, gain, kWholeNumbers + zero) - kWholeNumbers;
}

float QuantizerGrid::quantize(float value) const {
    if (gain == 0.0F) {
        return 0.0F;
    }
    return (std::clamp(nearest_code(value), low, high) - zero) * (1.0F / gain);
}

float QuantizerGrid::quantize_dithered(float value, float uniform) const {
    if (gain == 0.0F) {
        return 0.0F;
    }
    const float code = std::clamp(std::floor(value * gain + zero + uniform), low, high);
    return (code - zero) * (1.0F / gain);
}

QuantizerGrid make_grid(const QuantizerOptions& options, double minimum, double maximum) {
    QuantizerGrid grid;
    const double magnitude = std::max(std::abs(minimum), std::abs(maximum));
    const double levels = std::ldexp(1.0, options.bits);
    switch (options.quantizer) {
        case Quantizer::max_scale: {
            const double range = std::max(magnitude, kSmallestRange);
            grid.gain = static_cast<float>(0.5 * levels / range);
            grid.low = static_cast<float>(std::floor(-0.5 * levels));
            grid.high = static_cast<float>(std::floor(0.5 * levels));
            // The straight-through gradient of QS4D is the identity, also where a fixed range clips.
            grid.range_low = -INFINITY;
            grid.range_high = INFINITY;
            break;
        }
        case Quantizer::symmetric:
            grid.gain = magnitude > 0.0 ? static_cast<float>((0.5 * levels - 1.0) / magnitude) : 0.0F;
            grid.low = static_cast<float>(-0.5 * levels);
            grid.high = static_cast<float>(0.5 * levels - 1.0);
            grid.range_low = static_cast<float>(-magnitude);
            grid.range_high = static_cast<float>(magnitude);
            break;
        case Quantizer::asymmetric: {
            grid.low = static_cast<float>(-0.5 * levels);
            grid.high = static_cast<float>(0.5 * levels - 1.0);
            grid.range_low = static_cast<float>(minimum);
            grid.range_high = static_cast<float>(maximum);
            if (maximum > minimum) {
                const double step = (maximum - minimum) / (levels - 1.0);
                grid.gain = static_cast<float>(1.0 / step);
                grid.zero = static_cast<float>(std::nearbyint(grid.low - minimum / step));
            } else if (maximum != 0.0) {  // one number only: it is kept
                grid.gain = static_cast<float>(1.0 / std::abs(maximum));
            }
            break;
        }
        case Quantizer::off:
            break;
    }
    return grid;
}

double percentile_of(std::vector<float> values, double p) {
    const double place = p / 100.0 * static_cast<double>(values.size() - 1);
    const std::size_t below = static_cast<std::size_t>(std::floor(place));
    const std::size_t above = std::min(below + 1, values.size() - 1);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(below), values.end());
    const double low = values[below];
    const double high =
        above == below ? low : *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(above), values.end());
    return low + (place - static_cast<double>(below)) * (high - low);
}

QuantizerGrid observe_grid(const QuantizerOptions& options, const float* values, std::size_t count) {
    if (options.range > 0.0) {
        return make_grid(options, -options.range, options.range);
    }
    if (options.percentile >= 100.0) {
        const auto [low, high] = std::minmax_element(values, values + count);
        return make_grid(options, *low, *high);
    }
    std::vector<float> copy(values, values + count);
    if (options.quantizer == Quantizer::asymmetric) {
        return make_grid(options, percentile_of(copy, 100.0 - options.percentile),
                         percentile_of(copy, options.percentile));
    }
    for (float& value : copy) {
        value = std::abs(value);
    }
    const double magnitude = percentile_of(std::move(copy), options.percentile);
    return make_grid(options, -magnitude, magnitude);
}

std::vector<unsigned char> quantize_tensor(const QuantizerOptions& options, const std::string& name, float* values,
                                           float* partner, int heads, int modes, std::uint64_t seed) {
    const std::size_t size = static_cast<std::size_t>(heads) * static_cast<std::size_t>(modes);
    std::vector<unsigned char> passes(partner != nullptr ? 2 * size : size, 1);
    if (!options.active() || size == 0) {
        return passes;
    }
    const CounterRandom random(seed, RandomPurpose::training_noise, 0x40000000U);
    bool alive = false;
    bool was_alive = false;
    std::vector<float> numbers;
    for (const Part& part : parts_of(options.scale, heads, modes)) {
        numbers.clear();
        const auto visit = [&](auto&& work) {
            for (float* tensor : {values, partner}) {
                for (int row = part.row; tensor != nullptr && row < part.row + part.rows; ++row) {
                    for (int column = part.column; column < part.column + part.columns; ++column) {
                        const std::size_t at = static_cast<std::size_t>(row) * modes + column;
                        work(tensor[at], at + (tensor == partner ? size : 0));
                    }
                }
            }
        };
        visit([&numbers](float& value, std::size_t) { numbers.push_back(value); });
        const QuantizerGrid grid = observe_grid(options, numbers.data(), numbers.size());
        visit([&](float& value, std::size_t at) {
            was_alive = was_alive || value != 0.0F;
            passes[at] = grid.passes_gradient(value) ? 1 : 0;
            value = options.rounding == StateRounding::dithered
                        ? grid.quantize_dithered(value, static_cast<float>(random.uniform(at)))
                        : grid.quantize(value);
            alive = alive || value != 0.0F;
        });
    }
    if (was_alive && !alive) {
        throw NumericalError("tensor '" + name + "' is dead: every number is quantized to zero with " +
                             std::to_string(options.bits) + " bits; use more bits, a smaller range or percentile");
    }
    return passes;
}

}  // namespace imssa
