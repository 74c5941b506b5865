#include "trainer/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/trainer/naive_network.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

/// Factors of one block of ones.
std::vector<float> factors(const Dropout& dropout, std::uint32_t unit, std::uint32_t first_step) {
    std::vector<float> values(kBlockWidth, 1.0F), slopes(kBlockWidth, 1.0F);
    drop_block(dropout, unit, first_step, values.data(), slopes.data());
    EXPECT_EQ(values, slopes);
    return values;
}

TEST(Dropout, DropsTheShareAskedForAndScalesTheRest) {
    Dropout dropout{0.25, 7, {}};
    int dropped = 0;
    int total = 0;
    for (std::uint32_t block = 0; block < 200; ++block) {
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            dropout.sequences[lane] = 100 * block + static_cast<std::uint32_t>(lane);
        }
        for (const float factor : factors(dropout, block % 5, 8 * block)) {
            ASSERT_TRUE(factor == 0.0F || factor == static_cast<float>(1.0 / 0.75));
            dropped += factor == 0.0F ? 1 : 0;
            ++total;
        }
    }
    // 25600 draws: five deviations are 5 sqrt(0.25 x 0.75 / 25600) = 0.0135.
    EXPECT_NEAR(static_cast<double>(dropped) / total, 0.25, 0.0135);
}

TEST(Dropout, DependsOnSeedSequenceUnitAndStepAndNotOnTheLane) {
    Dropout dropout{0.5, 7, {}};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        dropout.sequences[lane] = static_cast<std::uint32_t>(lane);
    }
    const std::vector<float> first = factors(dropout, 3, 16);
    Dropout swapped = dropout;
    swapped.sequences[0] = 5;
    swapped.sequences[5] = 0;
    const std::vector<float> other = factors(swapped, 3, 16);
    for (int step = 0; step < kBlockSteps; ++step) {
        EXPECT_EQ(first[step * kLaneWidth + 5], other[step * kLaneWidth]);
        EXPECT_EQ(first[step * kLaneWidth], other[step * kLaneWidth + 5]);
    }
    EXPECT_NE(first, factors(dropout, 4, 16));
    EXPECT_NE(first, factors(dropout, 3, 24));
    dropout.seed = 8;
    EXPECT_NE(first, factors(dropout, 3, 16));
}

TEST(Dropout, GradientIsThatOfTheDroppedNetworkAndEvaluationDropsNothing) {
    for (const Norm norm : {Norm::layer, Norm::batch}) {
        ModelConfig config = test::small_model();
        config.norm = norm;
        const NormStatistics statistics = norm == Norm::batch ? NormStatistics::batch : NormStatistics::running;
        const Dataset data = test::random_dataset(20, 21, config.channels, config.classes, 5);
        NetworkParameters parameters = test::random_parameters(config, 5);
        std::vector<int> indices(20);
        std::iota(indices.begin(), indices.end(), 0);
        GradientEngine engine(config, data.steps, false, 2);
        EffectiveTensors effective = zero_effective_tensors(config);
        const auto network = [&](double probability) {
            StepNetwork step = StepNetwork::in_float(config, parameters, data.steps, statistics);
            PassNoise noise;
            noise.seed = 77;
            noise.dropout = probability;
            step.set_noise(noise);
            return step;
        };
        const auto loss = [&](double probability) {
            return engine.gradient(network(probability), data, indices, 0, effective).loss_sum / 20.0;
        };
        EXPECT_NE(loss(0.3), loss(0.0));
        EXPECT_EQ(engine.evaluate(network(0.3), data, 0).loss_sum, engine.evaluate(network(0.0), data, 0).loss_sum);
        loss(0.3);
        NetworkParameters gradient = zero_parameters(config);
        parameter_gradient(config, parameters, nullptr, effective, gradient, Parameterization::continuous,
                           InputMatrix::folded, statistics);
        // The loss is computed in float: central differences along the gradient itself.
        MatrixRM& mixing = parameters.layers[0].mixing;
        const MatrixRM direction = gradient.layers[0].mixing / gradient.layers[0].mixing.norm();
        const MatrixRM kept = mixing;
        const float step = 0.01F;
        mixing = kept + step * direction;
        const double above = loss(0.3);
        mixing = kept - step * direction;
        const double below = loss(0.3);
        const double expected = gradient.layers[0].mixing.norm();
        EXPECT_NEAR((above - below) / (2.0 * step), expected, 0.01 * expected);
    }
}

}  // namespace
}  // namespace imssa
