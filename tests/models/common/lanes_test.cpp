#include "models/common/lanes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace imssa {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Lanes, LargerSmallerAndClampedNumbersAreThoseOfTheirDefinitions) {
    const std::vector<float> numbers = {0.0F, -0.0F, 1.0F, -2.0F, 1e-40F, kInfinity, -kInfinity, kNan};
    const auto same = [](float a, float b) {
        return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
    };
    for (const float a : numbers) {
        for (const float b : numbers) {
            EXPECT_TRUE(same(minimum(splat(a), splat(b))[1], a < b ? a : b)) << a << ", " << b;
            EXPECT_TRUE(same(maximum(splat(a), splat(b))[1], a > b ? a : b)) << a << ", " << b;
        }
        const float raised = a < -1.0F ? -1.0F : a;
        EXPECT_TRUE(same(clamp(splat(a), splat(-1.0F), splat(1.0F))[2], raised > 1.0F ? 1.0F : raised)) << a;
    }
}

}  // namespace
}  // namespace imssa
