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

/// broadcast as an operand of one instruction; broadcast itself adds to zero, so that -0 becomes +0.
inline Lanes splat(float value) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(_mm512_set1_ps(value));
#else
    return broadcast(value);
#endif
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

/// a * b + c with one rounding where the machine has AVX-512, with two elsewhere. For hot loops
/// whose result is either exact (integer codes) or need not be equal across machines; never for the codes of a chip.
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(
        _mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#else
    return a * b + c;
#endif
}

/// a < b ? a : b, so b where one of them is not a number.
inline Lanes minimum(Lanes a, Lanes b) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(_mm512_min_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
#else
    return a < b ? a : b;
#endif
}
/// Likewise.
inline Lanes maximum(Lanes a, Lanes b) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(_mm512_max_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
#else
    return a > b ? a : b;
#endif
}

/// NaN stays NaN: it is for the caller to notice.
inline Lanes clamp(Lanes value, Lanes low, Lanes high) {
    return minimum(high, maximum(low, value));
}

/// Between 2^23 and 2^24 a float is a whole number: numbers up to 2^22 in magnitude round to one, half to even, when
/// 1.5 * 2^23 is added.
constexpr float kWholeNumbers = 0x1.8p23F;

/// Round half to even, for |value| < 2^22.
inline Lanes round_half_even(Lanes value) {
    return (value + kWholeNumbers) - kWholeNumbers;
}
inline float round_half_even(float value) {
    volatile float shifted = value + kWholeNumbers;
    return shifted - kWholeNumbers;
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
