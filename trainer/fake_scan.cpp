#include <algorithm>
#include <cmath>
#include <type_traits>

#include "trainer/block_clamps.h"
#include "trainer/fake_head_scan.h"
#include "trainer/fake_pass.h"
#include "trainer/fake_scan_call.h"
#include "trainer/grid_lanes.h"
#include "trainer/kernel_scan.h"
#include "trainer/mode_group.h"
#include "trainer/state_scan.h"

/// The recurrence of a FakePass.

namespace imssa {

namespace {

/// `first`: number of the group's first mode; `kept`: where its states are kept. A function of its own for each rule:
/// within others it would have to share its registers.
template <int Modes, ScanRule Rule, bool Clips, CodeRange Range>
[[gnu::noinline]] void scan_group(const ScanCall& call, int first, KeptStates kept) {
    ModeScan k[Modes];
    Lanes re[Modes], im[Modes];
    PoleLanes a[Modes];
    const float* from = call.state_in + 2 * first * kLaneWidth;
    const bool whole = call.network.options.state.has_grid();
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
    if (kept.any()) {
        keep_states<Modes>(re, im, kept);
    }
    std::uint32_t number = call.first_step;
    LanesUint dither = dither_word(call.dither_keys, k[0].dither_key, number);
    const auto run_block = [&](int block, auto needed) {
        for (int step = 0; step < kBlockSteps; ++step, ++number) {
            const std::size_t at = place_of(call.stride, block, step);
            const Lanes input = load_lanes(call.u + at);
            prefetch_later(call.u, call.stride, block, call.blocks, step);
            StepOfGroup of_step{number, {}, {}};
            if (reads_ranges(Rule) && call.dynamic()) {
                prefetch_later(call.ranges.at, call.ranges.stride, block, call.blocks, step);
                of_step.grid = kept_grid(call, block, step);
            }
            if (makes_dither(Rule)) {
                // The hash of the step behind is made meanwhile: nothing waits for it.
                of_step.dither_word = dither;
                dither = dither_word(call.dither_keys, k[0].dither_key, number + 1);
            }
#pragma GCC unroll 4
            for (int mode = 0; mode < Modes; ++mode) {
                const StateLanes next = next_state<Rule, Clips, Range, decltype(needed)::value>(
                    call, k[mode], a[mode], call.first_observed + first + mode, of_step, {re[mode], im[mode]}, input);
                re[mode] = next.re;
                im[mode] = next.im;
            }
            if (kept.any()) {
                advance_kept(kept, call.kept_modes);
                keep_states<Modes>(re, im, kept);
            }
            if (call.y != nullptr) {
                store_lanes(call.y + at, group_output<Modes>(call, first, k, re, im, at, input));
            }
        }
    };
    for (int block = 0; block < call.blocks; ++block) {
        if constexpr (may_go_unclamped(Rule, Clips, Range)) {
            const Clamps needed = clamps_of_block(call.u + place_of(call.stride, block, 0), k, re, im);
            if (needed == Clamps::none) {
                run_block(block, std::integral_constant<Clamps, Clamps::none>{});
                continue;
            }
            if constexpr (Rule == ScanRule::requantized) {
                if (needed == Clamps::states) {
                    run_block(block, std::integral_constant<Clamps, Clamps::states>{});
                    continue;
                }
            }
        }
        run_block(block, std::integral_constant<Clamps, Clamps::all>{});
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

template <ScanRule Rule, bool Clips, CodeRange Range>
void scan_modes(const ScanCall& call, int first, int count) {
    for (int mode = first; mode < first + count;) {
        KeptStates kept = call.states;
        advance_kept(kept, mode - first);
        const int left = first + count - mode;
        if (left >= 4) {
            scan_group<4, Rule, Clips, Range>(call, mode, kept);
            mode += 4;
        } else if (left >= 2) {
            scan_group<2, Rule, Clips, Range>(call, mode, kept);
            mode += 2;
        } else {
            scan_group<1, Rule, Clips, Range>(call, mode, kept);
            mode += 1;
        }
    }
}

/// Rules that keep codes within the range of a grid.
template <ScanRule Rule, bool Clips>
void scan_codes(const ScanCall& call, int first, int count) {
    if (call.code_range() == CodeRange::symmetric) {
        scan_modes<Rule, Clips, CodeRange::symmetric>(call, first, count);
    } else {
        scan_modes<Rule, Clips, CodeRange::any>(call, first, count);
    }
}

template <ScanRule Rule>
void scan_clipping(const ScanCall& call, int first, int count) {
    if (call.clips()) {
        scan_modes<Rule, true, CodeRange::any>(call, first, count);
    } else {
        scan_modes<Rule, false, CodeRange::any>(call, first, count);
    }
}

void scan_by_rule(const ScanCall& call, int first, int count) {
    if (!call.plain()) {
        scan_codes<ScanRule::watched, true>(call, first, count);
    } else if (call.network.options.requantize_products) {
        scan_codes<ScanRule::requantized, true>(call, first, count);
    } else if (!call.quantized()) {
        scan_clipping<ScanRule::free>(call, first, count);
    } else if (call.dynamic() && call.dithered()) {
        scan_clipping<ScanRule::dynamic_dithered>(call, first, count);
    } else if (call.dynamic()) {
        scan_clipping<ScanRule::dynamic>(call, first, count);
    } else if (call.dithered() && call.clips()) {
        scan_codes<ScanRule::dithered, true>(call, first, count);
    } else if (call.dithered()) {
        scan_codes<ScanRule::dithered, false>(call, first, count);
    } else {
        scan_codes<ScanRule::nearest, true>(call, first, count);
    }
}

/// A grid whose codes stay within those of [-limit, limit]: clamping a number comes to the same as clamping its code.
QuantizerGrid limited(QuantizerGrid grid, float limit) {
    const float least = grid.nearest_code(-limit), most = grid.nearest_code(limit);
    grid.low = std::max(grid.low, least);
    grid.high = std::min(grid.high, most);
    return grid;
}

/// y = Q(clamp(2 Re(C x))) + D u (Zhao et al.).
void finish_output(const ScanCall& call, const QuantizerGrid& grid, float d) {
    const float limit =
        call.network.options.output_limit > 0.0 ? static_cast<float>(call.network.options.output_limit) : kNoLimit;
    const auto finish = [&call, d](const auto& output_of) {
        for (int block = 0; block < call.blocks; ++block) {
            const float* u = call.u + place_of(call.stride, block, 0);
            float* y = call.y + place_of(call.stride, block, 0);
#pragma GCC unroll 8
            for (int at = 0; at < kBlockWidth; at += kLaneWidth) {
                const Lanes output = output_of(load_lanes(y + at));
                store_lanes(y + at, multiply_add(load_lanes(u + at), broadcast(d), output));
            }
        }
    };
    if (grid.gain > 0.0F) {
        const FixedGrid fixed(limited(grid, limit));
        finish([&fixed](Lanes y) { return fixed.quantize(y); });
    } else {
        finish([limit](Lanes y) { return clamp(y, broadcast(-limit), broadcast(limit)); });
    }
}

}  // namespace

void FakePass::scan(const ScanRequest& request) const {
    const FakeQuantization& options = network_.options;
    const std::size_t layer = static_cast<std::size_t>(request.layer);
    const int modes = network_.effective.config.modes();
    const bool finishes = options.requantize_products || options.output_limit > 0.0;
    const std::vector<float>& d = network_.effective.tensors.layers[layer].d;
    const auto call_of = [&](int index) {
        const int head = request.head + index;
        return ScanCall(network_, noise_, request, index, finishes ? 0.0F : d[static_cast<std::size_t>(head)],
                        request.observer == nullptr ? 0 : observed_state(request.layer, head, 0));
    };
    const bool makes_ranges = options.state.dynamic() && request.y != nullptr;
    // A dithered step of many modes has enough to do while it waits for its range.
    const bool fills_wait = modes > kDitherModes && options.state.rounding == StateRounding::dithered;
    if (makes_ranges && request.heads == 2 && !fills_wait && call_of(0).plain()) {
        const ScanCall calls[] = {call_of(0), call_of(1)};
        scan_dynamic(calls, modes);
    } else {
        for (int index = 0; index < request.heads; ++index) {
            const ScanCall calls[] = {call_of(index)};
            if (makes_ranges) {
                scan_dynamic(calls, modes);
            } else {
                scan_by_rule(calls[0], request.first_mode, request.modes);
            }
        }
    }
    if (request.y != nullptr && finishes && request.first_mode + request.modes == modes) {
        for (int index = 0; index < request.heads; ++index) {
            finish_output(call_of(index), network_.layers[layer].recurrent_output,
                          d[static_cast<std::size_t>(request.head + index)]);
        }
    }
}

}  // namespace imssa
