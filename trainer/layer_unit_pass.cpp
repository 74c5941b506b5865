#include "trainer/layer_unit_pass.h"

#include "models/common/lane_math.h"
#include "trainer/fast_math.h"
#include "trainer/lane_buffer.h"

namespace imssa {

namespace {

/// Steps that are normalised side by side, so that the sums over heads do not wait for each other: a whole block, so
/// that memory is read in one run.
constexpr int kGroup = kBlockSteps;

inline Lanes magnitude(Lanes value) {
    return reinterpret_cast<Lanes>(reinterpret_cast<LanesInt>(value) & 0x7fffffff);
}

}  // namespace

void layer_unit_forward(const ModelConfig& config, const EffectiveLayerUnits& units,
                        const EffectiveLayerTensors& tensors, const float* mixing, const float* input,
                        float* normalized, float* inverse_deviation, float* out) {
    const int heads = config.heads;
    const float per_head = 1.0F / static_cast<float>(heads);
    const Lanes mixing_scale = broadcast(units.mixing_scale);
    const Lanes residual_scale = broadcast(units.residual_scale);
    for (int group = 0; group < kBlockSteps; group += kGroup) {
        const int offset = group * kLaneWidth;
        Lanes mean[kGroup] = {};
        for (int head = 0; head < heads; ++head) {
            for (int step = 0; step < kGroup; ++step) {
                const int at = head * kBlockWidth + offset + step * kLaneWidth;
                Lanes value = load_lanes(mixing + at) * mixing_scale;
                if (config.glu) {
                    value = value * sigmoid_lanes(load_lanes(mixing + heads * kBlockWidth + at) * mixing_scale);
                }
                value = multiply_add(load_lanes(input + at), residual_scale, value);
                mean[step] += value;
                store_lanes(normalized + at, value);
            }
        }
        Lanes inverse[kGroup];
        if (config.norm == Norm::layer) {
            Lanes variance[kGroup] = {};
            for (Lanes& value : mean) {
                value = value * per_head;
            }
            for (int head = 0; head < heads; ++head) {
                for (int step = 0; step < kGroup; ++step) {
                    const Lanes deviation =
                        load_lanes(normalized + head * kBlockWidth + offset + step * kLaneWidth) - mean[step];
                    variance[step] = multiply_add(deviation, deviation, variance[step]);
                }
            }
            for (int step = 0; step < kGroup; ++step) {
                inverse[step] = 1.0F / square_root(variance[step] * per_head + kNormEpsilon);
            }
        } else {
            for (int step = 0; step < kGroup; ++step) {
                mean[step] = Lanes{};
                inverse[step] = broadcast(1.0F);
            }
        }
        for (int step = 0; step < kGroup; ++step) {
            store_lanes(inverse_deviation + offset + step * kLaneWidth, inverse[step]);
        }
        for (int head = 0; head < heads; ++head) {
            const Lanes gamma = broadcast(tensors.gamma[static_cast<std::size_t>(head)]);
            const Lanes beta = broadcast(tensors.beta[static_cast<std::size_t>(head)]);
            for (int step = 0; step < kGroup; ++step) {
                const int at = head * kBlockWidth + offset + step * kLaneWidth;
                const Lanes value = (load_lanes(normalized + at) - mean[step]) * inverse[step];
                store_lanes(normalized + at, value);
                if (out != nullptr) {
                    store_lanes(out + at, multiply_add(gamma, value, beta));
                }
            }
        }
    }
}

namespace {

/// `ByBits`: limits come as masks.
template <bool ByBits>
void unit_backward(const ModelConfig& config, const EffectiveLayerUnits& units, const EffectiveLayerTensors& tensors,
                   const float* mixing, const float* normalized, const float* inverse_deviation,
                   const float* out_gradient, float* mixing_gradient, float* input_gradient, float* gamma_gradient,
                   float* beta_gradient, const UnitMasks& masks) {
    const int heads = config.heads;
    const float per_head = 1.0F / static_cast<float>(heads);
    const Lanes mixing_scale = broadcast(units.mixing_scale);
    const Lanes residual_scale = broadcast(units.residual_scale);
    const bool masked = units.mixing_limit < kNoLimit;
    const Lanes limit = broadcast(units.mixing_limit);
    const bool normed = config.norm == Norm::layer;
    for (int group = 0; group < kBlockSteps; group += kGroup) {
        const int offset = group * kLaneWidth;
        Lanes mean[kGroup] = {}, projection[kGroup] = {}, inverse[kGroup];
        if (config.norm != Norm::none) {
            for (int head = 0; head < heads; ++head) {
                const Lanes gamma = broadcast(tensors.gamma[static_cast<std::size_t>(head)]);
                Lanes gamma_sum = load_lanes(gamma_gradient + head * kLaneWidth);
                Lanes beta_sum = load_lanes(beta_gradient + head * kLaneWidth);
                for (int step = 0; step < kGroup; ++step) {
                    const int at = head * kBlockWidth + offset + step * kLaneWidth;
                    Lanes gradient = load_lanes(out_gradient + at);
                    if constexpr (ByBits) {
                        gradient = where(masks.out_inside[at / kLaneWidth], gradient);
                    }
                    const Lanes value = load_lanes(normalized + at);
                    gamma_sum = multiply_add(gradient, value, gamma_sum);
                    beta_sum += gradient;
                    mean[step] = multiply_add(gradient, gamma, mean[step]);
                    projection[step] = multiply_add(gradient * gamma, value, projection[step]);
                }
                store_lanes(gamma_gradient + head * kLaneWidth, gamma_sum);
                store_lanes(beta_gradient + head * kLaneWidth, beta_sum);
            }
        }
        for (int step = 0; step < kGroup; ++step) {
            mean[step] = mean[step] * per_head;
            projection[step] = projection[step] * per_head;
            inverse[step] = load_lanes(inverse_deviation + offset + step * kLaneWidth);
        }
        for (int head = 0; head < heads; ++head) {
            const Lanes gamma = broadcast(tensors.gamma[static_cast<std::size_t>(head)]);
            for (int step = 0; step < kGroup; ++step) {
                const int at = head * kBlockWidth + offset + step * kLaneWidth;
                Lanes gradient = load_lanes(out_gradient + at);
                if constexpr (ByBits) {
                    gradient = where(masks.out_inside[at / kLaneWidth], gradient);
                }
                gradient = gradient * gamma;
                if (normed) {
                    gradient = (gradient - mean[step] - load_lanes(normalized + at) * projection[step]) * inverse[step];
                }
                store_lanes(input_gradient + at, gradient * residual_scale);
                gradient = gradient * mixing_scale;
                if (config.glu) {
                    const int gate_at = heads * kBlockWidth + at;
                    const Lanes gate_input = load_lanes(mixing + gate_at);
                    const Lanes gate = sigmoid_lanes(gate_input * mixing_scale);
                    Lanes gate_gradient = gradient * load_lanes(mixing + at) * gate * (1.0F - gate) * mixing_scale;
                    if (masked) {
                        gate_gradient = magnitude(gate_input) < limit ? gate_gradient : Lanes{};
                    }
                    store_lanes(mixing_gradient + gate_at, gate_gradient);
                    gradient = gradient * gate;
                }
                if constexpr (ByBits) {
                    gradient = where(masks.mixing_inside[at / kLaneWidth], gradient);
                } else if (masked) {
                    gradient = magnitude(load_lanes(mixing + at)) < limit ? gradient : Lanes{};
                }
                store_lanes(mixing_gradient + at, gradient);
            }
        }
    }
}

}  // namespace

void layer_unit_backward(const ModelConfig& config, const EffectiveLayerUnits& units,
                         const EffectiveLayerTensors& tensors, const float* mixing, const float* normalized,
                         const float* inverse_deviation, const float* out_gradient, float* mixing_gradient,
                         float* input_gradient, float* gamma_gradient, float* beta_gradient, const UnitMasks& masks) {
    const auto run = masks.mixing_inside != nullptr ? unit_backward<true> : unit_backward<false>;
    run(config, units, tensors, mixing, normalized, inverse_deviation, out_gradient, mixing_gradient, input_gradient,
        gamma_gradient, beta_gradient, masks);
}

}  // namespace imssa
