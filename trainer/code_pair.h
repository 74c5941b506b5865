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
    const LanesUint pairs = (reinterpret_cast<LanesUint>(re) & kUpperHalf) | (reinterpret_cast<LanesUint>(im) >> 16);
    std::memcpy(to, &pairs, sizeof(pairs));
}

inline void load_code_pairs(const CodePair* from, Lanes& re, Lanes& im) {
    LanesUint pairs;
    std::memcpy(&pairs, from, sizeof(pairs));
    re = reinterpret_cast<Lanes>(pairs & kUpperHalf);
    im = reinterpret_cast<Lanes>(pairs << 16);
}

}  // namespace imssa
