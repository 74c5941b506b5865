#pragma once

#include <algorithm>

#include "trainer/fake_scan_call.h"

/// Scans of all modes of a head side by side, for ranges of every time step (RangeSource::dynamic).

namespace imssa {

/// States of a head: in registers, or, for any number of modes (0), in memory.
template <int Modes>
struct HeadStates {
    StateLanes x[Modes];

    void load(const float* from, float* /*to*/, int /*modes*/) {
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

    void load(const float* from, float* to, int modes) {
        x = to;
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

/// Calls work(mode, place in its group) for every mode, a group at once; `modes` is a multiple of it.
template <int Group, class Work>
inline void for_each_mode(int modes, const Work& work) {
    for (int first = 0; first < modes; first += Group) {
#pragma GCC unroll 8
        for (int at = 0; at < Group; ++at) {
            work(first + at, at);
        }
    }
}

/// All modes of a head side by side, whose largest magnitude makes the grid of the step; keeps the ranges. `Modes`: of
/// the head, or 0; they come in groups of `Group`. Two heads in turn, because a step of one waits for the range of the
/// step before. A state that is not a number shows in y; it may have no part in the range.
template <int Modes, int Group, ScanRule Rule, bool Clips, int Heads>
void scan_heads(const ScanCall (&calls)[Heads], int head_modes) {
    const int modes = Modes > 0 ? Modes : head_modes;
    const bool dithered = Rule == ScanRule::dynamic_dithered || (Rule == ScanRule::watched && calls[0].dithered());
    HeadStates<Modes> states[Heads];
    for (int head = 0; head < Heads; ++head) {
        states[head].load(calls[head].state_in, calls[head].state_out, modes);
    }
    std::uint32_t number = calls[0].first_step;
    for (int block = 0; block < calls[0].blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step, ++number) {
            LaneGrid grids[Heads];
            LanesUint words[Heads];
#pragma GCC unroll 2
            for (int head = 0; head < Heads; ++head) {
                const ScanCall& call = calls[head];
                const std::size_t at = place_of(call.stride, block, step);
                const Lanes input = load_lanes(call.u + at);
                __builtin_prefetch(call.ranges.at + place_of(call.ranges.stride, block + 1, step), 1);
                // Made while the states wait for each other.
                words[head] = dithered ? dither_word(call.dither_keys, call.modes[0].dither_key, number) : LanesUint{};
                Lanes ranges[4] = {}, least = {}, greatest = {};
                for_each_mode<Group>(modes, [&](int mode, int in_group) {
                    const ModeScan& k = call.modes[mode];
                    StateLanes x = advance({splat(k.a_re), splat(k.a_im)}, states[head].get(mode), driven(k, input));
                    if (Rule == ScanRule::watched) {
                        disturb(k, call.noise, call.sequences, number, x);
                    }
                    if (Clips) {
                        clip(k, x);
                    }
                    if (Rule == ScanRule::watched && call.observes(number)) {
                        call.observer->on_state(call.first_observed + mode, x.re, x.im);
                    }
                    if (Rule == ScanRule::watched && call.asymmetric()) {
                        least = minimum(minimum(least, x.re), x.im);
                        greatest = maximum(maximum(greatest, x.re), x.im);
                    }
                    const Lanes magnitude = greater_magnitude(x.re, x.im);
                    Lanes& largest = ranges[in_group % 4];
                    // Where the compiler knows the mode, the first ones need no comparison.
                    largest = Modes > 0 && mode < 4 ? magnitude : greater_magnitude(largest, magnitude);
                    states[head].set(mode, x);
                });
                const Lanes range =
                    greater_magnitude(greater_magnitude(ranges[0], ranges[1]), greater_magnitude(ranges[2], ranges[3]));
                const std::size_t range_at = place_of(call.ranges.stride, block, step);
                if (Rule == ScanRule::watched && call.asymmetric()) {
                    store_lanes(call.ranges.at + range_at, least);
                    store_lanes(call.ranges.greatest + range_at, greatest);
                    grids[head] = call.grids.of(least, greatest);
                } else {
                    store_lanes(call.ranges.at + range_at, range);
                    grids[head] = call.grids.of_magnitude(range);
                }
            }
#pragma GCC unroll 2
            for (int head = 0; head < Heads; ++head) {
                const ScanCall& call = calls[head];
                const std::size_t at = place_of(call.stride, block, step);
                Lanes sum = load_lanes(call.u + at) * call.output_start;
                for_each_mode<Group>(modes, [&](int mode, int in_group) {
                    const ModeScan& k = call.modes[mode];
                    StateLanes x = states[head].get(mode);
                    const bool begins_word = Group == kDitherModes ? in_group == 0 : mode % kDitherModes == 0;
                    if (dithered && begins_word && mode > 0) {
                        words[head] = dither_word(call.dither_keys, k.dither_key, number);
                    }
                    if (Rule == ScanRule::watched) {
                        round_of_step(call, grids[head], dither_of(k, words[head]), x);
                    } else if (dithered) {
                        round_dynamic_dithered(grids[head], dither_of(k, words[head]), x);
                    } else {
                        round_dynamic(grids[head], x);
                    }
                    sum = multiply_add(splat(k.c_re), x.re, multiply_add(splat(k.c_im), x.im, sum));
                    states[head].set(mode, x);
                });
                store_lanes(call.y + at, sum);
            }
        }
    }
    for (int head = 0; head < Heads; ++head) {
        states[head].store(calls[head].state_out);
    }
}

template <ScanRule Rule, bool Clips, int Heads>
void scan_heads_of(const ScanCall (&calls)[Heads], int modes) {
    if (modes == 4) {
        scan_heads<4, 4, Rule, Clips>(calls, modes);
    } else if (modes == 8) {
        scan_heads<8, 8, Rule, Clips>(calls, modes);
    } else if (modes % kDitherModes == 0) {
        scan_heads<0, kDitherModes, Rule, Clips>(calls, modes);
    } else {
        scan_heads<0, 1, Rule, Clips>(calls, modes);
    }
}

template <int Heads>
void scan_dynamic(const ScanCall (&calls)[Heads], int modes) {
    const bool clips = calls[0].clips();
    if (Heads == 1 && !calls[0].plain()) {
        scan_heads<0, 1, ScanRule::watched, true>({calls[0]}, modes);
    } else if (calls[0].dithered()) {
        clips ? scan_heads_of<ScanRule::dynamic_dithered, true>(calls, modes)
              : scan_heads_of<ScanRule::dynamic_dithered, false>(calls, modes);
    } else {
        clips ? scan_heads_of<ScanRule::dynamic, true>(calls, modes)
              : scan_heads_of<ScanRule::dynamic, false>(calls, modes);
    }
}

}  // namespace imssa
