#pragma once

#include "trainer/fake_pass.h"
#include "trainer/grid_lanes.h"
#include "trainer/state_scan.h"

/// What the scans of a FakePass have in common.

namespace imssa {

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

/// What all groups of modes of one call share: head `index` of a request.
struct ScanCall {
    const FakeNetwork& network;
    const PassNoise& noise;
    const ModeScan* modes;  ///< of the head
    LanesUint dither_keys, sequences;
    std::uint32_t first_step;
    const float* u;
    float* y;
    float output_start;  ///< of u: D, or 0 where D u is added at the end
    std::size_t stride;
    int blocks;
    const float* state_in;
    float* state_out;
    KeptStates states;
    int kept_modes;
    StateRanges ranges;
    PassObserver* observer;
    int first_observed;  ///< place of mode 0
    LaneGridMaker grids;

    ScanCall(const FakeNetwork& of_network, const PassNoise& errors, const ScanRequest& request, int index,
             float start_of_output, int place_observed)
        : network(of_network),
          noise(errors),
          modes(of_network.scans_of(request.layer, request.head + index)),
          dither_keys(request.dither_keys),
          sequences(request.sequences),
          first_step(request.first_step),
          u(request.u + index * kBlockWidth),
          y(request.y == nullptr ? nullptr : request.y + index * kBlockWidth),
          output_start(start_of_output),
          stride(request.stride),
          blocks(request.blocks),
          state_in(request.state_in),
          state_out(request.state_out),
          states(request.states),
          kept_modes(request.modes),
          ranges(request.ranges.head(index)),
          observer(request.observer),
          first_observed(place_observed),
          grids(of_network.options.state) {
        const int states_of_head = 2 * of_network.effective.config.modes() * kLaneWidth;
        state_in += index * states_of_head;
        state_out += state_out == nullptr ? 0 : index * states_of_head;
    }

    bool dithered() const { return network.options.state.rounding == StateRounding::dithered; }
    bool quantized() const { return network.options.state.active(); }
    bool dynamic() const { return network.options.state.dynamic(); }
    /// Ranges of a step from the least to the greatest component: the scans with everything alone know them.
    bool asymmetric() const { return dynamic() && network.options.state.quantizer == Quantizer::asymmetric; }
    /// Codes of max_scale go from -h to h.
    CodeRange code_range() const {
        return network.options.state.quantizer == Quantizer::max_scale ? CodeRange::symmetric : CodeRange::any;
    }
    bool clips() const { return network.options.state_limit > 0.0; }
    /// Without errors, observers and asymmetric ranges.
    bool plain() const { return observer == nullptr && noise.states == 0.0 && !asymmetric(); }
    bool observes(std::uint32_t step) const {
        return observer != nullptr && static_cast<int>(step) < network.effective.steps;
    }
};

/// Keeps the states of a group of modes at one step.
template <int Modes>
inline void keep_states(const Lanes* re, const Lanes* im, const KeptStates& to) {
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        if (to.codes != nullptr) {
            store_code_pairs(to.codes + mode * kLaneWidth, re[mode], im[mode]);
        } else {
            store_lanes(to.numbers + 2 * mode * kLaneWidth, re[mode]);
            store_lanes(to.numbers + (2 * mode + 1) * kLaneWidth, im[mode]);
        }
    }
}

/// `modes` further.
inline void advance_kept(KeptStates& states, int modes) {
    if (states.codes != nullptr) {
        states.codes += modes * kLaneWidth;
    } else if (states.numbers != nullptr) {
        states.numbers += 2 * modes * kLaneWidth;
    }
}

/// Output of one step with the modes of a group, from `first` on, added to those before.
template <int Modes>
inline Lanes group_output(const ScanCall& call, int first, const ModeScan (&k)[Modes], const Lanes (&re)[Modes],
                          const Lanes (&im)[Modes], std::size_t at, Lanes input) {
    Lanes sum = first == 0 ? input * call.output_start : load_lanes(call.y + at);
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        sum = multiply_add(splat(k[mode].c_re), re[mode], multiply_add(splat(k[mode].c_im), im[mode], sum));
    }
    return sum;
}

constexpr bool makes_dither(ScanRule rule) {
    return rule == ScanRule::dithered || rule == ScanRule::dynamic_dithered || rule == ScanRule::watched;
}

