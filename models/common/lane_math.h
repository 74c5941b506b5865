#pragma once

#include <cmath>

#include "models/common/lanes.h"

namespace imssa {

/// Square root of every lane, correctly rounded (IEEE) on every machine.
inline Lanes square_root(Lanes value) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(_mm512_sqrt_ps(reinterpret_cast<__m512>(value)));
#else
    Lanes root{};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        root[lane] = std::sqrt(value[lane]);
    }
    return root;
#endif
}

}  // namespace imssa
