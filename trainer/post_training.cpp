#include "trainer/post_training.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "models/common/error.h"
#include "models/common/file_output.h"
#include "trainer/calibration.h"
#include "trainer/phase_trainer.h"
#include "trainer/run_checks.h"

namespace imssa {

namespace {

double accuracy_of(GradientEngine& engine, const StepNetwork& network, const Dataset& data, std::uint64_t seed) {
    const BatchLoss result = engine.evaluate(network, data, seed);
    return static_cast<double>(result.correct) / result.sequences;
}

void require_init(const TrainingOptions& options, const char* what) {
    if (!options.init) {
        throw UserError(std::string(what) + " needs the checkpoint of a trained model: give --init CHECKPOINT");
    }
}

double& noise_field(NoiseConfig& noise, const std::string& key) {
    if (key == "continuous_a") {
        return noise.continuous_a;
    }
    if (key == "cell_errors") {
        return noise.cell_errors;
    }
    if (key == "activations") {
        return noise.activations;
    }
    if (key == "states") {
        return noise.states;
    }
    if (key == "input") {
        return noise.input;
    }
    throw UserError("noise sweep over '" + key +
                    "': the errors are continuous_a, cell_errors, activations, states and input");
}

/// The finetune phase with every strength of the error, checked like one of a configuration.
std::vector<PhaseConfig> sweep_points(const TrainConfig& config, const NoiseSweepRequest& request) {
    std::vector<PhaseConfig> points;
    for (const double value : request.values) {
        PhaseConfig phase = config.finetune;
        noise_field(phase.noise, request.key) = value;
        try {
            phase.noise.validate();
            phase.validate();
            check_noise(phase, config.quantization);
        } catch (const UserError& error) {
            std::ostringstream where;
            where << "noise sweep at " << request.key << '=' << value << ": ";
            throw UserError(where.str() + error.what());
        }
        points.push_back(std::move(phase));
    }
    return points;
}

}  // namespace

PostTrainingOutcome quantize_after_training(const TrainingOptions& options) {
    require_init(options, "post-training quantization");
    const TrainConfig& config = options.config;
    check_post_training(config);
    const Dataset train = load_dataset(config.data, Split::kTrain, options.data_folder);
    const Dataset test = load_dataset(config.data, Split::kTest, options.data_folder);
    Checkpoint checkpoint = initial_checkpoint(options, train.steps);
    checkpoint.ranges = calibrate(config.model, checkpoint.parameters, train, config.finetune.calibration_sequences,
                                  config.finetune.ranges);
    checkpoint.bounds.reset();
    PhaseConfig& phase = checkpoint.config.finetune;
    if (phase.precision == Precision::in_float) {
        phase.precision = Precision::quantized;
    }
    const bool fake = phase.precision == Precision::fake_quantized;
    if (fake && needs_bounds(config.fake_quantization)) {
        checkpoint.bounds = calibrate_bounds(config.model, checkpoint.parameters, config.fake_quantization, train,
                                             phase.calibration_sequences);
    }
    checkpoint.phase = 1;
    PostTrainingOutcome outcome;
    outcome.test_sequences = test.count();
    GradientEngine in_float(config.model, train.steps, false, options.threads);
    outcome.float_accuracy = accuracy_of(
        in_float, StepNetwork::in_float(config.model, checkpoint.parameters, train.steps), test, config.seed);
    PhaseConfig clean = definite_phase(phase, config.model, train.steps);
    clean.noise = {};
    clean.dropout = 0.0;
    GradientEngine quantized(config.model, train.steps, !fake, options.threads, fake, clean.mode);
    const TrainingStep step = draw_step(config, clean, checkpoint.parameters, &*checkpoint.ranges, train.steps, 0,
                                        config.seed, checkpoint.bounds ? &*checkpoint.bounds : nullptr);
    outcome.quantized_accuracy = accuracy_of(quantized, step.network, test, config.seed);
    std::filesystem::create_directories(options.out_folder);
    outcome.checkpoint = (std::filesystem::path(options.out_folder) / (config.name + "_ptq.h5")).string();
    save_checkpoint(checkpoint, outcome.checkpoint);
    return outcome;
}

NoiseSweepRequest parse_noise_sweep(const std::string& text, int draws) {
    NoiseSweepRequest request;
    request.draws = draws;
    const std::size_t equals = text.find('=');
    request.key = text.substr(0, equals);
    NoiseConfig known;
    noise_field(known, request.key);
    std::istringstream values(equals == std::string::npos ? "" : text.substr(equals + 1));
    for (std::string item; std::getline(values, item, ',');) {
        std::size_t used = 0;
        double value = -1.0;
        try {
            value = std::stod(item, &used);
        } catch (const std::exception&) {
            used = 0;
        }
        if (used == 0 || used != item.size() || !(value >= 0.0)) {
            throw UserError("noise sweep '" + text + "': '" + item + "' is no strength of an error");
        }
        request.values.push_back(value);
    }
    if (request.values.empty() || draws < 1) {
        throw UserError("noise sweep '" + text + "': give strengths and at least one draw, as in cell_errors=0,0.5,1");
    }
    return request;
}

void check_noise_sweep(const TrainConfig& config, const NoiseSweepRequest& request) {
    sweep_points(config, request);
}

std::vector<NoiseSweepRow> sweep_noise(const TrainingOptions& options, const NoiseSweepRequest& request) {
    require_init(options, "a noise sweep");
    const TrainConfig& config = options.config;
    const std::vector<PhaseConfig> points = sweep_points(config, request);
    const std::string path = (std::filesystem::path(options.out_folder) / (config.name + request.file_ending)).string();
    check_output_file(path);
    const Dataset test = load_dataset(config.data, Split::kTest, options.data_folder);
    const PhaseConfig phase = definite_phase(config.finetune, config.model, test.steps);
    Checkpoint checkpoint = initial_checkpoint(options, test.steps);
    if (phase.precision != Precision::in_float && !checkpoint.ranges) {
        const Dataset train = load_dataset(config.data, Split::kTrain, options.data_folder);
        checkpoint.ranges =
            calibrate(config.model, checkpoint.parameters, train, phase.calibration_sequences, phase.ranges);
    }
    if (phase.precision == Precision::fake_quantized && needs_bounds(config.fake_quantization) && !checkpoint.bounds) {
        const Dataset train = load_dataset(config.data, Split::kTrain, options.data_folder);
        checkpoint.bounds = calibrate_bounds(config.model, checkpoint.parameters, config.fake_quantization, train,
                                             phase.calibration_sequences);
    }
    GradientEngine engine(config.model, test.steps, phase.precision == Precision::quantized, options.threads,
                          phase.precision == Precision::fake_quantized, phase.mode);
    std::vector<NoiseSweepRow> rows;
    std::ostringstream text;
    text << request.key << ",mean_accuracy,lowest,highest,draws\n";
    for (std::size_t point = 0; point < points.size(); ++point) {
        PhaseConfig drawn = points[point];
        drawn.mode = phase.mode;
        NoiseSweepRow row{request.values[point], 0.0, 1.0, 0.0};
        const int draws = drawn.noise.any() ? request.draws : 1;
        for (int draw = 0; draw < draws; ++draw) {
            const TrainingStep step =
                draw_step(config, drawn, checkpoint.parameters, checkpoint.ranges ? &*checkpoint.ranges : nullptr,
                          test.steps, 0, static_cast<std::uint64_t>(config.seed) + static_cast<std::uint64_t>(draw),
                          checkpoint.bounds ? &*checkpoint.bounds : nullptr);
            const double accuracy = accuracy_of(engine, step.network, test, config.seed);
            row.mean += accuracy / draws;
            row.low = std::min(row.low, accuracy);
            row.high = std::max(row.high, accuracy);
        }
        rows.push_back(row);
        text << row.value << ',' << row.mean << ',' << row.low << ',' << row.high << ',' << draws << '\n';
    }
    write_file_atomically(path, text.str());
    return rows;
}

}  // namespace imssa
