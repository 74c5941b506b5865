#include "trainer/mode_comparison.h"

#include <array>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "models/common/error.h"
#include "models/common/file_output.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"

namespace imssa {

namespace {

/// Sums of squares over the valid lanes.
struct Squares {
    double sum = 0.0;

    void add(Lanes value, int lanes) {
        for (int lane = 0; lane < lanes; ++lane) {
            sum += static_cast<double>(value[lane]) * value[lane];
        }
    }
};

struct LayerSquares {
    Squares y, recurrent, convolution, divergence, state, state_error;
};

/// Kernel outputs of the layers of one group of sequences in float, recurrent and as a convolution.
class Probe {
public:
    Probe(const FakeNetwork& in_float, const FakeNetwork& recurrent, const FakeNetwork& convolution)
        : float_pass_(in_float, {}),
          recurrent_pass_(recurrent, {}),
          convolution_(convolution),
          model_(in_float.effective.config),
          workspace_(model_, in_float.effective.steps, Workspace::Purpose::fake_training),
          u_(model_.heads, workspace_.blocks),
          y_float_(model_.heads, workspace_.blocks),
          y_recurrent_(model_.heads, workspace_.blocks),
          y_convolution_(model_.heads, workspace_.blocks),
          input_(model_.heads, workspace_.blocks),
          zero_state_(static_cast<std::size_t>(model_.modes()) * 2 * kLaneWidth),
          states_float_(state_size()),
          states_recurrent_(state_size()),
          layers_(static_cast<std::size_t>(model_.layers)) {}

    void add(const float* const* sequences, int lanes) {
        workspace_.load_inputs(sequences, lanes);
        float_pass_.forward(LanesUint{}, LanesUint{}, workspace_);
        for (int layer = 0; layer < model_.layers; ++layer) {
            add_layer(layer, lanes);
        }
    }

    void finish(ModeComparisonRow& row) const {
        const double count = static_cast<double>(layers_.size());
        for (const LayerSquares& layer : layers_) {
            row.recurrent_error += std::sqrt(layer.recurrent.sum / layer.y.sum) / count;
            row.convolution_error += std::sqrt(layer.convolution.sum / layer.y.sum) / count;
            row.divergence += std::sqrt(layer.divergence.sum / layer.y.sum) / count;
            row.state_error += std::sqrt(layer.state_error.sum / layer.state.sum) / count;
        }
    }

private:
    std::size_t state_size() const {
        return static_cast<std::size_t>(workspace_.blocks * kBlockSteps + 1) * model_.modes() * 2 * kLaneWidth;
    }

    void add_layer(int layer, int lanes) {
        LayerSquares& squares = layers_[static_cast<std::size_t>(layer)];
        const FakeLayerGrids& grids = convolution_.layers[static_cast<std::size_t>(layer)];
        const int blocks = workspace_.blocks;
        for (int block = 0; block < blocks; ++block) {
            float_pass_.restore_stream(LanesUint{}, LanesUint{}, workspace_, layer, block);
            const float* stream = workspace_.stream(layer).block(block);
            std::copy_n(stream, model_.heads * kBlockWidth, u_.block(block));
            for (int at = 0; at < model_.heads * kBlockWidth; ++at) {
                const float value = stream[at];
                input_.block(block)[at] = grids.input.gain == 0.0F ? value : grids.input.quantize(value);
            }
        }
        for (int head = 0; head < model_.heads; ++head) {
            const int offset = head * kBlockWidth;
            const auto scan = [&](const FakePass& pass, BlockBuffer& y, AlignedArray<float>& states) {
                ScanRequest request;
                request.layer = layer;
                request.head = head;
                request.modes = model_.modes();
                request.u = u_.block(0) + offset;
                request.y = y.block(0) + offset;
                request.stride = u_.stride();
                request.blocks = blocks;
                request.state_in = zero_state_.data();
                request.states = {states.data()};
                pass.scan(request);
            };
            scan(float_pass_, y_float_, states_float_);
            scan(recurrent_pass_, y_recurrent_, states_recurrent_);
            put_in_numbers(layer, head);
            convolve(grids.responses.head(head), input_.block(0) + offset, input_.stride(), 0, blocks,
                     y_convolution_.block(0) + offset, y_convolution_.stride());
            add_outputs(layer, head, lanes, squares);
            add_states(lanes, squares);
        }
    }

