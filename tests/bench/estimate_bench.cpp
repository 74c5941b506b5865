/// Estimates of the demo network (2 layers of 32 heads with 8 modes, 784 steps) on the 28 nm chip without simulation.
/// `designs` is their number per second of CPU time.
#include <benchmark/benchmark.h>

#include <systemc>

#include "models/chip/estimate.h"

namespace imssa {
namespace {

/// Argument: programming error in nanosiemens; with it the response of the cells is worked out anew for every design.
void estimate_design(benchmark::State& state) {
    const CostTable table = load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
    const CompiledPrices prices(table);
    ChipConfig chip;
    chip.device.programming_sigma_siemens = 1e-9 * static_cast<double>(state.range(0));
    ModelConfig model;
    DeploymentOptions options;
    const ActivityStatistics activity;
    int sharing = 0;
    for (auto _ : state) {
        chip.timing.columns_per_adc = 1 + sharing++ % 64;
        benchmark::DoNotOptimize(estimate_design(model, options, chip, 784, activity, prices));
    }
    state.counters["designs"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(estimate_design)->Arg(0)->Arg(3894);

}  // namespace
}  // namespace imssa

/// libsystemc owns main and calls this.
int sc_main(int argc, char* argv[]) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
