// The simulated chip's energy against the example worked by hand in docs/energy.md.
#include "models/chip/timing_model.h"
#include "models/cost/area.h"
#include "models/cost/cost_table.h"
#include "models/cost/ledger.h"
#include "tests/models/chip/hand_worked.h"

namespace imssa::testing {
namespace {

class LedgerObserver final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    explicit LedgerObserver(EnergyLedger& ledger) : ledger_(ledger) {}
    void write(const ActionEvent& event) override { ledger_.record(event); }

private:
    EnergyLedger& ledger_;
};

TEST(ChipEnergy, HandWorkedExampleCostsWhatTheDocumentSays) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const int lanes = 5;
    const Sequences sequences(network, lanes, 1);
    ChipSystem system(network, hand_worked_chip(), 1);
    EnergyLedger ledger(system.chip().units());
    LedgerObserver observer(ledger);
    system.chip().observe(observer);
    system.run({sequences.batch});
    const CostTable table = load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
    PricingConditions conditions;
    conditions.read_time_s = hand_worked_chip().read.t_read_s;
    double array_j = 0.0;
    double others_j = 0.0;
    for (const EnergyRow& row : ledger.price(table, conditions)) {
        (row.group == ComponentGroup::array ? array_j : others_j) += row.energy_j;
    }
    EXPECT_NEAR(others_j / lanes, 505.11435e-12, 1e-20);
    EXPECT_GT(array_j, 0.0);
}

/// The example with codes that make its array reads easy by hand: every weight 127; every array input is 127 in the
/// encoder, 64 in Re and 0 in Im of the states (Abar = 0: they follow the input), 32 in the mixing matrix, 64 in the
/// classifier.
DeployedNetwork hand_worked_codes() {
    DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const auto set = [](QuantizedMatrix& matrix, float input_sum, float output) {
        matrix.codes.setConstant(127.0F);
        matrix.drive.assign(matrix.drive.size(), 1.0F);
        matrix.gain.assign(matrix.gain.size(), output / (127.0F * input_sum));
        matrix.offset.assign(matrix.offset.size(), 0.0F);
    };
    set(network.encoder, 127.0F, 64.0F);
    DeployedLayer& layer = network.layers.front();
    for (DeployedKernel& kernel : layer.kernels) {
        kernel.poles.assign(2, DigitalPole{-1, 0, 0});
        kernel.input_shift = kernel.register_shift;
        kernel.feedthrough = 0.0F;
        set(kernel.array, 128.0F, 32.0F);
    }
    for (int code = -127; code <= 127; ++code) {
        layer.activation_table[static_cast<std::size_t>(code + 127)] = static_cast<float>(code);
    }
    set(layer.mixing, 64.0F, 32.0F);
    layer.unit.gamma = {0.0F, 0.0F};
    layer.unit.beta = {64.0F, 64.0F};
    layer.output_scale = network.pooled_scale;  // the mean of 64 is 64
    set(network.decoder, 128.0F, 32.0F);
    return network;
}

TEST(ChipEnergy, HandWorkedArrayReadsAndLeakageCostWhatTheDocumentSays) {
    const DeployedNetwork network = hand_worked_codes();
    const std::vector<float> ones(kHandWorkedSteps, 1.0F);
    ChipConfig config = hand_worked_chip();
    config.device.g_max_siemens = 150e-6;
    config.read.v_read_volt = 0.2;
    config.read.v_supply_volt = 0.9;
    ChipSystem system(network, config, 1);
    EnergyLedger ledger(system.chip().units());
    LedgerObserver observer(ledger);
    system.chip().observe(observer);
    system.run({{{ones.data()}, {0}, {}}});
    const CostTable table = load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
    PricingConditions conditions;
    conditions.read_time_s = config.read.t_read_s;
    conditions.duration_s =
        10e-9 * static_cast<double>(sequence_interval_cycles(pipeline_of(network, config), kHandWorkedSteps));
    double array_j = 0.0, leakage_j = 0.0, total_j = 0.0;
    for (const EnergyRow& row : ledger.price(table, conditions)) {
        array_j += row.group == ComponentGroup::array ? row.energy_j : 0.0;
        leakage_j += row.group == ComponentGroup::leakage ? row.energy_j : 0.0;
        total_j += row.energy_j;
    }
    EXPECT_NEAR(array_j, 18.45354e-12, 1e-17);
    EXPECT_NEAR(leakage_j, 12.8648751e-12, 1e-20);
    EXPECT_NEAR(total_j, 536.43277e-12, 1e-17);
    const auto areas = area_by_group(area_rows(system.chip().units(), table));
    EXPECT_NEAR(areas[static_cast<std::size_t>(ComponentGroup::interconnect)].area_mm2, 98.24e-6, 1e-15);
}

