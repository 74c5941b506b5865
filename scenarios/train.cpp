#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <thread>

#include "models/common/config.h"
#include "models/common/error.h"
#include "models/common/file_output.h"
#include "scenarios/support/command_line.h"
#include "trainer/mode_comparison.h"
#include "trainer/post_training.h"
#include "trainer/training_run.h"

namespace {

constexpr const char* kDescription =
    "Trains an S4D classifier and writes checkpoints that infer, inspect and platform read.\n"
    "A configuration has up to two phases: [training], usually in float, and [finetune], usually quantized: it runs on "
    "the integer\n"
    "codes of the chip with a straight-through gradient. Each phase writes a checkpoint after every epoch.";

constexpr const char* kFooter =
    "examples:\n"
    "  train --config scenarios/glyphs_small.toml --out /tmp/glyphs           a data set that needs no files\n"
    "  train --config scenarios/smnist_small.toml --data DIR --out runs/a     sequential MNIST, float then 8 bits\n"
    "  train --config scenarios/smnist_small.toml --out runs/a --resume       goes on after an interruption, to the "
    "same bits\n"
    "  train --config scenarios/smnist_small.toml --set training.epochs=0 --init "
    "scenarios/checkpoints/smnist_small_float.h5 \\\n"
    "        --set quantization.weight_bits=4 --out runs/w4                   fine-tunes a float model to 4-bit "
    "weights\n"
    "exit status: 0 done, 2 a mistake in what was given (one line says which), 128 + signal when interrupted";

nlohmann::ordered_json result_json(const imssa::TrainingOptions& options, const imssa::TrainingOutcome& outcome) {
    nlohmann::ordered_json json;
    json["format"] = "imssa-train";
    json["version"] = IMSSA_VERSION;
    json["seed"] = options.config.seed;
    json["config"] = imssa::config_to_json(options.config);
    json["sequences"] = outcome.test_sequences;
    json["accuracy"] = outcome.history.empty() ? 0.0 : outcome.history.back().test_accuracy;
    json["complete"] = outcome.interrupted_by == 0;
    json["checkpoints"] = outcome.checkpoints;
    json["history"] = nlohmann::ordered_json::array();
    double wall = 0.0, cpu = 0.0;
    for (const imssa::EpochMetrics& row : outcome.history) {
        json["history"].push_back({{"phase", row.phase == 0 ? "training" : "finetune"},
                                   {"epoch", row.epoch},
                                   {"train_loss", row.train_loss},
                                   {"train_accuracy", row.train_accuracy},
                                   {"test_loss", row.test_loss},
                                   {"test_accuracy", row.test_accuracy},
                                   {"wall_s", row.wall_s},
                                   {"cpu_s", row.cpu_s}});
        wall += row.wall_s;
        cpu += row.cpu_s;
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    json["simulation"] = {{"wall_s", wall},
                          {"cpu_s", cpu},
                          {"threads", options.threads},
                          {"peak_memory_mb", static_cast<double>(usage.ru_maxrss) / 1024.0}};
    return json;
}

void print_mode_comparison(const std::vector<imssa::ModeComparisonRow>& rows) {
    std::printf("state      test accuracy, %%        kernel outputs, %% of their size in float        states\n");
    std::printf("bits  recurrent  convolution  recurrent-float  convolution-float  rec.-conv.  recurrent-float\n");
    for (const imssa::ModeComparisonRow& row : rows) {
        std::printf("%4d %10.2f %12.2f %16.3g %18.3g %11.3g %16.3g\n", row.bits, 100.0 * row.recurrent_accuracy,
                    100.0 * row.convolution_accuracy, 100.0 * row.recurrent_error, 100.0 * row.convolution_error,
                    100.0 * row.divergence, 100.0 * row.state_error);
    }
}

/// --ptq, --noise-sweep and --compare-modes.
void run_without_training(const imssa::TrainingOptions& options, bool ptq, const std::string& sweep, int draws,
                          const std::string& state_bits) {
    if (!state_bits.empty()) {
        const std::vector<imssa::ModeComparisonRow> rows = imssa::compare_modes(options, imssa::parse_bits(state_bits));
        if (!options.quiet) {
            print_mode_comparison(rows);
        }
    }
    if (ptq) {
        const imssa::PostTrainingOutcome outcome = imssa::quantize_after_training(options);
        if (!options.quiet) {
            std::printf("float %.2f %%, quantized without training %.2f %% of %d test sequences\nwrote %s\n",
                        100.0 * outcome.float_accuracy, 100.0 * outcome.quantized_accuracy, outcome.test_sequences,
                        outcome.checkpoint.c_str());
        }
    }
    if (!sweep.empty()) {
        const imssa::NoiseSweepRequest request = imssa::parse_noise_sweep(sweep, draws);
        const std::vector<imssa::NoiseSweepRow> rows = imssa::sweep_noise(options, request);
        if (!options.quiet) {
            std::printf("%12s %10s %10s %10s   %% of the test split, %d draws\n", request.key.c_str(), "mean", "lowest",
                        "highest", request.draws);
            for (const imssa::NoiseSweepRow& row : rows) {
                std::printf("%12g %10.2f %10.2f %10.2f\n", row.value, 100.0 * row.mean, 100.0 * row.low,
                            100.0 * row.high);
            }
        }
    }
}

int run(int argc, char** argv) {
    CLI::App app{kDescription, "train"};
    app.footer(kFooter);
    app.set_version_flag("--version", std::string("train (imssa) ") + IMSSA_VERSION);
    imssa::TrainingOptions options;
    std::string config_path, json_path, data_folder, init;
    std::vector<std::string> overrides;
    std::uint64_t seed = 0;
    app.add_option("--config", config_path, "TOML file with [data], [model], [training], [finetune], [quantization]")
        ->required()
        ->type_name("FILE.toml");
    app.add_option("--set", overrides, "override one key, e.g. --set training.epochs=3 (repeatable)")
        ->type_name("KEY=VALUE")
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--data", data_folder, "folder of the data sets (default: $IMSSA_DATA, then ../shared/data)")
        ->type_name("DIR");
    app.add_option("--out", options.out_folder, "folder for checkpoints and the CSV log")
        ->type_name("DIR")
        ->capture_default_str();
    CLI::Option* seed_option =
        app.add_option("--seed", seed, "seed of initial weights, shuffling and dither; overrides the configuration's")
            ->check(imssa::whole_number());
    options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    app.add_option("--threads", options.threads, "worker threads; results do not depend on it")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_flag("--resume", options.resume,
                 "go on from the checkpoints in --out, to the same bits as without an interruption");
    app.add_option("--init", init, "start from the parameters of this checkpoint (fine-tuning)")
        ->type_name("CHECKPOINT");
    app.add_option("--json", json_path, "write configuration, accuracy and history to this file")->type_name("FILE");
    app.add_flag("--quiet", options.quiet, "print nothing but errors");
    bool ptq = false;
    std::string sweep, state_bits;
    int draws = 5;
    app.add_flag("--ptq", ptq,
                 "quantize the checkpoint of --init without training, in the precision of [finetune]: calibrate, "
                 "measure, write NAME_ptq.h5 (key post_training)");
    app.add_option("--noise-sweep", sweep, "test accuracy of --init under errors, e.g. cell_errors=0,0.5,1,2")
        ->type_name("KEY=V,V");
    app.add_option("--draws", draws, "draws of each error of --noise-sweep")->capture_default_str();
    app.add_option("--compare-modes", state_bits,
                   "recurrent against indirect (convolution) state quantization of --init, e.g. 2,4,8")
        ->type_name("BITS,BITS");
    int interrupted_by = 0;
    const int status = imssa::run_command(app, argc, argv, [&] {
        imssa::ConfigReader reader = imssa::ConfigReader::from_file(config_path, overrides);
        reader.read(options.config);
        reader.reject_unknown_keys();
        options.config.complete();
        if (seed_option->count() > 0) {
            options.config.seed = seed;
        }
        if (!data_folder.empty()) {
            options.data_folder = data_folder;
        }
        if (!init.empty()) {
            options.init = init;
        }
        ptq = ptq || (options.config.post_training && sweep.empty() && state_bits.empty());
        const bool trains_first = options.config.post_training && !options.init && options.config.training.epochs > 0;
        if (!trains_first && (ptq || !sweep.empty() || !state_bits.empty())) {
            run_without_training(options, ptq, sweep, draws, state_bits);
            return;
        }
        if (!json_path.empty()) {
            imssa::check_output_file(json_path);
        }
        const imssa::TrainingOutcome outcome = imssa::run_training(options);
        if (!json_path.empty()) {
            imssa::write_file_atomically(json_path, result_json(options, outcome).dump(2) + "\n");
        }
        interrupted_by = outcome.interrupted_by;
        if (trains_first && interrupted_by == 0) {
            options.init = outcome.checkpoints.back();
            run_without_training(options, true, sweep, draws, state_bits);
        }
    });
    return status == 0 && interrupted_by != 0 ? 128 + interrupted_by : status;
}

}  // namespace

int main(int argc, char** argv) {
    return run(argc, argv);
}
