// A checkpoint on a simulated chip, or on the exact reference inference: accuracy, latency, energy, area.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <systemc>

#include "models/chip/activity.h"
#include "models/chip/vcd_trace.h"
#include "models/common/config.h"
#include "models/common/error.h"
#include "models/common/file_output.h"
#include "models/cost/cost_table.h"
#include "scenarios/support/chip_job.h"
#include "scenarios/support/command_line.h"
#include "scenarios/support/energy_explanation.h"
#include "scenarios/support/pictures.h"
#include "scenarios/support/power_trace.h"
#include "scenarios/support/run_report.h"
#include "scenarios/support/run_setup.h"
#include "scenarios/support/work_progress.h"
#include "trainer/gradient_engine.h"

namespace {

using namespace imssa;

enum class Engine { chip, reference, in_float, estimate };

struct InferOptions {
    CommonOptions common;
    RunRequest request;
    ChipRunOptions run;
    Engine engine = Engine::chip;
    std::vector<std::string> explain;  ///< "energy", "area"
    std::string vcd;
    int vcd_sequence = 0;
    std::vector<std::string> power;  ///< power over time of the sequence that the waveform shows
    std::string activity;            ///< statistics for the estimate; empty: the defaults
    std::string write_activity;      ///< where to write those of the simulation
    VcdSelection vcd_selection;
};

constexpr const char* kDescription =
    "Runs a trained model on a simulated chip and reports accuracy, latency, energy and area.\n"
    "Every code of the chip - states, outputs, logits - is compared with the exact integer reference as it appears.";

constexpr const char* kFooter =
    "examples:\n"
    "  infer --checkpoint scenarios/checkpoints/smnist_small_8bit.h5 --chip scenarios/chips/ideal.toml --sequences "
    "100\n"
    "  infer ... --chip scenarios/chips/imssa_28nm.toml --chips 5 --out out/run --json out/run.json    five programmed "
    "chips\n"
    "  infer ... --chip scenarios/chips/imssa_28nm_fused.toml                                          the published "
    "mapping\n"
    "  infer ... --set device.programming_sigma_siemens=0 --set device.read_noise_relative=0.02        other errors\n"
    "  infer ... --sequences 1 --explain energy                                                        where each "
    "joule "
    "comes from\n"
    "  infer ... --sequences 1 --vcd wave.vcd && gtkwave wave.vcd traces/imssa.gtkw                    a waveform\n"
    "  infer ... --vcd wave.vcd --vcd-heads 0,5 --vcd-modes 0 --vcd-from 100 --vcd-to 120              part of it\n"
    "exit status: 0 done, 2 a mistake in what was given (one line says which)";

void write_pictures(const InferOptions& options, const RunSetup& setup, const RunReport& report,
                    const ChipRunOutcome& outcome) {
    const std::string folder = options.common.out + "/";
    create_output_folder(options.common.out);
    confusion_picture(
        folder + setup.chip.name + "_confusion.png",
        "Answers of the chip " + setup.chip.name + ", " + std::to_string(report.sequences) + " sequences",
        confusion_counts(outcome.chips.front().logits, setup.dataset.labels, setup.network.model.classes));
    std::vector<EnergyBar> bars;
    const std::array<EnergyTotal, kGroupCount> groups = energy_by_group(report.energy_rows);
    for (int group = 0; group < kGroupCount; ++group) {
        const EnergyTotal& total = groups[static_cast<std::size_t>(group)];
        bars.push_back({to_string(static_cast<ComponentGroup>(group)), total.energy_low_j / report.sequences,
                        total.energy_j / report.sequences, total.energy_high_j / report.sequences});
    }
    energy_picture(folder + setup.chip.name + "_energy.png", "Energy of one sequence on " + setup.chip.name, bars);
    if (!outcome.trajectory.chip.empty()) {
        trajectory_picture(
            folder + setup.chip.name + "_state.png",
            "State of layer 0, head 0, mode " + std::to_string(outcome.trajectory.mode) + " on " + setup.chip.name,
            outcome.trajectory.chip, outcome.trajectory.reference);
    }
}

void explain(const InferOptions& options, const RunSetup& setup, const RunReport& report) {
    for (const std::string& what : options.explain) {
        what == "energy" ? explain_energy(report, setup, stdout) : explain_area(report, stdout);
    }
}

void write_activity(const InferOptions& options, const RunSetup& setup, const ChipRunOutcome& outcome) {
    ActivityStatistics activity = measured_activity(outcome.ledger, setup.network, setup.chip, setup.dataset.count());
    activity.source = std::to_string(setup.dataset.count()) + " sequences of " + setup.dataset.name + " simulated on " +
                      setup.chip.name +
                      ": supply and device of the arrays that it reads; drives and shares are defaults";
    write_file_atomically(options.write_activity, activity_toml(activity));
}

void run_on_chip(InferOptions& options, const RunSetup& setup) {
    WorkProgress progress("simulating " + setup.chip.name, options.run.chips * setup.dataset.count(),
                          options.common.quiet);
    const ChipRunOutcome outcome = run_chips(setup, options.run, [&progress](int done) { progress.add(done); });
    progress.finish();
    const RunReport report = make_report(setup, options.run, outcome);
    if (!options.write_activity.empty()) {
        write_activity(options, setup, outcome);
    }
    if (!options.vcd.empty()) {
        const std::vector<float> logits =
            run_with_waveform(setup, options.run.seed, options.vcd_sequence, options.vcd, options.vcd_selection);
        if (logits != outcome.chips.front().logits[static_cast<std::size_t>(options.vcd_sequence)]) {
            throw std::logic_error("the traced sequence gave other logits than the same sequence without a trace");
        }
    }
    PowerTrace power;
    if (!options.power.empty()) {
        power = trace_power(setup, options.run.seed, options.vcd_sequence);
    }
    for (const std::string& file : options.power) {
        write_power(power, file);
    }
    if (!options.common.json.empty()) {
        write_file_atomically(options.common.json, report_json(report, setup).dump(2) + "\n");
    }
    if (!options.common.out.empty()) {
        write_pictures(options, setup, report, outcome);
    }
    if (!options.common.quiet) {
        print_report(report, setup, stdout);
        explain(options, setup, report);
        if (!options.vcd.empty()) {
            std::printf("waveform                %s (sequence %d; gtkwave %s %s)\n", options.vcd.c_str(),
                        options.vcd_sequence, options.vcd.c_str(), waveform_layout(setup.network, setup.chip).c_str());
        }
        if (!options.power.empty()) {
            print_power(power, options.power, options.vcd_sequence, report.seconds(report.interval_cycles), stdout);
        }
        if (!options.common.out.empty()) {
            std::printf("pictures                %s/%s_{confusion,energy%s}.png\n", options.common.out.c_str(),
                        setup.chip.name.c_str(), outcome.trajectory.chip.empty() ? "" : ",state");
        }
    }
}

void report_accuracy(const InferOptions& options, const RunSetup& setup, const char* engine, double accuracy) {
    if (!options.common.json.empty()) {
        nlohmann::ordered_json json = {{"format", "imssa-infer"},
                                       {"version", IMSSA_VERSION},
                                       {"engine", engine},
                                       {"seed", options.run.seed},
                                       {"config",
                                        {{"deployment", config_to_json(setup.network.options)},
                                         {"model", config_to_json(setup.network.model)},
                                         {"data", setup.dataset.name}}},
                                       {"sequences", setup.dataset.count()},
                                       {"accuracy", accuracy}};
        write_file_atomically(options.common.json, json.dump(2) + "\n");
    }
    if (!options.common.quiet) {
        std::printf("accuracy, %s     %6.2f %%   %d sequences\n", engine, 100.0 * accuracy, setup.dataset.count());
    }
}

void run_estimate(InferOptions& options, const RunSetup& setup) {
    const ActivityStatistics activity =
        options.activity.empty() ? ActivityStatistics{} : load_activity(options.activity);
    const RunReport report = make_estimate(setup, activity, options.run.seed);
    if (!options.common.json.empty()) {
        write_file_atomically(options.common.json, report_json(report, setup).dump(2) + "\n");
    }
    if (!options.common.quiet) {
        print_report(report, setup, stdout);
        explain(options, setup, report);
    }
}

void run_without_chip(InferOptions& options, const RunSetup& setup) {
    if (options.engine == Engine::reference) {
        WorkProgress progress("reference inference", setup.dataset.count(), options.common.quiet);
        const std::vector<std::vector<float>> logits =
            run_reference(setup, options.run, [&progress](int done) { progress.add(done); });
        progress.finish();
        report_accuracy(options, setup, "reference", accuracy_of(logits, setup.dataset.labels));
        return;
    }
    const ModelConfig& model = setup.network.model;
    GradientEngine engine(model, setup.dataset.steps, false, options.run.workers);
    const StepNetwork network = StepNetwork::in_float(model, setup.checkpoint.parameters, setup.dataset.steps);
    const auto result = engine.evaluate(network, setup.dataset, options.run.seed);
    report_accuracy(options, setup, "float", static_cast<double>(result.correct) / result.sequences);
}

void check_options(const InferOptions& options, const RunSetup& setup) {
    if (options.vcd_sequence >= setup.dataset.count()) {
        throw UserError("--vcd-sequence " + std::to_string(options.vcd_sequence) + " is not among the " +
                        std::to_string(setup.dataset.count()) + " sequences of the run");
    }
    if (options.engine != Engine::chip &&
        (!options.vcd.empty() || !options.power.empty() || options.run.chips != 1 || !options.common.out.empty())) {
        throw UserError(
            "--vcd, --power, --chips and --out need --engine chip: the other engines have no chip to trace");
    }
    if (options.engine != Engine::chip && !options.write_activity.empty()) {
        throw UserError("--write-activity needs --engine chip: only a simulation has statistics");
    }
    if (options.engine != Engine::estimate && !options.activity.empty()) {
        throw UserError("--activity needs --engine estimate: the other engines do not use statistics");
    }
    if (!options.vcd.empty() && std::filesystem::path(options.vcd).extension() != ".vcd") {
        throw UserError("--vcd '" + options.vcd + "' must be a file name that ends in .vcd");
    }
    load_cost_table(setup.cost_table);
    if (!options.common.out.empty()) {
        create_output_folder(options.common.out);
        if (::access(options.common.out.c_str(), W_OK) != 0) {
            throw UserError("cannot write into '" + options.common.out + "': choose another folder with --out");
        }
    }
    std::vector<std::string> files = {options.common.json, options.vcd, options.write_activity};
    files.insert(files.end(), options.power.begin(), options.power.end());
    for (const std::string& file : files) {
        if (!file.empty()) {
            check_output_file(file);
        }
    }
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    CLI::App app{kDescription, "infer"};
    app.footer(kFooter);
    InferOptions options;
    add_common_options(app, options.common);
    app.add_option("--checkpoint", options.request.checkpoint, "Model from train (quantized: with converter ranges)")
        ->required()
        ->type_name("FILE.h5");
    app.add_option("--chip,--config", options.request.chip, "Chip description")
        ->type_name("FILE.toml")
        ->default_val("scenarios/chips/imssa_28nm.toml");
    const std::map<std::string, Engine> engines = {{"chip", Engine::chip},
                                                   {"reference", Engine::reference},
                                                   {"float", Engine::in_float},
                                                   {"estimate", Engine::estimate}};
    app.add_option("--engine", options.engine,
                   "chip (SystemC simulation), reference (exact integers), float, estimate (costs "
                   "without simulation)")
        ->transform(CLI::CheckedTransformer(engines).description(""))
        ->type_name("chip|reference|float|estimate")
        ->default_str("chip");
    app.add_option("--sequences", options.request.sequences, "Sequences from the start of the split (0: all)")
        ->default_val(100)
        ->check(CLI::Range(0, 10000000));
    const std::map<std::string, Split> splits = {
        {"test", Split::kTest}, {"validation", Split::kValidation}, {"train", Split::kTrain}};
    app.add_option("--split", options.request.split, "test, validation or train")
        ->transform(CLI::CheckedTransformer(splits).description(""))
        ->type_name("SPLIT")
        ->default_str("test");
    app.add_option("--lanes", options.run.lanes,
                   "Sequences side by side in one simulated chip; codes do not depend on it")
        ->capture_default_str()
        ->check(CLI::Range(1, 4096));
    app.add_option("--chips", options.run.chips, "Programmed chips, with seeds seed, seed + 1, ...")
        ->capture_default_str()
        ->check(CLI::Range(1, 10000));
    app.add_option(
           "--activity", options.activity,
           "Activity statistics for --engine estimate (default: means of the demo networks; energy within 3 % on the "
           "committed chips, up to 10 % off for other cells, packings and inputs: docs/energy-models.md)")
        ->type_name("FILE.toml");
    app.add_option("--write-activity", options.write_activity,
                   "Write the activity statistics of this simulation: array energies, for drives and shares by default")
        ->type_name("FILE.toml");
    bool no_compare = false;
    app.add_flag("--no-compare", no_compare, "Leave out the reference inference beside the chip");
    app.add_option("--explain", options.explain, "energy or area: every row with count, unit cost, range and source")
        ->check(CLI::IsMember({"energy", "area"}));
    app.add_option("--vcd", options.vcd, "Waveform of one sequence")->type_name("FILE.vcd");
    app.add_option("--power", options.power,
                   "Power over time of one sequence, a bin a step (CSV, or VCD by its ending)")
        ->type_name("FILE.csv|FILE.vcd");
    app.add_option("--vcd-sequence", options.vcd_sequence, "Which sequence the waveform and the power over time show")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--vcd-units", options.vcd_selection.units,
                   "Units that the waveform shows: encoder, kernel, mixing, layer_unit, pooling, classifier, channels "
                   "(default: all)")
        ->delimiter(',')
        ->type_name("UNIT,...");
    app.add_option("--vcd-layers", options.vcd_selection.layers, "Layers that the waveform shows (default: all)")
        ->delimiter(',')
        ->type_name("N,...");
    app.add_option("--vcd-heads", options.vcd_selection.heads, "Heads that the waveform shows")
        ->delimiter(',')
        ->type_name("N,...")
        ->capture_default_str();
    app.add_option("--vcd-modes", options.vcd_selection.modes, "Modes whose registers it shows (default: all)")
        ->delimiter(',')
        ->type_name("N,...");
    app.add_option("--vcd-from", options.vcd_selection.first_step, "First step whose phases and codes it shows")
        ->capture_default_str();
    app.add_option("--vcd-to", options.vcd_selection.last_step,
                   "Last step whose phases and codes it shows (-1: the last)")
        ->capture_default_str();
    return run_command(app, argc, argv, [&] {
        options.request.overrides = options.common.overrides;
        options.request.data = options.common.data;
        options.run.seed = options.common.seed;
        options.run.workers = options.common.worker_count();
        options.run.compare = !no_compare;
        const RunSetup setup = load_run(options.request);
        check_options(options, setup);
        if (options.engine == Engine::chip) {
            run_on_chip(options, setup);
        } else if (options.engine == Engine::estimate) {
            run_estimate(options, setup);
        } else {
            run_without_chip(options, setup);
        }
    });
}
