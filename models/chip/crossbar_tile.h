#pragma once

#include <systemc>

#include "models/chip/chip_context.h"

namespace imssa {

/// One head's programmed crossbar tile.
class CrossbarTile final : public sc_core::sc_module {
public:
    CrossbarTile(const sc_core::sc_module_name& module_name, const DeployedKernel& kernel, ChipContext& context)
        : sc_core::sc_module(module_name),
          index_(context.next_tile()),
          crossbar_(kernel.array, context.config.mapping, context.config.device, context.config.read, context.seed,
                    index_, name()) {
        context.tiles.push_back({name(), &crossbar_});
    }

    std::uint32_t index() const { return index_; }
    const Crossbar& crossbar() const { return crossbar_; }

private:
    std::uint32_t index_;
    Crossbar crossbar_;
};

}  // namespace imssa
