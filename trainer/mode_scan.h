#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "trainer/fake_quantizer.h"

namespace imssa {

struct EffectiveNetwork;
struct FakeLayerGrids;
struct FakeQuantization;

/// No clipping.
constexpr float kUnclipped = std::numeric_limits<float>::infinity();
constexpr float kLargestFinite = std::numeric_limits<float>::max();

/// One mode of a fake-quantized scan. Its state is kept in units of its grid, so that rounding takes an addition and a
/// clamp: w = x gain, w' = round(clamp(Abar w + gain Bbar u, low, high)), y = sum (c / gain) w. Zero points, whole
/// numbers, fall out. Without a grid, and with those of a time step, gain is 1.
struct ModeScan {
    float a_re = 0.0F, a_im = 0.0F;
    float b_re = 0.0F, b_im = 0.0F;  ///< times gain
    float c_re = 0.0F, c_im = 0.0F;  ///< over gain
    float gain = 1.0F, inverse = 1.0F;
    float limit = kUnclipped;                      ///< FakeQuantization::state_limit, times gain
    float low = -kUnclipped, high = kUnclipped;    ///< codes less the zero point
    float least = -kUnclipped, most = kUnclipped;  ///< the narrower of both, whole numbers
    float full_scale = 0.0F;                       ///< for errors, times gain
    std::uint32_t unit = 0, dither_key = 0;        ///< of errors and dither
    std::uint32_t dither_factor = 0;               ///< kDitherFactors
    // FakeQuantization::requantize_products: Bbar u on a grid of its own.
    std::int32_t above_low = 0, above_high = 0;      ///< bits of the floats kWholeNumbers + low and + high
    float product_b_re = 0.0F, product_b_im = 0.0F;  ///< Bbar times the gain of that grid
    float product_inverse = 1.0F;                    ///< units of this mode's state per code
    float product_low = 0.0F, product_high = 0.0F;   ///< codes
    float product_input = kLargestFinite;            ///< inputs up to this magnitude have codes within these
    float block_room = 0.0F;   ///< length of states that no block without inputs leads out of their grid
    float block_reach = 0.0F;  ///< what an input of 1 in every step of a block may add to that length
};

/// Those of all heads and modes of a layer, whose grids are made. `largest_input`: of the layer's kernels.
std::vector<ModeScan> mode_scans(const FakeQuantization& options, const EffectiveNetwork& network,
                                 const FakeLayerGrids& grids, int layer, float largest_input);

}  // namespace imssa
