#include "scenarios/support/run_report.h"

#include <gtest/gtest.h>

namespace imssa {
namespace {

const std::vector<std::vector<float>> kLogits = {{1, 5, 2}, {7, 0, 7}, {0, 0, 3}, {-1, -2, -3}};
const std::vector<int> kLabels = {1, 0, 1, 2};

TEST(RunReport, CountsTheLargestLogitAndTheFirstOfEquals) {
    EXPECT_DOUBLE_EQ(accuracy_of(kLogits, kLabels), 0.5);
}

TEST(RunReport, ConfusionHoldsEverySequenceOnce) {
    const std::vector<std::vector<int>> counts = confusion_counts(kLogits, kLabels, 3);
    EXPECT_EQ(counts, (std::vector<std::vector<int>>{{1, 0, 0}, {0, 1, 1}, {1, 0, 0}}));
}

TEST(RunReport, SpreadIsTheSampleStandardDeviation) {
    const AccuracySpread spread = spread_of({0.9, 0.94, 0.92});
    EXPECT_NEAR(spread.mean, 0.92, 1e-12);
    EXPECT_NEAR(spread.standard_deviation, 0.02, 1e-12);
    EXPECT_DOUBLE_EQ(spread.lowest, 0.9);
    EXPECT_DOUBLE_EQ(spread.highest, 0.94);
    EXPECT_EQ(spread_of({0.5}).standard_deviation, 0.0);
}

}  // namespace
}  // namespace imssa
