#include "trainer/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/fake_pass.h"
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

/// The network of one step with a probability of dropout, from parameters as they are when it is called.
using NetworkOf = std::function<StepNetwork(double probability)>;
/// Chain rule from the effective tensors of a step to the parameters.
using ParameterGradient = std::function<NetworkParameters(const StepNetwork&, const EffectiveTensors&)>;

/// Training drops and evaluation does not; the gradient of the mixing matrix of `layer`, which `parameters` holds and
/// `network` reads, is that of the dropped network: central differences along the gradient itself, since the loss is
/// computed in float.
void expect_gradient_of_the_dropped_network(GradientEngine& engine, const Dataset& data, NetworkParameters& parameters,
                                            std::size_t layer, const NetworkOf& network,
                                            const ParameterGradient& gradient_of) {
    const std::vector<int> indices = test::first_indices(data.count());
    EffectiveTensors effective = zero_effective_tensors(network(0.0).effective().config);
    const auto loss = [&](double probability) {
        return engine.gradient(network(probability), data, indices, 0, effective).loss_sum / data.count();
    };
    EXPECT_NE(loss(0.3), loss(0.0));
    EXPECT_EQ(engine.evaluate(network(0.3), data, 0).loss_sum, engine.evaluate(network(0.0), data, 0).loss_sum);
    loss(0.3);
    const MatrixRM gradient = gradient_of(network(0.3), effective).layers[layer].mixing;
    MatrixRM& mixing = parameters.layers[layer].mixing;
    const MatrixRM direction = gradient / gradient.norm();
    const MatrixRM kept = mixing;
    const float step = 0.01F;
    mixing = kept + step * direction;
    const double above = loss(0.3);
    mixing = kept - step * direction;
    const double below = loss(0.3);
    const double expected = gradient.norm();
    EXPECT_NEAR((above - below) / (2.0 * step), expected, 0.01 * expected);
}

PassNoise dropout_only(double probability) {
    PassNoise noise;
    noise.seed = 77;
    noise.dropout = probability;
    return noise;
}

TEST(Dropout, GradientIsThatOfTheDroppedNetworkAndEvaluationDropsNothing) {
    for (const Norm norm : {Norm::layer, Norm::batch}) {
        ModelConfig config = test::small_model();
        config.norm = norm;
        const NormStatistics statistics = norm == Norm::batch ? NormStatistics::batch : NormStatistics::running;
        const Dataset data = test::random_dataset(20, 21, config.channels, config.classes, 5);
        NetworkParameters parameters = test::random_parameters(config, 5);
        GradientEngine engine(config, data.steps, false, 2);
        const auto network = [&](double probability) {
            StepNetwork step = StepNetwork::in_float(config, parameters, data.steps, statistics);
            step.set_noise(dropout_only(probability));
            return step;
        };
        const auto gradient_of = [&](const StepNetwork&, const EffectiveTensors& effective) {
            NetworkParameters gradient = zero_parameters(config);
            parameter_gradient(config, parameters, nullptr, effective, gradient, Parameterization::continuous,
                               InputMatrix::folded, statistics);
            return gradient;
        };
        expect_gradient_of_the_dropped_network(engine, data, parameters, 0, network, gradient_of);
    }
}

/// A network on grids, its states among them.
StepNetwork network_on_grids(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data,
                             EvaluationMode mode, const QuantizerOptions& activations, double probability) {
    FakeQuantization options;
    options.state.quantizer = Quantizer::max_scale;
    options.activations = activations;
    StepNetwork step = StepNetwork::fake_quantized(fake_network(
        config, parameters, calibrate(config, parameters, data, data.count()), options, data.steps, 0, 0.0, mode));
    step.set_noise(dropout_only(probability));
    return step;
}

TEST(Dropout, GradientOnGridsIsThatOfTheDroppedNetworkAndEvaluationDropsNothing) {
    for (const EvaluationMode mode : {EvaluationMode::recurrent, EvaluationMode::convolution}) {
        const ModelConfig config = test::small_model();
        const Dataset data = test::random_dataset(20, 21, config.channels, config.classes, 5);
        NetworkParameters parameters = test::random_parameters(config, 5);
        GradientEngine engine(config, data.steps, false, 2, true, mode);
        const auto network = [&](double probability) {
            return network_on_grids(config, parameters, data, mode, {}, probability);
        };
        const auto gradient_of = [&](const StepNetwork& step, const EffectiveTensors& effective) {
            NetworkParameters gradient = zero_parameters(config);
            fake_parameter_gradient(*step.fake(), parameters, effective, Parameterization::continuous, gradient);
            return gradient;
        };
        // Behind the last states nothing is rounded.
        expect_gradient_of_the_dropped_network(engine, data, parameters, parameters.layers.size() - 1, network,
                                               gradient_of);
    }
}

TEST(Dropout, LeavesNumbersOfTheGridOfActivationsTimesItsFactor) {
    const ModelConfig config = test::small_model();
    const Dataset data = test::random_dataset(16, 21, config.channels, config.classes, 5);
    const NetworkParameters parameters = test::random_parameters(config, 5);
    QuantizerOptions activations;
    activations.quantizer = Quantizer::max_scale;
    activations.bits = 4;
    const StepNetwork network =
        network_on_grids(config, parameters, data, EvaluationMode::recurrent, activations, 0.25);
    Workspace workspace(config, data.steps, Workspace::Purpose::fake_training);
    std::vector<const float*> sequences;
    LanesUint identities = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        sequences.push_back(data.sequence(lane));
        identities[lane] = static_cast<std::uint32_t>(lane);
    }
    workspace.load_inputs(sequences.data(), kLaneWidth);
    const FakePass pass(*network.fake(), network.noise());
    pass.forward(identities, identities, workspace);
    pass.restore_activation(identities, identities, workspace, 0, 0);
    const QuantizerGrid& grid = network.fake()->layers[0].activation;
    int dropped = 0, codes = 0;
    for (int at = 0; at < config.heads * kBlockWidth; ++at) {
        const float code = workspace.activation_of(0).block(0)[at] * 0.75F * grid.gain;
        EXPECT_NEAR(code, std::nearbyint(code), 1e-4);
        dropped += code == 0.0F ? 1 : 0;
        codes += std::abs(code) > 0.5F ? 1 : 0;
    }
    EXPECT_GT(dropped, config.heads * kBlockWidth / 5);
    EXPECT_GT(codes, config.heads * kBlockWidth / 5);
}

}  // namespace
}  // namespace imssa
