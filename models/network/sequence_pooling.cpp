#include "models/network/sequence_pooling.h"

#include <string>

#include "models/common/error.h"
#include "models/common/lanes.h"

namespace imssa {

std::vector<int> sequence_lengths(const DeployedNetwork& network, const std::vector<int>& lengths, int lanes) {
    if (lengths.empty()) {
        return std::vector<int>(static_cast<std::size_t>(lanes), network.steps);
    }
    for (const int length : lengths) {
        if (length < 1 || length > network.steps) {
            throw UserError("a sequence has " + std::to_string(length) + " steps, the network is deployed for 1 to " +
                            std::to_string(network.steps));
        }
    }
    return lengths;
}

SequencePooling::SequencePooling(const DeployedNetwork& network, std::vector<int> lengths)
    : network_(&network),
      lengths_(std::move(lengths)),
      gains_(static_cast<std::size_t>(padded_lanes(static_cast<int>(lengths_.size()))), 0.0F),
      counted_(gains_.size(), 0.0F),
      sums_(network.model.heads, static_cast<int>(lengths_.size())) {
    for (std::size_t lane = 0; lane < lengths_.size(); ++lane) {
        gains_[lane] = network.pooling_gain_of(lengths_[lane]);
    }
}

int SequencePooling::add(const LaneMatrix& codes, int step) {
    const bool last = network_->model.pooling == Pooling::last;
    int counted = 0;
    for (std::size_t lane = 0; lane < lengths_.size(); ++lane) {
        const bool counts = last ? step == lengths_[lane] - 1 : step < lengths_[lane];
        counted_[lane] = counts ? 1.0F : 0.0F;
        counted += counts ? 1 : 0;
    }
    for (int head = 0; counted > 0 && head < sums_.channels(); ++head) {
        for (int lane = 0; lane < sums_.stride(); lane += kLaneWidth) {
            const Lanes add = load_lanes(counted_.data() + lane) > 0.0F ? load_lanes(codes.row(head) + lane) : Lanes{};
            store_lanes(sums_.row(head) + lane, load_lanes(sums_.row(head) + lane) + add);
        }
    }
    return counted;
}

void SequencePooling::finish(LaneMatrix& pooled) const {
    for (int head = 0; head < sums_.channels(); ++head) {
        pool_codes(gains_.data(), network_->activation_limit(), sums_.row(head), pooled.row(head), sums_.lanes());
    }
}

}  // namespace imssa
