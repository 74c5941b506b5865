#include "models/cost/uncertainty.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"

namespace imssa {
namespace {

EnergyRow row(const std::string& item, double low, double nominal, double high) {
    EnergyRow one;
    one.item = item;
    one.energy_low_j = low;
    one.energy_j = nominal;
    one.energy_high_j = high;
    return one;
}

TEST(Uncertainty, SamplesStayInTheRangeAndRepeatWithTheSeed) {
    const std::vector<EnergyRow> rows = {row("adc", 1.0, 2.0, 4.0), row("dac", 0.0, 1.0, 1.5),
                                         row("adc", 1.0, 2.0, 4.0)};
    const EnergyDistribution a = sample_energy(rows, 4000, 7);
    const EnergyDistribution b = sample_energy(rows, 4000, 7);
    EXPECT_EQ(a.mean_j, b.mean_j);
    EXPECT_NE(a.mean_j, sample_energy(rows, 4000, 8).mean_j);
    EXPECT_GT(a.quantile_05_j, 2.0);
    EXPECT_LT(a.quantile_95_j, 9.5);
    EXPECT_LT(a.quantile_05_j, a.median_j);
    EXPECT_LT(a.median_j, a.quantile_95_j);
    // ln is symmetric around the nominal value of the converters: their median is it.
    const EnergyDistribution alone = sample_energy({row("adc", 1.0, 2.0, 4.0)}, 40000, 1);
    EXPECT_NEAR(alone.median_j, 2.0, 0.02);
}

TEST(Uncertainty, TheSensitivityListBeginsWithWhatMovesTheTotalMost) {
    const EnergyDistribution result =
        sample_energy({row("dac", 0.9, 1.0, 1.1), row("adc", 1.0, 2.0, 4.0), row("fixed", 3.0, 3.0, 3.0)}, 2000, 1);
    ASSERT_EQ(result.sensitivities.size(), 3U);
    EXPECT_EQ(result.sensitivities[0].name, "adc");
    EXPECT_DOUBLE_EQ(result.sensitivities[0].at_low_j, 5.0);
    EXPECT_DOUBLE_EQ(result.sensitivities[0].at_high_j, 8.0);
    EXPECT_GT(result.sensitivities[0].variance_share, 0.95);
    EXPECT_EQ(result.sensitivities[2].variance_share, 0.0);
}

TEST(Uncertainty, NothingToDrawGivesTheNominalTotal) {
    EXPECT_EQ(sample_energy({row("fixed", 3.0, 3.0, 3.0)}, 10, 1).median_j, 3.0);
    EXPECT_EQ(sample_energy({}, 10, 1).mean_j, 0.0);
    EXPECT_THROW(sample_energy({}, 0, 1), UserError);
}

}  // namespace
}  // namespace imssa
