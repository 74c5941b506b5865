#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/network/deployed_network.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

TEST(ActivationTable, HoldsTheRoundedFunction) {
    const std::vector<float> gelu = activation_table(Activation::gelu, 0.02, 0.02, 8);
    ASSERT_EQ(gelu.size(), 255U);
    EXPECT_EQ(gelu[127], 0.0F);
    EXPECT_EQ(gelu[127 + 50], 42.0F);  // gelu(1) = 0.8413 -> 42.07
    EXPECT_EQ(gelu[127 - 50], -8.0F);  // gelu(-1) = -0.1587 -> -7.93
    const std::vector<float> relu = activation_table(Activation::relu, 0.02, 0.01, 8);
    EXPECT_EQ(relu[0], 0.0F);
    EXPECT_EQ(relu[127 + 10], 20.0F);
    EXPECT_EQ(relu[254], 127.0F);  // saturates
}

/// The layer unit in doubles for one lane; equal up to float rounding before the final conversion.
TEST(LayerUnit, AgreesWithADoublePrecisionReferenceForAllOptions) {
    for (const bool glu : {false, true}) {
        for (const bool residual : {false, true}) {
            for (const Norm norm : {Norm::none, Norm::layer, Norm::batch}) {
                ModelConfig model;
                model.heads = 5;
                model.states = 4;
                model.layers = 1;
                model.glu = glu;
                model.residual = residual;
                model.norm = norm;
                const testing::RandomNetwork network = testing::random_network(model, 3);
                const DeployedNetwork deployed =
                    deploy(model, network.parameters, network.ranges, DeploymentOptions{}, 10);
                const DeployedLayer& layer = deployed.layers[0];
                const int lanes = 20;
                LaneMatrix mixing(model.mixing_outputs(), lanes);
                LaneMatrix input(5, lanes);
                LaneMatrix output(5, lanes);
                for (int lane = 0; lane < lanes; ++lane) {
                    for (int row = 0; row < model.mixing_outputs(); ++row) {
                        mixing(row, lane) = static_cast<float>((row * 37 + lane * 11) % 255 - 127);
                    }
                    for (int row = 0; row < 5; ++row) {
                        input(row, lane) = static_cast<float>((row * 53 + lane * 29) % 255 - 127);
                    }
                }
                layer_unit(layer.unit, mixing.row(0), input.row(0), output.row(0), 5, output.stride(), lanes);
                for (int lane = 0; lane < lanes; ++lane) {
                    std::vector<double> value;
                    for (int head = 0; head < 5; ++head) {
                        double mixed = mixing(head, lane);
                        if (glu) {
                            const double gate =
                                std::nearbyint(127.0 / (1.0 + std::exp(-mixing(5 + head, lane) * layer.mixing_scale)));
                            mixed = std::nearbyint(mixed * gate / 127.0);
                        }
                        value.push_back(mixed * layer.mixing_scale +
                                        (residual ? input(head, lane) * layer.input_scale : 0.0));
                    }
                    double mean = 0.0;
                    double variance = 0.0;
                    for (const double v : value) {
                        mean += v / 5.0;
                    }
                    for (const double v : value) {
                        variance += (v - mean) * (v - mean) / 5.0;
                    }
                    for (int head = 0; head < 5; ++head) {
                        const LayerParameters& parameters = network.parameters.layers[0];
                        double expected = value[static_cast<std::size_t>(head)];
                        if (norm == Norm::layer) {
                            expected = (expected - mean) / std::sqrt(variance + 1e-5) * parameters.gamma(head) +
                                       parameters.beta(head);
                        }
                        if (norm == Norm::batch) {
                            expected = (expected - parameters.running_mean(head)) /
                                           std::sqrt(parameters.running_variance(head) + 1e-5) *
                                           parameters.gamma(head) +
                                       parameters.beta(head);
                        }
                        expected = std::clamp(expected / layer.output_scale, -127.0, 127.0);
                        EXPECT_NEAR(output(head, lane), expected, 0.5 + 1e-3);
                    }
                }
            }
        }
    }
}

TEST(Pooling, DividesTheSumAndSaturates) {
    std::vector<float> sums(16, 0.0F);
    std::vector<float> codes(16, 0.0F);
    sums[0] = 100.0F;
    sums[1] = -1e6F;
    const std::vector<float> gains(16, 0.125F);
    pool_codes(gains.data(), 127.0F, sums.data(), codes.data(), 2);
    EXPECT_EQ(codes[0], 12.0F);  // 12.5 rounds to even
    EXPECT_EQ(codes[1], -127.0F);
}

}  // namespace
}  // namespace imssa
