#include <algorithm>
#include <cmath>

#include "trainer/fake_pass.h"
#include "trainer/grid_lanes.h"
#include "trainer/kernel_scan.h"
#include "trainer/mode_group.h"
#include "trainer/state_scan.h"

/// The recurrence of a FakePass.

namespace imssa {

namespace {

/// What happens to a state between two steps. watched: any of the others, with errors, products on grids and observers.
enum class ScanRule { free, nearest, dithered, dynamic, watched };

inline std::size_t place_of(std::size_t stride, int block, int step) {
    return static_cast<std::size_t>(block) * stride + static_cast<std::size_t>(step) * kLaneWidth;
}

inline Lanes greater(Lanes a, Lanes b) {
    return a > b ? a : b;
}

/// What all groups of modes of one call share.
struct ScanCall {
    const FakeNetwork& network;
    const PassNoise& noise;
    const ModeScan* modes;  ///< of the head
    LanesUint dither_keys, sequences;
    std::uint32_t first_step;
    const float* u;
    float* y;
    std::size_t stride;
    int blocks;
    const float* state_in;
    float* state_out;
    float* states;
    std::size_t states_of_step;  ///< floats
    StateRanges ranges;
    PassObserver* observer;
    int first_observed;  ///< place of mode 0
    LaneGridMaker grids;

    bool dithered() const { return network.options.state.rounding == StateRounding::dithered; }
    bool quantized() const { return network.options.state.active(); }
    bool dynamic() const { return quantized() && network.options.state.ranges == RangeSource::dynamic; }
    bool observes(std::uint32_t step) const {
        return observer != nullptr && static_cast<int>(step) < network.effective.steps;
    }
};

/// Everything that may happen to a state, one question after another.
inline StateLanes watched_step(const ScanCall& call, const ModeScan& mode, int number, const LaneGrid& grid,
                               std::uint32_t step, const StateLanes& x, Lanes input) {
    StateLanes next =
        call.network.options.requantize_products ? advance_requantized(mode, x, input) : advance(mode, x, input);
    disturb(mode, call.noise, call.sequences, step, next);
    if (call.observes(step)) {
        StateLanes clipped = next;
        clip(mode, clipped);
        call.observer->on_state(call.first_observed + number, clipped.re * mode.inverse, clipped.im * mode.inverse);
    }
    if (call.dynamic()) {
        clip(mode, next);
        round_dynamic(grid, mode, call.dithered(), call.dither_keys, step, next);
    } else if (call.quantized() && call.dithered()) {
        round_dithered(mode, call.dither_keys, step, next);
    } else if (call.quantized()) {
        round_nearest(mode, next);
    } else {
        clip(mode, next);
    }
    return next;
}

template <ScanRule Rule>
inline StateLanes next_state(const ScanCall& call, const ModeScan& mode, int number, const LaneGrid& grid,
                             std::uint32_t step, const StateLanes& x, Lanes input) {
    if constexpr (Rule == ScanRule::watched) {
        return watched_step(call, mode, number, grid, step, x, input);
    }
    StateLanes next = advance(mode, x, input);
    switch (Rule) {
        case ScanRule::nearest:
            round_nearest(mode, next);
            break;
        case ScanRule::dithered:
            round_dithered(mode, call.dither_keys, step, next);
            break;
        case ScanRule::dynamic:
            clip(mode, next);
            round_dynamic(grid, mode, false, call.dither_keys, step, next);
            break;
        default:
            clip(mode, next);
            break;
    }
    return next;
}

/// `first`: number of the group's first mode; `kept`: where states of that mode are kept (may be null).
template <int Modes, ScanRule Rule>
void scan_group(const ScanCall& call, int first, float* kept) {
    constexpr bool grid_of_step = Rule == ScanRule::dynamic || Rule == ScanRule::watched;
    ModeScan k[Modes];
    Lanes re[Modes], im[Modes];
    const float* from = call.state_in + 2 * first * kLaneWidth;
    const bool whole = call.quantized() && !call.dynamic();
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        k[mode] = call.modes[first + mode];
        re[mode] = load_lanes(from + 2 * mode * kLaneWidth) * k[mode].gain;
        im[mode] = load_lanes(from + (2 * mode + 1) * kLaneWidth) * k[mode].gain;
        re[mode] = whole ? round_half_even(re[mode]) : re[mode];
        im[mode] = whole ? round_half_even(im[mode]) : im[mode];
    }
    if (kept != nullptr) {
        std::copy_n(from, 2 * Modes * kLaneWidth, kept);
    }
    std::uint32_t number = call.first_step;
    for (int block = 0; block < call.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step, ++number) {
            keep_constants_in_memory();
            const std::size_t at = place_of(call.stride, block, step);
            const Lanes input = load_lanes(call.u + at);
            LaneGrid grid;
            if (grid_of_step && call.ranges.at != nullptr) {
                grid = call.grids.of_magnitude(load_lanes(call.ranges.at + place_of(call.ranges.stride, block, step)));
            }
#pragma GCC unroll 4
            for (int mode = 0; mode < Modes; ++mode) {
                const StateLanes next =
                    next_state<Rule>(call, k[mode], first + mode, grid, number, {re[mode], im[mode]}, input);
                re[mode] = next.re;
                im[mode] = next.im;
            }
            if (kept != nullptr) {
                kept += call.states_of_step;
#pragma GCC unroll 4
                for (int mode = 0; mode < Modes; ++mode) {
                    store_lanes(kept + 2 * mode * kLaneWidth, re[mode] * splat(k[mode].inverse));
                    store_lanes(kept + (2 * mode + 1) * kLaneWidth, im[mode] * splat(k[mode].inverse));
                }
            }
            if (call.y != nullptr) {
                Lanes sum = load_lanes(call.y + at);
#pragma GCC unroll 4
                for (int mode = 0; mode < Modes; ++mode) {
                    sum = multiply_add(splat(k[mode].c_re), re[mode], multiply_add(splat(k[mode].c_im), im[mode], sum));
                }
                store_lanes(call.y + at, sum);
            }
        }
    }
    if (call.state_out == nullptr) {
        return;
    }
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        float* to = call.state_out + 2 * (first + mode) * kLaneWidth;
        store_lanes(to, re[mode] * splat(k[mode].inverse));
        store_lanes(to + kLaneWidth, im[mode] * splat(k[mode].inverse));
    }
}

