#include "trainer/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <unordered_map>

#include "models/common/lane_math.h"
#include "trainer/kernel_scan.h"
#include "trainer/magnitude_histogram.h"
#include "trainer/network_pass.h"

namespace imssa {

namespace {

inline Lanes magnitude(Lanes value) {
    return value < 0.0F ? -value : value;
}

class RangeRecorder final : public ChunkObserver {
public:
    /// `histograms`: keep all magnitudes besides the largest ones.
    RangeRecorder(const EffectiveNetwork& network, const NetworkParameters& parameters, CalibrationRanges& ranges,
                  bool histograms)
        : network_(network), parameters_(parameters), ranges_(ranges), histograms_(histograms) {}

    void set_lanes(int lanes) { lanes_ = lanes; }

    void on_chunk(Workspace& workspace, int chunk) override {
        record(workspace, workspace.stream(0), chunk, ranges_.encoder);
        for (int layer = 0; layer < network_.config.layers; ++layer) {
            const std::size_t at = static_cast<std::size_t>(layer);
            LayerTrace& trace = workspace.trace[at];
            LayerRanges& range = ranges_.layers[at];
            record(workspace, trace.kernel_output, chunk, range.kernel_output);
            record(workspace, trace.activation, chunk, range.activation);
            record(workspace, trace.mixing, chunk, range.mixing);
            record(workspace, workspace.stream(layer + 1), chunk, range.output);
            record_states(workspace, layer, chunk, range);
        }
    }

    /// One more magnitude of a quantity in every lane.
    void keep(Lanes value, float& range) {
        const Lanes size = magnitude(value);
        range = std::max(range, lane_maximum(size));
        if (histograms_) {
            count(size, broadcast(1.0F), magnitudes_[&range]);
        }
    }

    /// The ranges become percentiles of what was kept.
    void take_percentiles(double percent) {
        for (auto& [range, histogram] : magnitudes_) {
            *range = std::min(*range, histogram.percentile(percent));
        }
    }

    float lane_maximum(Lanes value) const {
        float largest = 0.0F;
        for (int lane = 0; lane < lanes_; ++lane) {
            largest = std::max(largest, value[lane]);
        }
        return largest;
    }

private:
    /// present: 1 in lanes whose sequence has this step, 0 in the others.
    void count(Lanes sizes, Lanes present, MagnitudeHistogram& histogram) const {
        for (int lane = 0; lane < lanes_; ++lane) {
            if (present[lane] != 0.0F) {
                histogram.add(sizes[lane]);
            }
        }
    }

    void record(Workspace& workspace, const BlockBuffer& buffer, int chunk, float& range) {
        Lanes largest = {};
        MagnitudeHistogram* histogram = histograms_ ? &magnitudes_[&range] : nullptr;
        for (int block = chunk * kChunkBlocks; block < chunk * kChunkBlocks + workspace.chunk_blocks(chunk); ++block) {
            for (int step = 0; step < kBlockSteps; ++step) {
                const Lanes present = workspace.present(block * kBlockSteps + step);
                for (int channel = 0; channel < buffer.channels(); ++channel) {
                    const Lanes size =
                        magnitude(load_lanes(buffer.block(block) + channel * kBlockWidth + step * kLaneWidth));
                    largest = maximum(largest, size * present);
                    if (histogram != nullptr) {
                        count(size, present, *histogram);
                    }
                }
            }
        }
        range = std::max(range, lane_maximum(largest));
    }

    void record_states(Workspace& workspace, int layer, int chunk, LayerRanges& range) {
        const int modes = network_.config.modes();
        const BlockBuffer& input = workspace.stream(layer);
        const int blocks = workspace.chunk_blocks(chunk);
        const int steps = std::min(blocks * kBlockSteps, workspace.steps - chunk * kChunkBlocks * kBlockSteps);
        float* states = workspace.scratch_states.data();
        for (int head = 0; head < network_.config.heads; ++head) {
            const DiscreteKernel kernel = discretize(parameters_.layers[static_cast<std::size_t>(layer)], head);
            for (int mode = 0; mode < modes; ++mode) {
                scan_states(kernel_view(network_, layer, head), mode, 1,
                            input.block(chunk * kChunkBlocks) + head * kBlockWidth, input.stride(), blocks,
                            workspace.states(layer, chunk, head), states);
                const float gain = static_cast<float>(std::abs(kernel.bbar[static_cast<std::size_t>(mode)]));
                MagnitudeHistogram* folded = histograms_ ? &magnitudes_[&range.folded_state(head, mode)] : nullptr;
                MagnitudeHistogram* driven = histograms_ ? &magnitudes_[&range.state(head, mode)] : nullptr;
                MagnitudeHistogram* steps_of = histograms_ ? &magnitudes_[&range.increment(head, mode)] : nullptr;
                Lanes state = {}, increment = {};
                for (int step = 0; step < steps; ++step) {
                    const Lanes present = workspace.present(chunk * kChunkBlocks * kBlockSteps + step);
                    const float* before = states + static_cast<std::size_t>(step) * 2 * kLaneWidth;
                    const Lanes re = load_lanes(before + 2 * kLaneWidth);
                    const Lanes im = load_lanes(before + 3 * kLaneWidth);
                    const Lanes re_step = re - load_lanes(before);
                    const Lanes im_step = im - load_lanes(before + kLaneWidth);
                    state = maximum(state, (re * re + im * im) * present);
                    increment = maximum(increment, (re_step * re_step + im_step * im_step) * present);
                    for (int lane = 0; histograms_ && lane < lanes_; ++lane) {
                        if (present[lane] == 0.0F) {
                            continue;
                        }
                        const float size = std::hypot(re[lane], im[lane]);
                        folded->add(size);
                        driven->add(gain * size);
                        steps_of->add(gain * std::hypot(re_step[lane], im_step[lane]));
                    }
                }
                const float largest = std::sqrt(lane_maximum(state));
                range.folded_state(head, mode) = std::max(range.folded_state(head, mode), largest);
                range.state(head, mode) = std::max(range.state(head, mode), largest * gain);
                range.increment(head, mode) =
                    std::max(range.increment(head, mode), std::sqrt(lane_maximum(increment)) * gain);
            }
        }
    }

