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

/// Outputs of 8-bit codes with these gains.
QuantizedMatrix converters_of(const std::vector<float>& gain) {
    QuantizedMatrix matrix;
    matrix.gain = gain;
    matrix.offset.assign(gain.size(), 0.0F);
    matrix.output_limit.assign(gain.size(), 127.0F);
    return matrix;
}

TEST(AdcErrors, ZeroSettingsLeaveEveryBitAlone) {
    LaneMatrix sums = random_codes(9, 40, 100000, 1);
    const LaneMatrix before = sums;
    const AdcErrors errors(AdcConfig{}, converters_of(std::vector<float>(9, 0.013F)), 8, 1, 0);
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
    AdcErrors(config, converters_of(gain), 1, 2, 1).apply(sequences_from(0, lanes), 3, sums);
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
    const AdcErrors errors(config, converters_of(std::vector<float>(32, 0.5F)), 8, 2, 1);
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
    const AdcErrors errors(config, converters_of(std::vector<float>(outputs, 0.25F)), 1, 5, 1);
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
    const AdcErrors errors(config, converters_of(std::vector<float>(13, 0.07F)), 8, 2, 1);
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
    AdcErrors(config, converters_of({0.0F}), 1, 1, 1).apply(sequences_from(0, 16), 0, sums);
    EXPECT_EQ(sums, LaneMatrix(1, 16));
}

TEST(AdcErrors, LevelsWithMismatchDecideTheCodes) {
    AdcConfig config;
    config.unit_mismatch_sigma = 0.3;
    QuantizedMatrix matrix = converters_of({0.5F, -0.25F, 1.0F});
    matrix.offset = {0.0F, 3.0F, -2.0F};
    LaneMatrix sums(3, 2000);
    for (int o = 0; o < 3; ++o) {
        for (int lane = 0; lane < 2000; ++lane) {
            sums(o, lane) = (static_cast<float>(lane) - 1000.0F) * 0.6F;
        }
    }
    const LaneMatrix before = sums;
    AdcErrors(config, matrix, 2, 7, 3).apply(sequences_from(0, 2000), 0, sums);
    for (int o = 0; o < 3; ++o) {
        const std::size_t at = static_cast<std::size_t>(o);
        const AdcLevels levels(config, 127, 7, 3, static_cast<std::uint32_t>(o / 2));
        for (int lane = 0; lane < 2000; ++lane) {
            const float codes = before(o, lane) * matrix.gain[at] + matrix.offset[at];
            EXPECT_NEAR(sums(o, lane) * matrix.gain[at] + matrix.offset[at], levels.distorted(codes), 1e-3);
        }
    }
}

TEST(AdcErrors, CountsConversionsBeyondTheRange) {
    QuantizedMatrix matrix = converters_of({0.5F, -1.0F, 0.0F});
    matrix.offset = {1.0F, 0.0F, 3.0F};
    LaneMatrix sums(3, 4);
    const float first[] = {253.0F, 253.2F, -257.0F, -257.2F};
    const float second[] = {127.0F, -128.0F, 127.4F, 0.0F};
    for (int lane = 0; lane < 4; ++lane) {
        sums(0, lane) = first[lane];
        sums(1, lane) = second[lane];
        sums(2, lane) = 1e6F;
    }
    sums.row(0)[9] = 1e6F;  // padding must not count
    const ConversionCounts counts = AdcErrors(AdcConfig{}, matrix, 1, 1, 1).count(sums);
    EXPECT_EQ(counts.conversions, 8);
    EXPECT_EQ(counts.saturated, 3);
}

// 2000 converters, offsets of 3 codes and gain errors of 3 %; trims of 1/8 code leave at most half a step, and 1/16 of
// a code at full scale.
TEST(AdcErrors, CalibrationLeavesHalfAStep) {
    AdcConfig config;
    config.offset_sigma_codes = 3.0;
    config.gain_sigma = 0.03;
    config.calibrate = true;
    const AdcErrors errors(config, converters_of(std::vector<float>(2000, 1.0F)), 1, 5, 1);
    LaneMatrix sums(2000, 1);
    errors.apply(sequences_from(0, 1), 0, sums);
    for (int o = 0; o < 2000; ++o) {
        EXPECT_LE(std::abs(sums(o, 0)), 0.0626F);
        EXPECT_LE(std::abs(errors.gain_error(o)) * 127.0, 0.0626);
    }
}

// Measurements of 64 conversions with noise of 2 codes are off by 0.25 codes; 4000 converters, five standard errors.
TEST(AdcErrors, CalibrationIsAsGoodAsItsMeasurements) {
    AdcConfig config;
    config.offset_sigma_codes = 3.0;
    config.input_noise_codes = 2.0;
    config.calibrate = true;
    config.calibration_step_codes = 0.0;
    const QuantizedMatrix matrix = converters_of(std::vector<float>(4000, 1.0F));
    const AdcErrors errors(config, matrix, 1, 5, 1);
    LaneMatrix sums(4000, 400);
    errors.apply(sequences_from(0, 400), 0, sums);
    double squares = 0.0;
    for (int o = 0; o < 4000; ++o) {
        double mean = 0.0;
        for (int lane = 0; lane < 400; ++lane) {
            mean += static_cast<double>(sums(o, lane)) / 400.0;
        }
        squares += mean * mean / 4000.0;
    }
    const double expected = 0.25 * 0.25 + 4.0 / 400.0;
    EXPECT_NEAR(squares / expected, 1.0, 5.0 * std::sqrt(2.0 / 4000.0));
}

TEST(AdcConfig, RejectsNegativeSigmas) {
    AdcConfig config;
    config.gain_sigma = -0.1;
    EXPECT_THROW(config.validate(), UserError);
}

}  // namespace
}  // namespace imssa