template <ScanRule Rule>
void scan_modes(const ScanCall& call, int first, int count) {
    for (int mode = first; mode < first + count;) {
        float* kept = call.states == nullptr ? nullptr : call.states + 2 * (mode - first) * kLaneWidth;
        const int left = first + count - mode;
        if (left >= 4) {
            scan_group<4, Rule>(call, mode, kept);
            mode += 4;
        } else if (left >= 2) {
            scan_group<2, Rule>(call, mode, kept);
            mode += 2;
        } else {
            scan_group<1, Rule>(call, mode, kept);
            mode += 1;
        }
    }
}

void scan_by_rule(const ScanCall& call, int first, int count) {
    const bool plain = call.observer == nullptr && call.noise.states == 0.0 &&
                       !call.network.options.requantize_products && !(call.dynamic() && call.dithered());
    if (!plain) {
        scan_modes<ScanRule::watched>(call, first, count);
    } else if (!call.quantized()) {
        scan_modes<ScanRule::free>(call, first, count);
    } else if (call.dynamic()) {
        scan_modes<ScanRule::dynamic>(call, first, count);
    } else if (call.dithered()) {
        scan_modes<ScanRule::dithered>(call, first, count);
    } else {
        scan_modes<ScanRule::nearest>(call, first, count);
    }
}

