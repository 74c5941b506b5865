#include <cmath>

#include "models/network/deployed_network.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

Lanes square_root(Lanes value) {
    Lanes result = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        result[lane] = std::sqrt(value[lane]);
    }
    return result;
}

Lanes look_up(const std::vector<float>& table, float limit, Lanes codes) {
    Lanes result = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        const float index = codes[lane] + limit;
        // A code that is not finite has no entry: it is handed on, for the next conversion to name it.
        result[lane] = index >= 0.0F && index < static_cast<float>(table.size())
                           ? table[static_cast<std::size_t>(index)]
                           : std::nanf("");
    }
    return result;
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

}  // namespace

void apply_table(const std::vector<float>& table, float limit, const float* codes, float* out, int lanes) {
    for (int lane = 0; lane < padded_lanes(lanes); lane += kLaneWidth) {
        store_lanes(out + lane, look_up(table, limit, load_lanes(codes + lane)));
    }
}

void layer_unit(const LayerUnitParameters& unit, const float* mixing, const float* input, float* out, int heads,
                int stride, int lanes) {
    const float per_head = 1.0F / static_cast<float>(heads);
    for (int lane = 0; lane < padded_lanes(lanes); lane += kLaneWidth) {
        Lanes mean = {};
        Lanes inverse_deviation = broadcast(1.0F);
        if (unit.norm == Norm::layer) {
            for (int head = 0; head < heads; ++head) {
                const Lanes value = head_value(unit, mixing, input, head, heads, stride, lane);
                store_lanes(out + head * stride + lane, value);
                mean = mean + value;
            }
            mean = mean * per_head;
            Lanes variance = {};
            for (int head = 0; head < heads; ++head) {
                const Lanes deviation = load_lanes(out + head * stride + lane) - mean;
                variance = variance + deviation * deviation;
            }
            inverse_deviation = 1.0F / square_root(variance * per_head + kNormEpsilon);
        }
        for (int head = 0; head < heads; ++head) {
            const std::size_t at = static_cast<std::size_t>(head);
            const Lanes value = unit.norm == Norm::layer
                                    ? (load_lanes(out + head * stride + lane) - mean) * inverse_deviation
                                    : head_value(unit, mixing, input, head, heads, stride, lane);
            store_lanes(out + head * stride + lane, convert(value, unit.gamma[at], unit.beta[at], unit.code_limit));
        }
    }
}

void pool_codes(const float* gains, float limit, const float* sums, float* codes, int lanes) {
    for (int lane = 0; lane < padded_lanes(lanes); lane += kLaneWidth) {
        store_lanes(codes + lane, convert(load_lanes(sums + lane) * load_lanes(gains + lane), 1.0F, 0.0F, limit));
    }
}

}  // namespace imssa
