#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/network/kernel_options.h"

namespace imssa {

/// Quantizers of the papers, on real numbers: they change values, not their type.
/// max_scale: QS4D (arXiv 2507.06079, code qS4), after BitNet b1.58.   scale = (Q / 2) / max(max|x|, 1e-5),
///            x_q = clamp(round(x scale), floor(-Q / 2), floor(Q / 2)) / scale; Q = 2^bits levels asked for, Q + 1
///            kept: 1 bit is ternary. Gradient: identity.
/// symmetric: Zhao et al. (arXiv 2506.12480).   s = max|x| / (2^(b-1) - 1), clamp(round(x / s), -2^(b-1), 2^(b-1) - 1).
/// asymmetric: Zhao et al.   s = (max - min) / (2^b - 1), z = round(qmin - min / s), (clamp(round(x / s + z)) - z) s.
///            Gradient of both: identity inside the range, zero outside it (the paper's form; its code passes low
///            outliers).
enum class Quantizer { off, max_scale, symmetric, asymmetric };

constexpr std::array<std::pair<const char*, Quantizer>, 4> enum_names(Quantizer) {
    return {{{"off", Quantizer::off},
             {"max_scale", Quantizer::max_scale},
             {"symmetric", Quantizer::symmetric},
             {"asymmetric", Quantizer::asymmetric}}};
}

/// Where the ranges of states and activations come from. fixed: from calibration (or `range`), then never changed.
/// dynamic: what the number's own sequence shows at this time step, over the channels of an activation or the modes of
/// a head: no step waits for a later one. ema: exponential moving average of what batches of training show, from
/// calibration on; fixed in evaluation. Parameters are observed whenever they are quantized.
enum class RangeSource { fixed, dynamic, ema };

constexpr std::array<std::pair<const char*, RangeSource>, 3> enum_names(RangeSource) {
    return {{{"fixed", RangeSource::fixed}, {"dynamic", RangeSource::dynamic}, {"ema", RangeSource::ema}}};
}

/// How one group of numbers is quantized.
struct QuantizerOptions {
    Quantizer quantizer = Quantizer::off;
    int bits = 8;                                       ///< 1 (max_scale: ternary) to 16
    ScaleGranularity scale = ScaleGranularity::tensor;  ///< what shares a range
    double range = 0.0;                                 ///< fixed largest magnitude (QS4D: defmax); 0: observed
    double percentile = 100.0;                          ///< of observed magnitudes that the range holds (Zhao: 99.999)
    StateRounding rounding = StateRounding::nearest;    ///< dithered: stochastic
    RangeSource ranges = RangeSource::fixed;            ///< of states and activations
    double momentum = 0.99;                             ///< of ranges = ema

    bool active() const { return quantizer != Quantizer::off; }
    /// Whether every time step has a grid of its own.
    bool dynamic() const { return active() && ranges == RangeSource::dynamic; }
    /// Whether one grid serves all time steps.
    bool has_grid() const { return active() && ranges != RangeSource::dynamic; }
    /// Whether the ends of the range come from ObservedBounds; validate() refuses `range` beside that.
    bool observes_bounds() const {
        return has_grid() && (quantizer == Quantizer::asymmetric || percentile < 100.0 || ranges == RangeSource::ema);
    }
    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, QuantizerOptions& c) {
    visit("quantizer", c.quantizer);
    visit("bits", c.bits);
    visit("scale", c.scale);
    visit("range", c.range);
    visit("percentile", c.percentile);
    visit("rounding", c.rounding);
    visit("ranges", c.ranges);
    visit("momentum", c.momentum);
}

/// Range of one scale, and what it makes of a number: code = round(x * gain + zero), value = (code - zero) step, where
/// the step is 1 / gain in single precision.
struct QuantizerGrid {
    float gain = 0.0F;                          ///< codes per unit; 0: every number becomes 0
    float zero = 0.0F;                          ///< zero point, a whole number
    float low = 0.0F, high = 0.0F;              ///< codes
    float range_low = 0.0F, range_high = 0.0F;  ///< numbers outside it pass no gradient

    /// round(x * gain + zero), half to even, rounded once; beyond 2^22 in magnitude only about.
    float nearest_code(float value) const;
    float quantize(float value) const;
    /// Stochastic rounding with `uniform` in [0, 1): floor instead of round.
    float quantize_dithered(float value, float uniform) const;
    bool passes_gradient(float value) const { return value >= range_low && value <= range_high; }
};

/// Grid of a range [minimum, maximum] (symmetric quantizers take the larger magnitude).
QuantizerGrid make_grid(const QuantizerOptions& options, double minimum, double maximum);

/// The grid of numbers that share a scale: options.range, or what options.percentile says of the numbers.
QuantizerGrid observe_grid(const QuantizerOptions& options, const float* values, std::size_t count);

/// Percentile p of values, linear between order statistics (numpy's default).
double percentile_of(std::vector<float> values, double p);

/// Quantizes a tensor of `heads` rows and `modes` columns in place, each scale on its own numbers. `partner`, of the
/// same shape, shares the ranges (imaginary part of a complex tensor; may be null). Returns a mask of the numbers that
/// pass a gradient (partner's behind the tensor's). `seed` keys stochastic rounding. Throws NumericalError naming
/// `name` when a tensor that was not all zero becomes all zero (dead).
std::vector<unsigned char> quantize_tensor(const QuantizerOptions& options, const std::string& name, float* values,
                                           float* partner, int heads, int modes, std::uint64_t seed);

}  // namespace imssa
