#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "models/common/config.h"
#include "models/common/error.h"
#include "models/common/file_output.h"
#include "scenarios/support/command_line.h"
#include "scenarios/support/evaluations.h"
#include "trainer/mode_comparison.h"
#include "trainer/run_checks.h"
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

nlohmann::ordered_json json_head(const imssa::TrainingOptions& options) {
    nlohmann::ordered_json json;
    json["format"] = "imssa-train";
    json["version"] = IMSSA_VERSION;
    json["seed"] = options.config.seed;
    json["config"] = imssa::config_to_json(options.config);
    return json;
}

double peak_memory_mb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

nlohmann::ordered_json result_json(const imssa::TrainingOptions& options, const imssa::TrainingOutcome& outcome) {
    nlohmann::ordered_json json = json_head(options);
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
    json["simulation"] = {
        {"wall_s", wall}, {"cpu_s", cpu}, {"threads", options.threads}, {"peak_memory_mb", peak_memory_mb()}};
    return json;
}

/// Of a model that was not trained any further.
nlohmann::ordered_json evaluation_json(const imssa::TrainingOptions& options, const nlohmann::ordered_json& results) {
    nlohmann::ordered_json json = json_head(options);
    if (results.contains("post_training")) {
        json["sequences"] = results.at("post_training").at("sequences");
        json["accuracy"] = results.at("post_training").at("accuracy");
        json["checkpoints"] = {results.at("post_training").at("checkpoint")};
    }
    json.update(results);
    json["simulation"] = {{"threads", options.threads}, {"peak_memory_mb", peak_memory_mb()}};
    return json;
}

/// Throws UserError where --json names a file that the run writes otherwise.
void check_json_file(const imssa::TrainingOptions& options, const std::string& json_path) {
    imssa::check_output_file(json_path);
    const std::filesystem::path folder(options.out_folder);
    const imssa::TrainConfig& config = options.config;
    for (const std::string& name :
         {config.training.checkpoint, config.finetune.checkpoint, config.name + ".csv", config.name + "_ptq.h5",
          config.name + "_noise_sweep.csv", config.name + "_modes.csv"}) {
        if (std::filesystem::weakly_canonical(json_path) == std::filesystem::weakly_canonical(folder / name)) {
            throw imssa::UserError("--json '" + json_path + "' is a file of the run itself; give another name");
        }
    }
}

/// Trains, measures, or both; returns the number of the signal that interrupted it, else 0.
int train_and_evaluate(imssa::TrainingOptions& options, const imssa::Evaluations& evaluations, bool evaluates_only,
                       const std::string& json_path) {
    if (evaluates_only && options.resume) {
        throw imssa::UserError(
            "--resume goes on with training, and a quantization or measurement of --init trains nothing: leave it out");
    }
    imssa::check_evaluations(options.config, evaluations);
    if (!json_path.empty()) {
        check_json_file(options, json_path);
    }
    nlohmann::ordered_json json;
    int interrupted_by = 0;
    if (evaluates_only) {
        json = evaluation_json(options, imssa::evaluate(options, evaluations));
    } else {
        const imssa::TrainingOutcome outcome = imssa::run_training(options);
        interrupted_by = outcome.interrupted_by;
        json = result_json(options, outcome);
        if (interrupted_by == 0 && evaluations.any()) {
            options.init = outcome.checkpoints.back();
            json.update(imssa::evaluate(options, evaluations));
        }
    }
    if (!json_path.empty()) {
        imssa::write_file_atomically(json_path, json.dump(2) + "\n");
    }
    return interrupted_by;
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
    std::vector<std::string> sweeps;
    std::string state_bits;
    int draws = imssa::EvaluationConfig{}.draws;
    app.add_flag("--ptq", ptq,
                 "quantize the checkpoint of --init without training, in the precision of [finetune]: calibrate, "
                 "measure, write NAME_ptq.h5 (key post_training)");
    app.add_option("--noise-sweep", sweeps,
                   "test accuracy of --init under errors, e.g. cell_errors=0,0.5,1,2 (repeatable; key "
                   "evaluation.noise_sweep)")
        ->type_name("KEY=V,V")
        ->take_all()
        ->allow_extra_args(false);
    CLI::Option* draws_option =
        app.add_option("--draws", draws, "draws of each error of --noise-sweep (key evaluation.draws)")
            ->capture_default_str();
    app.add_option("--compare-modes", state_bits,
                   "recurrent against indirect (convolution) state quantization of --init, e.g. 2,4,8 (key "
                   "evaluation.compare_modes)")
        ->type_name("BITS,BITS");
    int interrupted_by = 0;
    const int status = imssa::run_command(app, argc, argv, [&] {
        imssa::ConfigReader reader = imssa::ConfigReader::from_file(config_path, overrides);
        imssa::Evaluations evaluations;
        reader.read(options.config);
        reader.read("evaluation", evaluations.measured);
        reader.reject_unknown_keys();
        imssa::check_given_groups(reader);
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
        const bool asked_by_flag = ptq || !sweeps.empty() || !state_bits.empty();
        if (!sweeps.empty()) {
            evaluations.measured.noise_sweep = sweeps;
        }
        if (!state_bits.empty()) {
            evaluations.measured.compare_modes = imssa::parse_bits(state_bits);
        }
        if (draws_option->count() > 0) {
            evaluations.measured.draws = draws;
        }
        if (draws_option->count() > 0 && evaluations.measured.noise_sweep.empty()) {
            throw imssa::UserError("--draws is of a noise sweep: give --noise-sweep KEY=V,V too");
        }
        const imssa::TrainConfig& config = options.config;
        evaluations.quantize = ptq || (config.post_training && sweeps.empty() && state_bits.empty());
        // Keys evaluate what the run has trained; flags are for a model that there is.
        const bool trains_first = !options.init && config.training.epochs + config.finetune.epochs > 0 &&
                                  (!asked_by_flag || config.post_training);
        if (!asked_by_flag && evaluations.any() && options.init && !options.quiet) {
            std::printf("post_training and [evaluation] take the model of --init as it is: nothing is trained\n");
        }
        interrupted_by = train_and_evaluate(options, evaluations, evaluations.any() && !trains_first, json_path);
    });
    return status == 0 && interrupted_by != 0 ? 128 + interrupted_by : status;
}

}  // namespace

int main(int argc, char** argv) {
    return run(argc, argv);
}
