#include "trainer/grid_lanes.h"

#include <cmath>

namespace imssa {

namespace {

/// Smallest range of a max-scale quantizer (QS4D), and what keeps the others from dividing by zero.
constexpr float kSmallestScaledRange = 1e-5F;
constexpr float kSmallestRange = 1e-30F;

inline Lanes greater(Lanes a, Lanes b) {
    return a > b ? a : b;
}

}  // namespace

LaneGrid make_lane_grid(const QuantizerOptions& options, Lanes minimum, Lanes maximum) {
    LaneGrid grid;
    const float levels = std::ldexp(1.0F, options.bits);
    const Lanes magnitude = greater(-minimum, maximum);
    grid.zero = Lanes{};
    grid.low = -0.5F * levels;
    grid.high = 0.5F * levels - 1.0F;
    switch (options.quantizer) {
        case Quantizer::max_scale:
            grid.gain = 0.5F * levels / greater(magnitude, broadcast(kSmallestScaledRange));
            grid.high = 0.5F * levels;
            break;
        case Quantizer::asymmetric: {
            const Lanes step = greater(maximum - minimum, broadcast(kSmallestRange)) / (levels - 1.0F);
            grid.gain = 1.0F / step;
            grid.zero = round_half_even(grid.low - minimum / step);
            break;
        }
        default:
            grid.gain = (0.5F * levels - 1.0F) / greater(magnitude, broadcast(kSmallestRange));
            break;
    }
    return grid;
}

}  // namespace imssa
