#include <algorithm>

#include "models/common/random.h"
#include "models/network/quantizer.h"
#include "trainer/fake_pass.h"
#include "trainer/grid_lanes.h"
#include "trainer/kernel_scan.h"
#include "trainer/observed_bounds.h"

namespace imssa {

namespace {

/// Place of the errors of states in the generator's stream, apart from those of parameters.
constexpr std::uint32_t kStatePlace = 0x20000000U;

/// One mode between its roundings: x = Abar x + Bbar u, with errors and clipping.
struct ModeUpdate {
    float a_re, a_im, b_re, b_im;
    std::uint32_t unit;  ///< keys dither and errors
    float sigma;
    Lanes limit;

    void advance(const PassNoise& noise, LanesUint sequences, std::uint32_t step, Lanes input, Lanes& re,
                 Lanes& im) const {
        Lanes next_re = re * a_re - im * a_im + input * b_re;
        Lanes next_im = re * a_im + im * a_re + input * b_im;
        if (sigma > 0.0F) {
            const NormalPair normals =
                normal_pair(noise.seed, RandomPurpose::training_noise, kStatePlace + unit, sequences, step, 0);
            next_re += normals.first * sigma;
            next_im += normals.second * sigma;
        }
        re = clamp(next_re, -limit, limit);
        im = clamp(next_im, -limit, limit);
    }
};

template <class Grid>
inline void quantize_state(const Grid& grid, LanesUint keys, std::uint32_t unit, std::uint32_t step, bool dithered,
                           Lanes& re, Lanes& im) {
    if (dithered) {
        const DitherPair dither = dither_pair(keys, dither_unit_key(unit), step);
        re = grid.quantize_dithered(re, dither.re);
        im = grid.quantize_dithered(im, dither.im);
    } else {
        re = grid.quantize(re);
        im = grid.quantize(im);
    }
}

/// QuantizerGrid with the interface of LaneGrid.
struct FixedGrid {
    const QuantizerGrid& grid;

