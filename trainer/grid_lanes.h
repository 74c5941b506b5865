#pragma once

#include <cstdint>

#include "models/common/lanes.h"
#include "models/network/quantizer.h"
#include "trainer/fake_quantizer.h"

namespace imssa {

/// clamp(value, -limit, limit) in one instruction, but not-a-number becomes +-limit.
inline Lanes within_magnitude(Lanes value, Lanes limit) {
#if defined(__AVX512DQ__)
    constexpr int kSmallerWithSignOfFirst = 0x2;
    return reinterpret_cast<Lanes>(
        _mm512_range_ps(reinterpret_cast<__m512>(value), reinterpret_cast<__m512>(limit), kSmallerWithSignOfFirst));
#else
    const Lanes bounded = clamp(value, -limit, limit);
    return bounded == bounded ? bounded : limit;
#endif
}

/// The larger of the magnitudes; that of the other where one is not a number (AVX-512).
inline Lanes greater_magnitude(Lanes a, Lanes b) {
#if defined(__AVX512DQ__)
    constexpr int kLargerWithoutSign = 0xb;
    return reinterpret_cast<Lanes>(
        _mm512_range_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), kLargerWithoutSign));
#else
    return maximum(maximum(a, -a), maximum(b, -b));
#endif
}

/// The same integer in every lane.
inline LanesInt splat_int(std::int32_t value) {
#if defined(__AVX512F__)
    return reinterpret_cast<LanesInt>(_mm512_set1_epi32(value));
#else
    return LanesInt{} + value;
#endif
}

/// Of integers.
inline LanesInt lesser(LanesInt a, LanesInt b) {
#if defined(__AVX512F__)
    return reinterpret_cast<LanesInt>(_mm512_min_epi32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#else
    return a < b ? a : b;
#endif
}
inline LanesInt greater(LanesInt a, LanesInt b) {
#if defined(__AVX512F__)
    return reinterpret_cast<LanesInt>(_mm512_max_epi32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#else
    return a > b ? a : b;
#endif
}

/// Bit by sequence, whether a < b.
constexpr std::uint32_t kAllLanes = (1U << kLaneWidth) - 1U;
inline std::uint32_t lanes_below(Lanes a, Lanes b) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), _CMP_LT_OQ);
#else
    std::uint32_t below = 0;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        below |= a[lane] < b[lane] ? 1U << lane : 0U;
    }
    return below;
#endif
}

/// Whether all of 16 sequences have numbers up to `limit`; not-a-number is above it.
inline bool all_up_to(Lanes values, float limit) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(values), _mm512_set1_ps(limit), _CMP_LE_OQ) == 0xffff;
#else
    bool all = true;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        all = all && values[lane] <= limit;
    }
    return all;
#endif
}

/// round_half_even; with AVX-512 one instruction, for numbers of any size, which keeps the sign of zero.
inline Lanes nearest_code(Lanes value) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(
        _mm512_roundscale_ps(reinterpret_cast<__m512>(value), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
    return round_half_even(value);
#endif
}

/// floor_lanes likewise.
inline Lanes lower_code(Lanes value) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(
        _mm512_roundscale_ps(reinterpret_cast<__m512>(value), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
#else
    return floor_lanes(value);
#endif
}

/// kWholeNumbers + the number nearest to a * b, rounded once where multiply_add is.
inline Lanes above_nearest_code(Lanes a, Lanes b) {
    return multiply_add(a, b, broadcast(kWholeNumbers));
}

#if defined(__AVX512F__)
/// a + b, rounded down.
inline Lanes sum_below(Lanes a, float b) {
    return reinterpret_cast<Lanes>(
        _mm512_add_round_ps(reinterpret_cast<__m512>(a), _mm512_set1_ps(b), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
}

/// a * b + c, rounded down.
inline Lanes multiply_add_below(Lanes a, Lanes b, Lanes c) {
    return reinterpret_cast<Lanes>(_mm512_fmadd_round_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b),
                                                         reinterpret_cast<__m512>(c),
                                                         _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
}

/// The nearest number towards zero whose product with kWholeNumbers is exact.
inline Lanes with_exact_whole_numbers(Lanes value) {
    constexpr std::uint32_t kUpperBits = ~3U;
    return reinterpret_cast<Lanes>(reinterpret_cast<LanesUint>(value) & kUpperBits);
}
#endif

/// a / b of positive numbers, where the machine has it rounded towards zero.
inline Lanes quotient_below(Lanes a, Lanes b) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(_mm512_div_round_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b),
                                                       _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC));
#else
    return a / b;
#endif
}

/// QuantizerGrid::quantize of 16 numbers at a time, for a grid with a range; to the bit where multiply_add rounds once.
class FixedGrid {
public:
    explicit FixedGrid(const QuantizerGrid& grid)
        : gain_(grid.gain), step_(1.0F / grid.gain), zero_(grid.zero), low_(grid.low), high_(grid.high) {}

    Lanes quantize(Lanes value) const {
        const Lanes above = multiply_add(value, broadcast(gain_), broadcast(kWholeNumbers + zero_));
        return value_of(above - kWholeNumbers);
    }
    Lanes quantize_dithered(Lanes value, Lanes dither) const {
        return value_of(lower_code(value * gain_ + zero_ + dither));
    }
    /// `size` numbers, a multiple of 16.
    void quantize(const float* from, float* to, int size) const {
        const FixedGrid grid = *this;  // a copy stays in registers: `to` might overlap this grid
#pragma GCC unroll 8
        for (int at = 0; at < size; at += kLaneWidth) {
            store_lanes(to + at, grid.quantize(load_lanes(from + at)));
        }
    }

private:
    Lanes value_of(Lanes code) const {
        return (clamp(code, broadcast(low_), broadcast(high_)) - zero_) * step_;
    }

    float gain_, step_, zero_, low_, high_;
};

/// Sixteen grids side by side, one a sequence: the ranges of a time step (RangeSource::dynamic).
struct LaneGrid {
    Lanes gain, zero, inverse;
    float low = 0.0F, high = 0.0F;  ///< codes

    Lanes quantize(Lanes value) const {
        return (clamp(round_half_even(value * gain + zero), broadcast(low), broadcast(high)) - zero) * inverse;
    }
    Lanes quantize_dithered(Lanes value, Lanes dither) const {
        return (clamp(floor_lanes(value * gain + zero + dither), broadcast(low), broadcast(high)) - zero) * inverse;
    }
};

/// make_grid for ranges [minimum, maximum] that hold zero; ranges of nothing but zero keep zero.
class LaneGridMaker {
public:
    explicit LaneGridMaker(const QuantizerOptions& options);
    LaneGrid of(Lanes minimum, Lanes maximum) const;
    /// Of the range [-magnitude, magnitude], for quantizers without zero point. With AVX-512 no number of the range
    /// times the gain lies beyond the codes, and `inverse` has two bits less, so that its product with kWholeNumbers is
    /// exact.
    LaneGrid of_magnitude(Lanes magnitude) const {
        const Lanes range = maximum(magnitude, splat(smallest_));
        Lanes inverse = range * inverse_steps_;
#if defined(__AVX512F__)
        inverse = with_exact_whole_numbers(inverse);
#endif
        return {quotient_below(splat(steps_), range), Lanes{}, inverse, low_, high_};
    }

private:
    bool asymmetric_;
    float steps_, inverse_steps_;  ///< from zero to the end of the range
    float smallest_;               ///< range
    float low_, high_;             ///< codes
};

}  // namespace imssa
