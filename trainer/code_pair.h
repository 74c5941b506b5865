#pragma once

#include <cstdint>
#include <cstring>

#include "models/common/lanes.h"

namespace imssa {

/// Both components of a state on a grid as bfloat16 numbers, re in the high half: exact for codes up to kLargestPaired
/// in magnitude. Half the memory of two floats, so that the states of a chunk stay in the first-level cache.
struct CodePair {
    std::uint32_t bits;
};

constexpr float kLargestPaired = 256.0F;
constexpr std::uint32_t kUpperHalf = 0xffff0000U;

inline void store_code_pairs(CodePair* to, Lanes re, Lanes im) {
#if defined(__AVX512BW__)
    // The upper half of im comes in the place of the lower half of re.
    constexpr __mmask64 kLowerHalves = 0x3333333333333333U;
    const __m512i upper_to_lower = _mm512_set4_epi32(0x0f0e0f0e, 0x0b0a0b0a, 0x07060706, 0x03020302);
    const __m512i pairs = _mm512_mask_shuffle_epi8(reinterpret_cast<__m512i>(re), kLowerHalves,
                                                   reinterpret_cast<__m512i>(im), upper_to_lower);
#else
    const LanesUint pairs = (reinterpret_cast<LanesUint>(re) & kUpperHalf) | (reinterpret_cast<LanesUint>(im) >> 16);
#endif
    std::memcpy(to, &pairs, sizeof(pairs));
}

inline void load_code_pairs(const CodePair* from, Lanes& re, Lanes& im) {
    LanesUint pairs;
    std::memcpy(&pairs, from, sizeof(pairs));
    re = reinterpret_cast<Lanes>(pairs & kUpperHalf);
    im = reinterpret_cast<Lanes>(pairs << 16);
}

}  // namespace imssa
