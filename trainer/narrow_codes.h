#pragma once

#include <cstdint>
#include <cstring>

#include "models/common/lanes.h"

namespace imssa {

/// Integer code in 16 bits: any code of the chip, a quarter to a half of the memory of what is made from it.
using NarrowCode = std::int16_t;

using NarrowLanes = NarrowCode __attribute__((vector_size(sizeof(NarrowCode) * kLaneWidth)));

inline void store_narrow(NarrowCode* to, Lanes codes) {
    const NarrowLanes narrow = __builtin_convertvector(to_int(codes), NarrowLanes);
    std::memcpy(to, &narrow, sizeof(narrow));
}

inline LanesInt load_narrow_int(const NarrowCode* from) {
    NarrowLanes narrow;
    std::memcpy(&narrow, from, sizeof(narrow));
    return __builtin_convertvector(narrow, LanesInt);
}

inline Lanes load_narrow(const NarrowCode* from) {
    return to_float(load_narrow_int(from));
}

/// A multiple of 16 codes.
inline void narrow_codes(const float* from, NarrowCode* to, int count) {
    for (int at = 0; at < count; at += kLaneWidth) {
        store_narrow(to + at, load_lanes(from + at));
    }
}

/// Likewise.
inline void widen_codes(const NarrowCode* from, float* to, int count) {
    for (int at = 0; at < count; at += kLaneWidth) {
        store_lanes(to + at, load_narrow(from + at));
    }
}

}  // namespace imssa
