/// Moments of every device model against its formula, written out here once more with the published numbers
/// (phase-change cells: phase_change_test.cpp). Bounds are five standard errors of 65 536 cells: a correct model fails
/// one of them with a probability below 6e-7.
#include "models/device/device_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "models/common/config.h"
#include "models/common/error.h"
#include "models/device/device_presets.h"
#include "models/device/device_table.h"
#include "models/device/programming.h"

namespace imssa {
namespace {

constexpr double kMicro = 1e-6;
constexpr int kSide = 256;
constexpr double kCells = kSide * kSide;

struct Moments {
    double mean = 0.0, sigma = 0.0, read_sigma = 0.0;  ///< uS
};

/// Of cells that are all asked for `target` uS, read `time_s` after programming.
Moments measured(DeviceConfig device, double target, double time_s, double read_noise_relative = 0.0) {
    device.time_since_programming_s = time_s;
    device.stuck_low_fraction = 0.0;
    device.stuck_high_fraction = 0.0;
    device.read_noise_relative = read_noise_relative;
    const Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(kSide, kSide, target * kMicro);
    const ProgrammedCells cells = program_cells(targets, {kSide, kSide}, device, 42, 0);
    const Eigen::ArrayXXd g = cells.conductances.array() / kMicro;
    const double mean = g.mean();
    return {mean, std::sqrt((g - mean).square().sum() / (kCells - 1.0)),
            cells.read_sigma.size() == 0 ? 0.0 : cells.read_sigma.mean() / kMicro};
}

void expect_moments(const Moments& moments, double mean, double sigma, const char* what) {
    EXPECT_NEAR(moments.mean, mean, 5.0 * sigma / std::sqrt(kCells) + 1e-12) << what;
    EXPECT_NEAR(moments.sigma, sigma, 5.0 * sigma / std::sqrt(2.0 * kCells) + 1e-12) << what;
}

TEST(DeviceModels, WanHasThePublishedSigmaAtEachTime) {
    const DeviceConfig device = device_preset("reram_wan2022");
    const double x = 0.5;
    const auto sigma = [x](double a, double b, double c, double d, double e) {
        return a + b * x + c * x * x + d * x * x * x + e * x * x * x * x;
    };
    const double second = sigma(0.348, 16.030, -43.853, 45.393, -16.815);
    const double day = sigma(0.701, 22.086, -50.773, 47.095, -16.458);
    const double two_days = sigma(0.782, 20.274, -43.507, 37.062, -11.934);
    expect_moments(measured(device, 20.0, 0.0), 20.0, second, "0 s");
    expect_moments(measured(device, 20.0, 1.0), 20.0, second, "1 s");
    expect_moments(measured(device, 20.0, 86400.0), 20.0, day, "1 day");
    expect_moments(measured(device, 20.0, 172800.0), 20.0, two_days, "2 days");
    expect_moments(measured(device, 20.0, 1e9), 20.0, two_days, "later");
    expect_moments(measured(device, 20.0, std::sqrt(86400.0)), 20.0, 0.5 * (second + day), "half way in log time");
    DeviceConfig scaled = device;
    scaled.g_max_siemens = 80.0 * kMicro;
    expect_moments(measured(scaled, 40.0, 1.0), 40.0, 2.0 * second, "twice the window");
}

TEST(DeviceModels, MiloFallsWithTheConductance) {
    const DeviceConfig device = device_preset("rram_milo");
    expect_moments(measured(device, 60.0, 0.0), 60.0, 4.782 - 0.009107 * 60.0, "60 uS");
    expect_moments(measured(device, 200.0, 0.0), 200.0, 4.782 - 0.009107 * 200.0, "200 uS");
}

TEST(DeviceModels, CmoHasItsAcceptancesDriftRelaxationAndReadNoise) {
    const DeviceConfig coarse = device_preset("cmo_hfox");
    const double g = 50.0;
    const double programming = 0.0112185391 + 0.01129027418 * g;
    expect_moments(measured(coarse, g, 0.0), g, programming, "2 %");
    expect_moments(measured(device_preset("cmo_hfox_fine"), g, 0.0), g, 0.00081107 + 0.00106879 * g, "0.2 %");
    const double hour = std::log(3600.0);
    const double relaxation = 0.04201137 * hour + 0.41183342;
    const Moments aged = measured(coarse, g, 3600.0);
    expect_moments(aged, g - 0.08900206 * hour, std::hypot(programming, relaxation), "1 h");
    const double read = 0.0277316483 * std::log10(aged.mean) * std::sqrt(std::log(3600.000001 / 2e-6));
    EXPECT_NEAR(aged.read_sigma / read, 1.0, 1e-3);
}

TEST(DeviceModels, CapacitorsMismatchWithTheRootOfTheirUnits) {
    const DeviceConfig device = device_preset("sram_capacitor");
    const double unit = 36.8 / 127.0;
    expect_moments(measured(device, 100.0 * unit, 0.0), 100.0 * unit, 0.01 * std::sqrt(100.0) * unit, "100 units");
    EXPECT_EQ(measured(device, 0.0, 1e6).sigma, 0.0);
}

TEST(DeviceModels, GenericErrorsAreAbsoluteAndRelative) {
    DeviceConfig device;
    device.programming_sigma_siemens = 3.0 * kMicro;
    device.programming_sigma_relative = 0.04;
    expect_moments(measured(device, 100.0, 0.0), 100.0, 5.0, "programmed");
    device.programming_scale = 0.5;
    expect_moments(measured(device, 100.0, 0.0), 100.0, 2.5, "half");
    device.relaxation_sigma_siemens = 6.0 * kMicro;
    expect_moments(measured(device, 100.0, 1.0), 100.0, 6.5, "relaxed");
    device.programming_scale = 0.0;
    device.relaxation_sigma_siemens = 0.0;
    device.drift_exponent = 0.05;
    device.drift_start_s = 10.0;
    const Moments drifted = measured(device, 100.0, 990.0);
    EXPECT_NEAR(drifted.mean, 100.0 * std::pow(100.0, -0.05), 1e-9);
    EXPECT_NEAR(measured(device, 100.0, 0.0).mean, 100.0, 1e-12);
    device.drift_scale = 0.0;
    EXPECT_NEAR(measured(device, 100.0, 990.0).mean, 100.0, 1e-12);
}

TEST(DeviceModels, GenericDriftExponentsSpreadLogNormally) {
    DeviceConfig device;
    device.drift_exponent = 0.05;
    device.drift_exponent_sigma = 0.02;
    device.drift_start_s = 10.0;
    const double decades = std::log(100.0);  // t = 990 s
    const double spread = 0.02 * decades;
    const double mean = 100.0 * std::exp(-0.05 * decades + 0.5 * spread * spread);
    const double sigma = mean * std::sqrt(std::expm1(spread * spread));
    expect_moments(measured(device, 100.0, 990.0), mean, sigma, "drifted");
}

TEST(DeviceModels, TemperatureScalesEveryCell) {
    DeviceConfig device;
    device.temperature_coefficient_per_kelvin = -1e-3;
    device.temperature_kelvin = 350.0;
    EXPECT_NEAR(measured(device, 100.0, 0.0).mean, 95.0, 1e-9);
}

TEST(DeviceModels, LevelsRoundTheTargets) {
    DeviceConfig device;
    device.g_min_siemens = 10.0 * kMicro;
    device.g_max_siemens = 110.0 * kMicro;
    device.conductance_levels = 11;
    EXPECT_NEAR(measured(device, 34.0, 0.0).mean, 30.0, 1e-9);
    EXPECT_NEAR(measured(device, 36.0, 0.0).mean, 40.0, 1e-9);
    EXPECT_NEAR(measured(device, 10.0, 0.0).mean, 10.0, 1e-9);
}

TEST(DeviceModels, ParallelCellsAverageTheirErrorsAndTheirReadNoise) {
    DeviceConfig device;
    device.programming_sigma_siemens = 4.0 * kMicro;
    device.parallel_cells = 4;
    expect_moments(measured(device, 75.0, 0.0), 75.0, 2.0, "four equal");
    device.parallel_cells = 2;
    device.parallel_weights = {3.0, 1.0};
    const Moments weighted = measured(device, 75.0, 0.0, 0.01);
    expect_moments(weighted, 75.0, 4.0 * std::sqrt(9.0 + 1.0) / 4.0, "3:1");
    EXPECT_NEAR(weighted.read_sigma, 0.75 * std::sqrt(10.0) / 4.0, 0.01);
}

TEST(DeviceModels, ReadNoiseOfModelAndRelativeOneAddInVariance) {
    const DeviceConfig device = device_preset("pcm");
    const double of_model = measured(device, 15.0, 100.0).read_sigma;
    const Moments both = measured(device, 15.0, 100.0, 0.05);
    EXPECT_NEAR(both.read_sigma / std::hypot(of_model, 0.05 * both.mean), 1.0, 1e-3);
    DeviceConfig quiet = device;
    quiet.read_noise_scale = 0.0;
    EXPECT_EQ(measured(quiet, 15.0, 100.0, 0.05).read_sigma, 0.0);
}

TEST(DeviceModels, AgeingDoesNotChangeWhatWasProgrammed) {
    DeviceConfig device = device_preset("pcm");
    const Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(64, 64, 10.0 * kMicro);
    const Eigen::MatrixXd fresh = program_cells(targets, {64, 64}, device, 1, 2).conductances;
    device.time_since_programming_s = 1e-9;
    const Eigen::MatrixXd soon = program_cells(targets, {64, 64}, device, 1, 2).conductances;
    EXPECT_LT((fresh - soon).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(DeviceModels, EveryModelWithoutErrorsIsIdealBitForBit) {
    const Eigen::MatrixXd random = 0.5 * (Eigen::MatrixXd::Random(16, 16).array() + 1.0);
    for (const std::string& name : device_preset_names()) {
        DeviceConfig device = device_preset(name);
        device.programming_scale = 0.0;
        device.drift_scale = 0.0;
        device.read_noise_scale = 0.0;
        device.stuck_low_fraction = 0.0;
        device.stuck_high_fraction = 0.0;
        device.time_since_programming_s = 1e4;
        device.conductance_levels = device.model == DeviceModelName::sram_capacitor ? 2 : 0;
        Eigen::MatrixXd targets = device.g_max_siemens * random;
        if (device.conductance_levels != 0) {
            targets = (targets.array() > 0.5 * device.g_max_siemens)
                          .select(Eigen::MatrixXd::Constant(16, 16, device.g_max_siemens), 0.0);
        }
        const ProgrammedCells cells = program_cells(targets, {16, 16}, device, 1, 0);
        EXPECT_EQ(cells.conductances, targets) << name;
        EXPECT_EQ(cells.read_sigma.size(), 0) << name;
    }
}

TEST(DeviceModels, AModelsNameSetsItsDefaultsAndKeysBesideItChangeThem) {
    struct Chip {
        DeviceConfig device;
    };
    ConfigReader reader = ConfigReader::from_string("model = \"pcm\"\ng_max_siemens = 20e-6\n", "chip.toml");
    DeviceConfig device;
    reader.read(device);
    reader.reject_unknown_keys();
    EXPECT_EQ(device.model, DeviceModelName::pcm);
    EXPECT_EQ(device.g_max_siemens, 20e-6);
    EXPECT_EQ(device.programming_pulses_per_cell, device_preset("pcm").programming_pulses_per_cell);
    DeviceConfig again;
    read_config_json(config_to_json(device), again);
    EXPECT_EQ(config_to_json(again), config_to_json(device));
}

TEST(DeviceModels, FieldsOfTheGenericModelAreRejectedByTheOthers) {
    DeviceConfig device = device_preset("pcm");
    device.programming_sigma_siemens = 1e-6;
    EXPECT_THROW(device.validate(), UserError);
    device = DeviceConfig{};
    device.model = DeviceModelName::table;
    EXPECT_THROW(device.validate(), UserError);
    device = DeviceConfig{};
    device.parallel_weights = {1.0, 2.0};
    EXPECT_THROW(device.validate(), UserError);
}

class DeviceTable : public testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    DeviceConfig load(const std::string& text) {
        std::ofstream(folder_ + "/cells.csv") << text;
        DeviceConfig device;
        device.model = DeviceModelName::table;
        device.table_csv = "cells.csv";
        load_device_table(device, folder_);
        return device;
    }

    std::string message(const std::string& text) {
        try {
            load(text);
        } catch (const UserError& error) {
            return error.what();
        }
        return "accepted";
    }

    std::string folder_ =
        (std::filesystem::temp_directory_path() / ("imssa_table_" + std::to_string(getpid()))).string();
};

TEST_F(DeviceTable, IsInterpolatedBetweenItsRows) {
    const DeviceConfig device =
        load("# my cells\nconductance,mean,sigma\n20e-6,1e-6,2e-6\n60e-6,-1e-6,4e-6\n100e-6,-1e-6,1e-6\n");
    device.validate();
    expect_moments(measured(device, 20.0, 0.0), 21.0, 2.0, "on a row");
    expect_moments(measured(device, 30.0, 0.0), 30.5, 2.5, "between rows");
    expect_moments(measured(device, 130.0, 0.0), 129.0, 1.0, "beyond the last row");
}

TEST_F(DeviceTable, OfTwoColumnsHasNoMeanError) {
    for (const char* header : {"", "conductance_siemens,sigma_siemens\n"}) {
        const DeviceConfig device = load(std::string(header) + "20e-6,2e-6\n60e-6,4e-6\n100e-6,1e-6\n");
        device.validate();
        expect_moments(measured(device, 20.0, 0.0), 20.0, 2.0, "on a row");
        expect_moments(measured(device, 50.0, 0.0), 50.0, 3.5, "between rows");
        expect_moments(measured(device, 130.0, 0.0), 130.0, 1.0, "beyond the last row");
    }
}

TEST_F(DeviceTable, AgesLikeTheGenericModel) {
    DeviceConfig device = load("20e-6,1e-6,3e-6\n100e-6,1e-6,3e-6\n");
    device.relaxation_sigma_siemens = 4e-6;
    device.validate();
    expect_moments(measured(device, 60.0, 0.0), 61.0, 3.0, "programmed");
    expect_moments(measured(device, 60.0, 1.0), 61.0, 5.0, "relaxed");
    device.drift_exponent = 0.05;
    device.drift_start_s = 10.0;
    device.relaxation_sigma_siemens = 0.0;
    const double factor = std::pow(100.0, -0.05);  // t = 990 s
    expect_moments(measured(device, 60.0, 990.0), 61.0 * factor, 3.0 * factor, "drifted");
    device.programming_scale = 0.0;
    device.drift_exponent_sigma = 0.02;
    const double spread = 0.02 * std::log(100.0);
    const double mean = 60.0 * factor * std::exp(0.5 * spread * spread);
    expect_moments(measured(device, 60.0, 990.0), mean, mean * std::sqrt(std::expm1(spread * spread)), "spread");
    device.drift_scale = 0.0;
    EXPECT_NEAR(measured(device, 60.0, 990.0).mean, 60.0, 1e-9);
}

TEST(DeviceModels, ModelsWithAnAgeingOfTheirOwnOrNoneRefuseTheGenericOne) {
    for (const char* name : {"rram_milo", "pcm", "reram_wan2022", "cmo_hfox", "sram_capacitor"}) {
        DeviceConfig device = device_preset(name);
        device.drift_exponent = 0.05;
        EXPECT_THROW(device.validate(), UserError) << name;
        device = device_preset(name);
        device.relaxation_sigma_siemens = 1e-6;
        EXPECT_THROW(device.validate(), UserError) << name;
    }
}

TEST_F(DeviceTable, SaysWhichLineIsWrong) {
    using testing::HasSubstr;
    EXPECT_THAT(message("1e-6,0,1e-6\n2e-6,0\n"), HasSubstr("cells.csv:2: expected three numbers"));
    EXPECT_THAT(message("1e-6,0,1e-6\n1e-6,0,1e-6\n"), HasSubstr("cells.csv:2: conductances must ascend"));
    EXPECT_THAT(message("1e-6,0,-1e-6\n"), HasSubstr("cells.csv:1"));
    EXPECT_THAT(message("1e-6,1e-6\n2e-6,0,1e-6\n"), HasSubstr("cells.csv:2: expected two numbers"));
    EXPECT_THAT(message("g,mean,sigma\n1e-6,1e-6\n"), HasSubstr("cells.csv:2: expected three numbers"));
    EXPECT_THAT(message("1e-6\n"), HasSubstr("cells.csv:1: expected two or three numbers"));
    EXPECT_THAT(message("1e-6,-1e-6\n"), HasSubstr("cells.csv:1"));
    EXPECT_THAT(message("1e-6,1.2\n"), HasSubstr("cells.csv:1: the numbers are siemens"));
    EXPECT_THAT(message("# nothing\n"), HasSubstr("has no rows"));
    DeviceConfig device;
    device.table_csv = "missing.csv";
    EXPECT_THROW(load_device_table(device, folder_), UserError);
}

}  // namespace
}  // namespace imssa