    /// From units of their grids to those of the states in float.
    void put_in_numbers(int layer, int head) {
        const ModeScan* scans = recurrent_pass_.network().scans_of(layer, head);
        const std::size_t row = static_cast<std::size_t>(model_.modes()) * 2 * kLaneWidth;
        for (std::size_t at = 0; at < states_recurrent_.size(); ++at) {
            states_recurrent_.data()[at] *= scans[at % row / (2 * kLaneWidth)].inverse;
        }
    }

    void add_outputs(int layer, int head, int lanes, LayerSquares& squares) {
        const EffectiveLayerTensors& tensors = convolution_.effective.tensors.layers[static_cast<std::size_t>(layer)];
        const Lanes d = broadcast(tensors.d[static_cast<std::size_t>(head)]);
        for (int step = 0; step < workspace_.steps; ++step) {
            const int block = step / kBlockSteps;
            const int at = head * kBlockWidth + step % kBlockSteps * kLaneWidth;
            const Lanes y = load_lanes(y_float_.block(block) + at);
            const Lanes recurrent = load_lanes(y_recurrent_.block(block) + at);
            const Lanes convolution =
                multiply_add(d, load_lanes(u_.block(block) + at), load_lanes(y_convolution_.block(block) + at));
            squares.y.add(y, lanes);
            squares.recurrent.add(recurrent - y, lanes);
            squares.convolution.add(convolution - y, lanes);
            squares.divergence.add(recurrent - convolution, lanes);
        }
    }

    void add_states(int lanes, LayerSquares& squares) {
        const std::size_t row = static_cast<std::size_t>(model_.modes()) * 2 * kLaneWidth;
        const std::size_t size = static_cast<std::size_t>(workspace_.steps) * row;
        for (std::size_t at = row; at < row + size; at += kLaneWidth) {
            const Lanes x = load_lanes(states_float_.data() + at);
            squares.state.add(x, lanes);
            squares.state_error.add(load_lanes(states_recurrent_.data() + at) - x, lanes);
        }
    }

