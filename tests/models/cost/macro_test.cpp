#include "models/cost/macro.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "models/common/error.h"

namespace imssa {
namespace {

constexpr const char* kSilicon[] = {"hermes_14nm", "jia_65nm", "neurram_130nm", "sinangil_7nm", "wang_22nm"};

Macro macro(const std::string& name) {
    return load_macro(std::string(IMSSA_SOURCE_DIR "/scenarios/macros/") + name + ".toml");
}

TEST(Macro, UncalibratedModelsAreWithinAFactorOfThreeOfEverySilicon) {
    std::vector<double> factors;
    for (const char* name : kSilicon) {
        const MacroErrors errors = macro_errors(macro(name), false);
        EXPECT_LT(errors.worst_factor, 3.0) << name;
        for (const double error : errors.energy) {
            factors.push_back(std::max(1.0 + error, 1.0 / (1.0 + error)));
        }
    }
    std::sort(factors.begin(), factors.end());
    EXPECT_EQ(factors.size(), 28U);
    EXPECT_LT(factors[factors.size() / 2], 1.5);
}

TEST(Macro, CalibratedModelsFollowEachMacroOverItsOperatingPoints) {
    const std::pair<const char*, double> limits[] = {{"hermes_14nm", 0.011},
                                                     {"jia_65nm", 0.05},
                                                     {"neurram_130nm", 0.065},
                                                     {"sinangil_7nm", 0.08},
                                                     {"wang_22nm", 0.16}};
    double sum = 0.0;
    double count = 0.0;
    for (const auto& [name, worst] : limits) {
        const MacroErrors errors = macro_errors(macro(name), true);
        EXPECT_LT(errors.worst_energy, worst) << name;
        for (const double error : errors.energy) {
            sum += std::abs(error);
            count += 1.0;
        }
    }
    EXPECT_LT(sum / count, 0.04);
}

TEST(Macro, TimesOfOperationsAreWithinSixPercent) {
    for (const char* name : kSilicon) {
        EXPECT_LT(macro_errors(macro(name), false).worst_time, 0.06) << name;
    }
}

TEST(Macro, NeuRramWordlinesFollowTheirCapacitance) {
    const Macro neurram = macro("neurram_130nm");
    const std::vector<std::string> groups = neurram.groups();
    const auto wordline = std::find(groups.begin(), groups.end(), "wordline") - groups.begin();
    for (std::size_t index = 2; index < neurram.points.size(); ++index) {  // the first two are 18 and 10 % off
        const MacroPoint& point = neurram.points[index];
        const double estimate =
            estimate_point(neurram, point, false).groups_j[static_cast<std::size_t>(wordline)].nominal;
        EXPECT_NEAR(estimate / point.measured_j[static_cast<std::size_t>(wordline)], 1.0, 0.07) << point.name;
    }
}

TEST(Macro, EnergyOfSinangilDependsOnTheData) {
    const Macro sinangil = macro("sinangil_7nm");
    double before = 0.0;
    for (const MacroPoint& point : sinangil.points) {
        const double energy = estimate_point(sinangil, point, false).total_j.nominal;
        EXPECT_GT(energy, before) << point.name;
        before = energy;
    }
}

TEST(Macro, IsaacAddsUpToItsSpreadsheet) {
    EXPECT_LT(macro_errors(macro("isaac_32nm"), false).worst_energy, 0.001);
}

TEST(Macro, BlocksOfNeuroSimAreWithinAFactorOfThree) {
    const Macro blocks = macro("neurosim_blocks");
    for (const MacroPoint& point : blocks.points) {
        const MacroEstimate estimate = estimate_point(blocks, point, false);
        for (std::size_t group = 0; group < estimate.groups_j.size(); ++group) {
            const double ratio = estimate.groups_j[group].nominal / point.measured_j[group];
            EXPECT_GT(ratio, 1.0 / 3.0) << point.name << " " << blocks.groups()[group];
            EXPECT_LT(ratio, 3.0) << point.name << " " << blocks.groups()[group];
        }
    }
}

TEST(Macro, BlocksOfAccelergyAreWithinAFactorOfFive) {
    const Macro blocks = macro("accelergy_blocks");
    int compared = 0;
    for (const MacroPoint& point : blocks.points) {
        const MacroEstimate estimate = estimate_point(blocks, point, false);
        for (std::size_t group = 0; group < estimate.groups_j.size(); ++group) {
            if (point.measured_j[group] > 0.0) {
                const double ratio = estimate.groups_j[group].nominal / point.measured_j[group];
                EXPECT_GT(ratio, 1.0 / 5.0) << point.name << " " << blocks.groups()[group];
                EXPECT_LT(ratio, 5.0) << point.name << " " << blocks.groups()[group];
                ++compared;
            }
        }
    }
    EXPECT_EQ(compared, 5);
}

TEST(Macro, AnotherMacroIsDescribedInAFewLinesAndMistakesAreNamed) {
    const std::string path = ::testing::TempDir() + "/macro.toml";
    std::ofstream(path) << "name = \"mine\"\ntechnology_nm = 28\nv_supply_volt = 0.9\noperations = 128\n"
                           "[[component]]\nname = \"adc\"\nmodel = \"adc_survey_sar\"\n"
                           "parameters = { bits = 8, rate_hz = 1e8 }\n"
                           "[[point]]\nname = \"read\"\ncounts = [64]\n";
    const Macro mine = load_macro(path);
    EXPECT_NEAR(estimate_point(mine, mine.points.front(), false).total_j.nominal, 64 * 4.5e-12, 5e-12);
    const auto refused = [&path](const std::string& change, const char* needle) {
        try {
            load_macro(path, {change});
            ADD_FAILURE() << "no error for " << change;
        } catch (const UserError& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(needle));
        }
    };
    refused("component.0.model=adc", "no component model 'adc'");
    refused("point.0.counts=[1, 2]", "one entry for each of the 1 components");
    refused("component.0.calibration=2", "calibration_reason");
    refused("component.0.action=convert", "not one of the chip's");
}

}  // namespace
}  // namespace imssa
