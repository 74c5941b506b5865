#include "trainer/training_run.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "models/common/config.h"
#include "models/common/error.h"
#include "models/common/file_output.h"
#include "trainer/calibration.h"
#include "trainer/fake_paper_figures.h"
#include "trainer/initialize.h"
#include "trainer/interrupt.h"
#include "trainer/phase_trainer.h"
#include "trainer/progress.h"
#include "trainer/run_checks.h"
#include "trainer/stored_run.h"

namespace imssa {

namespace {

void make_folder(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error || !std::filesystem::is_directory(folder)) {
        throw UserError("cannot make the output folder '" + folder + "'" + (error ? ": " + error.message() : ""));
    }
}

void write_csv(const TrainingOptions& options, const std::vector<EpochMetrics>& history) {
    const std::filesystem::path path = std::filesystem::path(options.out_folder) / (options.config.name + ".csv");
    std::string text =
        "phase,epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,gradient_norm,wall_s,cpu_s\n";
    for (const EpochMetrics& row : history) {
        char line[256];
        std::snprintf(line, sizeof(line), "%s,%d,%.6f,%.6f,%.6f,%.6f,%.6g,%.4f,%.2f,%.2f\n", phase_name(row.phase),
                      row.epoch, row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy,
                      row.learning_rate, row.gradient_norm, row.wall_s, row.cpu_s);
        text += line;
    }
    write_file_atomically(path.string(), text);
}

class Run {
public:
    explicit Run(const TrainingOptions& options)
        : options_(options),
          progress_(stdout, options.quiet),
          train_(load_dataset(options.config.data, Split::kTrain, options.data_folder)),
          test_(load_dataset(options.config.data, Split::kTest, options.data_folder)) {}

    TrainingOutcome execute() {
        const auto wall_start = std::chrono::steady_clock::now();
        std::optional<Checkpoint> stored = options_.resume ? stored_checkpoint(options_) : std::nullopt;
        Checkpoint checkpoint = stored ? std::move(*stored) : fresh_checkpoint();
        if (options_.resume) {
            progress_.message(stored ? "going on after " + std::string(phase_name(checkpoint.phase)) + " epoch " +
                                           std::to_string(checkpoint.epochs_done)
                                     : "nothing to resume in '" + options_.out_folder + "': starting anew");
        }
        if (stored) {
            write_csv(options_, checkpoint.history);  // a kill may have come between the checkpoint and its row
        }
        TrainingOutcome outcome;
        outcome.test_sequences = test_.count();
        for (int phase = checkpoint.phase; phase < kPhases && outcome.interrupted_by == 0; ++phase) {
            if (phase != checkpoint.phase) {
                checkpoint.phase = phase;
                checkpoint.epochs_done = 0;
                checkpoint.optimizer.reset();
                checkpoint.ranges.reset();
                checkpoint.bounds.reset();
            }
            if (checkpoint.epochs_done < phase_config(options_.config, phase).epochs) {
                outcome.interrupted_by = run_phase(checkpoint);
            }
            if (checkpoint.epochs_done > 0) {
                outcome.checkpoints.push_back(checkpoint_path(options_, phase));
            }
        }
        outcome.history = checkpoint.history;
        if (outcome.interrupted_by == 0 &&
            phase_config(options_.config, checkpoint.phase).precision == Precision::fake_quantized) {
            report_paper_metrics(checkpoint);
        }
        char text[80];
        std::snprintf(text, sizeof(text), "%.1f s in all (%.1f s CPU)",
                      std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_start).count(),
                      process_cpu_seconds());
        progress_.message(text);
        return outcome;
    }

private:
    /// A phase calibrates anew, whatever ranges the checkpoint of --init has.
    Checkpoint fresh_checkpoint() const {
        Checkpoint checkpoint = initial_checkpoint(options_, train_.steps);
        checkpoint.ranges.reset();
        checkpoint.bounds.reset();
        check_exact_sums(options_.config, checkpoint.parameters);
        return checkpoint;
    }

