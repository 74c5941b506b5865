#include "trainer/quantized_unit_pass.h"

#include "models/common/lane_math.h"
#include "models/network/quantizer.h"
#include "trainer/lane_buffer.h"

namespace imssa {

namespace {

// Products and sums are rounded one by one, as in layer_unit: no fused multiply-adds.

/// Mixing codes plus residual in real units into block.normalized; adds them to `mean`.
void add_residual(const QuantizedMatrix& mixing, const LayerUnitParameters& unit, const float* sums, const float* input,
                  int heads, const UnitBlock& block, Lanes (&mean)[kBlockSteps]) {
    const Lanes limit = broadcast(unit.code_limit);
    for (int head = 0; head < heads; ++head) {
        const std::size_t output = static_cast<std::size_t>(head);
        const float gain = mixing.gain[output], offset = mixing.offset[output];
        const float output_limit = mixing.output_limit[output];
        for (int step = 0; step < kBlockSteps; ++step) {
            const int at = head * kBlockWidth + step * kLaneWidth;
            const Lanes code = convert(load_lanes(sums + at), gain, offset, output_limit);
            block.mixing_inside[head * kBlockSteps + step] = lanes_inside(code, limit);
            Lanes value = code * unit.mixing_scale;
            if (unit.residual) {
                value = load_lanes(input + at) * unit.residual_scale + value;
            }
            store_lanes(block.normalized + at, value);
            mean[step] = mean[step] + value;
        }
    }
}

/// 1 / deviation of every step of a layer norm.
void inverse_deviations(const float* values, int heads, const Lanes (&mean)[kBlockSteps],
                        Lanes (&inverse)[kBlockSteps]) {
    Lanes variance[kBlockSteps] = {};
    for (int head = 0; head < heads; ++head) {
        for (int step = 0; step < kBlockSteps; ++step) {
            const Lanes deviation = load_lanes(values + head * kBlockWidth + step * kLaneWidth) - mean[step];
            variance[step] = variance[step] + deviation * deviation;
        }
    }
    const float per_head = 1.0F / static_cast<float>(heads);
    for (int step = 0; step < kBlockSteps; ++step) {
        inverse[step] = 1.0F / square_root(variance[step] * per_head + kNormEpsilon);
    }
}

}  // namespace

void quantized_unit(const QuantizedMatrix& mixing, const LayerUnitParameters& unit, const float* sums,
                    const float* input, int heads, const UnitBlock& block) {
    Lanes mean[kBlockSteps] = {}, inverse[kBlockSteps];
    add_residual(mixing, unit, sums, input, heads, block, mean);
    const bool normed = unit.norm == Norm::layer;
    if (normed) {
        const float per_head = 1.0F / static_cast<float>(heads);
        for (Lanes& value : mean) {
            value = value * per_head;
        }
        inverse_deviations(block.normalized, heads, mean, inverse);
    }
    for (int step = 0; step < kBlockSteps; ++step) {
        store_lanes(block.inverse_deviation + step * kLaneWidth, normed ? inverse[step] : broadcast(1.0F));
    }
    const Lanes limit = broadcast(unit.code_limit);
    for (int head = 0; head < heads; ++head) {
        const float gamma = unit.gamma[static_cast<std::size_t>(head)];
        const float beta = unit.beta[static_cast<std::size_t>(head)];
        for (int step = 0; step < kBlockSteps; ++step) {
            const int at = head * kBlockWidth + step * kLaneWidth;
            Lanes value = load_lanes(block.normalized + at);
            if (normed) {
                value = (value - mean[step]) * inverse[step];
                store_lanes(block.normalized + at, value);
            }
            const Lanes code = convert(value, gamma, beta, unit.code_limit);
            store_lanes(block.out + at, code);
            store_narrow(block.out_codes + at, code);
            block.out_inside[head * kBlockSteps + step] = lanes_inside(code, limit);
        }
    }
}

}  // namespace imssa
