#pragma once

#include "models/chip/estimate.h"
#include "tests/models/chip/hand_worked.h"
#include "tests/models/cost/small_table.h"

namespace imssa::testing {

/// A network and a chip, as an estimate takes them.
struct Design {
    ModelConfig model;
    DeploymentOptions options;
    ChipConfig chip;
    int steps = 5;
};

/// Priced by the small table.
inline DesignEstimate estimate(const Design& design) {
    static const CompiledPrices kPrices(testing_support::small_table());
    return estimate_design(design.model, design.options, design.chip, design.steps, {}, kPrices);
}

}  // namespace imssa::testing
