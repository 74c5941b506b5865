#pragma once

#include <cstdint>

#include "models/common/lanes.h"
#include "models/common/random.h"
#include "models/network/quantizer.h"
#include "trainer/block_clamps.h"
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

template <CodeRange Range>
inline Lanes code_within(Lanes code, Lanes low, Lanes high) {
    return Range == CodeRange::symmetric ? within_magnitude(code, high) : clamp(code, low, high);
}

/// Bbar u on its grid.
template <CodeRange Range, Clamps Needed>
inline Lanes product_code(const ModeScan& mode, Lanes input, float b) {
    const Lanes code = above_nearest_code(input, splat(b)) - kWholeNumbers;
    return Needed == Clamps::all ? code_within<Range>(code, splat(mode.product_low), splat(mode.product_high)) : code;
}

/// kWholeNumbers + the codes of Abar x on its grid. Clamped as integers, whose order is that of the floats, so that
/// not-a-number becomes a limit; not where none is needed.
template <Clamps Needed>
inline StateLanes above_decayed_codes(const ModeScan& mode, const PoleLanes& a, const StateLanes& x) {
    const auto above_code = [&mode](Lanes value) {
        const Lanes sum = value + kWholeNumbers;
        if constexpr (Needed == Clamps::none) {
            return sum;
        }
        const LanesInt code = reinterpret_cast<LanesInt>(sum);
        return reinterpret_cast<Lanes>(lesser(greater(code, splat_int(mode.above_low)), splat_int(mode.above_high)));
    };
    return {above_code(multiply_subtract_from(a.im, x.im, x.re * a.re)),
            above_code(multiply_add(a.re, x.im, x.re * a.im))};
}

/// Abar x + Bbar u with both products on their grids ahead of the addition (Zhao et al.).
template <CodeRange Range>
inline StateLanes advance_requantized(const ModeScan& mode, const PoleLanes& a, const StateLanes& x, Lanes input) {
    const StateLanes decayed = above_decayed_codes<Clamps::all>(mode, a, x);
    const Lanes inverse = splat(mode.product_inverse);
    return {multiply_add(product_code<Range, Clamps::all>(mode, input, mode.product_b_re), inverse,
                         decayed.re - kWholeNumbers),
            multiply_add(product_code<Range, Clamps::all>(mode, input, mode.product_b_im), inverse,
                         decayed.im - kWholeNumbers)};
}

/// The same, rounded to the grid of the state by the addition, and clipped.
template <CodeRange Range, Clamps Needed>
inline StateLanes next_requantized(const ModeScan& mode, const PoleLanes& a, const StateLanes& x, Lanes input) {
    const StateLanes decayed = above_decayed_codes<Needed>(mode, a, x);
    const auto next = [&mode, input](float b, Lanes above_code) {
        const Lanes sum =
            multiply_add(product_code<Range, Needed>(mode, input, b), splat(mode.product_inverse), above_code);
        const Lanes code = sum - kWholeNumbers;
        return Needed == Clamps::none ? code : code_within<Range>(code, splat(mode.least), splat(mode.most));
    };
    return {next(mode.product_b_re, decayed.re), next(mode.product_b_im, decayed.im)};
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
    x.re = clamp(x.re, splat(-mode.limit), splat(mode.limit));
    x.im = clamp(x.im, splat(-mode.limit), splat(mode.limit));
}

/// Clips and rounds.
template <CodeRange Range, Clamps Needed>
inline void round_nearest(const ModeScan& mode, StateLanes& x) {
    const auto code = [&mode](Lanes value) {
        return nearest_code(Needed == Clamps::none ? value
                                                   : code_within<Range>(value, splat(mode.least), splat(mode.most)));
    };
    x = {code(x.re), code(x.im)};
}

/// 1 + dither of both components. `word`: dither_word of the mode and step.
inline StateLanes dither_of(const ModeScan& mode, LanesUint word) {
    const DitherLanes dither = dither_above_one(word, mode.dither_factor);
    return {dither.re, dither.im};
}

/// Of a sum of state and dither_of.
template <CodeRange Range, Clamps Needed>
inline void round_dithered(const ModeScan& mode, StateLanes& sum) {
    const auto code = [&mode](Lanes value) {
        if constexpr (Needed == Clamps::none) {
            return lower_code_less_one(value);
        }
        return Range == CodeRange::symmetric ? dithered_code(value, splat(mode.high))
                                             : dithered_code(value, splat(mode.low), splat(mode.high));
    };
    sum = {code(sum.re), code(sum.im)};
}

/// Rounding to the grid of a time step (LaneGridMaker::of_magnitude), which holds the state: its code needs no clamp.
inline void round_dynamic(const LaneGrid& grid, StateLanes& x) {
    const auto rounded = [&grid](Lanes value) {
#if defined(__AVX512F__)
        return multiply_subtract(above_nearest_code(value, grid.gain), grid.inverse, kWholeNumbers * grid.inverse);
#else
        return nearest_code(value * grid.gain) * grid.inverse;
#endif
    };
    x = {rounded(x.re), rounded(x.im)};
}

/// The same with dither_of.
inline void round_dynamic_dithered(const LaneGrid& grid, const StateLanes& dither, StateLanes& x) {
    const auto rounded = [&grid](Lanes value, Lanes above_one) {
#if defined(__AVX512F__)
        // Less than 2 above the last code, and a sum rounded down: nothing to clamp.
        const Lanes sum = multiply_add_below(value, grid.gain, above_one);
        return multiply_subtract(sum_below(sum, kWholeNumbers - 1.0F), grid.inverse, kWholeNumbers * grid.inverse);
#else
        return dithered_code(multiply_add(value, grid.gain, above_one), splat(-grid.high), splat(grid.high)) *
               grid.inverse;
#endif
    };
    x = {rounded(x.re, dither.re), rounded(x.im, dither.im)};
}

}  // namespace imssa