/// Whether codes go without clamps where clamps_of_block says that they may. A clamp of one instruction takes no longer
/// than to ask.
constexpr bool may_go_unclamped(ScanRule rule, bool clips, CodeRange range) {
    return rule == ScanRule::requantized ||
           (range == CodeRange::any && (rule == ScanRule::nearest || (rule == ScanRule::dithered && !clips)));
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

/// The grid of a time step that scan_heads has left the range of.
inline LaneGrid kept_grid(const ScanCall& call, int block, int step) {
    const std::size_t at = place_of(call.ranges.stride, block, step);
    const Lanes range = load_lanes(call.ranges.at + at);
    return call.asymmetric() ? call.grids.of(range, load_lanes(call.ranges.greatest + at))
                             : call.grids.of_magnitude(range);
}

/// Rounds to the grid of a time step, of any kind. `dither`: dither_of.
inline void round_of_step(const ScanCall& call, const LaneGrid& grid, const StateLanes& dither, StateLanes& x) {
    if (call.asymmetric() && call.dithered()) {
        x = {grid.quantize_dithered(x.re, dither.re - 1.0F), grid.quantize_dithered(x.im, dither.im - 1.0F)};
    } else if (call.asymmetric()) {
        x = {grid.quantize(x.re), grid.quantize(x.im)};
    } else if (call.dithered()) {
        round_dynamic_dithered(grid, dither, x);
    } else {
        round_dynamic(grid, x);
    }
}

/// Everything that may happen to a state, one question after another.
template <CodeRange Range>
inline StateLanes watched_step(const ScanCall& call, const ModeScan& mode, const PoleLanes& a, int place,
                               const StepOfGroup& step, const StateLanes& x, Lanes input) {
    const bool requantizes = call.network.options.requantize_products;
    const StateLanes dither = dither_of(mode, step.dither_word);
    StateLanes next = requantizes ? advance_requantized<Range>(mode, a, x, input) : advance(a, x, driven(mode, input));
    disturb(mode, call.noise, call.sequences, step.number, next);
    clip(mode, next);
    if (call.observes(step.number)) {
        call.observer->on_state(place, next.re * mode.inverse, next.im * mode.inverse);
    }
    // From here on as the rules without an observer, who must not change the states.
    if (requantizes && call.noise.states == 0.0) {
        next = next_requantized<Range, Clamps::all>(mode, a, x, input);
    } else if (call.dynamic()) {
        round_of_step(call, step.grid, dither, next);
    } else if (call.quantized() && call.dithered()) {
        const bool at_once = !call.clips() && call.noise.states == 0.0;
        next = at_once ? advance(a, x, driven_from(mode, input, dither))
                       : StateLanes{next.re + dither.re, next.im + dither.im};
        round_dithered<Range, Clamps::all>(mode, next);
    } else if (call.quantized()) {
        round_nearest<Range, Clamps::all>(mode, next);
    }
    return next;
}

/// `Clips`: state_limit is set. `Needed`: what clamps_of_block says.
template <ScanRule Rule, bool Clips, CodeRange Range, Clamps Needed>
inline StateLanes next_state(const ScanCall& call, const ModeScan& mode, const PoleLanes& a, int place,
                             const StepOfGroup& step, const StateLanes& x, Lanes input) {
    if constexpr (Rule == ScanRule::watched) {
        return watched_step<Range>(call, mode, a, place, step, x, input);
    } else if constexpr (Rule == ScanRule::requantized) {
        return next_requantized<Range, Needed>(mode, a, x, input);
    }
    if constexpr (Rule == ScanRule::dithered && !Clips) {
        StateLanes next = advance(a, x, driven_from(mode, input, dither_of(mode, step.dither_word)));
        round_dithered<Range, Needed>(mode, next);
        return next;
    }
    StateLanes next = advance(a, x, driven(mode, input));
    if constexpr (Rule == ScanRule::nearest) {
        round_nearest<Range, Needed>(mode, next);
        return next;
    }
    if constexpr (Clips) {
        clip(mode, next);
    }
    if constexpr (Rule == ScanRule::dithered) {
        const StateLanes dither = dither_of(mode, step.dither_word);
        next = {next.re + dither.re, next.im + dither.im};
        round_dithered<Range, Needed>(mode, next);
    } else if constexpr (Rule == ScanRule::dynamic) {
        round_dynamic(step.grid, next);
    } else if constexpr (Rule == ScanRule::dynamic_dithered) {
        round_dynamic_dithered(step.grid, dither_of(mode, step.dither_word), next);
    }
    return next;
}

}  // namespace imssa
