#pragma once

#include <vector>

#include "models/common/lanes.h"

namespace imssa {

/// A token: channels x lanes floats, lanes contiguous and padded with zeros to whole vectors of 16, so that each
/// lane takes the same arithmetic path however many run beside it.
class LaneMatrix {
public:
    LaneMatrix() = default;
    LaneMatrix(int channels, int lanes)
        : channels_(channels),
          lanes_(lanes),
          stride_(padded_lanes(lanes)),
          values_(static_cast<std::size_t>(channels) * padded_lanes(lanes), 0.0F) {}

    int channels() const { return channels_; }
    int lanes() const { return lanes_; }
    int stride() const { return stride_; }
    int vectors() const { return stride_ / kLaneWidth; }

    float* row(int channel) { return values_.data() + static_cast<std::size_t>(channel) * stride_; }
    const float* row(int channel) const { return values_.data() + static_cast<std::size_t>(channel) * stride_; }
    float& operator()(int channel, int lane) { return row(channel)[lane]; }
    float operator()(int channel, int lane) const { return row(channel)[lane]; }

    bool operator==(const LaneMatrix& other) const {
        return channels_ == other.channels_ && lanes_ == other.lanes_ && values_ == other.values_;
    }
    bool operator!=(const LaneMatrix& other) const { return !(*this == other); }

private:
    int channels_ = 0;
    int lanes_ = 0;
    int stride_ = 0;
    std::vector<float> values_;
};

}  // namespace imssa
