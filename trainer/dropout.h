#pragma once

#include <cstdint>

#include "models/common/lanes.h"

namespace imssa {

/// Dropout (Srivastava et al., JMLR 15, 2014) of one optimisation step: an output of the activation is zero with this
/// probability and 1 / (1 - probability) times itself otherwise, each head, step and sequence on its own. Which ones
/// depends on (seed, sequence, layer, head, step) only.
struct Dropout {
    double probability = 0.0;
    std::uint64_t seed = 0;
    LanesUint sequences = {};  ///< indices in the data set, one a lane

    bool active() const { return probability > 0.0; }
};

/// Applies it to the 8 steps of one head's block from `first_step` on, to the values and, unless they are null, their
/// slopes alike. unit = layer * heads + head.
void drop_block(const Dropout& dropout, std::uint32_t unit, std::uint32_t first_step, float* values, float* slopes);

}  // namespace imssa
