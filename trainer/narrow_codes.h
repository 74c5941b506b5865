#pragma once

#include <cstdint>
#include <cstring>

#include "models/common/lanes.h"

namespace imssa {

/// A code of the chip in 16 bits, as the forward pass keeps it for the backward pass. Codes are whole numbers of less
/// than 2^15 in magnitude.
using NarrowCode = std::int16_t;

using NarrowLanes = NarrowCode __attribute__((vector_size(sizeof(NarrowCode) * kLaneWidth)));

/// Codes of 16 sequences.
inline void store_narrow(NarrowCode* to, Lanes codes) {
    const NarrowLanes narrow = __builtin_convertvector(to_int(codes), NarrowLanes);
    std::memcpy(to, &narrow, sizeof(narrow));
}

/// As integers.
inline LanesInt load_narrow_int(const NarrowCode* from) {
    NarrowLanes narrow;
    std::memcpy(&narrow, from, sizeof(narrow));
    return __builtin_convertvector(narrow, LanesInt);
}

/// As floats.
inline Lanes load_narrow(const NarrowCode* from) {
    return to_float(load_narrow_int(from));
}

/// `count` codes, a multiple of 16.
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
