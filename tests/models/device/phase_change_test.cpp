/// Phase-change cells against their published formulas, written out here once more: programming error and drift
/// exponents as distributions over 65 536 cells, read noise cell by cell. Bounds are five standard errors: a correct
/// model fails one of them with a probability below 6e-7.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "models/device/device_presets.h"
#include "models/device/programming.h"

namespace imssa {
namespace {

constexpr double kMicro = 1e-6;
constexpr int kSide = 256;
constexpr double kCells = kSide * kSide;

/// x is the conductance over g_max; 0 stands for a cell that is off, which drifts like one of 1e-7.
struct PhaseChange {
    const char* preset;
    double g_max;                                                        ///< uS
    double start_s, read_s;                                              ///< t0 of the drift and duration of a read
    std::function<double(double)> programming_sigma;                     ///< uS
    std::function<double(double)> exponent_mean, exponent_sigma, noise;  ///< of x
};

double clip(double value, double low, double high) {
    return std::clamp(value, low, high);
}

PhaseChange pcm() {
    return {"pcm",
            25.0,
            20.0,
            250e-9,
            [](double x) { return 0.26348 + 1.9650 * x - 1.1731 * x * x; },
            [](double x) { return clip(-0.0155 * std::log(x) + 0.0244, 0.049, 0.1); },
            [](double x) { return clip(-0.0125 * std::log(x) - 0.0059, 0.008, 0.045); },
            [](double x) { return std::min(0.0088 / std::pow(x, 0.65), 0.2); }};
}

double hermes_exponent(double x) {
    return x < 0.0945 ? clip(-0.0387 * std::log(x) - 0.0182, 0.072, 0.13) : -0.0436 * x * x - 0.0126 * x + 0.0736;
}

PhaseChange hermes_one() {
    return {"hermes_one_device",
            10.35,
            200.0,
            512e-9,
            [](double x) { return 0.15781817 + 2.32443916 * x - 2.16310839 * x * x + 0.68841818 * x * x * x; },
            hermes_exponent,
            [](double x) {
                return x < 0.3039 ? clip(-0.0120 * std::log(x) - 0.0023, 0.0124, 0.04)
                                  : -0.0165 * x * x + 0.0116 * x + 0.0104;
            },
            [](double x) {
                return x < 0.1591 ? clip(-0.0078 * std::log(x) + 0.0038, 0.0179, 0.04)
                                  : 0.0664 * x * x * x - 0.1352 * x * x + 0.0768 * x + 0.0088;
            }};
}

PhaseChange hermes_two() {
    return {"hermes_two_devices",
            20.7,
            300.0,
            512e-9,
            [](double x) { return 0.16603222 + 4.71806468 * x - 8.48101252 * x * x + 4.68961419 * x * x * x; },
            hermes_exponent,
            [](double x) {
                return x < 0.3055 ? clip(-0.0117 * std::log(x) - 0.0057, 0.0091, 0.04)
                                  : -0.0118 * x * x + 0.0093 * x + 0.0073;
            },
            [](double x) {
                return x < 0.16 ? clip(-0.0117 * std::log(x) - 0.0069, 0.015, 0.04)
                                : 0.0069 * x * x * x - 0.0280 * x * x + 0.0211 * x + 0.0123;
            }};
}

ProgrammedCells cells_of(const PhaseChange& kind, double x, double time_s) {
    DeviceConfig device = device_preset(kind.preset);
    device.time_since_programming_s = time_s;
    device.stuck_low_fraction = 0.0;
    device.stuck_high_fraction = 0.0;
    const Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(kSide, kSide, x * kind.g_max * kMicro);
    return program_cells(targets, {kSide, kSide}, device, 42, 0);
}

/// Mean of f(z) for standard normal z, by the trapezoidal rule.
double expectation(const std::function<double(double)>& f) {
    constexpr double kStep = 1.0 / 1024.0;
    double sum = 0.0;
    for (int i = -9 * 1024; i <= 9 * 1024; ++i) {
        const double z = i * kStep;
        sum += std::exp(-0.5 * z * z) * f(z);
    }
    return kStep / std::sqrt(2.0 * M_PI) * sum;
}

/// Mean and standard deviation of `values` are those of f(z) within five standard errors.
void expect_distribution(const Eigen::ArrayXd& values, const std::function<double(double)>& f,
                         const std::string& what) {
    const double count = static_cast<double>(values.size());
    const double mean = expectation(f);
    const auto central = [&](int power) { return expectation([&](double z) { return std::pow(f(z) - mean, power); }); };
    const double variance = central(2);
    const double sigma = std::sqrt(variance);
    const double sample_mean = values.mean();
    const double sample_sigma = std::sqrt((values - sample_mean).square().sum() / (count - 1.0));
    EXPECT_NEAR(sample_mean, mean, 5.0 * sigma / std::sqrt(count)) << what;
    EXPECT_NEAR(sample_sigma, sigma, 5.0 * std::sqrt((central(4) - variance * variance) / count) / (2.0 * sigma))
        << what;
}

/// Cells that are asked for x, read when fresh and `time_s` later.
void expect_formulas(const PhaseChange& kind, double x, double time_s) {
    const std::string what = std::string(kind.preset) + ", x = " + std::to_string(x);
    const Eigen::ArrayXd fresh = cells_of(kind, x, 0.0).conductances.reshaped().array() / kMicro;
    const ProgrammedCells cells = cells_of(kind, x, time_s);
    const Eigen::ArrayXd aged = cells.conductances.reshaped().array() / kMicro;
    const Eigen::ArrayXd read_sigma = cells.read_sigma.reshaped().array() / kMicro;

    const double sigma = kind.programming_sigma(x);
    const auto programmed = [&](double z) { return std::max(0.0, x * kind.g_max + sigma * z); };
    expect_distribution(fresh, programmed, what + ", programmed");

    const double log_time = std::log((time_s + kind.start_s) / kind.start_s);
    const double noise_time = std::sqrt(std::log((time_s + kind.start_s + kind.read_s) / (2.0 * kind.read_s)));
    std::vector<double> exponents;
    std::vector<double> conductances;
    for (Eigen::Index cell = 0; cell < fresh.size(); ++cell) {
        if (fresh(cell) == 0.0) {
            EXPECT_EQ(aged(cell), 0.0) << what;
            EXPECT_EQ(read_sigma(cell), 0.0) << what;
            continue;
        }
        exponents.push_back(-std::log(aged(cell) / fresh(cell)) / log_time);
        conductances.push_back(fresh(cell));
        const double noise = aged(cell) * kind.noise(fresh(cell) / kind.g_max) * noise_time;
        ASSERT_NEAR(read_sigma(cell) / noise, 1.0, 1e-9) << what << ", read noise of a cell of " << fresh(cell);
    }
    const double at = std::max(x, 1e-7);
    const auto exponent = [&](double z) { return std::abs(kind.exponent_mean(at) + kind.exponent_sigma(at) * z); };
    const auto count = static_cast<Eigen::Index>(exponents.size());
    const Eigen::ArrayXd nu = Eigen::Map<const Eigen::ArrayXd>(exponents.data(), count);
    expect_distribution(nu, exponent, what + ", drift exponent");

    // A cell drifts as it does whatever its programming error was.
    const Eigen::ArrayXd g = Eigen::Map<const Eigen::ArrayXd>(conductances.data(), count);
    const double covariance = ((g - g.mean()) * (nu - nu.mean())).mean();
    const double product = (g - g.mean()).square().mean() * (nu - nu.mean()).square().mean();
    EXPECT_LT(std::abs(covariance) / std::sqrt(product), 5.0 / std::sqrt(static_cast<double>(count))) << what;
}

TEST(PhaseChange, PcmFollowsItsFormulasFromCellsThatAreOffToFullyOn) {
    for (const double x : {0.0, 0.05, 0.2, 0.4, 1.0}) {
        expect_formulas(pcm(), x, 1000.0);
    }
}

TEST(PhaseChange, PcmCellsThatAreOffDriftWithATenthAndAreAtMostAFifthNoisy) {
    const double time_s = 1e4;
    const ProgrammedCells fresh = cells_of(pcm(), 0.0, 0.0);
    const ProgrammedCells aged = cells_of(pcm(), 0.0, time_s);
    const double log_time = std::log((time_s + 20.0) / 20.0);
    const double noise_time = std::sqrt(std::log((time_s + 20.0 + 250e-9) / 500e-9));
    double exponents = 0.0;
    int on = 0;
    int clipped = 0;
    for (int row = 0; row < kSide; ++row) {
        for (int column = 0; column < kSide; ++column) {
            const double g = fresh.conductances(row, column);
            if (g == 0.0) {
                continue;
            }
            ++on;
            exponents -= std::log(aged.conductances(row, column) / g) / log_time;
            const double noise = aged.read_sigma(row, column) / aged.conductances(row, column) / noise_time;
            EXPECT_LE(noise, 0.2 + 1e-12);
            // 0.0088 / x^0.65 = 0.2 at x = 0.00818.
            if (g < 0.0081 * 25.0 * kMicro) {
                EXPECT_NEAR(noise, 0.2, 1e-12);
                ++clipped;
            }
        }
    }
    EXPECT_NEAR(on / kCells, 0.5, 0.01) << "the others were programmed below zero";
    EXPECT_GT(clipped, on / 2);
    // Mean of |N(0.1, 0.045)|; without the clips mean and deviation were 0.274 and 0.196.
    EXPECT_NEAR(exponents / on, 0.10041, 5.0 * 0.0441 / std::sqrt(0.5 * kCells));
}

TEST(PhaseChange, HermesFollowsItsFormulasOnBothSidesOfEveryBreakPoint) {
    for (const PhaseChange& kind : {hermes_one(), hermes_two()}) {
        for (const double x : {0.0, 0.05, 0.1, 0.2, 0.5, 1.0}) {
            expect_formulas(kind, x, 86400.0);
        }
    }
}

}  // namespace
}  // namespace imssa
