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
/// h of (sequence, 8 modes, step) serves their 16 components: of K_i h modulo 2^32, K_i odd, the upper 23 bits are the
/// dither of re and the lower 23 bits that of im, so that each is as uniform as h; im is made of 512 K_i h. The
/// K_i are large and drawn at random, and with G = (K_0, 512 K_0, K_1, ...) none was taken with a G_i + b G_j = 0
/// modulo 2^32 for |a|, |b| <= 64, nor three (four) with such a sum of factors up to 4 (2): a lattice (Knuth, The Art
/// of Computer Programming 2, 3.3.4) without short relations, so that components do not move together either. A hash a
/// component would take longer than the recurrence.
constexpr int kDitherModes = 8;
constexpr std::array<std::uint32_t, kDitherModes> kDitherFactors = {1904653043, 1695088617, 1314390143, 1787459223,
                                                                    1390947995, 1898054761, 2085403663, 2077718977};

/// The hash that the dither of 8 modes at one step is made of. `unit_key`: dither_unit_key of a number that only these
/// modes have. The first round of mix32: the product with K_i is the second.
inline LanesUint dither_word(LanesUint sequence_keys, std::uint32_t unit_key, std::uint32_t step) {
    LanesUint x = sequence_keys + (unit_key ^ (step * 0x85ebca6bU));
    x ^= x >> 16;
    x *= 0x7feb352dU;
    return x ^ (x >> 15);
}

constexpr std::uint32_t dither_factor(int mode) {
    return kDitherFactors[static_cast<std::size_t>(mode % kDitherModes)];
}

/// 1 + dither of both components of a state.
struct DitherLanes {
    Lanes re, im;
};

/// The fractions become mantissas of floats. `factor`: dither_factor of the mode.
inline DitherLanes dither_above_one(LanesUint word, std::uint32_t factor) {
    const LanesUint product = word * factor;
    constexpr std::uint32_t kOne = 0x3f800000U, kMantissa = 0x7fffffU;
#if defined(__AVX512VBMI2__)
    const __m512i bits = reinterpret_cast<__m512i>(product);
    // The exponent of 1 at both ends, where one instruction shifts it in and the other takes it over: one register.
    const __m512i exponents = _mm512_set1_epi32(kOne | kOne >> 23);
    constexpr int kFirstWhereSecondElseThird = 0xe2;
    return {reinterpret_cast<Lanes>(_mm512_shrdi_epi32(bits, exponents, 9)),
            reinterpret_cast<Lanes>(
                _mm512_ternarylogic_epi32(bits, _mm512_set1_epi32(kMantissa), exponents, kFirstWhereSecondElseThird))};
#else
    return {reinterpret_cast<Lanes>((product >> 9) | kOne), reinterpret_cast<Lanes>((product & kMantissa) | kOne)};
#endif
}

/// floor(sum) - 1; where the machine has it, in two additions, for sums up to 2^22 in magnitude (larger ones stay
/// larger than any code).
inline Lanes lower_code_less_one(Lanes sum) {
#if defined(__AVX512F__)
    return sum_below(sum, kWholeNumbers) - (kWholeNumbers + 1.0F);
#else
    return lower_code(sum) - 1.0F;
#endif
}

/// floor(x + dither) from `sum` = x + 1 + dither, within [low, high]; not-a-number stays what it is.
inline Lanes dithered_code(Lanes sum, Lanes low, Lanes high) {
    return clamp(lower_code_less_one(sum), low, high);
}

/// The same within [-high, high]; not-a-number becomes +-high.
inline Lanes dithered_code(Lanes sum, Lanes high) {
    return within_magnitude(lower_code_less_one(sum), high);
}

}  // namespace imssa
