#pragma once

#include <cstdint>

#include "models/common/lanes.h"

namespace imssa {

/// One bit a lane.
using LaneMask = std::uint16_t;

/// The lanes whose magnitude is below the limit (not those that are NaN).
inline LaneMask lanes_inside(Lanes value, Lanes limit) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(_mm512_abs_ps(reinterpret_cast<__m512>(value)), reinterpret_cast<__m512>(limit),
                              _CMP_LT_OQ);
#else
    unsigned mask = 0;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        const float magnitude = value[lane] < 0.0F ? -value[lane] : value[lane];
        mask |= magnitude < limit[lane] ? 1U << lane : 0U;
    }
    return static_cast<LaneMask>(mask);
#endif
}

/// The value where the mask has a bit, 0 elsewhere.
inline Lanes where(LaneMask mask, Lanes value) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(_mm512_maskz_mov_ps(mask, reinterpret_cast<__m512>(value)));
#else
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        value[lane] = (mask >> lane & 1) != 0 ? value[lane] : 0.0F;
    }
    return value;
#endif
}

}  // namespace imssa
