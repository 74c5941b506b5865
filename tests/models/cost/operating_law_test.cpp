#include "models/cost/operating_law.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "models/cost/cost_table.h"
#include "models/cost/ledger.h"

namespace imssa {
namespace {

using testing::HasSubstr;

CostTable table_of(const std::string& node, const std::vector<std::string>& overrides = {}) {
    return load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_" + node + ".toml", overrides);
}

EnergyRow row_of(Action action, const CostTable& table, const PricingConditions& conditions) {
    EnergyLedger ledger({{"chip.adc", ComponentGroup::digital, {}}});
    ledger.record({action, 0, 1.0, 0.0, 0.0});
    return ledger.price(table, conditions).front();
}

PricingConditions reads_of(double read_s) {
    PricingConditions conditions;
    conditions.read_time_s = conditions.settle_time_s = read_s;
    return conditions;
}

PricingConditions conversions_at(double rate_hz) {
    PricingConditions conditions;
    conditions.read_time_s = conditions.settle_time_s = 20e-9;
    conditions.conversion_rate_hz = rate_hz;
    return conditions;
}

/// 45 uW hold for 10 ns: 0.9 pJ for 20 ns, 0.45 pJ for 10 ns, and never less.
TEST(OperatingLaw, AmplifiersDoNotGetCheaperThanTheirSettlingAsks) {
    const CostTable table = table_of("28nm");
    EXPECT_DOUBLE_EQ(row_of(Action::transimpedance, table, reads_of(20e-9)).energy_j, 45e-6 * 20e-9);
    EXPECT_DOUBLE_EQ(row_of(Action::transimpedance, table, reads_of(10e-9)).energy_j, 0.45e-12);
    EXPECT_THAT(row_of(Action::transimpedance, table, reads_of(10e-9)).source, HasSubstr("bias 0.9 V"));
    EXPECT_THAT(row_of(Action::transimpedance, table, reads_of(10e-9)).source, Not(HasSubstr("extrapolated")));
    for (const double read_s : {9.9e-9, 1e-9, 1e-12}) {
        const EnergyRow row = row_of(Action::transimpedance, table, reads_of(read_s));
        EXPECT_NEAR(row.energy_j, 0.45e-12, 1e-22) << read_s;
        EXPECT_NEAR(row.energy_low_j, 0.225e-12, 1e-22) << read_s;
        EXPECT_NEAR(row.energy_high_j, 0.9e-12, 1e-22) << read_s;
        EXPECT_THAT(row.source, HasSubstr("s to settle, price holds from 1e-08 s: power x ")) << read_s;
    }
    // Seven pulses of a bit-serial input: each must settle.
    PricingConditions serial = reads_of(1e-9);
    serial.read_time_s = 7e-9;
    EXPECT_NEAR(row_of(Action::transimpedance, table, serial).energy_j, 7 * 0.45e-12, 1e-21);
}

/// The model itself goes with 1 / settle_s: a price by the model and one by the law agree.
TEST(OperatingLaw, AmplifiersFollowTheirModel) {
    const CostTable table = table_of("180nm");
    const CostTable faster = table_of("180nm", {"energy.1.parameters.settle_s=5e-9"});
    ASSERT_EQ(table.energies[1].use.model, "tia_bias");
    const double by_law = row_of(Action::transimpedance, table, reads_of(5e-9)).energy_j;
    EXPECT_NEAR(by_law / row_of(Action::transimpedance, faster, reads_of(5e-9)).energy_j, 1.0, 1e-12);
}

/// The survey's term of the rate, exp(0.2748 ln rate), from the rate to which the price holds.
TEST(OperatingLaw, ConvertersBeyondTheirRateAreExtrapolatedAndSaySo) {
    const CostTable table = table_of("28nm");
    for (const double rate_hz : {0.0, 1e6, 1e8}) {
        const EnergyRow row = row_of(Action::adc_conversion, table, conversions_at(rate_hz));
        EXPECT_EQ(row.energy_j, 2.66e-12) << rate_hz;
        EXPECT_THAT(row.source, Not(HasSubstr("extrapolated")));
    }
    const EnergyRow fast = row_of(Action::adc_conversion, table, conversions_at(1e9));
    EXPECT_NEAR(fast.energy_j / 2.66e-12, std::pow(10.0, 0.2748), 1e-9);
    EXPECT_NEAR(fast.energy_low_j / 1.33e-12, std::pow(10.0, 0.2748), 1e-9);
    EXPECT_THAT(fast.source, HasSubstr("extrapolated: 1e+09 conversions/s, price holds to 1e+08: x 1.883, "
                                       "adc_survey_sar; "));
    EXPECT_THAT(row_of(Action::adc_conversion, table, conversions_at(5e10)).source,
                HasSubstr("adc_survey_sar (outside of its range)"));
    // A price by a model holds to the model's rate, unless it gives another.
    const CostTable old = table_of("180nm");
    EXPECT_NEAR(row_of(Action::adc_conversion, old, conversions_at(1e7)).energy_j /
                    row_of(Action::adc_conversion, old, conversions_at(1e6)).energy_j,
                std::pow(10.0, 0.2748), 1e-9);
}

TEST(OperatingLaw, MistakesAreNamed) {
    const auto message = [](const std::string& change) {
        try {
            table_of("28nm", {change});
        } catch (const UserError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(message("energy.1.settle_s=0"), HasSubstr("energy of transimpedance: power_w goes with settle_s"));
    EXPECT_THAT(message("energy.0.settle_s=1e-9"), HasSubstr("energy of dac_conversion: power_w goes with settle_s"));
    EXPECT_THAT(message("energy.0.rate_hz=1e8"), HasSubstr("energy of dac_conversion: rate_hz is the rate"));
    EXPECT_THAT(message("energy.3.rate_hz=-1"), HasSubstr("energy of adc_conversion: rate_hz"));
}

}  // namespace
}  // namespace imssa
