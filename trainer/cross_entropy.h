#pragma once

#include <array>

#include "models/common/lanes.h"

namespace imssa {

struct SequenceLosses {
    std::array<double, kLaneWidth> loss{};  ///< per lane
    std::array<bool, kLaneWidth> correct{};
};

/// Softmax cross-entropy of up to 16 sequences. logits: classes x 16, in units of `scale` real units. gradient (classes
/// x 16) is that of weight * sum of losses with respect to the logits as given; logits at +-limit get none, lanes
/// beyond `lanes` neither.
SequenceLosses cross_entropy(const float* logits, float scale, float limit, int classes, const int* labels, int lanes,
                             double weight, float* gradient);

}  // namespace imssa
