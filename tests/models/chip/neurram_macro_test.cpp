// One core of NeuRRAM (Wan et al., Nature 2022) as a simulated macro: the encoder of a chip reads 128 x 256
// differential weights; its actions and cycles at the prices of the chip's components against the published rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/cost/macro.h"
#include "tests/models/chip/chip_bench.h"
#include "tests/models/chip/ledger_observer.h"

namespace imssa::testing {
namespace {

constexpr int kInputs = 128;  // differential rows: two wordlines each
constexpr int kOutputs = 256;

/// What an operation with these bits is made of (hardware figures of the closed form in the macro's description).
struct Operation {
    Operation(int output_bits, int input_bits) : pulses(std::max(input_bits - 1, 1)) {
        const int first = pulses <= 3 ? pulses : (pulses + 1) / 2;
        const std::vector<int> parts = pulses <= 3 ? std::vector<int>{pulses} : std::vector<int>{first, pulses - first};
        phases = static_cast<int>(parts.size());
        int done = 0;
        for (const int part : parts) {
            integrations += (1 << part) - 1;
            steps += output_bits - done;
            done += part;
        }
    }
    double driver_j() const { return 2.0 * pulses * 585.6e-15 * 1.8 * 1.8; }  ///< of an input: both wordlines
    double input_line_j() const { return 3.9e-15 * 2.0 * kInputs * kOutputs * pulses / kInputs; }
    double neuron_j() const { return 1.2e-12 * pulses + 0.25e-12 * integrations + 0.4e-12 * steps; }
    double read_s() const { return 0.27e-6 * integrations; }
    double convert_s() const { return 0.3e-6 * (steps + phases); }

    int pulses, phases = 0, integrations = 0, steps = 0;
};

ChipConfig core(const Operation& operation) {
    ChipConfig config;
    config.mapping.tile_rows = 256;
    config.mapping.tile_columns = 512;
    config.read.t_read_s = operation.read_s();
    config.timing.clock_hz = 1e8;
    config.timing.load_cycles = config.timing.drive_cycles = 1;
    config.timing.sample_cycles = config.timing.write_back_cycles = 1;
    config.timing.columns_per_adc = 1;
    config.timing.adc_cycles_per_conversion = static_cast<int>(std::lround(operation.convert_s() * 1e8));
    return config;
}

TEST(NeuRramMacro, SimulatedCoreHasThePublishedEnergyAndTime) {
    const Macro macro = load_macro(IMSSA_SOURCE_DIR "/scenarios/macros/neurram_130nm.toml");
    ModelConfig model = small_model();
    model.channels = kInputs;
    model.heads = kOutputs;
    model.layers = 1;
    model.states = 2;
    const DeployedNetwork network = small_network(model, KernelOptions{}, 1);
    ChipConfig config = core(Operation(10, 8));
    config.mapping.kernel_output = config.mapping.mixing_matrix = MatrixPlace::digital;  // only the encoder matters
    ChipSystem system(network, config, 1);
    EnergyLedger ledger(system.chip().units());
    LedgerObserver observer(ledger);
    system.chip().observe(observer);
    const Sequences sequences(network, 1, 3);
    system.run({sequences.batch});
    const auto count = [&ledger](const std::string& unit, Action action) {
        for (std::size_t index = 0; index < ledger.units().size(); ++index) {
            const std::string& name = ledger.units()[index].name;
            if (name.size() >= unit.size() && name.compare(name.size() - unit.size(), unit.size(), unit) == 0) {
                return ledger.count(static_cast<std::int32_t>(index), action);
            }
        }
        return 0.0;
    };
    ASSERT_EQ(count(".encoder.array.dac", Action::dac_conversion), kInputs);
    ASSERT_EQ(count(".encoder.array.adc", Action::adc_conversion), kOutputs);
    ASSERT_EQ(count(".encoder.array.tile", Action::array_read), 1.0);

    int points = 0;
    for (const MacroPoint& point : macro.points) {
        int output_bits = 0;
        int input_bits = 0;
        ASSERT_EQ(std::sscanf(point.name.c_str(), "%d-bit output, %d-bit input", &output_bits, &input_bits), 2);
        const Operation operation(output_bits, input_bits);
        const double inputs = count(".encoder.array.dac", Action::dac_conversion);
        const double outputs = count(".encoder.array.adc", Action::adc_conversion);
        const double energy =
            inputs * (operation.driver_j() + operation.input_line_j()) + outputs * operation.neuron_j();
        // 18 and 10 % of the wordlines' energy are not in C V^2 in the first two rows.
        EXPECT_NEAR(energy / point.measured_total_j, 1.0, 0.065) << point.name;
        EXPECT_NEAR(energy / estimate_point(macro, point, true).total_j.nominal, 1.0, 0.02)
            << point.name << ": the macro in closed form";
        const double time = array_read_cycles(1, core(operation).timing, core(operation).read).total() /
                            core(operation).timing.clock_hz;
        EXPECT_NEAR(time / point.measured_s, 1.0, 0.06) << point.name;
        ++points;
    }
    EXPECT_EQ(points, 8);
    // Busy time of the simulated unit: the last row's operation.
    const double busy_s = count(".encoder", Action::control_cycle) / 1e8;
    EXPECT_NEAR(busy_s / macro.points.back().measured_s, 1.0, 0.06);
}

}  // namespace
}  // namespace imssa::testing