/// All modes of a head side by side, whose largest magnitude makes the grid of the step; keeps the ranges.
void scan_dynamic(const ScanCall& call, int modes) {
    float* states = call.state_out;
    if (states != call.state_in) {
        std::copy_n(call.state_in, 2 * modes * kLaneWidth, states);
    }
    std::uint32_t number = call.first_step;
    for (int block = 0; block < call.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step, ++number) {
            const std::size_t at = place_of(call.stride, block, step);
            const Lanes input = load_lanes(call.u + at);
            Lanes range = {};
            for (int mode = 0; mode < modes; ++mode) {
                float* from = states + 2 * mode * kLaneWidth;
                StateLanes x = advance(call.modes[mode], {load_lanes(from), load_lanes(from + kLaneWidth)}, input);
                disturb(call.modes[mode], call.noise, call.sequences, number, x);
                clip(call.modes[mode], x);
                if (call.observes(number)) {
                    call.observer->on_state(call.first_observed + mode, x.re, x.im);
                }
                range = greater(range, greater(greater(x.re, -x.re), greater(x.im, -x.im)));
                store_lanes(from, x.re);
                store_lanes(from + kLaneWidth, x.im);
            }
            store_lanes(call.ranges.at + place_of(call.ranges.stride, block, step), range);
            const LaneGrid grid = call.grids.of_magnitude(range);
            Lanes sum = load_lanes(call.y + at);
            for (int mode = 0; mode < modes; ++mode) {
                float* from = states + 2 * mode * kLaneWidth;
                StateLanes x{load_lanes(from), load_lanes(from + kLaneWidth)};
                round_dynamic(grid, call.modes[mode], call.dithered(), call.dither_keys, number, x);
                sum = multiply_add(splat(call.modes[mode].c_re), x.re,
                                   multiply_add(splat(call.modes[mode].c_im), x.im, sum));
                store_lanes(from, x.re);
                store_lanes(from + kLaneWidth, x.im);
            }
            store_lanes(call.y + at, sum);
        }
    }
}

/// Where the outputs of a head start: at D u, or at zero when finish_output adds it.
void start_output(const ScanCall& call, float d) {
    for (int block = 0; block < call.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            const std::size_t at = place_of(call.stride, block, step);
            store_lanes(call.y + at, load_lanes(call.u + at) * d);
        }
    }
}

/// y = Q(clamp(2 Re(C x))) + D u (Zhao et al.).
void finish_output(const ScanCall& call, const QuantizerGrid& grid, float d) {
    const FixedGrid fixed(grid);
    const float limit =
        call.network.options.output_limit > 0.0 ? static_cast<float>(call.network.options.output_limit) : kNoLimit;
    for (int block = 0; block < call.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            const std::size_t at = place_of(call.stride, block, step);
            const Lanes clipped = within(load_lanes(call.y + at), broadcast(-limit), broadcast(limit));
            const Lanes output = grid.gain > 0.0F ? fixed.quantize(clipped) : clipped;
            store_lanes(call.y + at, multiply_add(load_lanes(call.u + at), broadcast(d), output));
        }
    }
}

}  // namespace

void FakePass::scan(int layer, int head, int first_mode, int count, LanesUint dither_keys, LanesUint sequences,
                    std::uint32_t first_step, const float* u, float* y, std::size_t stride, int blocks,
                    const float* state_in, float* state_out, float* states, StateRanges ranges,
                    PassObserver* observer) const {
    const FakeQuantization& options = network_.options;
    const FakeLayerGrids& grids = network_.layers[static_cast<std::size_t>(layer)];
    const int modes = network_.effective.config.modes();
    const ScanCall call{network_,
                        noise_,
                        grids.scans.data() + static_cast<std::size_t>(head) * modes,
                        dither_keys,
                        sequences,
                        first_step,
                        u,
                        y,
                        stride,
                        blocks,
                        state_in,
                        state_out,
                        states,
                        static_cast<std::size_t>(2 * count) * kLaneWidth,
                        ranges,
                        observer,
                        observer == nullptr ? 0 : observed_state(layer, head, 0),
                        LaneGridMaker(options.state)};
    const bool finishes = options.requantize_products || options.output_limit > 0.0;
    const float d =
        network_.effective.tensors.layers[static_cast<std::size_t>(layer)].d[static_cast<std::size_t>(head)];
    if (y != nullptr && first_mode == 0) {
        start_output(call, finishes ? 0.0F : d);
    }
    if (call.dynamic() && y != nullptr) {
        scan_dynamic(call, modes);
    } else {
        scan_by_rule(call, first_mode, count);
    }
    if (y != nullptr && finishes && first_mode + count == modes) {
        finish_output(call, grids.recurrent_output, d);
    }
}

}  // namespace imssa