// A token every 20 cycles of 10 ns instead of every 11: the three of a sequence leak for 600 ns instead of 330 ns. Five
// converters (encoder, one for each head, mixing, classifier) leak all the time, whatever they do.
TEST(ChipEnergy, HandWorkedSlowInputLeaksWhileTheChipIsIdle) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const Sequences sequences(network, 1, 1);
    ChipConfig slow = hand_worked_chip();
    slow.timing.input_interval_cycles = 20;
    ChipSystem fast_system(network, hand_worked_chip(), 1, "fast");
    ChipSystem slow_system(network, slow, 1, "slow");
    const CostTable table = load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
    std::vector<double> dynamic_j, adc_leakage_j;
    for (ChipSystem* system : {&fast_system, &slow_system}) {
        EnergyLedger ledger(system->chip().units());
        LedgerObserver observer(ledger);
        system->chip().observe(observer);
        system->run({sequences.batch});
        PricingConditions conditions;
        conditions.read_time_s = slow.read.t_read_s;
        conditions.duration_s = 10e-9 * static_cast<double>(sequence_interval_cycles(
                                            pipeline_of(network, system->chip().config()), kHandWorkedSteps));
        dynamic_j.push_back(0.0);
        adc_leakage_j.push_back(0.0);
        for (const EnergyRow& row : ledger.price(table, conditions)) {
            if (row.group != ComponentGroup::leakage) {
                dynamic_j.back() += row.energy_j;
            } else if (row.item == "leakage of adc") {
                adc_leakage_j.back() += row.energy_j;
            }
        }
    }
    EXPECT_EQ(dynamic_j[1], dynamic_j[0]) << "idle units do nothing";
    const double adc_w = table.leakage(Component::adc).power_w;
    EXPECT_NEAR(adc_leakage_j[0] / (5 * adc_w * 330e-9), 1.0, 1e-12);
    EXPECT_NEAR(adc_leakage_j[1] / (5 * adc_w * 600e-9), 1.0, 1e-12);
}

TEST(ChipEnergy, DoubledTileColumnsDoubleTheRowLinesAndNothingElse) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const Sequences sequences(network, 2, 1);
    ChipConfig wide = hand_worked_chip();
    wide.mapping.tile_columns *= 2;
    ChipSystem narrow_system(network, hand_worked_chip(), 1, "chip");
    ChipSystem wide_system(network, wide, 1, "wide");
    const CostTable table = load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
    std::vector<std::vector<EnergyRow>> rows;
    for (ChipSystem* system : {&narrow_system, &wide_system}) {
        EnergyLedger ledger(system->chip().units());
        LedgerObserver observer(ledger);
        system->chip().observe(observer);
        system->run({sequences.batch});
        rows.push_back(ledger.price(table, {20e-9, 330e-9}));
    }
    ASSERT_EQ(rows[0].size(), rows[1].size());
    int lines = 0;
    for (std::size_t index = 0; index < rows[0].size(); ++index) {
        const EnergyRow& narrow = rows[0][index];
        const bool is_line = narrow.item == to_string(Action::row_line_cell);
        lines += is_line ? 1 : 0;
        EXPECT_EQ(narrow.group == ComponentGroup::dac_drivers && narrow.item != "dac_conversion", is_line);
        EXPECT_DOUBLE_EQ(rows[1][index].energy_j, (is_line ? 2.0 : 1.0) * narrow.energy_j) << narrow.item;
    }
    EXPECT_EQ(lines, 4) << "encoder, kernels, mixing, classifier";
}

TEST(ChipEnergy, HandWorkedReadHasTheEnergyOfTheDocument) {
    QuantizedMatrix matrix;
    matrix.codes = MatrixRM(2, 1);
    matrix.codes << 127.0F, -64.0F;
    matrix.drive = {1.0F, 1.0F};
    matrix.gain = {1.0F};
    matrix.offset = {0.0F};
    matrix.output_limit = {127.0F};
    DeviceConfig device;
    device.g_max_siemens = 150e-6;
    const ReadConfig read{0.2, 20e-9, 0.9};
    const Crossbar tile(matrix, MappingOptions{}, device, read, 1, 0, "tile");
    LaneMatrix inputs(2, 1);
    inputs(0, 0) = 100.0F;
    inputs(1, 0) = -50.0F;
    const ReadEnergy energy = tile.read_energy(inputs);
    EXPECT_NEAR(energy.device_j, 0.16755e-12, 1e-17);
    EXPECT_NEAR(energy.supply_j, 1.06467e-12, 1e-17);
}

}  // namespace
}  // namespace imssa::testing