    const EffectiveNetwork& network_;
    const NetworkParameters& parameters_;
    CalibrationRanges& ranges_;
    bool histograms_;
    std::unordered_map<float*, MagnitudeHistogram> magnitudes_;  ///< by the range that they become
    int lanes_ = kLaneWidth;
};

CalibrationRanges fixed_ranges(const ModelConfig& config, const RangeConfig& options) {
    CalibrationRanges ranges = zero_ranges(config);
    ranges.encoder = static_cast<float>(options.encoder);
    for (LayerRanges& layer : ranges.layers) {
        layer.state.setConstant(static_cast<float>(options.state));
        layer.increment.setConstant(static_cast<float>(options.increment));
        layer.folded_state.setConstant(static_cast<float>(options.folded_state));
        layer.kernel_output = static_cast<float>(options.kernel_output);
        layer.activation = static_cast<float>(options.activation);
        layer.mixing = static_cast<float>(options.mixing);
        layer.output = static_cast<float>(options.output);
    }
    ranges.pooled = static_cast<float>(options.pooled);
    ranges.logits = static_cast<float>(options.logits);
    return ranges;
}

bool kernels_are_pruned(const LayerParameters& layer) {
    return (layer.c_re.array() == 0.0F).all() && (layer.c_im.array() == 0.0F).all() && (layer.d.array() == 0.0F).all();
}

/// Any range holds outputs that are zero, but a converter has to have one.
void hold_zeros(LayerRanges& ranges) {
    for (float* range : {&ranges.kernel_output, &ranges.activation, &ranges.mixing}) {
        *range = *range > 0.0F ? *range : 1.0F;
    }
}

}  // namespace

CalibrationRanges calibrate(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data,
                            int sequences, const RangeConfig& options) {
    options.validate();
    if (options.method == RangeMethod::fixed) {
        return fixed_ranges(config, options);
    }
    CalibrationRanges ranges = zero_ranges(config);
    const EffectiveNetwork network = effective_float_network(config, parameters, data.steps);
    Workspace workspace(config, data.steps, Workspace::Purpose::calibration);
    RangeRecorder recorder(network, parameters, ranges, options.method == RangeMethod::percentile);
    const int count = std::min(sequences, data.count());
    for (int first = 0; first < count; first += kLaneWidth) {
        const int lanes = std::min(kLaneWidth, count - first);
        std::array<const float*, kLaneWidth> pointers{};
        std::array<int, kLaneWidth> lengths{};
        for (int lane = 0; lane < lanes; ++lane) {
            pointers[static_cast<std::size_t>(lane)] = data.sequence(first + lane);
            lengths[static_cast<std::size_t>(lane)] = data.length(first + lane);
        }
        workspace.load_inputs(pointers.data(), lanes, lengths.data());
        recorder.set_lanes(lanes);
        forward_float(network, workspace, &recorder);
        for (int head = 0; head < config.heads; ++head) {
            recorder.keep(load_lanes(workspace.pooled.data() + head * kLaneWidth), ranges.pooled);
        }
        for (int output = 0; output < config.classes; ++output) {
            recorder.keep(load_lanes(workspace.logits.data() + output * kLaneWidth), ranges.logits);
        }
    }
    if (options.method == RangeMethod::percentile) {
        recorder.take_percentiles(options.percentile);
    }
    for (std::size_t layer = 0; layer < ranges.layers.size(); ++layer) {
        if (kernels_are_pruned(parameters.layers[layer])) {
            hold_zeros(ranges.layers[layer]);
        }
    }
    return ranges;
}

}  // namespace imssa
