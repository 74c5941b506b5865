#pragma once

#include <algorithm>
#include <cstdint>

#include "models/common/lanes.h"
#include "trainer/grid_lanes.h"
#include "trainer/lane_buffer.h"
#include "trainer/mode_group.h"
#include "trainer/mode_scan.h"

namespace imssa {

/// What may leave its grid within a block of a scan: nothing; a state, or, with requantized products, Abar times it;
/// codes of Bbar u too.
enum class Clamps { none, states, all };

/// Of the block with the inputs `u`, from states `re`, `im`, in codes. In length, |x_t| <= |Abar| |x_{t-1}| +
/// |Bbar| |u_t| + sqrt(2) r, where roundings move each component by up to r in all. With |Abar| <= 1 no step of the
/// block leads further than |x_0| + (|Bbar| max |u| + sqrt(2) r) (1 + |Abar| + ... + |Abar|^7), and no component of a
/// state, or of Abar times it, is larger; nor is its code, because limits are whole numbers. ModeScan::block_room has a
/// margin for single precision. Not-a-number, and infinite inputs, may lead anywhere.
template <int Modes>
inline Clamps clamps_of_block(const float* u, const ModeScan (&k)[Modes], const Lanes (&re)[Modes],
                              const Lanes (&im)[Modes]) {
    constexpr std::int32_t kMagnitude = 0x7fffffff;
    LanesInt largest = {};  // bits of magnitudes, whose order is theirs, with not-a-number at the end
#pragma GCC unroll 8
    for (int step = 0; step < kBlockSteps; ++step) {
        largest = greater(largest, reinterpret_cast<LanesInt>(load_lanes(u + step * kLaneWidth)) & kMagnitude);
    }
    const Lanes input = reinterpret_cast<Lanes>(largest);
    float product_input = kLargestFinite;
    std::uint32_t staying = kAllLanes;
#pragma GCC unroll 4
    for (int mode = 0; mode < Modes; ++mode) {
        product_input = std::min(product_input, k[mode].product_input);
        const Lanes room =
            maximum(multiply_subtract_from(splat(k[mode].block_reach), input, splat(k[mode].block_room)), Lanes{});
        staying &= lanes_below(multiply_add(re[mode], re[mode], im[mode] * im[mode]), room * room);
    }
    if (!all_up_to(input, product_input)) {
        return Clamps::all;
    }
    return staying == kAllLanes ? Clamps::none : Clamps::states;
}

}  // namespace imssa
