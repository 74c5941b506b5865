#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "trainer/fake_pass.h"
#include "trainer/observed_bounds.h"

namespace imssa {

namespace {

constexpr int kBins = 4096;

constexpr int kNotCounted = -1;

/// Whether a percentile cuts the bounds of a group.
bool is_cut(const QuantizerOptions& options) {
    return options.active() && options.percentile < 100.0;
}

/// Counts the numbers of places in bins between their bounds. Each histogram takes 16 KB: only groups have one.
class HistogramRecorder final : public PassObserver {
public:
    /// Numbers of `place` count in the histogram of the place groups[place], or nowhere (kNotCounted).
    HistogramRecorder(const ObservedBounds& bounds, std::vector<int> groups)
        : bounds_(bounds), groups_(std::move(groups)), slots_(groups_.size(), 0) {
        std::size_t histograms = 0;
        for (std::size_t place = 0; place < groups_.size(); ++place) {
            if (groups_[place] == static_cast<int>(place)) {
                slots_[place] = histograms++;
            }
        }
        counts_.resize(histograms * kBins);
    }

    void set_lanes(int lanes) { lanes_ = lanes; }

    void on_block(int place, const float* values, int channels, int steps) override {
        for (int channel = 0; channel < channels; ++channel) {
            for (int step = 0; step < steps; ++step) {
                for (int lane = 0; lane < lanes_; ++lane) {
                    add(place, values[channel * kBlockWidth + step * kLaneWidth + lane]);
                }
            }
        }
    }

    void on_state(int place, Lanes re, Lanes im) override {
        for (int lane = 0; lane < lanes_; ++lane) {
            add(place, re[lane]);
            add(place, im[lane]);
        }
    }

    /// Number below which `fraction` of those of a place lie.
    double quantile(int place, double fraction) const {
        return quantile_of(histogram(place), fraction, bounds_[place].low, bounds_[place].high);
    }

    /// The same of magnitudes.
    double magnitude_quantile(int place, double fraction) const {
        const Bounds& bounds = bounds_[place];
        const double largest = std::max<double>(-bounds.low, bounds.high);
        const std::uint32_t* counts = histogram(place);
        std::vector<std::uint32_t> folded(kBins);
        for (int bin = 0; bin < kBins; ++bin) {
            const double middle = bounds.low + (bin + 0.5) * (bounds.high - bounds.low) / kBins;
            const int to = largest > 0.0 ? static_cast<int>(std::abs(middle) / largest * kBins) : 0;
            folded[static_cast<std::size_t>(std::min(to, kBins - 1))] += counts[bin];
        }
        return quantile_of(folded.data(), fraction, 0.0, largest);
    }

private:
    std::size_t first_bin(int place) const { return slots_[static_cast<std::size_t>(place)] * kBins; }
    const std::uint32_t* histogram(int place) const { return counts_.data() + first_bin(place); }

    void add(int own_place, float value) {
        const int place = groups_[static_cast<std::size_t>(own_place)];
        if (place == kNotCounted) {
            return;
        }
        const Bounds& bounds = bounds_[place];
        const float width = bounds.high - bounds.low;
        const int bin = width > 0.0F ? static_cast<int>((value - bounds.low) / width * kBins) : 0;
        ++counts_[first_bin(place) + static_cast<std::size_t>(std::clamp(bin, 0, kBins - 1))];
    }

    static double quantile_of(const std::uint32_t* counts, double fraction, double low, double high) {
        double total = 0.0;
        for (int bin = 0; bin < kBins; ++bin) {
            total += counts[bin];
        }
        const double wanted = fraction * total;
        double below = 0.0;
        for (int bin = 0; bin < kBins; ++bin) {
            if (counts[bin] > 0 && below + counts[bin] >= wanted) {
                return low + (bin + (wanted - below) / counts[bin]) * (high - low) / kBins;
            }
            below += counts[bin];
        }
        return high;
    }

