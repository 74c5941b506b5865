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

/// The default platform: cells with errors.
ChipConfig default_chip() {
    ChipConfig chip;
    ConfigReader reader = ConfigReader::from_file(IMSSA_SOURCE_DIR "/scenarios/chips/imssa_28nm.toml");
    reader.read(chip);
    return chip;
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
BENCHMARK(cells_without_errors);
BENCHMARK(default_chip_each_on_its_own);
BENCHMARK(default_chip_in_a_sweep);

}  // namespace
}  // namespace imssa

/// libsystemc owns main and calls this.
int sc_main(int argc, char* argv[]) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
