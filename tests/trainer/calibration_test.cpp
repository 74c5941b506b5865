#include "trainer/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "trainer/magnitude_histogram.h"

namespace imssa {
namespace {

ModelConfig small() {
    ModelConfig config;
    config.layers = 2;
    config.heads = 4;
    config.states = 4;
    return config;
}

/// All ranges one after another.
std::vector<float> numbers(const CalibrationRanges& ranges) {
    std::vector<float> list;
    for_each_range(ranges, [&list](const std::string&, const float* values, auto count) {
        list.insert(list.end(), values, values + count);
    });
    return list;
}

CalibrationRanges ranges_of(const RangeConfig& options) {
    const ModelConfig config = small();
    return calibrate(config, test::random_parameters(config, 3), test::random_dataset(24, 40, 1, 10, 2), 24, options);
}

TEST(Calibration, APercentileIsAtMostABinAboveThatOfSortedMagnitudes) {
    std::mt19937 engine(4);
    std::lognormal_distribution<float> draw(0.0F, 3.0F);
    MagnitudeHistogram histogram;
    std::vector<float> sorted;
    for (int i = 0; i < 20000; ++i) {
        sorted.push_back(draw(engine));
        histogram.add(sorted.back());
    }
    std::sort(sorted.begin(), sorted.end());
    for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9}) {
        const float exact = sorted[static_cast<std::size_t>(std::ceil(percent / 100.0 * 20000.0)) - 1];
        EXPECT_GE(histogram.percentile(percent), exact);
        EXPECT_LE(histogram.percentile(percent), 1.032F * exact);
    }
}

TEST(Calibration, TheHundredthPercentileIsTheMaximum) {
    RangeConfig all;
    all.method = RangeMethod::percentile;
    all.percentile = 100.0;
    EXPECT_EQ(numbers(ranges_of(all)), numbers(ranges_of(RangeConfig{})));
}

TEST(Calibration, APercentileLowersRangesAndNeverRaisesThem) {
    RangeConfig most;
    most.method = RangeMethod::percentile;
    most.percentile = 90.0;
    const std::vector<float> lower = numbers(ranges_of(most));
    const std::vector<float> largest = numbers(ranges_of(RangeConfig{}));
    ASSERT_EQ(lower.size(), largest.size());
    int lowered = 0;
    for (std::size_t i = 0; i < lower.size(); ++i) {
        EXPECT_GT(lower[i], 0.0F) << i;
        EXPECT_LE(lower[i], largest[i]) << i;
        lowered += lower[i] < 0.9F * largest[i] ? 1 : 0;
    }
    EXPECT_GT(lowered, static_cast<int>(lower.size()) / 2);
}

TEST(Calibration, FixedRangesAreThoseGivenAndAllAreNeeded) {
    RangeConfig fixed;
    fixed.method = RangeMethod::fixed;
    fixed.encoder = 1.0;
    fixed.kernel_output = 2.0;
    fixed.activation = 3.0;
    fixed.mixing = 4.0;
    fixed.output = 5.0;
    fixed.state = 6.0;
    fixed.increment = 7.0;
    fixed.folded_state = 8.0;
    fixed.pooled = 9.0;
    EXPECT_THROW(ranges_of(fixed), UserError);
    fixed.logits = 10.0;
    const CalibrationRanges ranges = ranges_of(fixed);
    EXPECT_EQ(ranges.encoder, 1.0F);
    EXPECT_EQ(ranges.layers[1].mixing, 4.0F);
    EXPECT_EQ(ranges.layers[0].state(3, 1), 6.0F);
    EXPECT_EQ(ranges.layers[1].increment(0, 0), 7.0F);
    EXPECT_EQ(ranges.layers[1].folded_state(2, 1), 8.0F);
    EXPECT_EQ(ranges.logits, 10.0F);
    fixed.method = RangeMethod::max;
    EXPECT_THROW(ranges_of(fixed), UserError);
}

}  // namespace
}  // namespace imssa
