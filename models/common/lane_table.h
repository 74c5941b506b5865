#pragma once

#include <cstdint>

#include "models/common/lanes.h"

namespace imssa {

/// table[index] of every lane. Indices must be valid in every lane.
inline Lanes gather(const float* table, LanesInt index) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(_mm512_i32gather_ps(reinterpret_cast<__m512i>(index), table, 4));
#else
    Lanes values{};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        values[lane] = table[index[lane]];
    }
    return values;
#endif
}

/// Whether a comparison holds in any lane.
inline bool any(LanesInt mask) {
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(mask), reinterpret_cast<__m512i>(mask)) != 0;
#else
    std::int32_t found = 0;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        found |= mask[lane];
    }
    return found != 0;
#endif
}

}  // namespace imssa
