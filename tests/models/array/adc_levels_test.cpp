#include "models/array/adc_levels.h"

#include <gtest/gtest.h>

#include <cmath>

namespace imssa {
namespace {

AdcConfig converter(AdcType type, double sigma) {
    AdcConfig config;
    config.type = type;
    config.unit_mismatch_sigma = sigma;
    return config;
}

TEST(AdcLevels, WithoutMismatchAreThoseOfRounding) {
    for (const AdcType type : {AdcType::sar, AdcType::ramp, AdcType::cco}) {
        for (const int limit : {1, 7, 127}) {
            const AdcLevels levels(converter(type, 0.0), limit, 1, 2, 3);
            ASSERT_EQ(levels.transitions().size(), static_cast<std::size_t>(2 * limit));
            for (int i = 0; i < 2 * limit; ++i) {
                EXPECT_NEAR(levels.transitions()[static_cast<std::size_t>(i)], i - limit + 0.5, 1e-4);
            }
            const float end = 1.5F * static_cast<float>(limit);
            for (float codes = -end; codes < end; codes += 0.37F) {
                EXPECT_NEAR(levels.distorted(codes), codes, 1e-3);
            }
        }
    }
}

TEST(AdcLevels, DistortionGivesTheCodeBetweenTheTransitions) {
    const AdcLevels levels(converter(AdcType::sar, 0.2), 127, 5, 2, 3);
    for (float codes = -140.0F; codes < 140.0F; codes += 0.013F) {
        int code = -127;
        for (const float transition : levels.transitions()) {
            code += codes >= transition ? 1 : 0;
        }
        const float rounded = std::round(std::fmin(127.0F, std::fmax(-127.0F, levels.distorted(codes))));
        ASSERT_NEAR(rounded, code, codes > -127.4F && codes < 127.4F ? 0.01 : 1.01) << codes;
    }
}

// Variance of a SAR converter's middle transition: the largest capacitor against all others, sum normalised:
// var = sigma^2 2^b / 4 units. 3000 converters, five standard errors.
TEST(AdcLevels, MiddleTransitionOfASarHasTheVarianceOfItsCapacitors) {
    const int count = 3000;
    double squares = 0.0;
    for (int adc = 0; adc < count; ++adc) {
        const AdcLevels levels(converter(AdcType::sar, 0.01), 127, 5, 2, static_cast<std::uint32_t>(adc));
        const double error = static_cast<double>(levels.transitions()[127]) - 0.5 + 0.0;
        squares += error * error / count;
    }
    EXPECT_NEAR(squares / (0.01 * 0.01 * 256.0 / 4.0), 1.0, 5.0 * std::sqrt(2.0 / count));
}

// A ramp is a random walk tied at both ends: var = sigma^2 n (N - n) / N.
TEST(AdcLevels, RampIsARandomWalkTiedAtBothEnds) {
    const int count = 3000;
    double squares = 0.0;
    for (int tile = 0; tile < count; ++tile) {
        const AdcLevels levels(converter(AdcType::ramp, 0.01), 127, 5, static_cast<std::uint32_t>(tile), 0);
        const double error = static_cast<double>(levels.transitions()[63]) - (63 - 127 + 0.5);
        squares += error * error / count;
    }
    const double n = 65.0;  // level of the code above transition 63
    EXPECT_NEAR(squares / (1e-4 * n * (256.0 - n) / 256.0), 1.0, 5.0 * std::sqrt(2.0 / count));
}

TEST(AdcLevels, ConvertersOfATileShareTheRampOnly) {
    const AdcConfig ramp = converter(AdcType::ramp, 0.05);
    const AdcConfig sar = converter(AdcType::sar, 0.05);
    EXPECT_EQ(AdcLevels(ramp, 127, 1, 2, 3).transitions(), AdcLevels(ramp, 127, 1, 2, 4).transitions());
    EXPECT_NE(AdcLevels(sar, 127, 1, 2, 3).transitions(), AdcLevels(sar, 127, 1, 2, 4).transitions());
}

TEST(AdcLevels, CalibrationPutsBothEndsInPlace) {
    AdcConfig config = converter(AdcType::cco, 0.05);
    config.cco_compression = 0.02;
    config.calibrate = true;
    const AdcLevels levels(config, 127, 1, 2, 3);
    EXPECT_NEAR(levels.transitions().front(), -126.5, 1e-4);
    EXPECT_NEAR(levels.transitions().back(), 126.5, 1e-4);
    EXPECT_GT(std::abs(levels.transitions()[63] - (63 - 127 + 0.5F)), 0.1F);
}

}  // namespace
}  // namespace imssa
