// The simulated chip's energy against the example worked by hand in docs/energy.md.
#include "models/chip/timing_model.h"
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
    EXPECT_NEAR(others_j / lanes, 504.37235e-12, 1e-20);
    EXPECT_GT(array_j, 0.0);
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
