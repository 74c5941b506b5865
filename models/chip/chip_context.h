#pragma once

#include <systemc>

#include <cmath>
#include <cstdint>
#include <exception>
#include <vector>

#include "models/array/converters.h"
#include "models/chip/chip_config.h"
#include "models/chip/chip_probe.h"
#include "models/chip/crossbar_tile.h"
#include "models/chip/unit_table.h"
#include "models/common/error.h"
#include "models/network/deployed_network.h"

namespace imssa {

/// What all units of one chip share: the network and configuration they are built from, and where they report.
struct ChipContext {
    ChipContext(const DeployedNetwork& network_in, const ChipConfig& config_in, std::uint64_t seed_in)
        : network(network_in),
          config(config_in),
          seed(seed_in),
          period(1.0 / config_in.timing.clock_hz, sc_core::SC_SEC) {}

    const DeployedNetwork network;
    const ChipConfig config;
    const std::uint64_t seed;
    const sc_core::sc_time period;
    UnitTable units;
    std::vector<CrossbarTile*>
        tiles;                     ///< in the order of tile indices: encoder, heads and mixing of each layer, decoder
    ConversionCounts conversions;  ///< of all analog-to-digital converters since the chip was built
    ChipProbe* probe = nullptr;
    bool phase_trace = false;  ///< phases of the sequencers are waits of their own
    std::exception_ptr fault;  ///< the first error in a process

    std::uint32_t next_tile() const { return static_cast<std::uint32_t>(tiles.size()); }

    std::int64_t now_cycles() const { return std::llround(sc_core::sc_time_stamp() / period); }

    /// Runs a process body. An error in it stops that process and is handed to whoever runs the chip.
    template <class Body>
    void guard(Body&& body) {
        try {
            body();
        } catch (const UserError&) {
            if (fault == nullptr) {
                fault = std::current_exception();
            }
        }
    }
};

}  // namespace imssa
