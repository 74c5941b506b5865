// One core of NeuRRAM (Wan et al., Nature 2022) as a simulated macro: all eight published rows in SystemC, against the
// measurements and against the closed form of the macro's description.
#include "scenarios/support/simulated_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/common/error.h"

namespace imssa::testing {
namespace {

constexpr const char* kMacro = IMSSA_SOURCE_DIR "/scenarios/macros/neurram_130nm.toml";

TEST(SimulatedCore, EveryRowOfNeuRramHasThePublishedEnergyAndTime) {
    const Macro macro = load_macro(kMacro);
    ASSERT_EQ(macro.points.size(), 8U);
    const std::vector<SimulatedPoint> simulated = simulate_points(macro);
    ASSERT_EQ(simulated.size(), 8U);
    for (std::size_t index = 0; index < simulated.size(); ++index) {
        const MacroPoint& point = macro.points[index];
        const SimulatedPoint& run = simulated[index];
        EXPECT_NEAR(run.calibrated_j.nominal / point.measured_total_j, 1.0, 0.065) << point.name;
        EXPECT_NEAR(run.time_s / point.measured_s, 1.0, 0.06) << point.name;
        // The counts of the point say the same as the simulated operation.
        const Figure plain = estimate_point(macro, point, false).total_j;
        EXPECT_NEAR(run.plain_j.low / plain.low, 1.0, 1e-9) << point.name;
        EXPECT_NEAR(run.plain_j.nominal / plain.nominal, 1.0, 1e-9) << point.name;
        EXPECT_NEAR(run.plain_j.high / plain.high, 1.0, 1e-9) << point.name;
        EXPECT_NEAR(run.calibrated_j.nominal / estimate_point(macro, point, true).total_j.nominal, 1.0, 1e-9);
    }
}

TEST(SimulatedCore, MistakesOfTheDescriptionAreNamed) {
    for (const char* change : {"simulation.inputs=0", "simulation.step_s=0", "simulation.input_bits=[1, 2]",
                               "simulation.output_bits=[3, 4, 5, 6, 7, 8, 9, 0]"}) {
        try {
            load_macro(kMacro, {change});
            ADD_FAILURE() << "no error for " << change;
        } catch (const UserError& error) {
            EXPECT_THAT(error.what(), ::testing::HasSubstr("macro neurram_130nm: [simulation] needs inputs")) << change;
        }
    }
    Macro macro = load_macro(kMacro);
    macro.components.front().action = "off_chip_bit";
    EXPECT_THROW(simulate_points(macro), UserError);
}

}  // namespace
}  // namespace imssa::testing
