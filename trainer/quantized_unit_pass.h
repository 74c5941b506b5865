#pragma once

#include "models/network/deployed_network.h"
#include "trainer/lane_mask.h"
#include "trainer/narrow_codes.h"

namespace imssa {

/// What the layer unit leaves behind on one block for the backward pass.
struct UnitBlock {
    float* out = nullptr;                ///< codes, heads x 128
    NarrowCode* out_codes = nullptr;     ///< the same in 16 bits
    float* normalized = nullptr;         ///< (z - mean) / deviation, z itself without a norm: heads x 128
    float* inverse_deviation = nullptr;  ///< 128
    LaneMask* mixing_inside = nullptr;   ///< heads x 8: mixing codes below their limit
    LaneMask* out_inside = nullptr;      ///< heads x 8: the same of the output
};

/// From the sums of the mixing product (heads x 128) to the codes of the layer, without a gated linear unit: converts
/// them, then layer_unit, code for code, and keeps what the backward pass needs, in one go.
void quantized_unit(const QuantizedMatrix& mixing, const LayerUnitParameters& unit, const float* sums,
                    const float* input, int heads, const UnitBlock& block);

}  // namespace imssa
