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

inline std::size_t place_of(std::size_t stride, int block, int step) {
    return static_cast<std::size_t>(block) * stride + static_cast<std::size_t>(step) * kLaneWidth;
}

/// A head's numbers of one step lie in pieces of 512 bytes too far apart for the processor to foresee them: fetches
/// what comes two blocks later, or, at the end of the blocks, where the next head starts.
inline void prefetch_later(const float* head, std::size_t stride, int block, int blocks, int step) {
    constexpr int kAhead = 2;
    const int later = block + kAhead;
    const float* from = later < blocks ? head : head + kBlockWidth;
    __builtin_prefetch(from + place_of(stride, later < blocks ? later : later - blocks, step));
}

/// What happens to a state between two steps. watched: any of the others, with errors and observers.
enum class ScanRule { free, nearest, dithered, requantized, dynamic, dynamic_dithered, watched };

/// The larger of the magnitudes.
inline Lanes greater_magnitude(Lanes a, Lanes b) {
#if defined(__AVX512DQ__)
    constexpr int kLargerWithoutSign = 0xb;
    return reinterpret_cast<Lanes>(
        _mm512_range_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), kLargerWithoutSign));
#else
    return maximum(maximum(a, -a), maximum(b, -b));
#endif
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
    bool clips() const { return network.options.state_limit > 0.0; }
    /// Without errors and observers.
    bool plain() const { return observer == nullptr && noise.states == 0.0; }
    bool observes(std::uint32_t step) const {
        return observer != nullptr && static_cast<int>(step) < network.effective.steps;
    }
};

constexpr bool makes_dither(ScanRule rule) {
    return rule == ScanRule::dithered || rule == ScanRule::dynamic_dithered || rule == ScanRule::watched;
}

constexpr bool reads_ranges(ScanRule rule) {
    return rule == ScanRule::dynamic || rule == ScanRule::dynamic_dithered || rule == ScanRule::watched;
}

/// What a group of modes has in common at one step.
struct StepOfGroup {
    std::uint32_t number;
    LaneGrid grid;          ///< of dynamic ranges
    LanesUint dither_word;  ///< of dithered rounding
};

/// Everything that may happen to a state, one question after another.
inline StateLanes watched_step(const ScanCall& call, const ModeScan& mode, const PoleLanes& a, int place,
                               const StepOfGroup& step, const StateLanes& x, Lanes input) {
    const bool requantizes = call.network.options.requantize_products;
    const StateLanes dither = dither_of(mode, step.dither_word);
    StateLanes next = requantizes ? advance_requantized(mode, a, x, input) : advance(a, x, driven(mode, input));
    disturb(mode, call.noise, call.sequences, step.number, next);
    clip(mode, next);
    if (call.observes(step.number)) {
        call.observer->on_state(place, next.re * mode.inverse, next.im * mode.inverse);
    }
    if (call.dynamic() && call.dithered()) {
        round_dynamic_dithered(step.grid, dither, next);
    } else if (call.dynamic()) {
        round_dynamic(step.grid, next);
    } else if (call.quantized() && call.dithered()) {
        // As ScanRule::dithered does it without an observer, who must not change the states.
        const bool at_once = !call.clips() && call.noise.states == 0.0;
        next = at_once ? advance(a, x, driven_from(mode, input, dither))
                       : StateLanes{next.re + dither.re, next.im + dither.im};
        round_dithered(mode, next);
    } else if (call.quantized()) {
        round_nearest(mode, next);
    }
    return next;
}

/// `Clips`: state_limit is set.
template <ScanRule Rule, bool Clips>
inline StateLanes next_state(const ScanCall& call, const ModeScan& mode, const PoleLanes& a, int place,
                             const StepOfGroup& step, const StateLanes& x, Lanes input) {
    if constexpr (Rule == ScanRule::watched) {
        return watched_step(call, mode, a, place, step, x, input);
    } else if constexpr (Rule == ScanRule::requantized) {
        StateLanes next = advance_requantized(mode, a, x, input);
        round_nearest(mode, next);
        return next;
    }
    if constexpr (Rule == ScanRule::dithered && !Clips) {
        StateLanes next = advance(a, x, driven_from(mode, input, dither_of(mode, step.dither_word)));
        round_dithered(mode, next);
        return next;
    }
    StateLanes next = advance(a, x, driven(mode, input));
    if constexpr (Rule == ScanRule::nearest) {
        round_nearest(mode, next);
        return next;
    }
    if constexpr (Clips) {
        clip(mode, next);
    }
    if constexpr (Rule == ScanRule::dithered) {
        const StateLanes dither = dither_of(mode, step.dither_word);
        next = {next.re + dither.re, next.im + dither.im};
        round_dithered(mode, next);
    } else if constexpr (Rule == ScanRule::dynamic) {
        round_dynamic(step.grid, next);
    } else if constexpr (Rule == ScanRule::dynamic_dithered) {
        round_dynamic_dithered(step.grid, dither_of(mode, step.dither_word), next);
    }
    return next;
}

