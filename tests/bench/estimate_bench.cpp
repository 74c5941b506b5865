/// Estimates of the demo network (2 layers of 32 heads with 8 modes, 784 steps) on the 28 nm chip without simulation.
/// `designs` is their number per second of CPU time.
#include <benchmark/benchmark.h>

#include <systemc>

#include "models/chip/design_estimator.h"
#include "models/common/config.h"

namespace imssa {
namespace {

/// Calls estimate(chip, options) for one sharing of converters after another.
template <class Estimate>
void run(benchmark::State& state, ChipConfig chip, const Estimate& estimate) {
    DeploymentOptions options;
    options.kernel = chip.kernel;
    int sharing = 0;
    for (auto _ : state) {
        chip.timing.columns_per_adc = 1 + sharing++ % 64;
        benchmark::DoNotOptimize(estimate(chip, options));
    }
    state.counters["designs"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

CostTable table() {
    return load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
}

ChipConfig chip_of(const std::string& name) {
    ChipConfig chip;
    ConfigReader reader = ConfigReader::from_file(IMSSA_SOURCE_DIR "/scenarios/chips/" + name + ".toml");
    reader.read(chip);
    return chip;
}

/// The default platform: cells with errors.
ChipConfig default_chip() {
    return chip_of("imssa_28nm");
}

void separate_estimates(benchmark::State& state, const ChipConfig& chip) {
    const CompiledPrices prices(table());
    run(state, chip, [&prices](const ChipConfig& one, const DeploymentOptions& options) {
        return estimate_design(ModelConfig{}, options, one, 784, ActivityStatistics{}, prices);
    });
}

void cells_without_errors(benchmark::State& state) {
    separate_estimates(state, ChipConfig{});
}
/// The response of the cells is worked out for every design.
void default_chip_each_on_its_own(benchmark::State& state) {
    separate_estimates(state, default_chip());
}
void default_chip_in_a_sweep(benchmark::State& state) {
    DesignEstimator estimator(table());
    run(state, default_chip(), [&estimator](const ChipConfig& one, const DeploymentOptions& options) {
        return estimator.estimate(ModelConfig{}, options, one, 784, ActivityStatistics{});
    });
}
/// Other cells in every design: their response is worked out, and kept in vain.
void cells_in_a_sweep(benchmark::State& state, const ChipConfig& chip) {
    DesignEstimator estimator(table());
    double seconds = 1.0;
    run(state, chip, [&estimator, &seconds](ChipConfig one, const DeploymentOptions& options) {
        one.device.time_since_programming_s = seconds;
        seconds += 1.0;
        return estimator.estimate(ModelConfig{}, options, one, 784, ActivityStatistics{});
    });
}
void cells_of_the_default_chip_in_a_sweep(benchmark::State& state) {
    cells_in_a_sweep(state, default_chip());
}
void phase_change_cells_in_a_sweep(benchmark::State& state) {
    cells_in_a_sweep(state, chip_of("pcm_14nm"));
}
BENCHMARK(cells_without_errors);
BENCHMARK(default_chip_each_on_its_own);
BENCHMARK(default_chip_in_a_sweep);
BENCHMARK(cells_of_the_default_chip_in_a_sweep);
BENCHMARK(phase_change_cells_in_a_sweep);

}  // namespace
}  // namespace imssa

/// libsystemc owns main and calls this.
int sc_main(int argc, char* argv[]) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
