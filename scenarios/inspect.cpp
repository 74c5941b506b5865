// Prints what a checkpoint, a chip file or a result holds; draws a programmed chip's poles and conductances.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <systemc>

#include "models/chip/chip_system.h"
#include "models/chip/timing_model.h"
#include "models/common/config.h"
#include "models/common/error.h"
#include "models/common/file_output.h"
#include "scenarios/support/command_line.h"
#include "scenarios/support/complex_kernels.h"
#include "scenarios/support/cost_rows.h"
#include "scenarios/support/energy_explanation.h"
#include "scenarios/support/pictures.h"
#include "scenarios/support/run_report.h"
#include "scenarios/support/run_setup.h"
#include "trainer/fake_paper_figures.h"
#include "trainer/phase_trainer.h"

namespace {

using namespace imssa;

struct InspectOptions {
    CommonOptions common;
    std::string checkpoint, chip, result, kernels;
    std::vector<std::string> explain;  ///< "energy", "area"
    int tile = 0;
};

constexpr const char* kFooter =
    "examples:\n"
    "  inspect --checkpoint scenarios/checkpoints/smnist_small_8bit.h5             model, bits, log\n"
    "  inspect --chip scenarios/chips/imssa_28nm.toml                              every key with its value\n"
    "  inspect --result out/demo/ideal.json                                        figures of a run\n"
    "  inspect --checkpoint FILE.h5 --chip scenarios/chips/imssa_28nm_fused.toml --out out/inspect\n"
    "                                            tiles, poles before and after programming, their pictures\n"
    "  inspect --result out/demo/ideal.json --explain energy                       every row: count x unit cost, "
    "source\n"
    "  inspect --checkpoint FILE.h5 --chip FILE.toml --explain energy              the same, estimated without a run\n"
    "exit status: 0 done, 2 a mistake in what was given (one line says which)";

void print_checkpoint(const Checkpoint& checkpoint) {
    const TrainConfig& config = checkpoint.config;
    std::printf("model       %s\n", config_to_json(config.model).dump().c_str());
    std::printf("parameters  %lld\n", static_cast<long long>(config.model.parameter_count()));
    std::printf("data        %s, %d steps\n", config_to_json(config.data).dump().c_str(), checkpoint.steps);
    const bool fake = phase_config(config, checkpoint.phase).precision == Precision::fake_quantized;
    if (!fake) {
        std::printf("deployment  %s\n", config_to_json(config.quantization).dump().c_str());
    }
    std::printf("ranges      %s\n", checkpoint.ranges.has_value() ? "calibrated" : "none: trained in float only");
    if (fake) {
        for (const std::string& line :
             fake_paper_report(config.model, checkpoint.parameters, config.fake_quantization)) {
            std::printf("%s\n", line.c_str());
        }
    }
    for (const EpochMetrics& epoch : checkpoint.history) {
        std::printf("  %s epoch %3d  loss %.4f  train %6.2f %%  test %6.2f %%\n",
                    epoch.phase == 0 ? "training" : "finetune", epoch.epoch, epoch.train_loss,
                    100.0 * epoch.train_accuracy, 100.0 * epoch.test_accuracy);
    }
}

nlohmann::ordered_json load_result(const std::string& path) {
    std::ifstream stream(path);
    if (!stream) {
        throw UserError("cannot read the result '" + path + "': is it there?");
    }
    nlohmann::ordered_json result;
    try {
        result = nlohmann::ordered_json::parse(stream);
    } catch (const nlohmann::json::exception& error) {
        throw UserError("the result '" + path + "' is no JSON file: " + error.what());
    }
    if (!result.is_object() || !result.contains("format")) {
        throw UserError("the result '" + path + "' is no result of imssa: it lacks 'format'");
    }
    return result;
}

void print_result(const nlohmann::ordered_json& result) {
    for (const auto& [key, value] : result.items()) {
        if (value.is_object()) {
            for (const auto& [inner, content] : value.items()) {
                if (!content.is_array()) {
                    std::printf("%-20s %-22s %s\n", key.c_str(), inner.c_str(), content.dump().c_str());
                }
            }
        } else {
            std::printf("%-20s %s\n", key.c_str(), value.dump().c_str());
        }
    }
}

/// The rows of a result's energy or area, per sequence, with their sum.
void explain_result(const nlohmann::ordered_json& result, const std::string& path, const std::string& what) {
    const bool energy = what == "energy";
    const char* table = energy ? "energy_j" : "area_mm2";
    if (!result.contains(table) || !result.at(table).contains("rows")) {
        throw UserError("the result '" + path + "' has no rows of " + what + ": only runs on a chip and estimates do");
    }
    const nlohmann::ordered_json& rows = result.at(table).at("rows");
    if (!energy) {
        print_area_rows(area_rows_from_json(rows, path), stdout);
        return;
    }
    const std::vector<EnergyRow> sequence_rows = energy_rows_from_json(rows, path);
    std::printf("energy of one sequence, the mean of the %d of the run; %s\n\n", result.value("sequences", 1),
                explained_columns());
    print_energy_rows(sequence_rows, stdout);
    print_priced_at_zero(result.at(table).value("priced_at_zero", std::vector<std::string>{}), stdout);
}

/// The estimate of a checkpoint on a chip, row by row.
void explain_design(const InspectOptions& options) {
    RunRequest request;
    request.checkpoint = options.checkpoint;
    request.chip = options.chip;
    request.overrides = options.common.overrides;
    const RunSetup setup = load_design(request);
    const RunReport report = make_estimate(setup, {}, options.common.seed);
    std::printf("estimate of %s on %s, without simulation\n", options.checkpoint.c_str(), setup.chip.name.c_str());
    for (const std::string& what : options.explain) {
        what == "energy" ? explain_energy(report, setup, stdout) : explain_area(report, stdout);
    }
}

/// Poles of all modes as deployed and as the chip was programmed, with the gains of a calibration.
std::vector<PolePair> poles_of(const Chip& chip) {
    std::vector<PolePair> poles;
    for (int layer = 0; layer < chip.layer_count(); ++layer) {
        const DeployedLayer& deployed = chip.network().layers[static_cast<std::size_t>(layer)];
        const std::vector<DeployedKernel>& kernels = deployed.kernels;
        const KernelSequencer& sequencer = chip.layer(layer).kernel();
        for (int head = 0; head < sequencer.head_count(); ++head) {
            const DeployedKernel& kernel = kernels[static_cast<std::size_t>(head)];
            const Eigen::MatrixXd weights = sequencer.tiles_of(head).programmed_codes(head, kernels);
            const std::vector<ModeGain>& gains = sequencer.head(head).calibration().gains;
            for (int mode = 0; mode < kernel.modes; ++mode) {
                const std::size_t at = static_cast<std::size_t>(mode);
                const double gain = gains.empty() ? 1.0 : gains[at].factor;
                for (const std::complex<double>& pole : programmed_poles(kernel, weights, mode, gain)) {
                    poles.push_back({layer, deployed.channel_of(head), mode, kernel.effective_a[at], pole});
                }
            }
        }
    }
    return poles;
}

void print_poles(const std::vector<PolePair>& poles) {
    int outside = 0;
    std::vector<double> shifts;
    for (const PolePair& pole : poles) {
        outside += std::abs(pole.programmed) >= 1.0 ? 1 : 0;
        const double decay = 1.0 - std::abs(pole.deployed);
        shifts.push_back(std::abs(std::arg(pole.programmed) - std::arg(pole.deployed)) / decay);
    }
    std::sort(shifts.begin(), shifts.end());
    const double count = static_cast<double>(poles.size());
    std::printf("poles       %zu, %.1f %% on or outside the unit circle after programming\n", poles.size(),
                100.0 * outside / count);
    std::printf("            frequency error over decay: median %.3g, 90 %% below %.3g\n", shifts[shifts.size() / 2],
                shifts[shifts.size() * 9 / 10]);
}

void inspect_programmed(const InspectOptions& options, const Checkpoint& checkpoint, const ChipConfig& config) {
    if (!checkpoint.ranges.has_value()) {
        throw UserError("checkpoint '" + options.checkpoint + "' has no converter ranges: it cannot be deployed");
    }
    DeploymentOptions deployment = checkpoint.config.quantization;
    deployment.kernel = config.kernel;
    const DeployedNetwork network = deploy(checkpoint.config.model, checkpoint.parameters, *checkpoint.ranges,
                                           deployment, std::max(1, checkpoint.steps));
    const ChipSystem system(network, config, options.common.seed);
    const std::vector<CrossbarTile*>& tiles = system.chip().tiles();
    if (options.tile < 0 || options.tile >= static_cast<int>(tiles.size())) {
        throw UserError("--tile " + std::to_string(options.tile) + " is not among the " + std::to_string(tiles.size()) +
                        " tiles of the chip");
    }
    for (std::size_t index = 0; index < tiles.size(); ++index) {
        const TileFootprint& use = tiles[index]->array().footprint();
        std::printf("tile %4zu   %-34s %4d x %-4d cells, %5.1f %% hold weights\n", index, tiles[index]->name(),
                    use.rows, use.columns, 100.0 * use.utilisation);
    }
    for (const PipelineStage& stage : pipeline_of(network, config).stages) {
        std::printf("unit        %-34s %d cycles a step\n", stage.name.c_str(), stage.cycles);
    }
    const std::vector<PolePair> poles = poles_of(system.chip());
    print_poles(poles);
    if (!options.common.out.empty()) {
        create_output_folder(options.common.out);
        const std::string prefix = options.common.out + "/" + config.name;
        const CrossbarTile& tile = *tiles[static_cast<std::size_t>(options.tile)];
        pole_picture(prefix + "_poles.png", "Poles on " + config.name, poles);
        conductance_picture(prefix + "_tile.png", std::string("Conductances of ") + tile.name(),
                            tile.array().conductances());
        std::printf("pictures    %s_{poles,tile}.png\n", prefix.c_str());
    }
}

/// Kernels of complex input and output on the tiles of a chip.
void inspect_kernels(const InspectOptions& options, const ChipConfig& config) {
    const std::vector<NamedComplexKernel> kernels = load_complex_kernels(options.kernels);
    std::vector<ComplexKernelCells> all_mapped;
    for (const NamedComplexKernel& kernel : kernels) {
        all_mapped.push_back(map_complex_kernel(kernel, config));
    }
    for (std::size_t at = 0; at < kernels.size(); ++at) {
        const NamedComplexKernel& kernel = kernels[at];
        const ComplexKernelCells& mapped = all_mapped[at];
        std::printf("kernel      %-12s %zu modes, %d x %d cells, %.1f %% hold weights", kernel.name.c_str(),
                    kernel.kernel.a.size(), mapped.footprint.rows, mapped.footprint.columns,
                    100.0 * mapped.footprint.utilisation);
        if (kernel.cells.size() > 0) {
            std::printf("; %d of %d cells as in the file, largest difference %.3g of the window", mapped.as_in_file,
                        static_cast<int>(kernel.cells.size()), mapped.largest_difference);
        }
        std::printf("\n");
        if (!options.common.out.empty()) {
            create_output_folder(options.common.out);
            conductance_picture(options.common.out + "/" + kernel.name + ".png", "Conductances of " + kernel.name,
                                mapped.conductances);
        }
    }
}

void inspect(const InspectOptions& options) {
    if (!options.kernels.empty() && options.chip.empty()) {
        throw UserError("--kernels needs --chip: its device and tiles say which cells the kernels become");
    }
    if (options.checkpoint.empty() && options.chip.empty() && options.result.empty()) {
        throw UserError("nothing to inspect: give --checkpoint, --chip or --result (see inspect --help)");
    }
    const bool design = !options.checkpoint.empty() && !options.chip.empty();
    if (!options.explain.empty() && !design && options.result.empty()) {
        throw UserError("--explain needs --result, or --checkpoint and --chip: nothing else has costs");
    }
    if (!options.result.empty()) {
        const nlohmann::ordered_json result = load_result(options.result);
        for (const std::string& what : options.explain) {
            explain_result(result, options.result, what);
        }
        if (options.explain.empty()) {
            print_result(result);
        }
    }
    if (!options.explain.empty()) {
        if (design) {
            explain_design(options);
        }
        return;
    }
    Checkpoint checkpoint;
    KernelOptions trained;
    if (!options.checkpoint.empty()) {
        checkpoint = load_checkpoint(options.checkpoint);
        trained = checkpoint.config.quantization.kernel;
        print_checkpoint(checkpoint);
    }
    if (!options.chip.empty()) {
        const ChipConfig config = load_chip(options.chip, options.common.overrides, trained);
        if (!options.kernels.empty()) {
            inspect_kernels(options, config);
        }
        std::printf("chip        %s\n", config_to_json(config).dump(2).c_str());
        if (!options.checkpoint.empty()) {
            inspect_programmed(options, checkpoint, config);
        }
    }
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    CLI::App app{
        "Prints what a checkpoint, a chip file or a result holds; with a checkpoint and a chip, programs the chip\n"
        "and draws its poles and one tile's conductances.",
        "inspect"};
    app.footer(kFooter);
    InspectOptions options;
    add_common_options(app, options.common);
    app.add_option("--checkpoint", options.checkpoint, "Model from train")->type_name("FILE.h5");
    app.add_option("--chip,--config", options.chip, "Chip description")->type_name("FILE.toml");
    app.add_option("--result", options.result, "Result of infer")->type_name("FILE.json");
    app.add_option("--explain", options.explain,
                   "energy or area: every row with count, unit cost, range and source; of --result, or of --checkpoint "
                   "and --chip by estimate")
        ->check(CLI::IsMember({"energy", "area"}));
    app.add_option("--kernels", options.kernels,
                   "Complex kernels (docs/formats.md) to map on the chip's cells and, where the file has cells, to "
                   "compare with them")
        ->type_name("FILE.json");
    app.add_option("--tile", options.tile, "Tile whose conductances are drawn")->capture_default_str();
    return run_command(app, argc, argv, [&options] { inspect(options); });
}
