#include "models/cost/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "models/common/error.h"
#include "tests/models/cost/small_table.h"

namespace imssa {
namespace {

using testing_support::small_table;

constexpr const char* kTable28nm = IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml";

const EnergyRow& row_of(const std::vector<EnergyRow>& rows, const std::string& unit, const std::string& item) {
    for (const EnergyRow& row : rows) {
        if (row.unit == unit && row.item == item) {
            return row;
        }
    }
    throw std::runtime_error("no row " + unit + " " + item);
}

double group_energy(const std::vector<EnergyRow>& rows, ComponentGroup group) {
    return energy_by_group(rows)[static_cast<std::size_t>(group)].energy_j;
}

TEST(EnergyLedger, CountsByUnitAndAction) {
    EnergyLedger ledger({{"a", ComponentGroup::digital, {}}, {"b", ComponentGroup::digital, {}}});
    ledger.record({Action::adc_conversion, 0, 64.0, 0.0, 0.0});
    ledger.record({Action::adc_conversion, 0, 36.0, 0.0, 0.0});
    ledger.record({Action::adc_conversion, 1, 5.0, 0.0, 0.0});
    ledger.record({Action::array_read, 1, 2.0, 3e-12, 5e-12});
    ledger.record({Action::array_read, 1, 1.0, 1e-12, 2e-12});
    EXPECT_EQ(ledger.count(0, Action::adc_conversion), 100.0);
    EXPECT_EQ(ledger.count(1, Action::adc_conversion), 5.0);
    EXPECT_EQ(ledger.count(0, Action::dac_conversion), 0.0);
    EXPECT_DOUBLE_EQ(ledger.array_device_j(1), 4e-12);
    EXPECT_DOUBLE_EQ(ledger.array_supply_j(1), 7e-12);
    ledger.clear();
    EXPECT_EQ(ledger.count(0, Action::adc_conversion), 0.0);
    EXPECT_EQ(ledger.array_supply_j(1), 0.0);
    EXPECT_THROW(ledger.record({Action::adc_conversion, 2, 1.0, 0.0, 0.0}), std::out_of_range);
}

// One fused step on a 64 x 64 tile: 64 conversions of 2.66 pJ, 64 of 0.324 pJ, 64 amplifiers of 45 uW for 20 ns, an
// array that takes 358 pJ: 170.24 + 20.736 + 57.6 + 358 = 606.576 pJ.
TEST(EnergyLedger, PricesAStepOfTheChipAsByHand) {
    EnergyLedger ledger({{"kernel", ComponentGroup::digital, {}}});
    ledger.record({Action::dac_conversion, 0, 64.0, 0.0, 0.0});
    ledger.record({Action::array_read, 0, 1.0, 53e-12, 358e-12});
    ledger.record({Action::transimpedance, 0, 64.0, 0.0, 0.0});
    ledger.record({Action::adc_conversion, 0, 64.0, 0.0, 0.0});
    const std::vector<EnergyRow> rows = ledger.price(load_cost_table(kTable28nm), {20e-9, 0.0});
    EXPECT_EQ(rows.size(), 4U);
    EXPECT_NEAR(total_energy(rows).energy_j, 606.576e-12, 1e-18);
    EXPECT_NEAR(group_energy(rows, ComponentGroup::adc), 170.24e-12, 1e-18);
    EXPECT_NEAR(group_energy(rows, ComponentGroup::dac_drivers), 20.736e-12, 1e-18);
    EXPECT_NEAR(group_energy(rows, ComponentGroup::tia_sample_hold), 57.6e-12, 1e-18);
    EXPECT_NEAR(group_energy(rows, ComponentGroup::array), 358e-12, 1e-18);
    EXPECT_NEAR(total_energy(rows).energy_low_j, (64 * 1.33 + 64 * 0.291 + 64 * 0.45 + 53) * 1e-12, 1e-18);
    EXPECT_NEAR(total_energy(rows).energy_high_j, (64 * 4.5 + 64 * 0.43 + 64 * 1.8 + 358) * 1e-12, 1e-18);
    const EnergyRow& adc = row_of(rows, "kernel", "adc_conversion");
    EXPECT_EQ(adc.count, 64.0);
    EXPECT_DOUBLE_EQ(adc.unit_cost_j, 2.66e-12);
    EXPECT_EQ(adc.status, "D");
    EXPECT_THAT(adc.source, testing::HasSubstr("Wang"));
}

TEST(EnergyLedger, EveryRowIsCountTimesUnitCostAndTotalsAreTheSumsOfTheRows) {
    std::vector<CostUnit> units(3);
    for (std::size_t unit = 0; unit < units.size(); ++unit) {
        units[unit].name = "unit" + std::to_string(unit);
        units[unit].parts[Component::adc] = 8.0;
        units[unit].parts[Component::register_bit] = 100.0;
    }
    units[2].digital = ComponentGroup::layer_units;
    EnergyLedger ledger(units);
    for (std::int32_t unit = 0; unit < 3; ++unit) {
        for (const auto& [name, action] : enum_names(Action{})) {
            const double count = 17.0 * (unit + 1) + static_cast<double>(action);
            ledger.record({action, unit, count, action == Action::array_read ? 1.1e-12 : 0.0,
                           action == Action::array_read ? 3.3e-12 : 0.0});
        }
    }
    const std::vector<EnergyRow> rows = ledger.price(small_table(), {20e-9, 1e-6});
    EXPECT_EQ(rows.size(), 3U * (kActionCount + 2));
    double sum = 0.0;
    for (const EnergyRow& row : rows) {
        EXPECT_NEAR(row.energy_j, row.count * row.unit_cost_j, 1e-15 * row.energy_j) << row.item;
        EXPECT_LE(row.energy_low_j, row.energy_j);
        EXPECT_GE(row.energy_high_j, row.energy_j);
        EXPECT_EQ(row.array_device_j, row.item == to_string(Action::array_read) ? 1.1e-12 : 0.0) << row.item;
        sum += row.energy_j;
    }
    EXPECT_EQ(total_energy(rows).energy_j, sum);
    EXPECT_EQ(total_array_device_j(rows), 1.1e-12 + 1.1e-12 + 1.1e-12);
    double groups = 0.0;
    for (const EnergyTotal& group : energy_by_group(rows)) {
        groups += group.energy_j;
    }
    EXPECT_NEAR(groups, sum, 1e-15 * sum);
    EXPECT_EQ(row_of(rows, "unit2", "digital_add").group, ComponentGroup::layer_units);
    EXPECT_EQ(row_of(rows, "unit1", "digital_add").group, ComponentGroup::digital);
    // Leakage: 8 ADCs of 5 nW for 1 us.
    const EnergyRow& leakage = row_of(rows, "unit0", "leakage of adc");
    EXPECT_NEAR(leakage.energy_j, 8 * 5e-9 * 1e-6, 1e-24);
    EXPECT_EQ(leakage.group, ComponentGroup::leakage);
}

TEST(EnergyLedger, AnActionWithoutAPriceIsNamed) {
    CostTable table = small_table();
    table.energies.clear();
    EnergyLedger ledger({{"layer", ComponentGroup::digital, {}}});
    EXPECT_TRUE(ledger.price(table, {}).empty());
    ledger.record({Action::norm_element, 0, 1.0, 0.0, 0.0});
    try {
        ledger.price(table, {});
        FAIL() << "no error";
    } catch (const UserError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("'norm_element'"));
    }
}

TEST(EnergyLedger, APowerNeedsAReadTime) {
    EnergyLedger ledger({{"kernel", ComponentGroup::digital, {}}});
    ledger.record({Action::transimpedance, 0, 1.0, 0.0, 0.0});
    EXPECT_THROW(ledger.price(small_table(), {}), UserError);
    EXPECT_NEAR(total_energy(ledger.price(small_table(), {100e-9, 0.0})).energy_j, 4.5e-12, 1e-24);
}

TEST(EnergyLedger, ReadsOfAnArrayWithoutInputsAreFree) {
    EnergyLedger ledger({{"kernel", ComponentGroup::digital, {}}});
    ledger.record({Action::array_read, 0, 10.0, 0.0, 0.0});
    const std::vector<EnergyRow> rows = ledger.price(small_table(), {20e-9, 0.0});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].energy_j, 0.0);
    EXPECT_EQ(rows[0].count, 10.0);
}

}  // namespace
}  // namespace imssa
