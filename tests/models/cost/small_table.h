#pragma once

#include "models/cost/cost_table.h"

namespace imssa::testing_support {

/// A complete table: action or component number k (from 1) costs k pJ, k um2 and k nW; low half, high double. The
/// transimpedance is a power of 45 uW (30-60 uW) for 1 ns.
inline CostTable small_table() {
    CostTable table;
    const Provenance provenance{"this test", "A", false};
    double k = 0.0;
    for (const auto& [name, action] : enum_names(Action{})) {
        k += 1.0;
        if (action == Action::array_read) {
            continue;
        }
        EnergyPrice price;
        price.action = action;
        price.provenance = provenance;
        price.resolution.bits = usual_bits_model(action) != nullptr ? 8.0 : 0.0;
        if (action == Action::transimpedance) {
            price.power_w = 45e-6;
            price.power_low_w = 30e-6;
            price.power_high_w = 60e-6;
            price.settle_s = 1e-9;
        } else {
            price.energy_j = k * 1e-12;
            price.energy_low_j = 0.5 * k * 1e-12;
            price.energy_high_j = 2.0 * k * 1e-12;
        }
        table.energies.push_back(price);
    }
    k = 0.0;
    for (const auto& [name, component] : enum_names(Component{})) {
        k += 1.0;
        table.areas.push_back({component, k * 1e-6, 0.5 * k * 1e-6, 2.0 * k * 1e-6, provenance});
        table.leakages.push_back({component, k * 1e-9, 0.5 * k * 1e-9, 2.0 * k * 1e-9, provenance});
        table.areas.back().resolution.bits = usual_bits_model(component) != nullptr ? 8.0 : 0.0;
        table.leakages.back().resolution.bits = table.areas.back().resolution.bits;
    }
    return table;
}

}  // namespace imssa::testing_support
