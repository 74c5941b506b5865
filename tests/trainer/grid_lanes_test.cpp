#include "trainer/grid_lanes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "models/common/random.h"

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

}  // namespace
}  // namespace imssa
