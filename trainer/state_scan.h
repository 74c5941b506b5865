#pragma once

#include <cstdint>

#include "models/common/lanes.h"
#include "models/common/random.h"
#include "models/network/quantizer.h"
#include "trainer/fake_pass.h"
#include "trainer/grid_lanes.h"
#include "trainer/mode_group.h"
#include "trainer/mode_scan.h"

namespace imssa {

/// Place of the errors of states in the generator's stream, apart from those of parameters.
constexpr std::uint32_t kStatePlace = 0x20000000U;

/// A state, or what it becomes, of 16 sequences.
struct StateLanes {
    Lanes re, im;
};

inline StateLanes advance(const ModeScan& mode, const StateLanes& x, Lanes input) {
    return {multiply_add(splat(mode.minus_a_im), x.im, multiply_add(splat(mode.a_re), x.re, input * splat(mode.b_re))),
            multiply_add(splat(mode.a_re), x.im, multiply_add(splat(mode.a_im), x.re, input * splat(mode.b_im)))};
}

/// The same with both products on their grids ahead of the addition (Zhao et al.).
inline StateLanes advance_requantized(const ModeScan& mode, const StateLanes& x, Lanes input) {
    const auto decayed = [&mode](Lanes value) {
        return nearest_code(within(value, splat(mode.low), splat(mode.high)));
    };
    const auto driven = [&mode, input](float b) {
        const Lanes code = input * b * mode.product_gain;
        return nearest_code(within(code, splat(mode.product_low), splat(mode.product_high))) * mode.product_inverse;
    };
    return {decayed(multiply_add(splat(mode.minus_a_im), x.im, x.re * mode.a_re)) + driven(mode.b_re),
            decayed(multiply_add(splat(mode.a_re), x.im, x.re * mode.a_im)) + driven(mode.b_im)};
}

inline void disturb(const ModeScan& mode, const PassNoise& noise, LanesUint sequences, std::uint32_t step,
                    StateLanes& x) {
    if (noise.states > 0.0) {
        const float sigma = static_cast<float>(noise.states) * mode.full_scale;
        const NormalPair normals =
            normal_pair(noise.seed, RandomPurpose::training_noise, kStatePlace + mode.unit, sequences, step, 0);
        x.re += normals.first * sigma;
        x.im += normals.second * sigma;
    }
}

inline void clip(const ModeScan& mode, StateLanes& x) {
    x.re = within(x.re, splat(-mode.limit), splat(mode.limit));
    x.im = within(x.im, splat(-mode.limit), splat(mode.limit));
}

/// Clips and rounds.
inline void round_nearest(const ModeScan& mode, StateLanes& x) {
    x.re = nearest_code(within(x.re, splat(mode.least), splat(mode.most)));
    x.im = nearest_code(within(x.im, splat(mode.least), splat(mode.most)));
}

inline void round_dithered(const ModeScan& mode, LanesUint keys, std::uint32_t step, StateLanes& x) {
    const DitherPair dither = dither_pair(keys, mode.dither_key, step);
    clip(mode, x);
    x.re = within(lower_code(x.re + dither.re), splat(mode.low), splat(mode.high));
    x.im = within(lower_code(x.im + dither.im), splat(mode.low), splat(mode.high));
}

/// Rounding to the grid of a time step, which has no zero point.
inline void round_dynamic(const LaneGrid& grid, const ModeScan& mode, bool dithered, LanesUint keys, std::uint32_t step,
                          StateLanes& x) {
    StateLanes code{x.re * grid.gain, x.im * grid.gain};
    if (dithered) {
        const DitherPair dither = dither_pair(keys, mode.dither_key, step);
        code = {lower_code(code.re + dither.re), lower_code(code.im + dither.im)};
    } else {
        code = {nearest_code(code.re), nearest_code(code.im)};
    }
    x.re = within(code.re, splat(grid.low), splat(grid.high)) * grid.inverse;
    x.im = within(code.im, splat(grid.low), splat(grid.high)) * grid.inverse;
}

}  // namespace imssa
