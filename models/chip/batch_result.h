#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/common/lane_matrix.h"

namespace imssa {

/// What the classifier found for one batch.
struct BatchResult {
    int batch = 0;
    std::vector<std::uint64_t> sequence_ids;
    LaneMatrix pooled;              ///< heads x lanes
    LaneMatrix logits;              ///< classes x lanes
    std::int64_t start_cycle = 0;   ///< the encoder takes the first token
    std::int64_t finish_cycle = 0;  ///< the logits are there
};
using ResultPtr = std::shared_ptr<const BatchResult>;

}  // namespace imssa
