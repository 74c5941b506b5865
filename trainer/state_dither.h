#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/common/lanes.h"
#include "models/network/quantizer.h"
#include "trainer/grid_lanes.h"
#include "trainer/mode_group.h"

namespace imssa {

/// Dither of states on grids (precision fake_quantized), uniform on [0, 1): floor(x + dither) is x on average. One hash
/// h of (sequence, 8 modes, step) serves their 16 components: component i is the fraction K_i h / 2^23, K_i odd, so
/// that each is as uniform as h. The K_i are large and drawn at random; none was taken with a K_i + b K_j = 0 modulo
/// 2^23 for |a|, |b| <= 64, nor three (four) with such a sum of factors up to 4 (2): a lattice (Knuth, The Art of
/// Computer Programming 2, 3.3.4) without short relations, so that components do not move together either. A hash a
/// component would take longer than the recurrence.
constexpr int kDitherModes = 8;
constexpr std::array<std::int32_t, 2 * kDitherModes> kDitherFactors = {
    4318269, 3705275, 7187997, 4010311, 7836979, 7295915, 6578277, 4911267,
    2449609, 6852991, 7180361, 6229745, 3868981, 2763749, 7697145, 3908579};

/// The hash that the dither of 8 modes at one step is made of. `unit_key`: dither_unit_key of a number that only these
/// modes have.
inline LanesUint dither_word(LanesUint sequence_keys, std::uint32_t unit_key, std::uint32_t step) {
    return mix32(sequence_keys + (unit_key ^ (step * 0x85ebca6bU)));
}

/// The factor of a component (0: re, 1: im) of the states of `mode`.
constexpr std::int32_t dither_factor(int mode, int component) {
    return kDitherFactors[static_cast<std::size_t>(mode % kDitherModes * 2 + component)];
}

/// 1 + dither: the fraction becomes the mantissa of a float.
inline Lanes dither_above_one(LanesUint word, std::int32_t factor) {
#if defined(__AVX512F__)
    constexpr int kMaskedOrThird = 0xea;
    return reinterpret_cast<Lanes>(
        _mm512_ternarylogic_epi32(_mm512_mullo_epi32(reinterpret_cast<__m512i>(word), _mm512_set1_epi32(factor)),
                                  _mm512_set1_epi32(0x7fffff), _mm512_set1_epi32(0x3f800000), kMaskedOrThird));
#else
    return reinterpret_cast<Lanes>((word * static_cast<std::uint32_t>(factor) & 0x7fffffU) | 0x3f800000U);
#endif
}

/// floor(x + dither) from `sum` = x + 1 + dither, within the codes that `low_above` and `high_above` lie 1 above;
/// not-a-number stays what it is.
inline Lanes dithered_code(Lanes sum, Lanes low_above, Lanes high_above) {
    return within(lower_code(sum), low_above, high_above) - 1.0F;
}

/// The same within [-high, high]; not-a-number becomes +-high.
inline Lanes dithered_code(Lanes sum, Lanes high) {
    return within_magnitude(lower_code(sum) - 1.0F, high);
}

}  // namespace imssa
