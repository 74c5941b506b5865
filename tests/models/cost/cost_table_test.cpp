#include "models/cost/cost_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/common/config.h"
#include "models/common/error.h"
#include "tests/models/cost/small_table.h"

namespace imssa {
namespace {

using testing_support::small_table;

constexpr const char* kTable28nm = IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml";

std::string message_of(const CostTable& table) {
    try {
        table.validate();
    } catch (const UserError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(CostTable, TheTableOf28NanometresIsCompleteAndHoldsTheCitedValues) {
    const CostTable table = load_cost_table(kTable28nm);
    EXPECT_EQ(table.name, "imssa_28nm");
    EXPECT_DOUBLE_EQ(table.energy(Action::adc_conversion).energy_j, 2.66e-12);
    EXPECT_DOUBLE_EQ(table.energy(Action::adc_conversion).energy_low_j, 1.33e-12);
    EXPECT_DOUBLE_EQ(table.energy(Action::adc_conversion).energy_high_j, 4.5e-12);
    EXPECT_NEAR(table.energy(Action::dac_conversion).energy_j, 50e-15 * 8 * 0.9 * 0.9, 1e-18);
    EXPECT_DOUBLE_EQ(table.energy(Action::transimpedance).power_w, 45e-6);
    EXPECT_NEAR(table.energy(Action::register_bit_write).energy_j, 2.1e-15 * 0.81, 1e-17);
    EXPECT_NEAR(table.area(Component::cell).area_mm2, 48 * 28e-6 * 28e-6, 1e-10);
    EXPECT_DOUBLE_EQ(table.area(Component::adc).area_mm2, 3000e-6);
    EXPECT_DOUBLE_EQ(table.area(Component::dac).area_mm2, 438e-6);
    EXPECT_DOUBLE_EQ(table.area(Component::link_bit).area_mm2, 2 * 0.614e-6);
    for (const EnergyPrice& price : table.energies) {
        EXPECT_FALSE(price.per.empty()) << to_string(price.action);
        EXPECT_GT(price.energy_j + price.power_w, 0.0) << to_string(price.action);
    }
}

TEST(CostTable, UnitsThatNoChipHasAreNamedWithTheUnitsOfTheChip) {
    std::vector<CostUnit> units(3);
    units[0].name = "chip.layer0.kernel.adc";
    units[1].name = "chip.layer1.kernel.adc";
    units[2].name = "chip.pooling_input";
    const auto message = [&units](const std::string& unit) -> std::string {
        CostTable table = small_table();
        table.check_units(units);
        table.energies.push_back(table.energy(Action::buffer_bit));
        table.energies.back().unit = unit;
        try {
            table.check_units(units);
        } catch (const UserError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_EQ(message("pooling_input"), "accepted");
    EXPECT_EQ(message("layer1.kernel.adc"), "accepted");
    EXPECT_EQ(message("state_buffer"), "accepted") << "only chips with shared sites have it";
    EXPECT_EQ(message("state_bufer"),
              "energy of buffer_bit: no unit's name ends with unit = 'state_bufer': the chip's end with adc, "
              "pooling_input");
    EXPECT_NE(message("layer2.kernel.adc"), "accepted");
}

TEST(CostTable, TheTablesOfTheOtherNodesAreCompleteAndSayTheirOwnNode) {
    const std::pair<const char*, double> tables[] = {{"180", 1.8}, {"65", 1.2}, {"22", 1.0}, {"14", 0.8}};
    double before = 1.0;
    for (const auto& [nm, volt] : tables) {
        const CostTable table =
            load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_" + std::string(nm) + "nm.toml");
        EXPECT_DOUBLE_EQ(table.technology_nm, std::stod(nm));
        EXPECT_DOUBLE_EQ(table.v_supply_volt, volt);
        EXPECT_LT(table.energy(Action::digital_multiply).energy_j, before) << "finer nodes multiply for less";
        before = table.energy(Action::digital_multiply).energy_j;
        for (const EnergyPrice& price : table.energies) {
            EXPECT_GT(price.energy_low_j + price.power_low_w, 0.0) << nm << " " << to_string(price.action);
            EXPECT_FALSE(price.provenance.source.empty());
        }
        for (const auto& [name, component] : enum_names(Component{})) {
            EXPECT_GT(table.area(component).area_low_mm2, 0.0) << nm << " " << name;
        }
    }
    // 45 nm 0.2 pJ x 19.8 (Stillmaker and Baas, extrapolated to 180 nm and 1.8 V).
    const CostTable old = load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_180nm.toml");
    EXPECT_NEAR(old.energy(Action::digital_multiply).energy_j, 3.96e-12, 0.02e-12);
    EXPECT_THROW(load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml", {"technology_nm=1e-9"}),
                 UserError);
    EXPECT_THROW(load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml", {"v_supply_volt=1e6"}),
                 UserError);
    EXPECT_NEAR(old.energy(Action::adc_conversion).energy_j, 11.3e-12, 0.1e-12);
    EXPECT_NE(old.energy(Action::digital_multiply).provenance.source.find("extrapolated"), std::string::npos);
}

TEST(CostTable, OverridesReachSingleEntries) {
    const CostTable table = load_cost_table(kTable28nm, {"energy.3.energy_j=2e-12"});
    EXPECT_DOUBLE_EQ(table.energy(Action::adc_conversion).energy_j, 2e-12);
}

TEST(CostTable, AMissingEntryIsNamed) {
    using testing::HasSubstr;
    EXPECT_EQ(message_of(small_table()), "accepted");
    for (const auto& [name, action] : enum_names(Action{})) {
        if (action == Action::array_read) {
            continue;
        }
        CostTable table = small_table();
        for (std::size_t i = 0; i < table.energies.size(); ++i) {
            if (table.energies[i].action == action) {
                table.energies.erase(table.energies.begin() + static_cast<std::ptrdiff_t>(i));
                break;
            }
        }
        EXPECT_THAT(message_of(table), HasSubstr(std::string("[[energy]] entry for '") + name + "'"));
    }
    CostTable table = small_table();
    table.areas.pop_back();
    EXPECT_THAT(message_of(table), HasSubstr("[[area]] entry for 'sequencer'"));
    table = small_table();
    table.leakages.pop_back();
    EXPECT_THAT(message_of(table), HasSubstr("[[leakage]] entry for 'sequencer'"));
    table = small_table();
    table.energies.push_back(table.energies.front());
    EXPECT_THAT(message_of(table), HasSubstr("2 [[energy]] entries for 'dac_conversion'"));
}

TEST(CostTable, EntriesWithoutSourceOrWithWrongUnitsAreRejected) {
    using testing::HasSubstr;
    const auto message = [](auto change) {
        EnergyPrice price = small_table().energy(Action::adc_conversion);
        change(price);
        try {
            price.validate();
        } catch (const UserError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_EQ(message([](EnergyPrice&) {}), "accepted");
    EXPECT_THAT(message([](EnergyPrice& p) { p.provenance.source = ""; }), HasSubstr("adc_conversion: no source"));
    EXPECT_THAT(message([](EnergyPrice& p) { p.provenance.status = "X"; }), HasSubstr("status = \"X\""));
    EXPECT_THAT(message([](EnergyPrice& p) { p.energy_high_j = 0.0; }), HasSubstr("low <= nominal <= high"));
    EXPECT_THAT(message([](EnergyPrice& p) { p.energy_low_j = -1e-12; }), HasSubstr("low <= nominal <= high"));
    EXPECT_THAT(message([](EnergyPrice& p) {
                    p.energy_j = 2.66;
                    p.energy_high_j = 4.5;
                }),
                HasSubstr("the unit is joule"));
    EXPECT_THAT(message([](EnergyPrice& p) { p.power_high_w = 1e-6; }), HasSubstr("keep one"));
    EXPECT_THAT(message([](EnergyPrice& p) { p.action = Action::array_read; }), HasSubstr("remove the entry"));
}

TEST(CostTable, WhatWouldCountForNothingOrBeIgnoredIsRefusedWithFileEntryAndKey) {
    using testing::AllOf;
    using testing::HasSubstr;
    const auto message = [](const std::vector<std::string>& overrides, const char* table = kTable28nm) {
        try {
            load_cost_table(table, overrides);
        } catch (const UserError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_EQ(message({}), "accepted");
    EXPECT_THAT(message({"energy.3.energy_j=0", "energy.3.energy_low_j=0"}),
                AllOf(HasSubstr("costs_28nm.toml"), HasSubstr("energy of adc_conversion: energy_j is 0")));
    EXPECT_THAT(message({"energy.1.power_w=0", "energy.1.power_low_w=0"}),
                HasSubstr("energy of transimpedance: power_w is 0"));
    EXPECT_THAT(message({"area.4.area_mm2=0", "area.4.area_low_mm2=0", "area.4.area_high_mm2=0"}),
                AllOf(HasSubstr("costs_28nm.toml"), HasSubstr("area of adc: area_mm2 is 0")));
    EXPECT_THAT(message({"leakage.4.power_w=0", "leakage.4.power_low_w=0", "leakage.4.power_high_w=0"}),
                HasSubstr("leakage of adc: power_w is 0"));
    EXPECT_THAT(message({"leakage.0.power_high_w=1e-9"}), HasSubstr("leakage of cell: power_w is 0"));
    // A number beside a model, a parameter that the model does not use, a model of something else.
    constexpr const char* kModels = IMSSA_SOURCE_DIR "/scenarios/chips/costs_14nm.toml";
    ASSERT_EQ(load_cost_table(kModels).energies[0].use.model, "pulse_width_driver");
    EXPECT_THAT(message({"energy.0.energy_j=1e-12"}, kModels),
                AllOf(HasSubstr("costs_14nm.toml"), HasSubstr("energy of dac_conversion: both the model"),
                      HasSubstr("energy_j = 1e-12 are given")));
    EXPECT_THAT(message({"energy.0.parameters.modes=3"}, kModels),
                AllOf(HasSubstr("does not use parameters.modes"), HasSubstr("it uses bits, cells, cell_farad")));
    EXPECT_THAT(message({"energy.0.model=dac_area"}, kModels),
                HasSubstr("energy of dac_conversion: the model 'dac_area' gives area_mm2, not energy_j or power_w"));
    EXPECT_THAT(message({"energy.3.parameters.bits=8"}), HasSubstr("parameters.bits is given without a model"));
    // A model may give nothing, too: no capacitance that acts.
    EXPECT_THAT(
        message({"energy.0.model=charge_read", "energy.0.parameters.bits=inf", "energy.0.parameters.driver_farad=inf",
                 "energy.0.parameters.cells=512", "energy.0.parameters.activity=0"},
                kModels),
        AllOf(HasSubstr("costs_14nm.toml: energy of dac_conversion: the model 'charge_read'"),
              HasSubstr("gives energy_j = 0")));
}

TEST(CostTable, AnUnknownKeyIsNamedBeforeWhatItsAbsenceMakesWrong) {
    const std::string path = ::testing::TempDir() + "/unknown_key.toml";
    std::ifstream stream(kTable28nm);
    std::ostringstream text;
    text << stream.rdbuf();
    std::string table = text.str();
    const std::string key = "energy_j = 2.66e-12";
    table.replace(table.find(key), key.size(), "energy_pj = 2.66");
    std::ofstream(path) << table;
    try {
        load_cost_table(path);
        ADD_FAILURE() << "no error";
    } catch (const UserError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("unknown key 'energy[3].energy_pj' (did you mean 'energy_j'?)"));
    }
    std::filesystem::remove(path);
}

TEST(CostTable, SurvivesBeingWrittenAsJson) {
    const CostTable table = load_cost_table(kTable28nm);
    CostTable copy;
    read_config_json(config_to_json(table), copy);
    EXPECT_EQ(config_to_json(copy), config_to_json(table));
}

TEST(ActionNames, AreDistinctAndComplete) {
    for (int i = 0; i < kActionCount; ++i) {
        const Action action = static_cast<Action>(i);
        EXPECT_STRNE(to_string(action), "?");
        for (int j = 0; j < i; ++j) {
            EXPECT_STRNE(to_string(action), to_string(static_cast<Action>(j)));
        }
    }
    for (int i = 0; i < kComponentCount; ++i) {
        EXPECT_STRNE(to_string(static_cast<Component>(i)), "?");
    }
    for (int i = 0; i < kGroupCount; ++i) {
        EXPECT_STRNE(to_string(static_cast<ComponentGroup>(i)), "?");
    }
}

}  // namespace
}  // namespace imssa
