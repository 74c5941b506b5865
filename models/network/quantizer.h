#pragma once

#include <cstdint>

#include "models/common/lanes.h"

namespace imssa {

/// Largest magnitude of a symmetric b-bit code: 2^(b-1) - 1.
constexpr int code_limit(int bits) {
    return (1 << (bits - 1)) - 1;
}

/// The one definition of a conversion: code = round_half_even(clamp(gain * sum + offset, -limit, limit)).
/// `sum` is the analog sum in weight-code x input-code units (an exact integer in the ideal case),
/// gain and offset are per output. The product and the sum are rounded separately (no fused multiply-add).
inline Lanes convert(Lanes sum, float gain, float offset, float limit) {
    return round_half_even(clamp(sum * gain + offset, splat(-limit), splat(limit)));
}

/// Stochastic rounding: floor(clamp(...) + dither) with dither uniform in [0, 1).
inline Lanes convert_dithered(Lanes sum, float gain, float offset, float limit, Lanes dither) {
    return floor_lanes(clamp(sum * gain + offset, splat(-limit), splat(limit)) + dither);
}

/// A bijective 32-bit mixer (two multiply-xorshift rounds): the counter-based generator of the dither.
inline std::uint32_t mix32(std::uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    x ^= x >> 16;
    return x;
}
inline LanesUint mix32(LanesUint x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    x ^= x >> 16;
    return x;
}

/// Key of one sequence's dither: the index of the sequence in its data set under a seed.
inline std::uint32_t dither_sequence_key(std::uint64_t seed, std::uint64_t sequence) {
    return mix32(mix32(static_cast<std::uint32_t>(seed) ^ mix32(static_cast<std::uint32_t>(seed >> 32) + 0x9e3779b9U)) +
                 static_cast<std::uint32_t>(sequence) * 0x9e3779b1U);
}
/// Key of one state mode (unit = (layer * heads + head) * modes + mode).
inline std::uint32_t dither_unit_key(std::uint32_t unit) {
    return mix32(unit + 0x5bd1e995U);
}

struct DitherPair {
    Lanes re, im;  ///< uniform on {0, 1/65536, ..., 65535/65536}
};

/// Dither of the real and imaginary part of one mode at one step, for 16 sequences.
inline DitherPair dither_pair(LanesUint sequence_keys, std::uint32_t unit_key, std::uint32_t step) {
    const LanesUint bits = mix32(sequence_keys + (unit_key ^ (step * 0x85ebca6bU)));
    constexpr float kScale = 1.0F / 65536.0F;
    return {__builtin_convertvector(bits & 0xffffU, Lanes) * kScale,
            __builtin_convertvector(bits >> 16, Lanes) * kScale};
}

}  // namespace imssa
