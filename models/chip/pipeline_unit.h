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

/// Enters the buffer and the link of an output channel of `channels` codes a token, which move at once, in the unit
/// table.
inline std::int32_t add_buffer(ChipContext& context, const TokenChannel& output, int channels) {
    ComponentCounts hardware;
    hardware[Component::link_bit] = channels * context.network.options.activation_bits;
    hardware[Component::buffer_bit] = output.space() * hardware[Component::link_bit];
    return context.units.add(output.name(), hardware);
}

/// The bits of a token, written to a buffer, read from it and moved to the unit that reads.
inline void publish_transfer(ChipContext& context, std::int32_t buffer, double bits) {
    context.units.publish(Action::buffer_bit, buffer, 2.0 * bits);
    context.units.publish(Action::network_bit, buffer, bits);
}

/// Cycles that a unit was busy with a token, and the transfer of its output.
inline void publish_token(ChipContext& context, std::int32_t unit, int cycles, std::int32_t buffer,
                          const LaneMatrix& output) {
    const double lanes = output.lanes();
    context.units.publish(Action::control_cycle, unit, cycles * lanes);
    publish_transfer(context, buffer, output.channels() * context.network.options.activation_bits * lanes);
}

}  // namespace imssa
