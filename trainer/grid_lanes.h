#pragma once

#include "models/common/lanes.h"
#include "models/network/quantizer.h"
#include "trainer/fake_quantizer.h"

namespace imssa {

/// QuantizerGrid::quantize of 16 numbers.
inline Lanes on_grid(const QuantizerGrid& grid, Lanes value) {
    const Lanes code = clamp(round_half_even(value * grid.gain + grid.zero), broadcast(grid.low), broadcast(grid.high));
    return (code - grid.zero) / grid.gain;
}

inline Lanes on_grid_dithered(const QuantizerGrid& grid, Lanes value, Lanes dither) {
    const Lanes code =
        clamp(floor_lanes(value * grid.gain + grid.zero + dither), broadcast(grid.low), broadcast(grid.high));
    return (code - grid.zero) / grid.gain;
}

/// Sixteen grids side by side, one a sequence: the ranges of a time step (RangeSource::dynamic).
struct LaneGrid {
    Lanes gain, zero;
    float low = 0.0F, high = 0.0F;  ///< codes

    Lanes quantize(Lanes value) const {
        return (clamp(round_half_even(value * gain + zero), broadcast(low), broadcast(high)) - zero) / gain;
    }
    Lanes quantize_dithered(Lanes value, Lanes dither) const {
        return (clamp(floor_lanes(value * gain + zero + dither), broadcast(low), broadcast(high)) - zero) / gain;
    }
};

/// make_grid for ranges [minimum, maximum] that hold zero; ranges of nothing but zero keep zero.
LaneGrid make_lane_grid(const QuantizerOptions& options, Lanes minimum, Lanes maximum);

}  // namespace imssa
