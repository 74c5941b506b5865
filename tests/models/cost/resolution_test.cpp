// Prices of converters follow the bits of their codes.
#include "models/cost/resolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "models/cost/area.h"
#include "models/cost/ledger.h"
#include "tests/models/cost/small_table.h"

namespace imssa {
namespace {

using testing::HasSubstr;
using testing_support::small_table;

constexpr const char* kTable28nm = IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml";

/// One conversion, amplifier, sample and input, and one part of each, in a unit of these bits.
std::vector<EnergyRow> rows_of(const CostTable& table, const ConverterBits& adc, const ConverterBits& dac) {
    CostUnit unit;
    unit.name = "chip.adc";
    unit.adc_bits = adc;
    unit.dac_bits = dac;
    for (const Component part :
         {Component::adc, Component::transimpedance, Component::sample_hold, Component::dac, Component::register_bit}) {
        unit.parts[part] = 1.0;
    }
    EnergyLedger ledger({unit});
    for (const Action action : {Action::adc_conversion, Action::transimpedance, Action::sample_hold,
                                Action::dac_conversion, Action::buffer_bit}) {
        ledger.record({action, 0, 1.0, 0.0, 0.0});
    }
    return ledger.price(table, {20e-9, 1.0});
}

const EnergyRow& item(const std::vector<EnergyRow>& rows, const std::string& name) {
    for (const EnergyRow& row : rows) {
        if (row.item == name) {
            return row;
        }
    }
    throw std::runtime_error("no row " + name);
}

TEST(Resolution, PricesOfEightBitsAreThoseOfTheTableToTheBit) {
    const CostTable table = load_cost_table(kTable28nm);
    const std::vector<EnergyRow> unknown = rows_of(table, {}, {});
    const std::vector<EnergyRow> eight = rows_of(table, {8, 0, 0.0}, {8, 8, 0.3});
    ASSERT_EQ(unknown.size(), eight.size());
    for (std::size_t row = 0; row < eight.size(); ++row) {
        EXPECT_EQ(unknown[row].energy_j, eight[row].energy_j) << eight[row].item;
        EXPECT_EQ(unknown[row].energy_low_j, eight[row].energy_low_j) << eight[row].item;
        EXPECT_EQ(unknown[row].energy_high_j, eight[row].energy_high_j) << eight[row].item;
        EXPECT_EQ(unknown[row].source, eight[row].source) << eight[row].item;
    }
}

// SAR converters of the survey: exp(0.511) a bit; the DAC linear; the amplifier's bias with bits + 1; the sample's
// capacitor a factor 4 a bit, at least a tenth.
TEST(Resolution, OneMoreBitScalesEnergiesByTheStatedFactors) {
    const CostTable table = load_cost_table(kTable28nm);
    for (int bits = 2; bits < 16; ++bits) {
        const std::vector<EnergyRow> few = rows_of(table, {bits, 0, 0.0}, {bits, 0, 0.0});
        const std::vector<EnergyRow> more = rows_of(table, {bits + 1, 0, 0.0}, {bits + 1, 0, 0.0});
        const auto ratio = [&](const char* name) { return item(more, name).energy_j / item(few, name).energy_j; };
        EXPECT_NEAR(ratio("adc_conversion"), std::exp(0.511), 1e-12) << bits;
        EXPECT_NEAR(ratio("dac_conversion"), (bits + 1.0) / bits, 1e-12) << bits;
        EXPECT_NEAR(ratio("transimpedance"), (bits + 2.0) / (bits + 1.0), 1e-12) << bits;
        const double least = std::max(std::pow(4.0, bits - 8), 0.1);
        EXPECT_NEAR(ratio("sample_hold"), std::max(std::pow(4.0, bits - 7), 0.1) / least, 1e-9) << bits;
        EXPECT_NEAR(ratio("leakage of adc"), std::exp(0.101), 1e-12) << bits;
        EXPECT_NEAR(ratio("leakage of dac"), 2.0, 1e-12) << bits;
        EXPECT_EQ(ratio("buffer_bit"), 1.0) << bits;
        EXPECT_EQ(ratio("leakage of register_bit"), 1.0) << bits;
        for (const EnergyRow& row : more) {
            const EnergyRow& before = item(few, row.item);
            EXPECT_NEAR(row.energy_low_j / before.energy_low_j, ratio(row.item.c_str()), 1e-9) << row.item;
            EXPECT_NEAR(row.energy_high_j / before.energy_high_j, ratio(row.item.c_str()), 1e-9) << row.item;
            EXPECT_GE(row.energy_j, before.energy_j) << row.item << " " << bits;
        }
    }
}

TEST(Resolution, SixBitsHaveTheFactorsOfTheDocument) {
    const std::vector<EnergyRow> rows = rows_of(load_cost_table(kTable28nm), {6, 0, 0.0}, {6, 0, 0.0});
    EXPECT_NEAR(item(rows, "adc_conversion").energy_j, 2.66e-12 * std::exp(-2.0 * 0.511), 1e-18);
    EXPECT_NEAR(item(rows, "dac_conversion").energy_j, 0.324e-12 * 6.0 / 8.0, 1e-18);
    EXPECT_NEAR(item(rows, "transimpedance").energy_j, 0.9e-12 * 7.0 / 9.0, 1e-18);
    EXPECT_NEAR(item(rows, "sample_hold").energy_j, 1.6e-15, 1e-21);
    EXPECT_THAT(item(rows, "adc_conversion").source,
                HasSubstr("8-bit price x 0.3599 for 6 bits, adc_survey_sar; Wang"));
}

TEST(Resolution, EnergyIsTheMeanOverTheCodesAndAreaThatOfTheWidest) {
    const CostTable table = load_cost_table(kTable28nm);
    const ConverterBits mixed{4, 8, 0.25};
    const double four = item(rows_of(table, {4, 0, 0.0}, {}), "adc_conversion").energy_j;
    const std::vector<EnergyRow> rows = rows_of(table, mixed, {});
    EXPECT_NEAR(item(rows, "adc_conversion").energy_j, 0.75 * four + 0.25 * 2.66e-12, 1e-20);
    EXPECT_THAT(item(rows, "adc_conversion").source, HasSubstr("for 4 and (25 % of the codes) 8 bits, adc_survey_sar"));
    EXPECT_DOUBLE_EQ(item(rows, "leakage of adc").energy_j, 3e-6);
    CostUnit unit;
    unit.parts[Component::adc] = 2.0;
    unit.adc_bits = mixed;
    EXPECT_DOUBLE_EQ(total_area(area_rows({unit}, table)).area_mm2, 2.0 * 3000e-6);
    unit.adc_bits = {6, 4, 0.25};
    const std::vector<AreaRow> area = area_rows({unit}, table);
    EXPECT_NEAR(area.front().area_mm2, 2.0 * 3000e-6 * std::exp(-2.0 * 0.101), 1e-12);
    EXPECT_THAT(area.front().source, HasSubstr("8-bit price x 0.8171 for 6 bits, adc_survey_sar_area; "));
}

TEST(Resolution, OutsideOfTheModelsRangeTheRowSaysExtrapolated) {
    const CostTable table = load_cost_table(kTable28nm);
    EXPECT_THAT(item(rows_of(table, {2, 0, 0.0}, {}), "adc_conversion").source, HasSubstr("extrapolated"));
    EXPECT_THAT(item(rows_of(table, {12, 0, 0.0}, {}), "adc_conversion").source, HasSubstr("extrapolated"));
    EXPECT_THAT(item(rows_of(table, {10, 0, 0.0}, {}), "adc_conversion").source,
                testing::Not(HasSubstr("extrapolated")));
}

TEST(Resolution, APriceFromAModelFollowsThatModel) {
    CostTable table = small_table();
    for (EnergyPrice& price : table.energies) {
        if (price.action == Action::adc_conversion) {
            price.resolution = {};
            price.energy_j = price.energy_low_j = price.energy_high_j = 0.0;
            price.use.model = "adc_zigzag";
            price.use.parameters[Parameter::bits] = 7.5;  // effective
            price.use.parameters[Parameter::v_supply_volt] = 0.9;
            price.resolution.bits = 8.0;
        }
    }
    table.resolve_models();
    const auto joules = [](double bits) { return (100e-15 * bits + 1e-18 * std::pow(4.0, bits)) * 0.81; };
    EXPECT_NEAR(item(rows_of(table, {8, 0, 0.0}, {}), "adc_conversion").energy_j, joules(7.5), 1e-20);
    EXPECT_NEAR(item(rows_of(table, {10, 0, 0.0}, {}), "adc_conversion").energy_j, joules(9.5), 1e-20);
}

TEST(Resolution, AnEntryWithoutBitsHoldsAtEveryResolution) {
    CostTable table = small_table();
    for (EnergyPrice& price : table.energies) {
        price.resolution = {};
    }
    EXPECT_EQ(item(rows_of(table, {4, 0, 0.0}, {}), "adc_conversion").energy_j,
              table.energy(Action::adc_conversion).energy_j);
}

TEST(Resolution, MistakesAreNamed) {
    const auto message = [](Action action, const Resolution& resolution) -> std::string {
        EnergyPrice price = small_table().energy(action);
        price.resolution = resolution;
        try {
            price.validate();
        } catch (const UserError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_THAT(message(Action::buffer_bit, {8.0, ""}), HasSubstr("energy of buffer_bit: bits and bits_model are for"));
    EXPECT_THAT(message(Action::adc_conversion, {-1.0, ""}), HasSubstr("bits = -1 is out of range"));
    EXPECT_THAT(message(Action::adc_conversion, {0.0, "adc_zigzag"}), HasSubstr("bits = 0 is out of range"));
    EXPECT_THAT(message(Action::adc_conversion, {8.0, "line_charge"}), HasSubstr("'line_charge' knows no bits"));
    EXPECT_THAT(message(Action::adc_conversion, {8.0, "no_model"}), HasSubstr("no component model 'no_model'"));
    EXPECT_EQ(message(Action::adc_conversion, {8.0, "adc_andrulis"}), "");
}

}  // namespace
}  // namespace imssa
