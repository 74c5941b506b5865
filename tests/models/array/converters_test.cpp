#include "models/array/converters.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "models/network/quantizer.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::sequences_from;

TEST(AdcErrors, ZeroSettingsLeaveEveryBitAlone) {
    LaneMatrix sums = random_codes(9, 40, 100000, 1);
    const LaneMatrix before = sums;
    const AdcErrors errors(AdcConfig{}, std::vector<float>(9, 0.013F), 8, 1, 0);
    errors.apply(sequences_from(0, 40), 3, sums);
    EXPECT_EQ(sums, before);
}

// Noise of 0.7 codes seen through gains of 0.02 and -0.5; 50 000 conversions an output, bounds of five standard errors.
TEST(AdcErrors, NoiseHasItsSigmaInOutputCodesWhateverTheGain) {
    AdcConfig config;
    config.input_noise_codes = 0.7;
    const std::vector<float> gain = {0.02F, -0.5F, 3.0F, 0.1F, 1.0F};
    const int lanes = 50000;
    LaneMatrix sums(5, lanes);
    AdcErrors(config, gain, 1, 2, 1).apply(sequences_from(0, lanes), 3, sums);
    for (int o = 0; o < 5; ++o) {
        double mean = 0.0;
        double variance = 0.0;
        for (int lane = 0; lane < lanes; ++lane) {
            const double codes =
                static_cast<double>(sums(o, lane)) * static_cast<double>(gain[static_cast<std::size_t>(o)]);
            mean += codes / lanes;
            variance += codes * codes / lanes;
        }
        EXPECT_NEAR(mean, 0.0, 5.0 * 0.7 / std::sqrt(lanes));
        EXPECT_NEAR(variance / 0.49, 1.0, 5.0 * std::sqrt(2.0 / lanes));
    }
}

TEST(AdcErrors, OutputsOfOneConverterShareItsOffsetAndGainError) {
    AdcConfig config;
    config.offset_sigma_codes = 1.5;
    config.gain_sigma = 0.02;
    const AdcErrors errors(config, std::vector<float>(32, 0.5F), 8, 2, 1);
    LaneMatrix zero(32, 1);
    errors.apply(sequences_from(0, 1), 0, zero);
    LaneMatrix full(32, 1);
    for (int o = 0; o < 32; ++o) {
        full(o, 0) = 200.0F;
    }
    errors.apply(sequences_from(0, 1), 0, full);
    for (int o = 0; o < 32; ++o) {
        const int first = o / 8 * 8;
        EXPECT_EQ(zero(o, 0), zero(first, 0));
        EXPECT_EQ(errors.gain_error(o), errors.gain_error(first));
        EXPECT_NEAR(full(o, 0) - zero(o, 0), 200.0 * (1.0 + errors.gain_error(o)), 1e-4);
    }
    EXPECT_NE(zero(0, 0), zero(8, 0));
    EXPECT_NE(errors.gain_error(0), errors.gain_error(8));
}

// 4000 converters, bounds of five standard errors.
TEST(AdcErrors, OffsetsAndGainErrorsHaveTheirSigmas) {
    AdcConfig config;
    config.offset_sigma_codes = 1.5;
    config.gain_sigma = 0.02;
    const int outputs = 4000;
    const AdcErrors errors(config, std::vector<float>(outputs, 0.25F), 1, 5, 1);
    LaneMatrix sums(outputs, 1);
    errors.apply(sequences_from(0, 1), 0, sums);
    double offsets = 0.0;
    double gains = 0.0;
    for (int o = 0; o < outputs; ++o) {
        const double codes = static_cast<double>(sums(o, 0)) * 0.25;
        offsets += codes * codes / outputs;
        gains += errors.gain_error(o) * errors.gain_error(o) / outputs;
    }
    EXPECT_NEAR(offsets / 2.25, 1.0, 5.0 * std::sqrt(2.0 / outputs));
    EXPECT_NEAR(gains / 0.0004, 1.0, 5.0 * std::sqrt(2.0 / outputs));
}

TEST(AdcErrors, ALaneHasTheSameBitsHoweverManyLanesRunBesideIt) {
    AdcConfig config;
    config.input_noise_codes = 0.5;
    config.offset_sigma_codes = 1.5;
    config.gain_sigma = 0.02;
    const AdcErrors errors(config, std::vector<float>(13, 0.07F), 8, 2, 1);
    LaneMatrix all = random_codes(13, 200, 5000, 3);
    errors.apply(sequences_from(70, 200), 9, all);
    for (const int lanes : {1, 7, 16, 64}) {
        LaneMatrix sums = random_codes(13, lanes, 5000, 3);
        errors.apply(sequences_from(70, lanes), 9, sums);
        for (int o = 0; o < 13; ++o) {
            for (int lane = 0; lane < lanes; ++lane) {
                ASSERT_EQ(sums(o, lane), all(o, lane));
            }
        }
    }
}

TEST(AdcErrors, AConstantOutputStaysConstant) {
    AdcConfig config;
    config.input_noise_codes = 0.5;
    config.offset_sigma_codes = 1.5;
    config.gain_sigma = 0.02;
    LaneMatrix sums(1, 16);
    AdcErrors(config, {0.0F}, 1, 1, 1).apply(sequences_from(0, 16), 0, sums);
    EXPECT_EQ(sums, LaneMatrix(1, 16));
}

TEST(AdcConfig, RejectsNegativeSigmas) {
    AdcConfig config;
    config.gain_sigma = -0.1;
    EXPECT_THROW(config.validate(), UserError);
}

}  // namespace
}  // namespace imssa
