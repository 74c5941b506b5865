#pragma once

#include <algorithm>

#include "trainer/fake_scan_call.h"
#include "trainer/state_scan.h"

/// Scans with both products of the recurrence on their grids (FakeQuantization::requantize_products) where few or no
/// codes leave them.

namespace imssa {

/// Whether the codes of Bbar u of all inputs lie within their grids; not where an input is not a number.
inline bool products_fit(const ScanCall& call, int first, int count) {
    float limit = kUnclipped;
    for (int mode = first; mode < first + count; ++mode) {
        limit = std::min(limit, call.modes[mode].product_input);
    }
    Lanes largest[4] = {}, zeros[4] = {};  // four, so that they do not wait for each other
    for (int block = 0; block < call.blocks; ++block) {
        const float* u = call.u + place_of(call.stride, block, 0);
#pragma GCC unroll 8
        for (int step = 0; step < kBlockSteps; ++step) {
            const Lanes input = load_lanes(u + step * kLaneWidth);
            largest[step % 4] = greater_magnitude(largest[step % 4], input);
            // greater_magnitude may pass over not-a-number; this keeps it.
            zeros[step % 4] = multiply_add(input, Lanes{}, zeros[step % 4]);
        }
    }
    const Lanes all =
        greater_magnitude(greater_magnitude(largest[0], largest[1]), greater_magnitude(largest[2], largest[3]));
    return all_up_to(all, limit) && all_up_to(zeros[0] + zeros[1] + zeros[2] + zeros[3], limit);
}

/// Codes up to this magnitude are within the limits of every mode.
template <int Modes>
float inside_limit(const ModeScan (&k)[Modes]) {
    float limit = kUnclipped;
    for (const ModeScan& mode : k) {
        limit = std::min({limit, -mode.low, mode.high, -mode.least, mode.most});
    }
    return limit;
}

/// One block of ScanRule::requantized_inside without a clamp; false, and nothing done, where one would have been at
/// work.
template <int Modes>
[[gnu::always_inline]] inline bool scan_block_inside(const ScanCall& call, int first, float limit,
                                                     const ModeScan (&k)[Modes], const PoleLanes (&a)[Modes], int block,
                                                     Lanes (&re)[Modes], Lanes (&im)[Modes], KeptStates& kept) {
    StateLanes x[Modes];
    Lanes largest[Modes] = {}, outputs[kBlockSteps];
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        x[mode] = {re[mode], im[mode]};
    }
    KeptStates to = kept;
    for (int step = 0; step < kBlockSteps; ++step) {
        const std::size_t at = place_of(call.stride, block, step);
        const Lanes input = load_lanes(call.u + at);
        prefetch_later(call.u, call.stride, block, call.blocks, step);
        Lanes next_re[Modes], next_im[Modes];
#pragma GCC unroll 4
        for (int mode = 0; mode < Modes; ++mode) {
            x[mode] = step_inside(k[mode], a[mode], x[mode], input, largest[mode]);
            next_re[mode] = x[mode].re;
            next_im[mode] = x[mode].im;
        }
        if (to.any()) {
            advance_kept(to, call.kept_modes);
            keep_states<Modes>(next_re, next_im, to);
        }
        if (call.y != nullptr) {
            outputs[step] = group_output<Modes>(call, first, k, next_re, next_im, at, input);
        }
    }
    Lanes all = largest[0];
    for (int mode = 1; mode < Modes; ++mode) {
        all = greater_magnitude(all, largest[mode]);
    }
    bool inside = all_up_to(all, limit);
    for (const StateLanes& state : x) {
        // Where a state has not been a number, this one is none, and the largest magnitude may not tell.
        inside = inside && all_up_to(state.re, limit) && all_up_to(state.im, limit);
    }
    if (!inside) {
        return false;
    }
    for (int step = 0; call.y != nullptr && step < kBlockSteps; ++step) {
        store_lanes(call.y + place_of(call.stride, block, step), outputs[step]);
    }
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        re[mode] = x[mode].re;
        im[mode] = x[mode].im;
    }
    kept = to;
    return true;
}

}  // namespace imssa
