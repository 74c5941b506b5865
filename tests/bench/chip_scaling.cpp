/// How CPU time and memory of the chip simulation grow with layers, heads, modes, steps and lanes: each is doubled in
/// turn, each design in a process of its own. On: programming error, read noise, wire resistance, errors of the
/// converters, time, energy. --large: 4 layers of 128 heads with 32 modes and 128 lanes.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <sstream>

#include "models/chip/chip_system.h"
#include "models/cost/ledger.h"
#include "models/device/device_presets.h"
#include "scenarios/support/worker_pool.h"
#include "tests/support/random_network.h"

namespace imssa::bench {
namespace {

struct Design {
    std::string what;
    KernelMapping mapping = KernelMapping::digital_decay;
    int layers = 1, heads = 8, modes = 7, steps = 1024, lanes = 64;
};

double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

DeployedNetwork network_of(const Design& design) {
    ModelConfig model;
    model.layers = design.layers;
    model.heads = design.heads;
    model.states = 2 * design.modes;
    const testing::RandomNetwork network = testing::random_network(model, 1);
    DeploymentOptions options;
    if (design.mapping == KernelMapping::fused) {
        options.kernel.mapping = KernelMapping::fused;
        options.kernel.form = OutputForm::immediate;
        options.kernel.input_matrix = InputMatrix::cells;
    }
    return deploy(network.model, network.parameters, network.ranges, options, design.steps);
}

ChipConfig chip_with_errors() {
    ChipConfig chip;
    chip.device = device_preset("taox_imssa");
    chip.mapping.split_heads = true;
    chip.read.wires.row_ohm_per_cell = 1.0;
    chip.read.wires.column_ohm_per_cell = 1.0;
    chip.adc.input_noise_codes = 0.3;
    chip.adc.gain_sigma = 0.01;
    return chip;
}

class LedgerObserver final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    explicit LedgerObserver(EnergyLedger& ledger) : ledger_(ledger) {}
    void write(const ActionEvent& event) override { ledger_.record(event); }

private:
    EnergyLedger& ledger_;
};

/// A table row: CPU seconds of the construction and of one batch, peak memory.
std::string measure(const Design& design) {
    const DeployedNetwork network = network_of(design);
    const std::vector<std::vector<float>> data =
        testing::random_sequences(design.lanes, design.steps, network.model.channels, 2);
    BatchInput batch;
    for (std::size_t lane = 0; lane < data.size(); ++lane) {
        batch.values.push_back(data[lane].data());
        batch.sequence_ids.push_back(lane);
    }
    const double before = cpu_seconds();
    ChipSystem system(network, chip_with_errors(), 1);
    EnergyLedger ledger(system.chip().units());
    LedgerObserver observer(ledger);
    system.chip().observe(observer);
    const double built = cpu_seconds();
    system.run({batch});
    const double done = cpu_seconds();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    char row[160];
    std::snprintf(row, sizeof(row), "%-26s %6zu %10.3f s %10.3f s %10.1f MiB\n", design.what.c_str(),
                  system.chip().tiles().size(), built - before, done - built,
                  static_cast<double>(usage.ru_maxrss) / 1024.0);
    return row;
}

std::vector<Design> doubled(KernelMapping mapping) {
    const std::string name = mapping == KernelMapping::fused ? "fused" : "digital decay";
    Design base;
    base.mapping = mapping;
    std::vector<Design> designs;
    const auto add = [&](const char* what, int Design::*field) {
        for (const int factor : {2, 4}) {
            Design design = base;
            design.*field *= factor;
            design.what = name + ", " + std::to_string(factor) + " x " + what;
            designs.push_back(design);
        }
    };
    base.what = name;
    designs.push_back(base);
    add("layers", &Design::layers);
    add("heads", &Design::heads);
    add("modes", &Design::modes);
    add("steps", &Design::steps);
    add("lanes", &Design::lanes);
    return designs;
}

void print(const std::vector<Design>& designs) {
    std::printf("%-26s %6s %12s %12s %14s\n", "", "tiles", "program", "simulate", "peak memory");
    for (const Design& design : designs) {
        const std::vector<std::string> rows = run_in_processes(
            1, 1, [&](int /*job*/, const std::function<void(int)>& /*progress*/) { return measure(design); },
            [](int /*done*/) {});
        std::fputs(rows.front().c_str(), stdout);
        std::fflush(stdout);
    }
}

}  // namespace
}  // namespace imssa::bench

int sc_main(int argc, char* argv[]) {
    using imssa::bench::Design;
    CLI::App app{"CPU time and memory of the chip simulation when its shape doubles", "chip_scaling"};
    bool large = false;
    int steps = 4;
    app.add_flag("--large", large, "4 layers of 128 heads with 32 modes at 128 lanes instead");
    app.add_option("--steps", steps, "Steps of the large design")->capture_default_str()->check(CLI::Range(1, 10000));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (large) {
        imssa::bench::print({{"digital decay", imssa::KernelMapping::digital_decay, 4, 128, 32, steps, 128},
                             {"fused", imssa::KernelMapping::fused, 4, 128, 32, steps, 128}});
        return 0;
    }
    imssa::bench::print(imssa::bench::doubled(imssa::KernelMapping::digital_decay));
    imssa::bench::print(imssa::bench::doubled(imssa::KernelMapping::fused));
    return 0;
}
