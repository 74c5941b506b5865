#pragma once

#include <vector>

#include "models/common/lane_matrix.h"
#include "models/network/deployed_network.h"

namespace imssa {

/// Lengths of a batch's sequences, one a lane: as given, or network.steps where none are. Throws UserError for a length
/// outside [1, network.steps].
std::vector<int> sequence_lengths(const DeployedNetwork& network, const std::vector<int>& lengths, int lanes);

/// Pooling of a batch of lanes over time: the sum of the last layer's codes over the steps of each sequence and its
/// conversion, or the codes of its last step. Steps beyond a sequence's length do not count.
class SequencePooling {
public:
    /// `lengths`: steps of each lane's sequence.
    SequencePooling(const DeployedNetwork& network, std::vector<int> lengths);

    /// Takes the codes (heads x lanes) of one step. Returns how many lanes changed.
    int add(const LaneMatrix& codes, int step);

    /// Pooled codes, heads x lanes, when every sequence has ended.
    void finish(LaneMatrix& pooled) const;

private:
    const DeployedNetwork* network_;
    std::vector<int> lengths_;
    std::vector<float> gains_;    ///< one a lane, padded
    std::vector<float> counted_;  ///< 1 for the lanes that the step counts for, padded
    LaneMatrix sums_;             ///< heads x lanes
};

}  // namespace imssa
