#include "models/cost/breakdown.h"

#include <gtest/gtest.h>

#include <limits>

#include "models/common/error.h"
#include "tests/models/cost/small_table.h"

namespace imssa {
namespace {

using testing_support::small_table;

TEST(Breakdown, UnitsBelongToTheLayerThatTheyServe) {
    EXPECT_EQ(layer_of("chip.encoder.array.dac"), "encoder");
    EXPECT_EQ(layer_of("chip.layer1.kernel.decay"), "layer1");
    EXPECT_EQ(layer_of("chip.layer0.kernel_output"), "layer0");
    EXPECT_EQ(layer_of("chip.layer0_input"), "layer0");
    EXPECT_EQ(layer_of("chip.pooling_input"), "pooling");
    EXPECT_EQ(layer_of("kernel"), "kernel");
}

TEST(Breakdown, EveryBreakdownSumsToTheTotal) {
    std::vector<CostUnit> units;
    for (const char* name : {"chip.encoder.array.adc", "chip.layer0.kernel.decay", "chip.layer0.kernel.output",
                             "chip.layer0.mixing.table", "chip.layer0.unit", "chip.pooling", "chip.layer0_input"}) {
        units.push_back({name, ComponentGroup::digital, {}});
        units.back().parts[Component::adc] = 3.0;
    }
    units[4].digital = ComponentGroup::layer_units;
    EnergyLedger ledger(units);
    for (std::int32_t unit = 0; unit < static_cast<std::int32_t>(units.size()); ++unit) {
        for (const auto& [name, action] : enum_names(Action{})) {
            const double joules = action == Action::array_read ? 1e-12 : 0.0;
            ledger.record({action, unit, 3.0 + unit, joules, joules});
        }
    }
    const std::vector<EnergyRow> rows = ledger.price(small_table(), {20e-9, 1e-6});
    check_rows(rows);
    const double total = total_energy(rows).energy_j;
    for (const auto& shares : {energy_by_unit(rows), energy_by_layer(rows), energy_by_phase(rows)}) {
        double sum = 0.0;
        for (const EnergyShare& share : shares) {
            sum += share.total.energy_j;
        }
        EXPECT_NEAR(sum, total, 1e-12 * total);
    }
    EXPECT_EQ(energy_by_layer(rows).size(), 3U);
}

TEST(Breakdown, CoefficientsAreLoadedWhateverHoldsThem) {
    std::vector<CostUnit> units = {{"chip.layer0.kernel.coefficients", ComponentGroup::coefficients, {}},
                                   {"chip.layer0.mixing.array.coefficients", ComponentGroup::coefficients, {}},
                                   {"chip.layer0_input", ComponentGroup::digital, {}}};
    units[0].parts[Component::register_bit] = 2.0;
    EnergyLedger ledger(units);
    ledger.record({Action::register_bit_read, 0, 8.0, 0.0, 0.0});
    ledger.record({Action::buffer_bit, 1, 8.0, 0.0, 0.0});
    ledger.record({Action::buffer_bit, 2, 8.0, 0.0, 0.0});
    const std::vector<EnergyRow> rows = ledger.price(small_table(), {});
    EXPECT_EQ(rows[0].group, ComponentGroup::coefficients);
    EXPECT_EQ(rows[1].group, ComponentGroup::coefficients);
    EXPECT_EQ(phase_of(rows[0]), "LOAD");
    EXPECT_EQ(phase_of(rows[1]), "LOAD");
    EXPECT_EQ(rows[2].group, ComponentGroup::buffers);
    EXPECT_EQ(phase_of(rows[2]), "TRANSFER");
    EXPECT_EQ(group_of(Component::register_bit, units[0].digital), ComponentGroup::coefficients);
}

TEST(Breakdown, RowsThatCannotBeAreRefused) {
    EnergyRow row;
    row.unit = "unit";
    row.item = "adc_conversion";
    row.count = 1.0;
    row.unit_cost_j = row.energy_low_j = row.energy_j = row.energy_high_j = 1e-12;
    check_rows({row});
    EnergyRow broken = row;
    broken.energy_j = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(check_rows({broken}), NumericalError);
    broken = row;
    broken.energy_low_j = 2e-12;
    EXPECT_THROW(check_rows({broken}), NumericalError);
    broken = row;
    broken.unit_cost_j = broken.energy_low_j = broken.energy_j = broken.energy_high_j = 0.0;
    EXPECT_THROW(check_rows({broken}), NumericalError);
    broken.item = "array_read";
    check_rows({broken});
}

}  // namespace
}  // namespace imssa
