#include "models/common/random.h"

#include <Random123/philox.h>

#include <cmath>

#include "models/common/lane_math.h"

namespace imssa {

namespace {

constexpr double kTwoPi = 6.283185307179586476925;
/// Marks the counters of CounterRandom, so that they never meet those of normal_quad.
constexpr std::uint32_t kScalarStream = 0xffffffU;

std::uint32_t low_word(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}
std::uint32_t high_word(std::uint64_t value) {
    return static_cast<std::uint32_t>(value >> 32);
}
std::uint32_t stream_word(RandomPurpose purpose, std::uint32_t output) {
    return (static_cast<std::uint32_t>(purpose) << 24) | output;
}

// Eight 32-bit values, each in the low half of a 64-bit slot; the high halves may hold anything.
using HalfLanes = std::uint64_t __attribute__((vector_size(64)));

/// Products of the low halves, 64 bits each.
inline HalfLanes multiply_low(HalfLanes a, HalfLanes b) {
#if defined(__AVX512F__)
    return reinterpret_cast<HalfLanes>(_mm512_mul_epu32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#else
    return (a & 0xffffffffU) * (b & 0xffffffffU);
#endif
}

inline HalfLanes broadcast_half(std::uint32_t value) {
    return HalfLanes{} + value;
}

/// Ten Philox rounds on the even (or the odd) lanes.
inline void philox_rounds(HalfLanes (&c)[4], std::uint32_t key_low, std::uint32_t key_high) {
    const HalfLanes multiplier_0 = broadcast_half(PHILOX_M4x32_0);
    const HalfLanes multiplier_1 = broadcast_half(PHILOX_M4x32_1);
    for (int round = 0; round < 10; ++round) {
        const HalfLanes product_0 = multiply_low(c[0], multiplier_0);
        const HalfLanes product_1 = multiply_low(c[2], multiplier_1);
        c[0] = (product_1 >> 32) ^ c[1] ^ broadcast_half(key_low);
        c[1] = product_1;
        c[2] = (product_0 >> 32) ^ c[3] ^ broadcast_half(key_high);
        c[3] = product_0;
        key_low += static_cast<std::uint32_t>(PHILOX_W32_0);
        key_high += static_cast<std::uint32_t>(PHILOX_W32_1);
    }
}

/// Natural logarithm of the uniform number (word + 1/2) / 2^32 in (0, 1) (Cephes logf: polynomial on
/// [sqrt(1/2), sqrt(2)); S. L. Moshier). Near one its distance from one is taken from the word itself, which a float
/// of the number has lost.
inline Lanes log_uniform(LanesUint word) {
    constexpr float kUnit = 1.0F / 4294967296.0F;
    constexpr std::int32_t kRootOfHalf = 0x3f3504f3;
    const Lanes half_unit = broadcast(0.5F * kUnit);
    const Lanes uniform = multiply_add(__builtin_convertvector(word, Lanes), broadcast(kUnit), half_unit);
    const Lanes distance = multiply_add(__builtin_convertvector(~word, Lanes), broadcast(kUnit), half_unit);
    const auto bits = reinterpret_cast<LanesInt>(uniform);
    const LanesInt exponent = (bits - kRootOfHalf) >> 23;
    const auto mantissa = reinterpret_cast<Lanes>(bits - (exponent << 23));
    const Lanes e = to_float(exponent);  // 0 near one
    const Lanes x = distance < 0.25F ? -distance : mantissa - 1.0F;
    const Lanes x2 = x * x;
    Lanes p = broadcast(7.0376836292e-2F);
    p = multiply_add(p, x, broadcast(-1.1514610310e-1F));
    p = multiply_add(p, x, broadcast(1.1676998740e-1F));
    p = multiply_add(p, x, broadcast(-1.2420140846e-1F));
    p = multiply_add(p, x, broadcast(1.4249322787e-1F));
    p = multiply_add(p, x, broadcast(-1.6668057665e-1F));
    p = multiply_add(p, x, broadcast(2.0000714765e-1F));
    p = multiply_add(p, x, broadcast(-2.4999993993e-1F));
    p = multiply_add(p, x, broadcast(3.3333331174e-1F));
    p = p * x * x2;
    p = multiply_add(e, broadcast(-2.12194440e-4F), p);  // ln 2 in two parts
    p = multiply_add(x2, broadcast(-0.5F), p);
    return multiply_add(e, broadcast(0.693359375F), x + p);
}

struct SineCosine {
    Lanes sine, cosine;
};

/// Sine and cosine of 2 pi bits / 2^32: the nearest quarter turn, and the angle within [-pi/4, pi/4) around it (Cephes
/// sinf and cosf polynomials).
inline SineCosine sine_cosine(LanesUint bits) {
    constexpr float kQuarterTurn = 1.57079632679F / 4294967296.0F;  // radian per unit of the 32-bit fraction
    const Lanes angle = to_float(reinterpret_cast<LanesInt>(bits << 2)) * kQuarterTurn;
    const Lanes z = angle * angle;
    Lanes s = broadcast(-1.9515295891e-4F);
    s = multiply_add(s, z, broadcast(8.3321608736e-3F));
    s = multiply_add(s, z, broadcast(-1.6666654611e-1F));
    s = multiply_add(s * z, angle, angle);
    Lanes c = broadcast(2.443315711809948e-5F);
    c = multiply_add(c, z, broadcast(-1.388731625493765e-3F));
    c = multiply_add(c, z, broadcast(4.166664568298827e-2F));
    c = multiply_add(c * z, z, multiply_add(z, broadcast(-0.5F), broadcast(1.0F)));
    const LanesUint quadrant = (bits + 0x20000000U) >> 30;
    const auto swap = reinterpret_cast<LanesInt>((quadrant & 1U) != 0U);
    const Lanes sine = swap ? c : s;
    const Lanes cosine = swap ? s : c;
    // Quarter turns q: sin negative for q = 2, 3; cos negative for q = 1, 2.
    const LanesUint sine_sign = (quadrant & 2U) << 30;
    const LanesUint cosine_sign = ((quadrant + 1U) & 2U) << 30;
    return {reinterpret_cast<Lanes>(reinterpret_cast<LanesUint>(sine) ^ sine_sign),
            reinterpret_cast<Lanes>(reinterpret_cast<LanesUint>(cosine) ^ cosine_sign)};
}

/// Box and Muller (1958): two normals of two words.
inline NormalPair box_muller(LanesUint radius_bits, LanesUint angle_bits) {
    const Lanes radius = square_root(log_uniform(radius_bits) * -2.0F);
    const SineCosine direction = sine_cosine(angle_bits);
    return {radius * direction.cosine, radius * direction.sine};
}

inline PhiloxLanes philox(const PhiloxLanes& counter, std::uint32_t key_low, std::uint32_t key_high) {
    HalfLanes even[4];
    HalfLanes odd[4];
    for (int word = 0; word < 4; ++word) {
        even[word] = reinterpret_cast<HalfLanes>(counter.words[word]);
        odd[word] = even[word] >> 32;
    }
    philox_rounds(even, key_low, key_high);
    philox_rounds(odd, key_low, key_high);
    PhiloxLanes result;
    for (int word = 0; word < 4; ++word) {
        result.words[word] = reinterpret_cast<LanesUint>((even[word] & 0xffffffffU) | (odd[word] << 32));
    }
    return result;
}

inline PhiloxLanes normal_bits(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place, LanesUint sequences,
                               std::uint32_t step, std::uint32_t output_quad) {
    const PhiloxLanes counter = {
        {sequences, LanesUint{} + step, LanesUint{} + place, LanesUint{} + stream_word(purpose, output_quad)}};
    return philox(counter, low_word(seed), high_word(seed));
}

}  // namespace

CounterRandom::CounterRandom(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place)
    : key_{low_word(seed), high_word(seed)}, purpose_(stream_word(purpose, kScalarStream)), place_(place) {}

double CounterRandom::uniform(std::uint64_t counter) const {
    const r123::Philox4x32 generator;
    const r123::Philox4x32::ctr_type words =
        generator({{low_word(counter), high_word(counter), place_, purpose_}}, {{key_[0], key_[1]}});
    return words[0] * 0x1p-32;
}

double CounterRandom::normal(std::uint64_t counter) const {
    const r123::Philox4x32 generator;
    const r123::Philox4x32::ctr_type words =
        generator({{low_word(counter), high_word(counter), place_, purpose_}}, {{key_[0], key_[1]}});
    const double radius_uniform = (words[2] * 0x1p-32 + words[1] + 0.5 * 0x1p-32) * 0x1p-32;  // in (0, 1)
    return std::sqrt(-2.0 * std::log(radius_uniform)) * std::cos(kTwoPi * 0x1p-32 * words[3]);
}

NormalQuad normal_quad(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place, LanesUint sequences,
                       std::uint32_t step, std::uint32_t output_quad) {
    const PhiloxLanes bits = normal_bits(seed, purpose, place, sequences, step, output_quad);
    const NormalPair low = box_muller(bits.words[0], bits.words[1]);
    const NormalPair high = box_muller(bits.words[2], bits.words[3]);
    return {{low.first, low.second, high.first, high.second}};
}

NormalPair normal_pair(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place, LanesUint sequences,
                       std::uint32_t step, std::uint32_t output_pair) {
    const PhiloxLanes bits = normal_bits(seed, purpose, place, sequences, step, output_pair / 2);
    const std::uint32_t word = output_pair % 2 * 2;
    return box_muller(bits.words[word], bits.words[word + 1]);
}

PhiloxLanes philox_lanes(const PhiloxLanes& counter, std::uint32_t key_low, std::uint32_t key_high) {
    return philox(counter, key_low, key_high);
}

std::vector<LanesUint> sequence_lanes(const std::vector<std::uint64_t>& sequence_ids) {
    std::vector<LanesUint> lanes((sequence_ids.size() + kLaneWidth - 1) / kLaneWidth, LanesUint{});
    for (std::size_t i = 0; i < sequence_ids.size(); ++i) {
        lanes[i / kLaneWidth][i % kLaneWidth] = low_word(sequence_ids[i]);
    }
    return lanes;
}

}  // namespace imssa
