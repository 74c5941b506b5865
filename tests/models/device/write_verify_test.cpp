#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "models/device/device_presets.h"
#include "models/device/programming.h"

namespace imssa {
namespace {

constexpr double kMicro = 1e-6;

/// TaOx cells of 100-400 uS, tolerance 5 uS, 10 pulses.
DeviceConfig measured_cells() {
    DeviceConfig device;
    device.g_min_siemens = 100.0 * kMicro;
    device.g_max_siemens = 400.0 * kMicro;
    device.programming_pulse_energy_j = 2e-12;
    device.programming_pulse_time_s = 3e-6;
    device.write_verify.enabled = true;
    return device;
}

Eigen::MatrixXd ramp_of_targets(const DeviceConfig& device) {
    Eigen::MatrixXd targets(128, 128);
    for (Eigen::Index at = 0; at < targets.size(); ++at) {
        targets.data()[at] = device.g_min_siemens + (device.g_max_siemens - device.g_min_siemens) *
                                                        static_cast<double>(at) / static_cast<double>(targets.size());
    }
    return targets;
}

// Published: 91.6 % of the cells within 10 pulses, 5.57 pulses a cell. The fitted loop is within 1 % and 0.1 pulses.
TEST(WriteVerify, DefaultPulsesReproduceThePublishedYieldAndPulseCount) {
    const DeviceConfig device = measured_cells();
    const ProgrammedCells cells = program_cells(ramp_of_targets(device), {128, 128}, device, 1, 0);
    const double count = 128.0 * 128.0;
    EXPECT_NEAR(1.0 - static_cast<double>(cells.summary.failed_cells) / count, 0.916, 0.01);
    EXPECT_NEAR(cells.summary.pulses / count, 5.57, 0.1);
    EXPECT_DOUBLE_EQ(cells.summary.energy_j, cells.summary.pulses * 2e-12);
    EXPECT_DOUBLE_EQ(cells.summary.time_s, cells.summary.pulses * 3e-6);
}

TEST(WriteVerify, AcceptedCellsAreWithinTheTolerance) {
    DeviceConfig device = measured_cells();
    device.write_verify.max_pulses = 500;
    const Eigen::MatrixXd targets = ramp_of_targets(device);
    const ProgrammedCells cells = program_cells(targets, {128, 128}, device, 1, 0);
    EXPECT_EQ(cells.summary.failed_cells, 0);
    EXPECT_LE((cells.conductances - targets).cwiseAbs().maxCoeff(), 5.0 * kMicro);
}

TEST(WriteVerify, TighterTolerancesTakeMorePulses) {
    DeviceConfig device = measured_cells();
    device.write_verify.max_pulses = 200;
    double last = 0.0;
    for (const double tolerance : {20e-6, 5e-6, 1e-6}) {
        device.write_verify.tolerance_siemens = tolerance;
        const double pulses = program_cells(ramp_of_targets(device), {128, 128}, device, 1, 0).summary.pulses;
        EXPECT_GT(pulses, last);
        last = pulses;
    }
}

// Without spread and with gain 1 one pulse is exact, and cells that start within the tolerance need none.
TEST(WriteVerify, PerfectPulsesNeedOneEach) {
    DeviceConfig device = measured_cells();
    device.write_verify.step_gain = 1.0;
    device.write_verify.step_sigma_siemens = 0.0;
    Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(2, 2, 250.0 * kMicro);
    targets(0, 0) = 104.0 * kMicro;
    const ProgrammedCells cells = program_cells(targets, {2, 2}, device, 1, 0);
    EXPECT_EQ(cells.summary.pulses, 3.0);
    EXPECT_EQ(cells.conductances(0, 0), 100.0 * kMicro);
    EXPECT_NEAR(cells.conductances(1, 1), 250.0 * kMicro, 1e-15);
}

TEST(WriteVerify, StuckCellsUseAllTheirPulsesInVain) {
    DeviceConfig device = measured_cells();
    device.stuck_high_fraction = 1.0;
    const Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(4, 4, 250.0 * kMicro);
    const ProgrammedCells cells = program_cells(targets, {4, 4}, device, 1, 0);
    EXPECT_EQ(cells.summary.failed_cells, 16);
    EXPECT_EQ(cells.summary.pulses, 160.0);
    EXPECT_EQ(cells.conductances(2, 2), device.g_max_siemens);
}

TEST(WriteVerify, ReplacesTheProgrammingErrorAndAgesLikeIt) {
    DeviceConfig device = device_preset("cmo_hfox");
    device.stuck_low_fraction = 0.0;
    device.stuck_high_fraction = 0.0;
    device.write_verify.enabled = true;
    device.write_verify.max_pulses = 1000;
    device.write_verify.tolerance_siemens = 0.1e-6;
    device.write_verify.step_sigma_siemens = 0.5e-6;
    const Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(64, 64, 50.0 * kMicro);
    EXPECT_LE((program_cells(targets, {64, 64}, device, 1, 0).conductances - targets).cwiseAbs().maxCoeff(), 0.1e-6);
    device.time_since_programming_s = 3600.0;
    const Eigen::ArrayXXd aged = program_cells(targets, {64, 64}, device, 1, 0).conductances.array() / kMicro - 50.0;
    EXPECT_NEAR(aged.mean(), -0.08900206 * std::log(3600.0), 5.0 * 0.76 / 64.0);
}

TEST(WriteVerify, RejectsImpossibleLoops) {
    WriteVerifyConfig loop;
    EXPECT_NO_THROW(loop.validate());
    loop.tolerance_siemens = 0.0;
    EXPECT_THROW(loop.validate(), UserError);
}

}  // namespace
}  // namespace imssa