/// `first`: number of the group's first mode; `kept`: where states of that mode are kept (may be null).
template <int Modes, ScanRule Rule, bool Clips>
void scan_group(const ScanCall& call, int first, float* kept) {
    ModeScan k[Modes];
    Lanes re[Modes], im[Modes];
    PoleLanes a[Modes];
    const float* from = call.state_in + 2 * first * kLaneWidth;
    const bool whole = call.quantized() && !call.dynamic();
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        k[mode] = call.modes[first + mode];
        re[mode] = load_lanes(from + 2 * mode * kLaneWidth) * k[mode].gain;
        im[mode] = load_lanes(from + (2 * mode + 1) * kLaneWidth) * k[mode].gain;
        re[mode] = whole ? round_half_even(re[mode]) : re[mode];
        im[mode] = whole ? round_half_even(im[mode]) : im[mode];
        a[mode] = {splat(k[mode].a_re), splat(k[mode].a_im)};
        keep_in_register(a[mode].re);
        keep_in_register(a[mode].im);
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
            prefetch_later(call.u, call.stride, block, call.blocks, step);
            StepOfGroup of_step{number, {}, {}};
            if (reads_ranges(Rule) && call.dynamic()) {
                prefetch_later(call.ranges.at, call.ranges.stride, block, call.blocks, step);
                of_step.grid =
                    call.grids.of_magnitude(load_lanes(call.ranges.at + place_of(call.ranges.stride, block, step)));
            }
            if (makes_dither(Rule)) {
                of_step.dither_word = dither_word(call.dither_keys, k[0].dither_key, number);
            }
#pragma GCC unroll 4
            for (int mode = 0; mode < Modes; ++mode) {
                const StateLanes next = next_state<Rule, Clips>(
                    call, k[mode], a[mode], call.first_observed + first + mode, of_step, {re[mode], im[mode]}, input);
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

template <ScanRule Rule, bool Clips>
void scan_modes(const ScanCall& call, int first, int count) {
    for (int mode = first; mode < first + count;) {
        float* kept = call.states == nullptr ? nullptr : call.states + 2 * (mode - first) * kLaneWidth;
        const int left = first + count - mode;
        if (left >= 4) {
            scan_group<4, Rule, Clips>(call, mode, kept);
            mode += 4;
        } else if (left >= 2) {
            scan_group<2, Rule, Clips>(call, mode, kept);
            mode += 2;
        } else {
            scan_group<1, Rule, Clips>(call, mode, kept);
            mode += 1;
        }
    }
}

template <ScanRule Rule>
void scan_clipping(const ScanCall& call, int first, int count) {
    if (call.clips()) {
        scan_modes<Rule, true>(call, first, count);
    } else {
        scan_modes<Rule, false>(call, first, count);
    }
}

void scan_by_rule(const ScanCall& call, int first, int count) {
    if (!call.plain()) {
        scan_modes<ScanRule::watched, true>(call, first, count);
    } else if (call.network.options.requantize_products) {
        scan_modes<ScanRule::requantized, true>(call, first, count);
    } else if (!call.quantized()) {
        scan_clipping<ScanRule::free>(call, first, count);
    } else if (call.dynamic() && call.dithered()) {
        scan_clipping<ScanRule::dynamic_dithered>(call, first, count);
    } else if (call.dynamic()) {
        scan_clipping<ScanRule::dynamic>(call, first, count);
    } else if (call.dithered()) {
        scan_clipping<ScanRule::dithered>(call, first, count);
    } else {
        scan_modes<ScanRule::nearest, true>(call, first, count);
    }
}

/// States of a head: in registers, or, for any number of modes (0), in memory.
template <int Modes>
struct HeadStates {
    StateLanes x[Modes];

    HeadStates(const float* from, float* /*to*/, int /*modes*/) {
#pragma GCC unroll 8
        for (int mode = 0; mode < Modes; ++mode) {
            x[mode] = {load_lanes(from + 2 * mode * kLaneWidth), load_lanes(from + (2 * mode + 1) * kLaneWidth)};
        }
    }
    StateLanes get(int mode) const {
        return x[mode];
    }
    void set(int mode, const StateLanes& state) {
        x[mode] = state;
    }
    void store(float* to) const {
#pragma GCC unroll 8
        for (int mode = 0; mode < Modes; ++mode) {
            store_lanes(to + 2 * mode * kLaneWidth, x[mode].re);
            store_lanes(to + (2 * mode + 1) * kLaneWidth, x[mode].im);
        }
    }
};
template <>
struct HeadStates<0> {
    float* x;

    HeadStates(const float* from, float* to, int modes) : x(to) {
        if (from != to) {
            std::copy_n(from, 2 * modes * kLaneWidth, to);
        }
    }
    StateLanes get(int mode) const {
        return {load_lanes(x + 2 * mode * kLaneWidth), load_lanes(x + (2 * mode + 1) * kLaneWidth)};
    }
    void set(int mode, const StateLanes& state) {
        store_lanes(x + 2 * mode * kLaneWidth, state.re);
        store_lanes(x + (2 * mode + 1) * kLaneWidth, state.im);
    }
    void store(float* /*to*/) const {}
};

/// All modes of a head side by side, whose largest magnitude makes the grid of the step; keeps the ranges. `Modes`: of
/// the head, or 0.
template <int Modes, ScanRule Rule, bool Clips>
void scan_head(const ScanCall& call, int head_modes) {
    const int modes = Modes > 0 ? Modes : head_modes;
    const bool dithered = Rule == ScanRule::dynamic_dithered || (Rule == ScanRule::watched && call.dithered());
    HeadStates<Modes> states(call.state_in, call.state_out, modes);
    std::uint32_t number = call.first_step;
    for (int block = 0; block < call.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step, ++number) {
            keep_constants_in_memory();
            const std::size_t at = place_of(call.stride, block, step);
            const Lanes input = load_lanes(call.u + at);
            __builtin_prefetch(call.ranges.at + place_of(call.ranges.stride, block + 1, step), 1);
            Lanes ranges[4] = {};
#pragma GCC unroll 8
            for (int mode = 0; mode < modes; ++mode) {
                const ModeScan& k = call.modes[mode];
                StateLanes x = advance({splat(k.a_re), splat(k.a_im)}, states.get(mode), driven(k, input));
                if (Rule == ScanRule::watched) {
                    disturb(k, call.noise, call.sequences, number, x);
                }
                if (Clips) {
                    clip(k, x);
                }
                if (Rule == ScanRule::watched && call.observes(number)) {
                    call.observer->on_state(call.first_observed + mode, x.re, x.im);
                }
                ranges[mode % 4] = greater_magnitude(greater_magnitude(ranges[mode % 4], x.re), x.im);
                states.set(mode, x);
            }
            const Lanes range =
                greater_magnitude(greater_magnitude(ranges[0], ranges[1]), greater_magnitude(ranges[2], ranges[3]));
            store_lanes(call.ranges.at + place_of(call.ranges.stride, block, step), range);
            const LaneGrid grid = call.grids.of_magnitude(range);
            Lanes sum = load_lanes(call.y + at);
            LanesUint word = {};
#pragma GCC unroll 8
            for (int mode = 0; mode < modes; ++mode) {
                const ModeScan& k = call.modes[mode];
                StateLanes x = states.get(mode);
                if (dithered) {
                    if (mode % kDitherModes == 0) {
                        word = dither_word(call.dither_keys, k.dither_key, number);
                    }
                    round_dynamic_dithered(grid, dither_of(k, word), x);
                } else {
                    round_dynamic(grid, x);
                }
                sum = multiply_add(splat(k.c_re), x.re, multiply_add(splat(k.c_im), x.im, sum));
                states.set(mode, x);
            }
            store_lanes(call.y + at, sum);
        }
    }
    states.store(call.state_out);
}

template <ScanRule Rule, bool Clips>
void scan_head_of(const ScanCall& call, int modes) {
    switch (modes) {
        case 4:
            scan_head<4, Rule, Clips>(call, modes);
            break;
        case 8:
            scan_head<8, Rule, Clips>(call, modes);
            break;
        default:
            scan_head<0, Rule, Clips>(call, modes);
            break;
    }
}

void scan_dynamic(const ScanCall& call, int modes) {
    if (!call.plain()) {
        scan_head<0, ScanRule::watched, true>(call, modes);
    } else if (call.dithered()) {
        call.clips() ? scan_head_of<ScanRule::dynamic_dithered, true>(call, modes)
                     : scan_head_of<ScanRule::dynamic_dithered, false>(call, modes);
    } else {
        call.clips() ? scan_head_of<ScanRule::dynamic, true>(call, modes)
                     : scan_head_of<ScanRule::dynamic, false>(call, modes);
    }
}

/// Where the outputs of a head start: at D u, or at zero when finish_output adds it.
void start_output(const ScanCall& call, float d) {
    for (int block = 0; block < call.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            const std::size_t at = place_of(call.stride, block, step);
            prefetch_later(call.u, call.stride, block, call.blocks, step);
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
