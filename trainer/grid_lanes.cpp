#include "trainer/grid_lanes.h"

#include <cmath>

namespace imssa {

namespace {

/// Smallest range of a max-scale quantizer (QS4D), and what keeps the others from dividing by zero.
constexpr float kSmallestScaledRange = 1e-5F;
constexpr float kSmallestRange = 1e-30F;

}  // namespace

LaneGridMaker::LaneGridMaker(const QuantizerOptions& options)
    : asymmetric_(options.quantizer == Quantizer::asymmetric),
      smallest_(options.quantizer == Quantizer::max_scale ? kSmallestScaledRange : kSmallestRange) {
    const float half = 0.5F * std::ldexp(1.0F, options.bits);
    low_ = -half;
    high_ = options.quantizer == Quantizer::max_scale ? half : half - 1.0F;
    steps_ = asymmetric_ ? 2.0F * half - 1.0F : high_;
    inverse_steps_ = 1.0F / steps_;
}

LaneGrid LaneGridMaker::of(Lanes minimum, Lanes maximum) const {
    if (!asymmetric_) {
        return of_magnitude(-minimum > maximum ? -minimum : maximum);
    }
    const Lanes range = maximum - minimum;
    const Lanes step = (range > smallest_ ? range : broadcast(smallest_)) / steps_;
    return {1.0F / step, round_half_even(low_ - minimum / step), step, low_, high_};
}

}  // namespace imssa