    FakePass float_pass_, recurrent_pass_;
    const FakeNetwork& convolution_;
    ModelConfig model_;
    Workspace workspace_;
    BlockBuffer u_, y_float_, y_recurrent_, y_convolution_, input_;
    AlignedArray<float> zero_state_, states_float_, states_recurrent_;
    std::vector<LayerSquares> layers_;
};

double accuracy(GradientEngine& engine, const StepNetwork& network, const Dataset& data, std::uint64_t seed) {
    const BatchLoss result = engine.evaluate(network, data, seed);
    return static_cast<double>(result.correct) / result.sequences;
}

void write_rows(const std::string& path, const std::vector<ModeComparisonRow>& rows) {
    std::ostringstream file;
    file << "bits,recurrent_accuracy,convolution_accuracy,recurrent_error,convolution_error,divergence,state_error\n";
    for (const ModeComparisonRow& row : rows) {
        file << row.bits << ',' << row.recurrent_accuracy << ',' << row.convolution_accuracy << ','
             << row.recurrent_error << ',' << row.convolution_error << ',' << row.divergence << ',' << row.state_error
             << '\n';
    }
    write_file_atomically(path, file.str());
}

}  // namespace

std::vector<int> parse_bits(const std::string& text) {
    std::vector<int> bits;
    std::istringstream items(text);
    for (std::string item; std::getline(items, item, ',');) {
        const bool number = !item.empty() && item.size() <= 2 && item.find_first_not_of("0123456789") == item.npos;
        if (!number) {
            throw UserError("'" + item + "' in '" + text + "' is no number of bits; give them as in 2,4,8");
        }
        bits.push_back(std::stoi(item));
    }
    if (bits.empty()) {
        throw UserError("no bits to compare modes with; give them as in 2,4,8");
    }
    return bits;
}

void check_mode_comparison(const TrainConfig& config, const std::vector<int>& bits) {
    if (!config.fake_quantization.state.active()) {
        throw UserError(
            "a comparison of modes quantizes states: set fake_quantization.state.quantizer to 'max_scale' or "
            "'symmetric'");
    }
    FakeQuantization quantization = config.fake_quantization;
    for (const int own : bits) {
        quantization.state.bits = own;
        quantization.state.validate();
        check_convolution(quantization);
    }
}

std::vector<ModeComparisonRow> compare_modes(const TrainingOptions& options, const std::vector<int>& bits,
                                             int probed_sequences) {
    const TrainConfig& config = options.config;
    if (!options.init) {
        throw UserError("a comparison of modes needs the checkpoint of a trained model: give --init CHECKPOINT");
    }
    check_mode_comparison(config, bits);
    FakeQuantization quantization = config.fake_quantization;
    quantization.state.bits = bits.back();
    const std::string path = (std::filesystem::path(options.out_folder) / (config.name + "_modes.csv")).string();
    check_output_file(path);
    const Dataset test = load_dataset(config.data, Split::kTest, options.data_folder);
    Checkpoint checkpoint = initial_checkpoint(options, test.steps);
    const Dataset train = load_dataset(config.data, Split::kTrain, options.data_folder);
    const CalibrationRanges ranges =
        calibrate(config.model, checkpoint.parameters, train, config.finetune.calibration_sequences);
    std::optional<ObservedBounds> bounds;
    if (needs_bounds(quantization)) {
        bounds = calibrate_bounds(config.model, checkpoint.parameters, quantization, train,
                                  config.finetune.calibration_sequences);
    }
    GradientEngine recurrent(config.model, test.steps, false, options.threads, true);
    GradientEngine convolution(config.model, test.steps, false, options.threads, true, EvaluationMode::convolution);
    const auto network = [&](int own, EvaluationMode mode) {
        FakeQuantization one = quantization;
        one.state.quantizer = own == 0 ? Quantizer::off : one.state.quantizer;
        one.state.bits = own;
        return StepNetwork::fake_quantized(fake_network(config.model, checkpoint.parameters, ranges, one, test.steps,
                                                        config.seed, 0.0, mode, bounds ? &*bounds : nullptr));
    };
    const StepNetwork in_float = network(0, EvaluationMode::recurrent);
    std::vector<ModeComparisonRow> rows;
    for (const int own : bits) {
        ModeComparisonRow row;
        row.bits = own;
        const StepNetwork scanned = network(own, EvaluationMode::recurrent);
        const StepNetwork convolved = network(own, EvaluationMode::convolution);
        Probe probe(*in_float.fake(), *scanned.fake(), *convolved.fake());
        const int count = std::min(probed_sequences, test.count());
        for (int first = 0; first < count; first += kLaneWidth) {
            std::array<const float*, kLaneWidth> sequences{};
            const int lanes = std::min(kLaneWidth, count - first);
            for (int lane = 0; lane < lanes; ++lane) {
                sequences[static_cast<std::size_t>(lane)] = test.sequence(first + lane);
            }
            probe.add(sequences.data(), lanes);
        }
        probe.finish(row);
        row.recurrent_accuracy = accuracy(recurrent, scanned, test, config.seed);
        row.convolution_accuracy = accuracy(convolution, convolved, test, config.seed);
        rows.push_back(row);
    }
    write_rows(path, rows);
    return rows;
}

}  // namespace imssa
