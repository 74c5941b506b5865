#include "models/chip/design_estimator.h"

#include <gtest/gtest.h>

#include "tests/models/cost/small_table.h"

namespace imssa::testing {
namespace {

void expect_equal(const DesignEstimate& a, const DesignEstimate& b) {
    EXPECT_EQ(a.latency_cycles, b.latency_cycles);
    EXPECT_EQ(a.interval_cycles, b.interval_cycles);
    EXPECT_EQ(a.sequence.energy_j, b.sequence.energy_j);
    EXPECT_EQ(a.sequence.energy_low_j, b.sequence.energy_low_j);
    EXPECT_EQ(a.sequence.energy_high_j, b.sequence.energy_high_j);
    EXPECT_EQ(a.area.area_mm2, b.area.area_mm2);
}

TEST(DesignEstimator, GivesTheSeparateEstimatesToTheBitAndWorksOutEveryCellOnce) {
    const CostTable table = testing_support::small_table();
    const CompiledPrices prices(table);
    DesignEstimator estimator(table);
    const ModelConfig model;
    const DeploymentOptions options;
    ChipConfig chip;
    for (int trial = 0; trial < 24; ++trial) {
        chip.timing.columns_per_adc = 1 + trial;
        chip.device.programming_sigma_siemens = 1e-6 * (trial % 3);
        chip.device.parallel_cells = 1 + trial % 2;
        expect_equal(estimator.estimate(model, options, chip, 20, {}),
                     estimate_design(model, options, chip, 20, {}, prices));
    }
    EXPECT_EQ(estimator.cells(), 6U);
}

// Any field of a cell may change its response: none is left out of the comparison.
TEST(DesignEstimator, EveryFieldOfACellMakesAnotherCell) {
    DesignEstimator estimator(testing_support::small_table());
    std::size_t cells = 0;
    const auto expect_new = [&](const DeviceConfig& device) {
        ChipConfig chip;
        chip.device = device;
        estimator.estimate(ModelConfig{}, DeploymentOptions{}, chip, 2, {});
        EXPECT_EQ(estimator.cells(), ++cells);
    };
    DeviceConfig device;
    device.programming_sigma_siemens = 2e-6;
    expect_new(device);
    for (double DeviceConfig::*field :
         {&DeviceConfig::g_min_siemens, &DeviceConfig::programming_mean_siemens,
          &DeviceConfig::programming_sigma_relative, &DeviceConfig::drift_exponent,
          &DeviceConfig::relaxation_sigma_siemens, &DeviceConfig::time_since_programming_s,
          &DeviceConfig::stuck_low_fraction, &DeviceConfig::stuck_high_fraction}) {
        DeviceConfig other = device;
        other.*field += 1e-7;
        expect_new(other);
    }
    DeviceConfig other = device;
    other.conductance_levels = 16;
    expect_new(other);
    other.parallel_cells = 2;
    other.parallel_weights = {0.5, 0.5};
    expect_new(other);
    other.parallel_weights = {0.75, 0.25};
    expect_new(other);
}

}  // namespace
}  // namespace imssa::testing
