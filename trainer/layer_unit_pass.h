#pragma once

#include "trainer/effective_network.h"
#include "trainer/lane_mask.h"

namespace imssa {

/// The digital unit behind the mixing product in real numbers, on one block (8 steps x 16 sequences): gated linear
/// unit, residual, layer norm over heads. mixing: mixing_outputs x 128, input: heads x 128.

/// A batch norm is here the affine map gamma z + beta.

/// normalized = (z - mean) / deviation of z = gate(mixing_scale * mixing) + residual_scale * input (z itself without a
/// layer norm); out = gamma * normalized + beta unless out is null. inverse_deviation: 8 x 16.
void layer_unit_forward(const ModelConfig& config, const EffectiveLayerUnits& units,
                        const EffectiveLayerTensors& tensors, const float* mixing, const float* input,
                        float* normalized, float* inverse_deviation, float* out);

/// Which codes of one block are below their limit, heads x 8 each: of the mixing outputs and of the layer's output.
/// Only without a gated linear unit.
struct UnitMasks {
    const LaneMask* mixing_inside = nullptr;
    const LaneMask* out_inside = nullptr;
};

/// From the gradient of the output to the gradients of the mixing outputs and of the input (residual path only,
/// overwritten). Mixing outputs at their limit pass no gradient; with `masks`, which then say so instead of `mixing`,
/// outputs neither. gamma and beta gradients are heads x 16, accumulated.
void layer_unit_backward(const ModelConfig& config, const EffectiveLayerUnits& units,
                         const EffectiveLayerTensors& tensors, const float* mixing, const float* normalized,
                         const float* inverse_deviation, const float* out_gradient, float* mixing_gradient,
                         float* input_gradient, float* gamma_gradient, float* beta_gradient,
                         const UnitMasks& masks = {});

}  // namespace imssa
