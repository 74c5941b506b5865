#include "trainer/grid_lanes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "models/common/random.h"
#include "trainer/state_dither.h"

namespace imssa {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(FixedGrid, RoundsAsTheGridDoesToTheBit) {
    const CounterRandom random(3, RandomPurpose::initialisation, 4);
    for (const Quantizer quantizer : {Quantizer::max_scale, Quantizer::symmetric, Quantizer::asymmetric}) {
        for (const int bits : {2, 3, 8, 16}) {
            QuantizerOptions options;
            options.quantizer = quantizer;
            options.bits = bits;
            const QuantizerGrid grid = make_grid(options, -0.0018, 1.83147);
            const FixedGrid lanes(grid);
            std::vector<float> values = {0.0F, -0.0F, 1e30F, -1e30F, 1e-40F, kInfinity, -kInfinity};
            for (std::uint64_t at = 0; at < 4000; ++at) {
                const double code = 1.2 * std::ldexp(random.normal(at), bits - 1);
                const float value = static_cast<float>(code / grid.gain);
                const float tie = static_cast<float>((std::floor(code) + 0.5) / grid.gain);
                values.insert(values.end(), {value, tie, std::nextafter(tie, 0.0F), -1e-8F * value});
            }
            for (const float value : values) {
                EXPECT_EQ(lanes.quantize(broadcast(value))[3], grid.quantize(value)) << value << ", bits " << bits;
            }
            EXPECT_TRUE(std::isnan(lanes.quantize(splat(kNan))[0]));
            EXPECT_TRUE(std::isnan(grid.quantize(kNan)));
        }
    }
}

TEST(QuantizerGrid, RoundsOnce) {
    QuantizerGrid grid;
    grid.gain = 0x1.1745fp+15F;
    grid.zero = -32703.0F;
    grid.low = -32768.0F;
    grid.high = 32767.0F;
    // The product with the gain is 1.4e-12 below one half.
    EXPECT_EQ(grid.quantize(0x1.d55522p-17F), 0.0F);
    EXPECT_GT(grid.quantize(0x1.d55532p-17F), 0.0F);
}

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

TEST(Dither, IsMadeOfTheUpperAndTheLowerBitsOfAProduct) {
    for (std::uint32_t word = 1; word < 4000000000U; word += 9876543U) {
        const std::uint32_t product = word * dither_factor(3);
        const DitherLanes dither = dither_above_one(LanesUint{} + word, dither_factor(3));
        EXPECT_EQ(dither.re[5], 1.0F + std::ldexp(static_cast<float>(product >> 9), -23));
        EXPECT_EQ(dither.im[5], 1.0F + std::ldexp(static_cast<float>(product & 0x7fffffU), -23));
    }
}

}  // namespace
}  // namespace imssa
