#include "trainer/dropout.h"

#include "models/network/quantizer.h"
#include "trainer/lane_buffer.h"

namespace imssa {

void drop_block(const Dropout& dropout, std::uint32_t unit, std::uint32_t first_step, float* values, float* slopes) {
    LanesUint keys = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        keys[lane] = dither_sequence_key(dropout.seed, dropout.sequences[lane]);
    }
    const Lanes probability = broadcast(static_cast<float>(dropout.probability));
    const Lanes kept = broadcast(static_cast<float>(1.0 / (1.0 - dropout.probability)));
    for (int step = 0; step < kBlockSteps; ++step) {
        const Lanes uniform =
            dither_pair(keys, dither_unit_key(unit), first_step + static_cast<std::uint32_t>(step)).re;
        const Lanes factor = uniform < probability ? Lanes{} : kept;
        const int at = step * kLaneWidth;
        store_lanes(values + at, load_lanes(values + at) * factor);
        if (slopes != nullptr) {
            store_lanes(slopes + at, load_lanes(slopes + at) * factor);
        }
    }
}

}  // namespace imssa
