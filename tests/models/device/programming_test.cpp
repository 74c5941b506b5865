#include "models/device/programming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "models/device/device_presets.h"

namespace imssa {
namespace {

constexpr double kMicro = 1e-6;

DeviceConfig without_faults() {
    DeviceConfig device = device_preset("taox_imssa");
    device.stuck_low_fraction = 0.0;
    device.stuck_high_fraction = 0.0;
    return device;
}

Eigen::MatrixXd programmed_conductances(const Eigen::MatrixXd& targets, const UsedCells& used,
                                        const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile,
                                        std::int64_t& stuck_cells) {
    const ProgrammedCells cells = program_cells(targets, used, device, seed, tile);
    stuck_cells = cells.summary.stuck_cells;
    return cells.conductances;
}

Eigen::MatrixXd uniform_tile(int rows, int columns, double siemens) {
    return Eigen::MatrixXd::Constant(rows, columns, siemens);
}

TEST(Programming, IdealDevicesReachTheirTargetsExactly) {
    const Eigen::MatrixXd targets = Eigen::MatrixXd::Random(8, 6).cwiseAbs() * 100.0 * kMicro;
    std::int64_t stuck = -1;
    EXPECT_EQ(programmed_conductances(targets, {8, 6}, DeviceConfig{}, 1, 0, stuck), targets);
    EXPECT_EQ(stuck, 0);
}

// 65 536 cells at mid window, where nothing is clipped; bounds of five standard errors.
TEST(Programming, TaoxErrorHasThePublishedMeanAndSigma) {
    const DeviceConfig device = without_faults();
    const Eigen::MatrixXd targets = uniform_tile(256, 256, 75.0 * kMicro);
    std::int64_t stuck = 0;
    const Eigen::MatrixXd programmed = programmed_conductances(targets, {256, 256}, device, 42, 0, stuck);
    const Eigen::ArrayXXd error = (programmed - targets).array() / kMicro;
    const double n = static_cast<double>(error.size());
    const double mean = error.mean();
    const double sigma = std::sqrt((error - mean).square().sum() / (n - 1.0));
    EXPECT_NEAR(mean, 0.108, 5.0 * 3.894 / std::sqrt(n));
    EXPECT_NEAR(sigma, 3.894, 5.0 * 3.894 / std::sqrt(2.0 * n));
    EXPECT_EQ(stuck, 0);
}

// Clipping at zero keeps half of the distribution: P(g = 0) = Phi(-mean / sigma) = 0.4889 for the TaOx numbers.
TEST(Programming, CellsAtZeroAreClippedAtZero) {
    const DeviceConfig device = without_faults();
    std::int64_t stuck = 0;
    const Eigen::MatrixXd g = programmed_conductances(uniform_tile(200, 200, 0.0), {200, 200}, device, 3, 0, stuck);
    EXPECT_GE(g.minCoeff(), 0.0);
    const double zeros = static_cast<double>((g.array() == 0.0).count());
    const double p = 0.5 * std::erfc(0.108 / 3.894 / std::sqrt(2.0));
    EXPECT_NEAR(zeros, 40000.0 * p, 5.0 * std::sqrt(40000.0 * p * (1.0 - p)));
}

TEST(Programming, CellsOutsideTheFootprintAreLeftAlone) {
    DeviceConfig device = device_preset("taox_imssa");
    device.g_min_siemens = 2.0 * kMicro;
    const Eigen::MatrixXd targets = uniform_tile(16, 16, 2.0 * kMicro);
    std::int64_t stuck = 0;
    const Eigen::MatrixXd g = programmed_conductances(targets, {10, 6}, device, 3, 0, stuck);
    for (int row = 0; row < 16; ++row) {
        for (int column = 0; column < 16; ++column) {
            EXPECT_EQ(g(row, column) == targets(row, column), row >= 10 || column >= 6) << row << ", " << column;
        }
    }
}

// Binomial counts of 65 536 cells, bounds of five standard deviations.
TEST(Programming, StuckCellsSitAtTheWindowsEndsWithTheAskedFrequency) {
    DeviceConfig device;
    device.stuck_low_fraction = 0.02;
    device.stuck_high_fraction = 0.05;
    device.g_min_siemens = 1.0 * kMicro;
    const Eigen::MatrixXd targets = uniform_tile(256, 256, 75.0 * kMicro);
    std::int64_t stuck = 0;
    const Eigen::MatrixXd g = programmed_conductances(targets, {256, 256}, device, 4, 0, stuck);
    const double low = static_cast<double>((g.array() == device.g_min_siemens).count());
    const double high = static_cast<double>((g.array() == device.g_max_siemens).count());
    EXPECT_NEAR(low, 65536 * 0.02, 5.0 * std::sqrt(65536 * 0.02 * 0.98));
    EXPECT_NEAR(high, 65536 * 0.05, 5.0 * std::sqrt(65536 * 0.05 * 0.95));
    EXPECT_EQ(static_cast<double>(stuck), low + high);
    EXPECT_EQ((g.array() == 75.0 * kMicro).count(), 65536 - stuck);
}

TEST(Programming, FaultsDoNotShiftTheProgrammingErrorsOfHealthyCells) {
    DeviceConfig faulty = without_faults();
    faulty.stuck_low_fraction = 0.1;
    const Eigen::MatrixXd targets = uniform_tile(64, 64, 75.0 * kMicro);
    std::int64_t stuck = 0;
    const Eigen::MatrixXd healthy = programmed_conductances(targets, {64, 64}, without_faults(), 5, 1, stuck);
    const Eigen::MatrixXd broken = programmed_conductances(targets, {64, 64}, faulty, 5, 1, stuck);
    EXPECT_EQ((healthy.array() != broken.array()).count(), stuck);
    EXPECT_GT(stuck, 0);
}

TEST(Programming, TheSameSeedAndTileGiveTheSameCellsWhateverTheTilesSize) {
    const DeviceConfig device = device_preset("taox_imssa");
    std::int64_t stuck = 0;
    const double g = 60.0 * kMicro;
    const Eigen::MatrixXd small = programmed_conductances(uniform_tile(20, 20, g), {20, 20}, device, 6, 2, stuck);
    const Eigen::MatrixXd large = programmed_conductances(uniform_tile(64, 64, g), {64, 64}, device, 6, 2, stuck);
    const Eigen::MatrixXd other_tile = programmed_conductances(uniform_tile(20, 20, g), {20, 20}, device, 6, 3, stuck);
    const Eigen::MatrixXd other_seed = programmed_conductances(uniform_tile(20, 20, g), {20, 20}, device, 7, 2, stuck);
    EXPECT_EQ(small, Eigen::MatrixXd(large.topLeftCorner(20, 20)));
    EXPECT_NE(small, other_tile);
    EXPECT_NE(small, other_seed);
}

TEST(Programming, SampleCellsAreThoseOfATileProgrammedToOneTarget) {
    std::vector<DeviceConfig> devices;
    for (const char* name :
         {"taox_imssa", "reram_wan2022", "pcm", "hermes_two_devices", "cmo_hfox", "sram_capacitor"}) {
        DeviceConfig device = device_preset(name);
        device.stuck_low_fraction = 0.02;
        device.stuck_high_fraction = 0.01;
        device.time_since_programming_s = 3600.0;
        devices.push_back(device);
    }
    DeviceConfig& first = devices.front();
    first.drift_exponent = 0.01;
    first.drift_exponent_sigma = 0.002;
    first.relaxation_sigma_siemens = 1e-6;
    first.temperature_coefficient_per_kelvin = 1e-3;
    first.temperature_kelvin = 330.0;
    DeviceConfig parallel = first;
    parallel.parallel_cells = 3;
    parallel.parallel_weights = {4.0, 2.0, 1.0};
    devices.push_back(parallel);
    parallel.parallel_cells = 6;
    parallel.parallel_weights.clear();
    devices.push_back(parallel);
    DeviceConfig written = without_faults();
    written.write_verify.enabled = true;
    devices.push_back(written);
    for (const DeviceConfig& device : devices) {
        const double target = 0.4 * device.g_min_siemens + 0.6 * device.g_max_siemens;
        const Eigen::MatrixXd tile = program_cells(uniform_tile(32, 32, target), {32, 32}, device, 1, 0).conductances;
        const Eigen::ArrayXd samples = sample_conductances(target, device);
        ASSERT_EQ(samples.size(), tile.size());
        EXPECT_LT((samples - tile.reshaped().array()).abs().maxCoeff(), 1e-12 * device.g_max_siemens)
            << static_cast<int>(device.model) << ' ' << device.parallel_cells;
    }
}

TEST(DeviceConfig, RejectsValuesOutOfRangeNamingTheKey) {
    const auto message = [](auto change) {
        DeviceConfig device;
        change(device);
        try {
            device.validate();
        } catch (const UserError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    using testing::HasSubstr;
    EXPECT_THAT(message([](DeviceConfig& d) { d.g_max_siemens = 150.0; }), HasSubstr("g_max_siemens"));
    EXPECT_THAT(message([](DeviceConfig& d) { d.g_min_siemens = -1e-6; }), HasSubstr("g_min_siemens"));
    EXPECT_THAT(message([](DeviceConfig& d) { d.programming_sigma_siemens = -1e-6; }),
                HasSubstr("programming_sigma_siemens"));
    EXPECT_THAT(message([](DeviceConfig& d) { d.read_noise_relative = 1.5; }), HasSubstr("read_noise_relative"));
    EXPECT_THAT(message([](DeviceConfig& d) {
                    d.stuck_low_fraction = 0.6;
                    d.stuck_high_fraction = 0.6;
                }),
                HasSubstr("stuck_high_fraction"));
    EXPECT_THAT(message([](DeviceConfig& d) { d.programming_pulses_per_cell = std::nan(""); }),
                HasSubstr("programming_pulses_per_cell"));
    EXPECT_EQ(message([](DeviceConfig&) {}), "accepted");
}

TEST(DevicePresets, AreValidAndUnknownNamesListTheKnownOnes) {
    for (const std::string& name : device_preset_names()) {
        EXPECT_NO_THROW(device_preset(name).validate()) << name;
    }
    EXPECT_TRUE(device_preset("ideal").is_ideal());
    EXPECT_FALSE(device_preset("taox_imssa").is_ideal());
    try {
        device_preset("taos");
        FAIL() << "no error";
    } catch (const UserError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("ideal, taox_imssa"));
    }
}

}  // namespace
}  // namespace imssa