    Lanes quantize(Lanes value) const { return on_grid(grid, value); }
    Lanes quantize_dithered(Lanes value, Lanes dither) const { return on_grid_dithered(grid, value, dither); }
};

inline std::size_t place_of(std::size_t stride, int block, int step) {
    return static_cast<std::size_t>(block) * stride + static_cast<std::size_t>(step) * kLaneWidth;
}

inline Lanes greater(Lanes a, Lanes b) {
    return a > b ? a : b;
}

ModeUpdate mode_update(const FakeNetwork& network, const PassNoise& noise, int layer, int head, int mode) {
    const ModelConfig& model = network.effective.config;
    const KernelView kernel = kernel_view(network.effective, layer, head);
    const double limit = network.options.state_limit;
    const float range = network.layers[static_cast<std::size_t>(layer)]
                            .state_range[static_cast<std::size_t>(head) * model.modes() + mode];
    return {kernel.a_re[mode],
            kernel.a_im[mode],
            kernel.b_re[mode],
            kernel.b_im[mode],
            static_cast<std::uint32_t>((layer * model.heads + head) * model.modes() + mode),
            static_cast<float>(noise.states) * range,
            broadcast(limit > 0.0 ? static_cast<float>(limit) : kNoLimit)};
}

}  // namespace

void FakePass::scan(int layer, int head, int first_mode, int count, LanesUint dither_keys, LanesUint sequences,
                    std::uint32_t first_step, const float* u, float* y, std::size_t stride, int blocks,
                    const float* state_in, float* state_out, float* states, StateRanges ranges,
                    PassObserver* observer) const {
    const FakeQuantization& options = network_.options;
    const FakeLayerGrids& grids = network_.layers[static_cast<std::size_t>(layer)];
    const KernelView kernel = kernel_view(network_.effective, layer, head);
    const bool dithered = options.state.rounding == StateRounding::dithered;
    const bool dynamic = options.state.active() && options.state.ranges == RangeSource::dynamic;
    for (int block = 0; y != nullptr && first_mode == 0 && block < blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            const std::size_t at = place_of(stride, block, step);
            store_lanes(y + at, load_lanes(u + at) * kernel.d);
        }
    }
    for (int mode = first_mode; mode < first_mode + count; ++mode) {
        const ModeUpdate update = mode_update(network_, noise_, layer, head, mode);
        const FixedGrid grid{grids.state[static_cast<std::size_t>(head) * kernel.modes + mode]};
        const int observed = observer == nullptr ? 0 : observed_state(layer, head, mode);
        Lanes re = load_lanes(state_in + 2 * mode * kLaneWidth);
        Lanes im = load_lanes(state_in + (2 * mode + 1) * kLaneWidth);
        float* kept = states == nullptr ? nullptr : states + 2 * (mode - first_mode) * kLaneWidth;
        if (kept != nullptr) {
            store_lanes(kept, re);
            store_lanes(kept + kLaneWidth, im);
        }
        std::uint32_t step_number = first_step;
        for (int block = 0; block < blocks; ++block) {
            for (int step = 0; step < kBlockSteps; ++step, ++step_number) {
                const std::size_t at = place_of(stride, block, step);
                update.advance(noise_, sequences, step_number, load_lanes(u + at), re, im);
                if (observer != nullptr && static_cast<int>(step_number) < network_.effective.steps) {
                    observer->on_state(observed, re, im);
                }
                if (dynamic) {
                    const Lanes range = load_lanes(ranges.at + place_of(ranges.stride, block, step));
                    quantize_state(make_lane_grid(options.state, -range, range), dither_keys, update.unit, step_number,
                                   dithered, re, im);
                } else if (options.state.active()) {
                    quantize_state(grid, dither_keys, update.unit, step_number, dithered, re, im);
                }
                if (kept != nullptr) {
                    kept += 2 * count * kLaneWidth;
                    store_lanes(kept, re);
                    store_lanes(kept + kLaneWidth, im);
                }
                if (y != nullptr) {
                    store_lanes(y + at, load_lanes(y + at) + re * kernel.c_re[mode] + im * kernel.c_im[mode]);
                }
            }
        }
        if (state_out != nullptr) {
            store_lanes(state_out + 2 * mode * kLaneWidth, re);
            store_lanes(state_out + (2 * mode + 1) * kLaneWidth, im);
        }
    }
}

void FakePass::observe_state_ranges(int layer, int head, LanesUint dither_keys, LanesUint sequences,
                                    std::uint32_t first_step, const float* u, std::size_t stride, int blocks,
                                    const float* state_in, StateRanges ranges, float* scratch) const {
    const QuantizerOptions& options = network_.options.state;
    const bool dithered = options.rounding == StateRounding::dithered;
    const int modes = network_.effective.config.modes();
    std::copy_n(state_in, 2 * modes * kLaneWidth, scratch);
    std::uint32_t step_number = first_step;
    for (int block = 0; block < blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step, ++step_number) {
            const Lanes input = load_lanes(u + place_of(stride, block, step));
            Lanes range = {};
            for (int mode = 0; mode < modes; ++mode) {
                float* x = scratch + 2 * mode * kLaneWidth;
                Lanes re = load_lanes(x), im = load_lanes(x + kLaneWidth);
                mode_update(network_, noise_, layer, head, mode).advance(noise_, sequences, step_number, input, re, im);
                range = greater(range, greater(greater(re, -re), greater(im, -im)));
                store_lanes(x, re);
                store_lanes(x + kLaneWidth, im);
            }
            store_lanes(ranges.at + place_of(ranges.stride, block, step), range);
            const LaneGrid grid = make_lane_grid(options, -range, range);
            for (int mode = 0; mode < modes; ++mode) {
                float* x = scratch + 2 * mode * kLaneWidth;
                Lanes re = load_lanes(x), im = load_lanes(x + kLaneWidth);
                const std::uint32_t unit = mode_update(network_, noise_, layer, head, mode).unit;
                quantize_state(grid, dither_keys, unit, step_number, dithered, re, im);
                store_lanes(x, re);
                store_lanes(x + kLaneWidth, im);
            }
        }
    }
}

}  // namespace imssa
