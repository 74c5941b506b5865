#include "trainer/mode_scan.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "models/network/quantizer.h"
#include "trainer/fake_quantization.h"
#include "trainer/grid_lanes.h"
#include "trainer/lane_buffer.h"
#include "trainer/state_dither.h"

namespace imssa {

namespace {

/// Largest component of Bbar over what shares the scale of a mode's state.
float largest_b(const EffectiveLayerTensors& tensors, ScaleGranularity scale, int heads, int modes, int head,
                int mode) {
    std::size_t first = 0, count = static_cast<std::size_t>(heads) * modes;
    if (scale != ScaleGranularity::tensor) {
        first = static_cast<std::size_t>(head) * modes;
        count = static_cast<std::size_t>(modes);
    }
    if (scale == ScaleGranularity::mode) {
        first += static_cast<std::size_t>(mode);
        count = 1;
    }
    float largest = 0.0F;
    for (std::size_t index = first; index < first + count; ++index) {
        largest = std::max({largest, std::abs(tensors.b_re[index]), std::abs(tensors.b_im[index])});
    }
    return largest;
}

std::int32_t bits_of(float value) {
    std::int32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits;
}

void set_state_grid(const QuantizerGrid& grid, ModeScan& scan) {
    scan.gain = grid.gain > 0.0F ? grid.gain : 1.0F;
    scan.inverse = 1.0F / scan.gain;
    scan.low = grid.gain > 0.0F ? grid.low - grid.zero : 0.0F;
    scan.high = grid.gain > 0.0F ? grid.high - grid.zero : 0.0F;
}

void set_product_grid(const QuantizerGrid& grid, float b_re, float b_im, ModeScan& scan) {
    if (grid.gain > 0.0F) {
        scan.product_b_re = b_re * grid.gain;
        scan.product_b_im = b_im * grid.gain;
        scan.product_inverse = scan.gain / grid.gain;
        scan.product_low = grid.low - grid.zero;
        scan.product_high = grid.high - grid.zero;
        const float largest = std::max(std::abs(scan.product_b_re), std::abs(scan.product_b_im));
        scan.product_input = std::min(std::min(-scan.product_low, scan.product_high) / largest, kLargestFinite);
    }
}

/// Codes by which the roundings of one step move each component of a state at most, in all.
double roundings_of(const FakeQuantization& options, const ModeScan& scan) {
    if (options.requantize_products) {
        return 0.5 * (2.0 + scan.product_inverse);
    }
    return options.state.rounding == StateRounding::dithered ? 1.0 : 0.5;
}

/// For clamps_of_block.
void set_block_bound(double roundings, ModeScan& scan) {
    const double magnitude = std::hypot(scan.a_re, scan.a_im);
    if (!(magnitude <= 1.0)) {
        return;
    }
    constexpr double kMargin = 1e-4;  // for single precision
    double steps = 0.0;
    for (int step = 0; step < kBlockSteps; ++step) {
        steps = steps * magnitude + 1.0;
    }
    const double room = std::min({-scan.low, scan.high, -scan.least, scan.most});
    scan.block_room = static_cast<float>(
        std::max(0.0, room * (1.0 - kMargin) - steps * std::sqrt(2.0) * roundings * (1.0 + kMargin)));
    scan.block_reach = static_cast<float>(std::hypot(scan.b_re, scan.b_im) * steps * (1.0 + kMargin));
}

}  // namespace

std::vector<ModeScan> mode_scans(const FakeQuantization& options, const EffectiveNetwork& network,
                                 const FakeLayerGrids& grids, int layer, float largest_input) {
    const EffectiveLayerTensors& tensors = network.tensors.layers[static_cast<std::size_t>(layer)];
    const int heads = network.config.heads;
    const int modes = network.config.modes();
    std::vector<ModeScan> scans;
    for (int head = 0; head < heads; ++head) {
        for (int mode = 0; mode < modes; ++mode) {
            const std::size_t at = static_cast<std::size_t>(head) * modes + mode;
            ModeScan scan;
            if (options.state.has_grid()) {
                set_state_grid(grids.state[at], scan);
            }
            if (options.requantize_products) {
                const double range = largest_input * largest_b(tensors, options.state.scale, heads, modes, head, mode);
                scan.above_low = bits_of(kWholeNumbers + scan.low);
                scan.above_high = bits_of(kWholeNumbers + scan.high);
                set_product_grid(make_grid(options.state, -range, range), tensors.b_re[at], tensors.b_im[at], scan);
            }
            scan.a_re = tensors.a_re[at];
            scan.a_im = tensors.a_im[at];
            scan.b_re = tensors.b_re[at] * scan.gain;
            scan.b_im = tensors.b_im[at] * scan.gain;
            scan.c_re = tensors.c_re[at] * scan.inverse;
            scan.c_im = tensors.c_im[at] * scan.inverse;
            if (options.state_limit > 0.0) {
                scan.limit = static_cast<float>(options.state_limit) * scan.gain;
            }
            // Whole numbers, so that rounding and clamping may come in either order.
            scan.least = std::nearbyint(std::max(scan.low, -scan.limit));
            scan.most = std::nearbyint(std::min(scan.high, scan.limit));
            if (options.state.has_grid()) {
                set_block_bound(roundings_of(options, scan), scan);
            }
            scan.full_scale = grids.state_range[at] * scan.gain;
            scan.unit = static_cast<std::uint32_t>((layer * heads + head) * modes + mode);
            scan.dither_key = dither_unit_key(scan.unit - static_cast<std::uint32_t>(mode % kDitherModes));
            scan.dither_factor = dither_factor(mode);
            scans.push_back(scan);
        }
    }
    return scans;
}

}  // namespace imssa
