#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif

namespace imssa {

/// Sequences are simulated and trained side by side in groups of kLaneWidth "lanes".
/// One vector holds the same quantity of 16 sequences. The compiler lowers it to whatever the machine has.
constexpr int kLaneWidth = 16;

using Lanes = float __attribute__((vector_size(64)));
using LanesInt = std::int32_t __attribute__((vector_size(64)));
using LanesUint = std::uint32_t __attribute__((vector_size(64)));

/// Number of lanes rounded up to whole vectors.
constexpr int padded_lanes(int lanes) {
    return (lanes + kLaneWidth - 1) / kLaneWidth * kLaneWidth;
}

inline Lanes broadcast(float value) {
    return Lanes{} + value;
}

/// Unaligned load and store of 16 consecutive floats.
inline Lanes load_lanes(const float* from) {
    Lanes value;
    std::memcpy(&value, from, sizeof(value));
    return value;
}
inline void store_lanes(float* to, Lanes value) {
    std::memcpy(to, &value, sizeof(value));
}

inline LanesInt load_lanes_int(const std::int32_t* from) {
    LanesInt value;
    std::memcpy(&value, from, sizeof(value));
    return value;
}
inline void store_lanes_int(std::int32_t* to, LanesInt value) {
    std::memcpy(to, &value, sizeof(value));
}

inline Lanes to_float(LanesInt value) {
    return __builtin_convertvector(value, Lanes);
}
inline LanesInt to_int(Lanes value) {
    return __builtin_convertvector(value, LanesInt);
}

/// a * b + c with one rounding where the machine has it (AVX-512, FMA), with two elsewhere. For hot loops
/// whose result is either exact (integer codes) or need not be equal across machines; never for the codes of a chip.
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(
        _mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#else
    return a * b + c;
#endif
}

inline Lanes minimum(Lanes a, Lanes b) {
    return a < b ? a : b;
}
inline Lanes maximum(Lanes a, Lanes b) {
    return a > b ? a : b;
}

/// NaN stays NaN: it is for the caller to notice.
inline Lanes clamp(Lanes value, Lanes low, Lanes high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/// Round half to even, for |value| < 2^22: adding 1.5 * 2^23 leaves no fraction bits, and IEEE addition rounds to even.
inline Lanes round_half_even(Lanes value) {
    constexpr float kMagic = 12582912.0F;
    return (value + kMagic) - kMagic;
}
inline float round_half_even(float value) {
    constexpr float kMagic = 12582912.0F;
    volatile float shifted = value + kMagic;
    return shifted - kMagic;
}

/// Largest integer not above value, for |value| < 2^22.
inline Lanes floor_lanes(Lanes value) {
    Lanes rounded = round_half_even(value);
    return rounded > value ? rounded - 1.0F : rounded;
}

inline float horizontal_sum(Lanes value) {
    float sum = 0.0F;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        sum += value[lane];
    }
    return sum;
}

}  // namespace imssa
