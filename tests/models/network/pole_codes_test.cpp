#include "models/network/pole_codes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/network/deployed_kernel.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

using Complex = std::complex<double>;

TEST(LogPolarPoles, SitOnEvenGridsOfLogDecayAndPhase) {
    // 1 - |Abar| from 1/1000 to 1/10: log steps of ln(100) / 3 = 1.535, 1/50 lies 1.95 of them up; phases 0, 0.1, 0.4.
    const std::vector<Complex> poles = {std::polar(0.9, 0.0), std::polar(0.98, 0.1), std::polar(0.999, 0.4)};
    const LogPolarPoles codes = log_polar_poles(poles, 2, 3);
    EXPECT_EQ(codes.magnitude, (std::vector<std::int32_t>{3, 2, 0}));
    EXPECT_EQ(codes.phase, (std::vector<std::int32_t>{0, 2, 7}));
    EXPECT_NEAR(std::abs(codes.abar(0)), 0.9, 1e-12);
    EXPECT_NEAR(std::abs(codes.abar(2)), 0.999, 1e-12);
    EXPECT_NEAR(std::abs(codes.abar(1)), 1.0 - std::pow(10.0, -3.0 + 2.0 * 2.0 / 3.0), 1e-12);
    EXPECT_NEAR(std::arg(codes.abar(1)), 2.0 * 0.4 / 7.0, 1e-12);
}

TEST(LogPolarPoles, OneBitOfMagnitudeKeepsTheFastestAndTheSlowestDecay) {
    const LogPolarPoles codes = log_polar_poles({0.5, 0.999, 0.9}, 1, 1);
    EXPECT_NEAR(std::abs(codes.abar(0)), 0.5, 1e-12);
    EXPECT_NEAR(std::abs(codes.abar(1)), 0.999, 1e-12);
    EXPECT_EQ(codes.phase, (std::vector<std::int32_t>{0, 0, 0})) << "one phase needs no code";
}

TEST(LogPolarPoles, DeployAsADigitalRotatorThatFollowsTheCodes) {
    ModelConfig model;
    model.layers = 1;
    model.heads = 3;
    model.states = 16;
    const testing::RandomNetwork network = testing::random_network(model, 9);
    DeploymentOptions options;
    options.kernel.representation = StateRepresentation::abar_log_polar;
    options.kernel.magnitude_bits = 1;
    options.kernel.phase_bits = 3;  // S4D-Lin has 8 even phases a head: exact
    options.validate();
    for (const DeployedKernel& kernel :
         deploy_layer_kernels(network.parameters.layers[0], network.ranges.layers[0], 0.03, 0.02, options)) {
        for (int mode = 0; mode < kernel.modes; ++mode) {
            const std::size_t at = static_cast<std::size_t>(mode);
            const Complex decoded = kernel.log_polar.abar(mode);
            EXPECT_LT(std::abs(kernel.effective_a[at] - decoded), 1e-4);
            EXPECT_LT(std::abs(kernel.effective_a[at]), 1.0);
            EXPECT_EQ(kernel.log_polar.phase[at], mode);
        }
    }
}

TEST(ContinuousPoles, AreQuantizedBeforeTheExponential) {
    LayerParameters layer;
    layer.log_neg_re = MatrixRM::Constant(1, 3, std::log(0.5F));
    layer.im = (MatrixRM(1, 3) << 0.0F, 3.2F, 6.4F).finished();
    layer.log_dt = Eigen::VectorXf::Constant(1, -4.0F);
    const LayerParameters held = quantize_continuous(layer, 1, 2);
    EXPECT_NEAR(std::exp(held.log_neg_re(0, 1)), 0.5, 1e-6);
    EXPECT_FLOAT_EQ(held.im(0, 0), 0.0F);
    EXPECT_FLOAT_EQ(held.im(0, 1), 0.0F) << "ternary: 0.5 of the maximum goes to the even code";
    EXPECT_FLOAT_EQ(held.im(0, 2), 6.4F);
    EXPECT_FLOAT_EQ(held.log_dt(0), -4.0F);
    EXPECT_DOUBLE_EQ(max_scale_value(0.7, 1.0, 2), 0.5);
    EXPECT_DOUBLE_EQ(max_scale_value(-5.0, 1.0, 2), -1.0);
}

TEST(ContinuousPoles, KeepAtLeastOneLevelOfDecay) {
    LayerParameters layer;
    layer.log_neg_re = (MatrixRM(1, 2) << std::log(1e-6F), 0.0F).finished();
    layer.im = MatrixRM::Zero(1, 2);
    layer.log_dt = Eigen::VectorXf::Constant(1, -4.0F);
    EXPECT_NEAR(std::exp(quantize_continuous(layer, 4, 8).log_neg_re(0, 0)), 1.0 / 8.0, 1e-6);
}

}  // namespace
}  // namespace imssa
