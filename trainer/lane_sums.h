#pragma once

#include "models/common/lanes.h"

namespace imssa {

/// Sums over lanes of 16 vectors at once: lane i of the result is the sum over the lanes of values[i]. Four rounds add
/// halves of pairs of vectors, a quarter of the work of 16 sums one by one. Overwrites values.
inline Lanes lane_sums(Lanes (&values)[16]) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
        const Lanes low =
            __builtin_shufflevector(values[i], values[i + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        const Lanes high = __builtin_shufflevector(values[i], values[i + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26,
                                                   27, 28, 29, 30, 31);
        values[i] = low + high;
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        const Lanes low =
            __builtin_shufflevector(values[i], values[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
        const Lanes high = __builtin_shufflevector(values[i], values[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15,
                                                   28, 29, 30, 31);
        values[i] = low + high;
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        const Lanes low =
            __builtin_shufflevector(values[i], values[i + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
        const Lanes high = __builtin_shufflevector(values[i], values[i + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27,
                                                   14, 15, 30, 31);
        values[i] = low + high;
    }
    const Lanes low =
        __builtin_shufflevector(values[0], values[1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
    const Lanes high =
        __builtin_shufflevector(values[0], values[1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    return low + high;
}

/// Sum over the lanes of one vector, added by halves.
inline float lane_sum(Lanes value) {
    value += __builtin_shufflevector(value, value, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    value += __builtin_shufflevector(value, value, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
    value += __builtin_shufflevector(value, value, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3);
    return value[0] + value[1];
}

}  // namespace imssa
