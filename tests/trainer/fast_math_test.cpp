#include "trainer/fast_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace imssa {
namespace {

TEST(FastMath, ExponentialIsAccurateToFewRoundings) {
    for (double x = -80.0; x < 80.0; x += 0.0137) {
        const double value = exp_lanes(broadcast(static_cast<float>(x)))[3];
        const double expected = std::exp(static_cast<double>(static_cast<float>(x)));
        ASSERT_NEAR(value, expected, 4e-7 * expected) << x;
    }
}

TEST(FastMath, GeluAndItsSlopeAreAccurateToAMillionth) {
    for (double x = -12.0; x < 12.0; x += 0.00131) {
        const double at = static_cast<float>(x);
        const ValueAndSlope result = gelu_lanes(broadcast(static_cast<float>(x)));
        const double phi = 0.5 * std::erfc(-at / std::sqrt(2.0));
        const double slope = phi + at * std::exp(-0.5 * at * at) / std::sqrt(2.0 * 3.14159265358979323846);
        ASSERT_NEAR(result.value[0], at * phi, 1e-6 * (1.0 + std::abs(at))) << x;
        ASSERT_NEAR(result.slope[7], slope, 1e-6) << x;
    }
}

TEST(FastMath, SigmoidSaturatesWithoutOverflow) {
    EXPECT_EQ(sigmoid_lanes(broadcast(200.0F))[0], 1.0F);
    EXPECT_LT(sigmoid_lanes(broadcast(-200.0F))[0], 1e-30F);
    EXPECT_NEAR(sigmoid_lanes(broadcast(0.3F))[0], 1.0 / (1.0 + std::exp(-0.3)), 1e-7);
}

}  // namespace
}  // namespace imssa
