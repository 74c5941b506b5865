#pragma once

#include <cstdint>

#include "models/common/lanes.h"
#include "models/common/random.h"
#include "models/network/quantizer.h"
#include "trainer/fake_pass.h"
#include "trainer/grid_lanes.h"
#include "trainer/mode_group.h"
#include "trainer/mode_scan.h"
#include "trainer/state_dither.h"

namespace imssa {

/// Place of the errors of states in the generator's stream, apart from those of parameters.
constexpr std::uint32_t kStatePlace = 0x20000000U;

/// A state, or what it becomes, of 16 sequences.
struct StateLanes {
    Lanes re, im;
};

/// Abar of a mode.
struct PoleLanes {
    Lanes re, im;
};

/// Abar x + start.
inline StateLanes advance(const PoleLanes& a, const StateLanes& x, const StateLanes& start) {
    return {multiply_subtract_from(a.im, x.im, multiply_add(a.re, x.re, start.re)),
            multiply_add(a.re, x.im, multiply_add(a.im, x.re, start.im))};
}

inline StateLanes driven(const ModeScan& mode, Lanes input) {
    return {input * splat(mode.b_re), input * splat(mode.b_im)};
}

/// driven + start, rounded once.
inline StateLanes driven_from(const ModeScan& mode, Lanes input, const StateLanes& start) {
    return {multiply_add(input, splat(mode.b_re), start.re), multiply_add(input, splat(mode.b_im), start.im)};
}

/// How codes are kept within their limits: any limits, or -high to high, which takes one instruction less but turns
/// not-a-number into a limit. That of an input is seen in the output all the same, through D u.
enum class CodeRange { any, symmetric };

/// Rounds to codes from `low` to `high`.
template <CodeRange Range>
inline Lanes nearest_code_within(Lanes value, Lanes low, Lanes high) {
    return nearest_code(Range == CodeRange::symmetric ? within_magnitude(value, high) : within(value, low, high));
}

/// Abar x + Bbar u with both products on their grids ahead of the addition (Zhao et al.). `Clamps`: whether a code of
/// Bbar u may leave its grid.
template <CodeRange Range, bool Clamps>
inline StateLanes advance_requantized(const ModeScan& mode, const PoleLanes& a, const StateLanes& x, Lanes input) {
    const auto decayed = [&mode](Lanes value) {
        return nearest_code_within<Range>(value, splat(mode.low), splat(mode.high));
    };
    const auto product = [&mode, input](float b) {
        const Lanes code = input * splat(b);
        return Clamps ? nearest_code_within<Range>(code, splat(mode.product_low), splat(mode.product_high))
                      : nearest_code(code);
    };
    const Lanes inverse = splat(mode.product_inverse);
    return {multiply_add(product(mode.product_b_re), inverse, decayed(multiply_subtract_from(a.im, x.im, x.re * a.re))),
            multiply_add(product(mode.product_b_im), inverse, decayed(multiply_add(a.re, x.im, x.re * a.im)))};
}

/// advance_requantized and round_nearest where no code leaves its range: nothing is clamped. `largest` becomes the
/// largest magnitude of the codes on the way, if that is greater: not within the range, it tells that one did.
inline StateLanes step_inside(const ModeScan& mode, const PoleLanes& a, const StateLanes& x, Lanes input,
                              Lanes& largest) {
    const Lanes inverse = splat(mode.product_inverse);
    const StateLanes decayed{nearest_code(multiply_subtract_from(a.im, x.im, x.re * a.re)),
                             nearest_code(multiply_add(a.re, x.im, x.re * a.im))};
    const StateLanes next{
        nearest_code(multiply_add(nearest_code(input * splat(mode.product_b_re)), inverse, decayed.re)),
        nearest_code(multiply_add(nearest_code(input * splat(mode.product_b_im)), inverse, decayed.im))};
    largest = greater_magnitude(greater_magnitude(largest, decayed.re), decayed.im);
    largest = greater_magnitude(greater_magnitude(largest, next.re), next.im);
    return next;
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
template <CodeRange Range>
inline void round_nearest(const ModeScan& mode, StateLanes& x) {
    x.re = nearest_code_within<Range>(x.re, splat(mode.least), splat(mode.most));
    x.im = nearest_code_within<Range>(x.im, splat(mode.least), splat(mode.most));
}

/// 1 + dither of both components. `word`: dither_word of the mode and step.
inline StateLanes dither_of(const ModeScan& mode, LanesUint word) {
    const DitherLanes dither = dither_above_one(word, mode.dither_factor);
    return {dither.re, dither.im};
}

/// Of a sum of state and dither_of.
template <CodeRange Range>
inline void round_dithered(const ModeScan& mode, StateLanes& sum) {
    const auto code = [&mode](Lanes value) {
        return Range == CodeRange::symmetric ? dithered_code(value, splat(mode.high))
                                             : dithered_code(value, splat(mode.low), splat(mode.high));
    };
    sum = {code(sum.re), code(sum.im)};
}

/// Rounding to the grid of a time step, which has no zero point and holds the state: its code needs no clamp.
inline void round_dynamic(const LaneGrid& grid, StateLanes& x) {
    x.re = nearest_code(x.re * grid.gain) * grid.inverse;
    x.im = nearest_code(x.im * grid.gain) * grid.inverse;
}

/// The same with dither_of.
inline void round_dynamic_dithered(const LaneGrid& grid, const StateLanes& dither, StateLanes& x) {
    const auto rounded = [&grid](Lanes value, Lanes above_one) {
#if defined(__AVX512F__)
        // Less than 2 above the last code, and a sum rounded down: nothing to clamp.
        return multiply_subtract(lower_code_of_sum(value, grid.gain, above_one), grid.inverse, grid.inverse);
#else
        return dithered_code(multiply_add(value, grid.gain, above_one), splat(grid.low), splat(grid.high)) *
               grid.inverse;
#endif
    };
    x = {rounded(x.re, dither.re), rounded(x.im, dither.im)};
}

}  // namespace imssa
