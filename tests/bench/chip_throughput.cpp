/// Array operations per second of CPU time inside the running chip, and what the SystemC shell adds to the arithmetic.
///
/// The chip is one layer of 32 heads with 15 modes, four cells a weight: each head fills 62 x 62 of a 64 x 64 tile, the
/// mixing matrix 64 x 64; 8-bit converters; encoder and decoder are digital, so that every array operation reads a full
/// tile. On: programming error, read noise of the cells, wire resistance, offset, gain error and noise of the
/// converters. With --wide, tiles of 64 x 128 cells hold 64 x 64 weights. The simulation keeps time, counts saturation,
/// computes the energy of every read and fills the ledger.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>

#include <CLI/CLI.hpp>

#include "models/cost/ledger.h"
#include "models/device/device_presets.h"
#include "tests/bench/bare_chip.h"
#include "tests/support/random_network.h"

namespace imssa::bench {
namespace {

constexpr std::uint64_t kSeed = 1;

double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

DeployedNetwork full_tile_network(bool wide, int steps) {
    ModelConfig model;
    model.layers = 1;
    model.heads = wide ? 64 : 32;
    model.states = wide ? 62 : 30;
    const testing::RandomNetwork network = testing::random_network(model, 1);
    DeploymentOptions options;
    options.kernel.mapping = KernelMapping::fused;
    options.kernel.form = OutputForm::immediate;
    options.kernel.input_matrix = InputMatrix::cells;
    return deploy(network.model, network.parameters, network.ranges, options, steps);
}

ChipConfig erroneous_chip(bool wide, bool every_error) {
    ChipConfig chip;
    chip.device = device_preset("taox_imssa");
    if (wide) {
        chip.mapping.tile_columns = 128;
        chip.mapping.cells_per_weight = 2;
    }
    chip.mapping.encoder = chip.mapping.decoder = MatrixPlace::digital;
    chip.read.wires.row_ohm_per_cell = 1.0;
    chip.read.wires.column_ohm_per_cell = 1.0;
    chip.adc.input_noise_codes = 0.3;
    chip.adc.offset_sigma_codes = 0.5;
    chip.adc.gain_sigma = 0.01;
    if (every_error) {
        chip.read.iv_quadratic_per_volt = 0.05;
        chip.read.iv_cubic_per_volt2 = 0.1;
        chip.read.thermal_noise = true;
        chip.read.shot_noise = true;
        chip.read.dac = {0.005, 0.01};
        chip.adc.unit_mismatch_sigma = 0.02;
    }
    return chip;
}

/// Random sequences for some lanes.
struct Input {
    Input(const DeployedNetwork& network, int lanes)
        : data(testing::random_sequences(lanes, network.steps, network.model.channels, 2)) {
        for (std::size_t lane = 0; lane < data.size(); ++lane) {
            batch.values.push_back(data[lane].data());
            batch.sequence_ids.push_back(lane);
        }
    }
    std::vector<std::vector<float>> data;
    BatchInput batch;
};

class LedgerObserver final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    explicit LedgerObserver(EnergyLedger& ledger) : ledger_(ledger) {}
    void write(const ActionEvent& event) override { ledger_.record(event); }

private:
    EnergyLedger& ledger_;
};

struct Options {
    std::vector<int> lanes = {1, 16, 64, 256};
    int steps = 48;
    int repeats = 9;
    bool wide = false;
    bool every_error = false;
};

/// Median CPU seconds of each piece of work; pieces take turns, so that a change of the machine's speed meets all.
std::vector<double> median_seconds(const std::vector<std::function<void()>>& work, int repeats) {
    std::vector<std::vector<double>> seconds(work.size());
    for (int repeat = 0; repeat <= repeats; ++repeat) {
        for (std::size_t at = 0; at < work.size(); ++at) {
            const double before = cpu_seconds();
            work[at]();
            if (repeat > 0) {  // the first round warms up
                seconds[at].push_back(cpu_seconds() - before);
            }
        }
    }
    std::vector<double> medians;
    for (std::vector<double>& one : seconds) {
        std::nth_element(one.begin(), one.begin() + repeats / 2, one.end());
        medians.push_back(one[static_cast<std::size_t>(repeats / 2)]);
    }
    return medians;
}

int measure(const Options& options) {
    const DeployedNetwork network = full_tile_network(options.wide, options.steps);
    const ChipConfig config = erroneous_chip(options.wide, options.every_error);
    ChipSystem system(network, config, kSeed);
    EnergyLedger ledger(system.chip().units());
    LedgerObserver observer(ledger);
    system.chip().observe(observer);
    BareChip bare(network, config, kSeed);
    std::printf("one layer, %d heads of %d modes, %d steps, %d tiles of %d x %d cells a step\n\n", network.model.heads,
                network.model.modes(), options.steps, bare.tiles_per_step(), config.mapping.tile_rows,
                config.mapping.tile_columns);
    std::printf("%-6s %-16s %-16s %-16s %s\n", "lanes", "arrays alone", "all kernels", "running chip", "shell");
    for (const int lanes : options.lanes) {
        const Input input(network, lanes);
        BatchResult result;
        LaneMatrix logits;
        const std::vector<double> seconds = median_seconds(
            {[&] { result = system.run({input.batch}).front(); }, [&] { logits = bare.run(input.batch); },
             [&] {
                 for (int step = 0; step < options.steps; ++step) {
                     bare.read_arrays(input.batch.sequence_ids, static_cast<std::uint32_t>(step));
                 }
             }},
            options.repeats);
        if (result.logits != logits) {
            std::fprintf(stderr, "chip_throughput: the bare kernels gave other logits than the chip\n");
            return 1;
        }
        const double reads = static_cast<double>(lanes) * options.steps * bare.tiles_per_step();
        std::printf("%-6d %-16.3g %-16.3g %-16.3g %+.1f %%\n", lanes, reads / seconds[2], reads / seconds[1],
                    reads / seconds[0], 100.0 * (seconds[0] / seconds[1] - 1.0));
    }
    std::printf(
        "\narray operations (reads of one tile for one lane) per second of CPU time; shell: CPU time of the\n"
        "running chip over that of all its kernels (arrays, conversions, registers, tables, layer units)\n");
    return 0;
}

}  // namespace
}  // namespace imssa::bench

int sc_main(int argc, char* argv[]) {
    CLI::App app{"Array operations per second of CPU time inside the running chip", "chip_throughput"};
    imssa::bench::Options options;
    app.add_option("--lanes", options.lanes, "Lanes to measure")->delimiter(',')->check(CLI::Range(1, 4096));
    app.add_option("--steps", options.steps, "Steps of a sequence")->capture_default_str()->check(CLI::Range(1, 10000));
    app.add_option("--repeats", options.repeats, "Repetitions; medians are shown")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_flag("--wide", options.wide, "64 x 64 weights of two cells on tiles of 64 x 128 (64 heads of 31 modes)");
    app.add_flag("--every-error", options.every_error,
                 "Also non-linear cells, thermal and shot noise, mismatch of the converters' elements");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return imssa::bench::measure(options);
}
