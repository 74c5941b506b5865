#include "trainer/observed_bounds.h"

#include <algorithm>

#include "models/common/lane_math.h"

namespace imssa {

namespace {

constexpr int kActivationPlaces = 4;

}  // namespace

ObservedBounds::ObservedBounds(const ModelConfig& config)
    : heads_(config.heads),
      modes_(config.modes()),
      layers_(config.layers),
      values_(1 + static_cast<std::size_t>(config.layers) * (kActivationPlaces + config.heads * config.modes())) {}

int ObservedBounds::activation(int layer, ActivationPlace place) const {
    return 1 + layer * (kActivationPlaces + heads_ * modes_) + static_cast<int>(place);
}

int ObservedBounds::state(int layer, int head, int mode) const {
    return activation(layer, ActivationPlace::kernel_output) + kActivationPlaces + head * modes_ + mode;
}

int ObservedBounds::kernel_input(int layer) const {
    return layer == 0 ? encoder() : activation(layer - 1, ActivationPlace::output);
}

Bounds ObservedBounds::state_bounds(int layer, int head, int mode, ScaleGranularity scale) const {
    const int first_head = scale == ScaleGranularity::tensor ? 0 : head;
    const int last_head = scale == ScaleGranularity::tensor ? heads_ : head + 1;
    const int first_mode = scale == ScaleGranularity::mode ? mode : 0;
    const int last_mode = scale == ScaleGranularity::mode ? mode + 1 : modes_;
    Bounds result;
    for (int h = first_head; h < last_head; ++h) {
        for (int n = first_mode; n < last_mode; ++n) {
            const Bounds& own = (*this)[state(layer, h, n)];
            result.low = std::min(result.low, own.low);
            result.high = std::max(result.high, own.high);
        }
    }
    return result;
}

void ObservedBounds::clear() {
    std::fill(values_.begin(), values_.end(), Bounds{});
}

void ObservedBounds::join(const ObservedBounds& other) {
    for (std::size_t place = 0; place < values_.size(); ++place) {
        values_[place].low = std::min(values_[place].low, other.values_[place].low);
        values_[place].high = std::max(values_[place].high, other.values_[place].high);
    }
}

void ObservedBounds::follow(const ObservedBounds& observed, const FakeQuantization& options) {
    const auto follow_place = [&](int place, double momentum) {
        Bounds& own = (*this)[place];
        own.low = static_cast<float>(momentum * own.low + (1.0 - momentum) * observed[place].low);
        own.high = static_cast<float>(momentum * own.high + (1.0 - momentum) * observed[place].high);
    };
    const bool activations = options.activations.ranges == RangeSource::ema;
    if (activations) {
        follow_place(encoder(), options.activations.momentum);
    }
    for (int layer = 0; layer < layers_; ++layer) {
        const int first = activation(layer, ActivationPlace::kernel_output);
        for (int place = 0; activations && place < kActivationPlaces; ++place) {
            follow_place(first + place, options.activations.momentum);
        }
        for (int place = 0; options.state.ranges == RangeSource::ema && place < heads_ * modes_; ++place) {
            follow_place(first + kActivationPlaces + place, options.state.momentum);
        }
    }
}

BoundsRecorder::BoundsRecorder(const ModelConfig& config)
    : low_(static_cast<std::size_t>(ObservedBounds(config).count()) * kLaneWidth), high_(low_.size()) {}

void BoundsRecorder::start() {
    low_.clear();
    high_.clear();
}

void BoundsRecorder::on_block(int place, const float* values, int channels, int steps) {
    float* low_place = low_.data() + place * kLaneWidth;
    float* high_place = high_.data() + place * kLaneWidth;
    Lanes low = load_lanes(low_place), high = load_lanes(high_place);
    for (int channel = 0; channel < channels; ++channel) {
        for (int step = 0; step < steps; ++step) {
            const Lanes value = load_lanes(values + channel * kBlockWidth + step * kLaneWidth);
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    }
    store_lanes(low_place, low);
    store_lanes(high_place, high);
}

void BoundsRecorder::on_state(int place, Lanes re, Lanes im) {
    float* low_place = low_.data() + place * kLaneWidth;
    float* high_place = high_.data() + place * kLaneWidth;
    const Lanes low = load_lanes(low_place), high = load_lanes(high_place);
    const Lanes least = re < im ? re : im;
    const Lanes greatest = re < im ? im : re;
    store_lanes(low_place, least < low ? least : low);
    store_lanes(high_place, greatest > high ? greatest : high);
}

void BoundsRecorder::finish(int lanes, ObservedBounds& bounds) const {
    for (int place = 0; place < bounds.count(); ++place) {
        for (int lane = 0; lane < lanes; ++lane) {
            const std::size_t at = static_cast<std::size_t>(place * kLaneWidth + lane);
            bounds[place].low = std::min(bounds[place].low, low_[at]);
            bounds[place].high = std::max(bounds[place].high, high_[at]);
        }
    }
}

bool needs_bounds(const FakeQuantization& options) {
    return options.state.observes_bounds() || options.activations.observes_bounds();
}

bool follows_training(const FakeQuantization& options) {
    return (options.state.active() && options.state.ranges == RangeSource::ema) ||
           (options.activations.active() && options.activations.ranges == RangeSource::ema);
}

}  // namespace imssa
