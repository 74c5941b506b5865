#include "trainer/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>

#include "models/common/lane_math.h"
#include "trainer/kernel_scan.h"
#include "trainer/network_pass.h"

namespace imssa {

namespace {

inline Lanes magnitude(Lanes value) {
    return value < 0.0F ? -value : value;
}

class RangeRecorder final : public ChunkObserver {
public:
    RangeRecorder(const EffectiveNetwork& network, const NetworkParameters& parameters, CalibrationRanges& ranges)
        : network_(network), parameters_(parameters), ranges_(ranges) {}

    void set_lanes(int lanes) { lanes_ = lanes; }

    void on_chunk(Workspace& workspace, int chunk) override {
        record(workspace, workspace.stream[0], chunk, ranges_.encoder);
        for (int layer = 0; layer < network_.config.layers; ++layer) {
            const std::size_t at = static_cast<std::size_t>(layer);
            LayerTrace& trace = workspace.trace[at];
            LayerRanges& range = ranges_.layers[at];
            record(workspace, trace.kernel_output, chunk, range.kernel_output);
            record(workspace, trace.activation, chunk, range.activation);
            record(workspace, trace.mixing, chunk, range.mixing);
            record(workspace, workspace.stream[at + 1], chunk, range.output);
            record_states(workspace, layer, chunk, range);
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
    void record(Workspace& workspace, const BlockBuffer& buffer, int chunk, float& range) const {
        Lanes largest = {};
        for (int block = chunk * kChunkBlocks; block < chunk * kChunkBlocks + workspace.chunk_blocks(chunk); ++block) {
            for (int step = 0; step < kBlockSteps; ++step) {
                const Lanes present = workspace.present(block * kBlockSteps + step);
                for (int channel = 0; channel < buffer.channels(); ++channel) {
                    const Lanes value = load_lanes(buffer.block(block) + channel * kBlockWidth + step * kLaneWidth);
                    largest = maximum(largest, magnitude(value) * present);
                }
            }
        }
        range = std::max(range, lane_maximum(largest));
    }

    void record_states(Workspace& workspace, int layer, int chunk, LayerRanges& range) const {
        const int modes = network_.config.modes();
        const BlockBuffer& input = workspace.stream[static_cast<std::size_t>(layer)];
        const int blocks = workspace.chunk_blocks(chunk);
        const int steps = std::min(blocks * kBlockSteps, workspace.steps - chunk * kChunkBlocks * kBlockSteps);
        float* states = workspace.scratch_states.data();
        for (int head = 0; head < network_.config.heads; ++head) {
            const DiscreteKernel kernel = discretize(parameters_.layers[static_cast<std::size_t>(layer)], head);
            for (int mode = 0; mode < modes; ++mode) {
                scan_states(kernel_view(network_, layer, head), mode, 1,
                            input.block(chunk * kChunkBlocks) + head * kBlockWidth, input.stride(), blocks,
                            workspace.states(layer, chunk, head), states);
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
                }
                const float gain = static_cast<float>(std::abs(kernel.bbar[static_cast<std::size_t>(mode)]));
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
    int lanes_ = kLaneWidth;
};

}  // namespace

CalibrationRanges calibrate(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data,
                            int sequences) {
    CalibrationRanges ranges = zero_ranges(config);
    const EffectiveNetwork network = effective_float_network(config, parameters, data.steps);
    Workspace workspace(config, data.steps, Workspace::Purpose::float_training);
    RangeRecorder recorder(network, parameters, ranges);
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
            const float largest =
                recorder.lane_maximum(magnitude(load_lanes(workspace.pooled.data() + head * kLaneWidth)));
            ranges.pooled = std::max(ranges.pooled, largest);
        }
        for (int output = 0; output < config.classes; ++output) {
            const float largest =
                recorder.lane_maximum(magnitude(load_lanes(workspace.logits.data() + output * kLaneWidth)));
            ranges.logits = std::max(ranges.logits, largest);
        }
    }
    return ranges;
}

}  // namespace imssa
