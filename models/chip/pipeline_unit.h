#pragma once

#include <cstdint>

#include "models/chip/channel.h"
#include "models/chip/chip_context.h"

namespace imssa {

// What the units of the pipeline have in common.

inline ComponentCounts sequencer_hardware() {
    ComponentCounts hardware;
    hardware[Component::sequencer] = 1;
    return hardware;
}

/// Enters the buffer of an output channel of `channels` codes a token in the unit table.
inline std::int32_t add_buffer(ChipContext& context, const TokenChannel& output, int channels) {
    ComponentCounts hardware;
    hardware[Component::buffer_bit] = output.space() * channels * context.network.options.activation_bits;
    return context.units.add(output.name(), hardware);
}

/// Cycles that a unit was busy with a token, and the bits of its output written to and read from the buffer.
inline void publish_token(ChipContext& context, std::int32_t unit, int cycles, std::int32_t buffer,
                          const LaneMatrix& output) {
    const double lanes = output.lanes();
    context.units.publish(Action::control_cycle, unit, cycles * lanes);
    context.units.publish(Action::buffer_bit, buffer,
                          2.0 * output.channels() * context.network.options.activation_bits * lanes);
}

}  // namespace imssa
