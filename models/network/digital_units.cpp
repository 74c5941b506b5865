#include <cmath>

#include "models/common/lane_math.h"
#include "models/network/deployed_network.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

Lanes look_up(const std::vector<float>& table, float limit, Lanes codes) {
#if defined(__AVX512F__)
    const __m512 indices = reinterpret_cast<__m512>(codes + limit);
    const __mmask16 inside = _mm512_cmp_ps_mask(indices, _mm512_setzero_ps(), _CMP_GE_OQ) &
                             _mm512_cmp_ps_mask(indices, _mm512_set1_ps(static_cast<float>(table.size())), _CMP_LT_OQ);
    // As below, a code without an entry is handed on as NaN.
    return reinterpret_cast<Lanes>(
        _mm512_mask_i32gather_ps(_mm512_set1_ps(std::nanf("")), inside, _mm512_cvttps_epi32(indices), table.data(), 4));
#else
    Lanes result = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        const float index = codes[lane] + limit;
        // A code that is not finite has no entry: it is handed on, for the next conversion to name it.
        result[lane] = index >= 0.0F && index < static_cast<float>(table.size())
                           ? table[static_cast<std::size_t>(index)]
                           : std::nanf("");
    }
    return result;
#endif
}

/// Mixing (after the gate) plus residual of one head, in real units.
Lanes head_value(const LayerUnitParameters& unit, const float* mixing, const float* input, int head, int heads,
                 int stride, int lane) {
    Lanes mixed = load_lanes(mixing + head * stride + lane);
    if (unit.glu) {
        const Lanes gate =
            look_up(unit.gate_table, unit.code_limit, load_lanes(mixing + (heads + head) * stride + lane));
        mixed = convert(mixed * gate, 1.0F / unit.code_limit, 0.0F, unit.code_limit);
    }
    Lanes value = mixed * unit.mixing_scale;
    if (unit.residual) {
        value = load_lanes(input + head * stride + lane) * unit.residual_scale + value;
    }
    return value;
}

/// Vectors that go through the layer unit side by side, so that their sums over heads do not wait for each other.
constexpr int kUnitVectors = 8;

/// The layer unit of Vectors x 16 lanes.
template <int Vectors>
void unit_vectors(const LayerUnitParameters& unit, const float* mixing, const float* input, float* out, int heads,
                  int stride) {
    const float per_head = 1.0F / static_cast<float>(heads);
    Lanes mean[Vectors] = {}, variance[Vectors] = {}, inverse_deviation[Vectors] = {};
    for (int head = 0; head < heads && unit.norm == Norm::layer; ++head) {
        for (int vector = 0; vector < Vectors; ++vector) {
            const Lanes value = head_value(unit, mixing, input, head, heads, stride, vector * kLaneWidth);
            store_lanes(out + head * stride + vector * kLaneWidth, value);
            mean[vector] = mean[vector] + value;
        }
    }
    for (Lanes& value : mean) {
        value = value * per_head;
    }
    for (int head = 0; head < heads && unit.norm == Norm::layer; ++head) {
        for (int vector = 0; vector < Vectors; ++vector) {
            const Lanes deviation = load_lanes(out + head * stride + vector * kLaneWidth) - mean[vector];
            variance[vector] = variance[vector] + deviation * deviation;
        }
    }
    for (int vector = 0; vector < Vectors; ++vector) {
        inverse_deviation[vector] = 1.0F / square_root(variance[vector] * per_head + kNormEpsilon);
    }
    for (int head = 0; head < heads; ++head) {
        const std::size_t at = static_cast<std::size_t>(head);
        for (int vector = 0; vector < Vectors; ++vector) {
            float* to = out + head * stride + vector * kLaneWidth;
            const Lanes value = unit.norm == Norm::layer
                                    ? (load_lanes(to) - mean[vector]) * inverse_deviation[vector]
                                    : head_value(unit, mixing, input, head, heads, stride, vector * kLaneWidth);
            store_lanes(to, convert(value, unit.gamma[at], unit.beta[at], unit.code_limit));
        }
    }
}

}  // namespace

void apply_table(const std::vector<float>& table, float limit, const float* codes, float* out, int lanes) {
    for (int lane = 0; lane < padded_lanes(lanes); lane += kLaneWidth) {
        store_lanes(out + lane, look_up(table, limit, load_lanes(codes + lane)));
    }
}

void layer_unit(const LayerUnitParameters& unit, const float* mixing, const float* input, float* out, int heads,
                int stride, int lanes) {
    const int width = padded_lanes(lanes);
    int lane = 0;
    for (; lane + kUnitVectors * kLaneWidth <= width; lane += kUnitVectors * kLaneWidth) {
        unit_vectors<kUnitVectors>(unit, mixing + lane, input + lane, out + lane, heads, stride);
    }
    for (; lane < width; lane += kLaneWidth) {
        unit_vectors<1>(unit, mixing + lane, input + lane, out + lane, heads, stride);
    }
}

void pool_codes(const float* gains, float limit, const float* sums, float* codes, int lanes) {
    for (int lane = 0; lane < padded_lanes(lanes); lane += kLaneWidth) {
        store_lanes(codes + lane, convert(load_lanes(sums + lane) * load_lanes(gains + lane), 1.0F, 0.0F, limit));
    }
}

}  // namespace imssa