    /// Number of the signal that stopped it, 0 when the phase is complete.
    int run_phase(Checkpoint& checkpoint) {
        const std::string path = checkpoint_path(options_, checkpoint.phase);
        PhaseTrainer trainer(checkpoint, train_, test_, options_.threads);
        if (phase_config(options_.config, checkpoint.phase).mode == EvaluationMode::automatic) {
            const bool convolution = trainer.mode() == EvaluationMode::convolution;
            progress_.message(std::string("mode automatic: ") + (convolution ? "convolution" : "recurrent"));
        }
        if (phase_config(options_.config, checkpoint.phase).precision != Precision::in_float &&
            checkpoint.epochs_done == 0) {
            char text[80];
            std::snprintf(text, sizeof(text), "quantized without fine-tuning: test %.2f %%",
                          100.0 * trainer.test().accuracy());
            progress_.message(text);
        }
        while (!trainer.done()) {
            if (!trainer.run_epoch(progress_)) {
                const std::string kept = checkpoint.history.empty() ? std::string("no epoch was complete")
                                                                    : "the last complete epoch is kept";
                progress_.message("interrupted; " + kept + "; run the same command with --resume to go on");
                return InterruptGuard::signal_number();
            }
            if (trainer.done()) {
                prune_phase(checkpoint, trainer);
                finish_phase(checkpoint);
            }
            save_checkpoint(checkpoint, path);
            write_csv(options_, checkpoint.history);
        }
        if (trainer.pulled_poles() > 0) {
            char text[120];
            std::snprintf(text, sizeof(text), "poles were pulled back to |Abar| = %g %lld times in all", kLargestPole,
                          static_cast<long long>(trainer.pulled_poles()));
            progress_.message(text);
        }
        progress_.message("wrote " + path);
        return 0;
    }

    /// Greedy pruning at the end of a phase, and what pruning has left.
    void prune_phase(Checkpoint& checkpoint, PhaseTrainer& trainer) {
        const PruningConfig& pruning = phase_config(options_.config, checkpoint.phase).pruning;
        if (pruning.method == PruningMethod::off) {
            return;
        }
        if (pruning.method == PruningMethod::greedy) {
            const double validation =
                trainer.prune(load_dataset(options_.config.data, Split::kValidation, options_.data_folder));
            EpochMetrics& last = checkpoint.history.back();
            const BatchLoss test = trainer.test();
            last.test_loss = test.mean_loss();
            last.test_accuracy = test.accuracy();
            char text[120];
            std::snprintf(text, sizeof(text), "greedy pruning: validation %.2f %%, test %.2f %%", 100.0 * validation,
                          100.0 * last.test_accuracy);
            progress_.message(text);
        }
        const PruningCount count = count_pruned(checkpoint.parameters);
        char text[200];
        std::snprintf(text, sizeof(text), "pruned: %d of %d kernels, %d of %d modes, %d of %d linear weights",
                      count.pruned_kernels, count.kernels, count.pruned_modes, count.modes, count.pruned_weights,
                      count.weights);
        progress_.message(text);
    }

    /// No chip has these quantizers: what they cost is in the papers' metrics only.
    void report_paper_metrics(const Checkpoint& checkpoint) {
        const TrainConfig& config = options_.config;
        for (const std::string& line :
             fake_paper_report(config.model, checkpoint.parameters, config.fake_quantization)) {
            progress_.message(line);
        }
    }

    /// A complete phase needs no moments; ranges make a float checkpoint deployable.
    void finish_phase(Checkpoint& checkpoint) const {
        checkpoint.optimizer.reset();
        const PhaseConfig& phase = phase_config(options_.config, checkpoint.phase);
        if (phase.precision == Precision::in_float) {
            checkpoint.ranges = calibrate(options_.config.model, checkpoint.parameters, train_,
                                          phase.calibration_sequences, phase.ranges);
        }
    }

    const TrainingOptions& options_;
    ProgressReport progress_;
    Dataset train_, test_;
};

}  // namespace

Checkpoint initial_checkpoint(const TrainingOptions& options, int steps) {
    Checkpoint checkpoint;
    checkpoint.config = options.config;
    checkpoint.steps = steps;
    if (!options.init) {
        if (options.config.model.norm == Norm::batch && options.config.training.epochs == 0 &&
            options.config.finetune.precision != Precision::in_float) {
            throw UserError(
                "model.norm 'batch' collects its running statistics in float: give a float [training] phase, or the "
                "checkpoint of one with --init");
        }
        checkpoint.parameters =
            initialize_parameters(options.config.model, options.config.seed, options.config.initialization);
        return checkpoint;
    }
    Checkpoint from = load_checkpoint(*options.init);
    const auto shape = [](const TrainConfig& config) {
        nlohmann::ordered_json model = config_to_json(config.model);
        model.erase("dt_min");  // they only matter for initial parameters
        model.erase("dt_max");
        return model.dump();
    };
    if (shape(from.config) != shape(options.config)) {
        throw UserError("checkpoint '" + *options.init + "' holds the model " + shape(from.config) +
                        ", the configuration asks for " + shape(options.config) + "; make [model] equal");
    }
    checkpoint.init_checksum = parameters_checksum(from.parameters);
    checkpoint.parameters = std::move(from.parameters);
    checkpoint.ranges = std::move(from.ranges);
    checkpoint.bounds = std::move(from.bounds);
    return checkpoint;
}

TrainingOutcome run_training(const TrainingOptions& options) {
    check_run(options.config);
    make_folder(options.out_folder);
    const InterruptGuard guard;
    Run run(options);
    return run.execute();
}

}  // namespace imssa