    const ObservedBounds& bounds_;
    std::vector<int> groups_;
    std::vector<std::size_t> slots_;  ///< of places that have a histogram
    std::vector<std::uint32_t> counts_;
    int lanes_ = kLaneWidth;
};

/// Bounds that hold a percentile of what a histogram counted.
void cut(const QuantizerOptions& options, const HistogramRecorder& histogram, int place, Bounds& bounds) {
    const double fraction = 0.01 * options.percentile;
    if (!is_cut(options)) {
        return;
    }
    if (options.quantizer == Quantizer::asymmetric) {
        bounds = {static_cast<float>(std::min(0.0, histogram.quantile(place, 1.0 - fraction))),
                  static_cast<float>(std::max(0.0, histogram.quantile(place, fraction)))};
        return;
    }
    const float magnitude = static_cast<float>(histogram.magnitude_quantile(place, fraction));
    bounds = {-magnitude, magnitude};
}

}  // namespace

ObservedBounds calibrate_bounds(const ModelConfig& config, const NetworkParameters& parameters,
                                const FakeQuantization& options, const Dataset& data, int sequences) {
    const FakeNetwork network = fake_network(config, parameters, zero_ranges(config), {}, data.steps, 0);
    const FakePass pass(network, {});
    Workspace workspace(config, data.steps, Workspace::Purpose::evaluation);
    const int count = std::min(sequences, data.count());
    const auto visit = [&](PassObserver& observer, auto&& before, auto&& after) {
        for (int first = 0; first < count; first += kLaneWidth) {
            const int lanes = std::min(kLaneWidth, count - first);
            std::array<const float*, kLaneWidth> pointers{};
            std::array<int, kLaneWidth> lengths{};
            for (int lane = 0; lane < lanes; ++lane) {
                pointers[static_cast<std::size_t>(lane)] = data.sequence(first + lane);
                lengths[static_cast<std::size_t>(lane)] = data.length(first + lane);
            }
            before(lanes);
            workspace.load_inputs(pointers.data(), lanes, lengths.data());
            pass.forward(LanesUint{}, LanesUint{}, workspace, &observer);
            after(lanes);
        }
    };
    ObservedBounds bounds(config);
    BoundsRecorder recorder(config);
    visit(
        recorder, [&](int) { recorder.start(); }, [&](int lanes) { recorder.finish(lanes, bounds); });
    if (options.state.percentile >= 100.0 && options.activations.percentile >= 100.0) {
        return bounds;
    }
    ObservedBounds widest = bounds;
    std::vector<int> groups(static_cast<std::size_t>(bounds.count()));
    if (is_cut(options.activations)) {
        std::iota(groups.begin(), groups.end(), 0);
    } else {
        std::fill(groups.begin(), groups.end(), kNotCounted);
    }
    const auto for_each_state = [&](auto&& work) {
        for (int layer = 0; layer < config.layers; ++layer) {
            for (int head = 0; head < config.heads; ++head) {
                for (int mode = 0; mode < config.modes(); ++mode) {
                    work(layer, head, mode, bounds.state(layer, head, mode));
                }
            }
        }
    };
    const ScaleGranularity scale = options.state.scale;
    for_each_state([&](int layer, int head, int mode, int place) {  // states that share a scale share a histogram
        widest[place] = bounds.state_bounds(layer, head, mode, scale);
        groups[static_cast<std::size_t>(place)] =
            is_cut(options.state) ? bounds.state(layer, scale == ScaleGranularity::tensor ? 0 : head,
                                                 scale == ScaleGranularity::mode ? mode : 0)
                                  : kNotCounted;
    });
    HistogramRecorder histogram(widest, groups);
    visit(
        histogram, [&](int lanes) { histogram.set_lanes(lanes); }, [](int) {});
    cut(options.activations, histogram, ObservedBounds::encoder(), bounds[ObservedBounds::encoder()]);
    for (int layer = 0; layer < config.layers; ++layer) {
        for (const ActivationPlace place : {ActivationPlace::kernel_output, ActivationPlace::activation,
                                            ActivationPlace::mixing, ActivationPlace::output}) {
            const int at = bounds.activation(layer, place);
            cut(options.activations, histogram, at, bounds[at]);
        }
    }
    for_each_state([&](int, int, int, int place) {
        cut(options.state, histogram, groups[static_cast<std::size_t>(place)], bounds[place]);
    });
    return bounds;
}

}  // namespace imssa
