#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

using test::NaiveParameters;

struct LossAndGradient {
    BatchLoss batch;
    NetworkParameters gradient;
};

LossAndGradient engine_gradient(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data,
                                int threads) {
    GradientEngine engine(config, data.steps, false, threads);
    EffectiveTensors effective = zero_effective_tensors(config);
    LossAndGradient result{{}, zero_parameters(config)};
    const StepNetwork network = StepNetwork::in_float(config, parameters, data.steps);
    result.batch = engine.gradient(network, data, test::first_indices(data.count()), 0, effective);
    parameter_gradient(config, parameters, nullptr, effective, result.gradient);
    return result;
}

/// Central differences of the naive loss in double, against the hand-written backward pass in float.
void expect_gradient_of_naive_loss(const ModelConfig& config, const Dataset& data) {
    const NetworkParameters parameters = test::random_parameters(config, 3);
    const LossAndGradient computed = engine_gradient(config, parameters, data, 1);
    NaiveParameters naive = test::naive_parameters(parameters);
    const double loss = test::naive_loss(config, naive, data, data.count());
    EXPECT_NEAR(computed.batch.loss_sum / data.count(), loss, 2e-6 * std::max(1.0, loss));
    const NaiveParameters gradient = test::naive_parameters(computed.gradient);
    for (auto& [name, values] : naive) {
        if (name.find("running") != std::string::npos) {
            continue;  // averages, not trained
        }
        double difference = 0.0, size = 0.0;
        for (std::size_t index = 0; index < values.size(); ++index) {
            const double step = 1e-5;
            const double kept = values[index];
            values[index] = kept + step;
            const double above = test::naive_loss(config, naive, data, data.count());
            values[index] = kept - step;
            const double below = test::naive_loss(config, naive, data, data.count());
            values[index] = kept;
            const double expected = (above - below) / (2.0 * step);
            difference += std::pow(gradient.at(name)[index] - expected, 2);
            size += expected * expected;
        }
        EXPECT_LT(std::sqrt(difference), 1e-4 * std::sqrt(size) + 1e-7) << name << ", norm " << std::sqrt(size);
    }
}

struct Variant {
    const char* name;
    Activation activation;
    bool glu, residual;
    Norm norm;
    Pooling pooling = Pooling::mean;
    bool trained_b = false;
};

class GradientOfEveryTensor : public testing::TestWithParam<Variant> {};

TEST_P(GradientOfEveryTensor, AgreesWithCentralDifferencesOfANaiveNetworkInDouble) {
    ModelConfig config = test::small_model();
    config.activation = GetParam().activation;
    config.glu = GetParam().glu;
    config.residual = GetParam().residual;
    config.norm = GetParam().norm;
    config.pooling = GetParam().pooling;
    config.trained_b = GetParam().trained_b;
    // 21 steps do not fill the last block of 8, 18 sequences do not fill the second group of 16.
    expect_gradient_of_naive_loss(config, test::random_dataset(18, 21, config.channels, config.classes, 7));
}

INSTANTIATE_TEST_SUITE_P(Variants, GradientOfEveryTensor,
                         testing::Values(Variant{"Gelu", Activation::gelu, false, true, Norm::layer},
                                         Variant{"GeluGlu", Activation::gelu, true, true, Norm::layer},
                                         Variant{"GluWithoutNorm", Activation::gelu, true, true, Norm::none},
                                         Variant{"WithoutResidual", Activation::gelu, false, false, Norm::layer},
                                         Variant{"WithoutResidualAndNorm", Activation::gelu, false, false, Norm::none},
                                         Variant{"QuantizableGelu", Activation::qgelu, false, true, Norm::layer},
                                         Variant{"RunningBatchNorm", Activation::gelu, true, true, Norm::batch},
                                         Variant{"LastStep", Activation::gelu, false, true, Norm::layer, Pooling::last},
                                         Variant{"TrainedB", Activation::gelu, true, true, Norm::layer, Pooling::mean,
                                                 true},
                                         Variant{"Relu", Activation::relu, false, true, Norm::layer},
                                         Variant{"WithoutActivation", Activation::none, false, true, Norm::layer}),
                         [](const auto& information) { return information.param.name; });

void expect_gradient_of_discrete_coordinates(const ModelConfig& config) {
    const Dataset data = test::random_dataset(16, 21, config.channels, config.classes, 7);
    const NetworkParameters parameters = test::random_parameters(config, 3);
    GradientEngine engine(config, data.steps, false, 1);
    EffectiveTensors effective = zero_effective_tensors(config);
    engine.gradient(StepNetwork::in_float(config, parameters, data.steps), data, test::first_indices(16), 0, effective);
    NetworkParameters gradient = zero_parameters(config);
    parameter_gradient(config, parameters, nullptr, effective, gradient, Parameterization::discrete);
    NetworkParameters coordinates = to_discrete(parameters);
    const auto loss = [&] {
        return test::naive_loss(config, test::naive_parameters(from_discrete(coordinates)), data, data.count());
    };
    LayerParameters& layer = coordinates.layers[0];
    const LayerParameters& computed = gradient.layers[0];
    const std::pair<MatrixRM*, const MatrixRM*> tensors[] = {{&layer.log_neg_re, &computed.log_neg_re},
                                                             {&layer.im, &computed.im},
                                                             {&layer.b_re, &computed.b_re},
                                                             {&layer.b_im, &computed.b_im},
                                                             {&layer.c_re, &computed.c_re},
                                                             {&layer.c_im, &computed.c_im}};
    for (const auto& [values, gradients] : tensors) {
        const double largest = gradients->size() > 0 ? gradients->cwiseAbs().maxCoeff() : 0.0F;
        for (Eigen::Index index = 0; index < values->size(); index += 3) {
            const float kept = values->data()[index];
            const float step = 1e-3F;
            values->data()[index] = kept + step;
            const double above = loss();
            values->data()[index] = kept - step;
            const double below = loss();
            values->data()[index] = kept;
            EXPECT_NEAR(gradients->data()[index], (above - below) / (2.0 * step), 0.02 * largest + 1e-5);
        }
    }
    EXPECT_EQ(computed.log_dt.norm(), 0.0F);
}

TEST(Gradient, OfDiscreteCoordinatesAgreesWithCentralDifferences) {
    ModelConfig config = test::small_model();
    expect_gradient_of_discrete_coordinates(config);
    config.trained_b = true;
    expect_gradient_of_discrete_coordinates(config);
}

TEST(Gradient, AgreesWithCentralDifferencesAcrossChunksOfTheScan) {
    ModelConfig config = test::small_model();
    config.layers = 1;
    config.heads = 3;
    config.states = 14;  // groups of 4, 2 and 1 modes
    expect_gradient_of_naive_loss(config, test::random_dataset(3, 237, config.channels, config.classes, 8));
}

TEST(Gradient, OfUnequalLengthsAgreesWithCentralDifferences) {
    ModelConfig config = test::small_model();
    config.layers = 1;
    config.heads = 3;
    for (const Pooling pooling : {Pooling::mean, Pooling::last}) {
        config.pooling = pooling;
        const Dataset data = test::random_dataset(18, 125, config.channels, config.classes, 7);
        expect_gradient_of_naive_loss(config, test::with_lengths(data, 3, 0.0F));
    }
}

TEST(Gradient, DoesNotSeeThePadding) {
    ModelConfig config = test::small_model();
    const Dataset data = test::random_dataset(18, 45, config.channels, config.classes, 7);
    const NetworkParameters parameters = test::random_parameters(config, 3);
    for (const Pooling pooling : {Pooling::mean, Pooling::last}) {
        config.pooling = pooling;
        const LossAndGradient zeros = engine_gradient(config, parameters, test::with_lengths(data, 3, 0.0F), 1);
        const LossAndGradient others = engine_gradient(config, parameters, test::with_lengths(data, 3, 0.9F), 2);
        const LossAndGradient padded = engine_gradient(config, parameters, data, 1);
        EXPECT_EQ(zeros.batch.loss_sum, others.batch.loss_sum);
        EXPECT_EQ(test::naive_parameters(zeros.gradient), test::naive_parameters(others.gradient));
        EXPECT_NE(zeros.batch.loss_sum, padded.batch.loss_sum);
    }
}

TEST(Gradient, IsTheSameToTheBitForOneAndTwoThreads) {
    const ModelConfig config = test::small_model();
    const Dataset data = test::random_dataset(75, 40, config.channels, config.classes, 9);
    const NetworkParameters parameters = test::random_parameters(config, 4);
    const LossAndGradient one = engine_gradient(config, parameters, data, 1);
    const LossAndGradient two = engine_gradient(config, parameters, data, 2);
    EXPECT_EQ(one.batch.loss_sum, two.batch.loss_sum);
    EXPECT_EQ(test::naive_parameters(one.gradient), test::naive_parameters(two.gradient));
}

TEST(Gradient, OfALaneDoesNotDependOnTheSequencesBesideIt) {
    const ModelConfig config = test::small_model();
    const Dataset data = test::random_dataset(16, 30, config.channels, config.classes, 10);
    const NetworkParameters parameters = test::random_parameters(config, 5);
    GradientEngine engine(config, data.steps, false, 1);
    const StepNetwork network = StepNetwork::in_float(config, parameters, data.steps);
    EffectiveTensors together = zero_effective_tensors(config);
    EffectiveTensors alone = zero_effective_tensors(config);
    double loss_alone = 0.0;
    for (const int index : test::first_indices(16)) {
        loss_alone += engine.gradient(network, data, {index}, 0, alone).loss_sum;
    }
    EXPECT_NEAR(engine.gradient(network, data, test::first_indices(16), 0, together).loss_sum, loss_alone, 1e-9);
}

TEST(Gradient, ReportsALossThatIsNotFinite) {
    const ModelConfig config = test::small_model();
    const Dataset data = test::random_dataset(16, 30, config.channels, config.classes, 10);
    NetworkParameters parameters = test::random_parameters(config, 5);
    parameters.decoder(0, 0) = std::nanf("");
    GradientEngine engine(config, data.steps, false, 2);
    EffectiveTensors gradient = zero_effective_tensors(config);
    const StepNetwork network = StepNetwork::in_float(config, parameters, data.steps);
    const auto message_of = [](const auto& run) -> std::string {
        try {
            run();
        } catch (const NumericalError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(message_of([&] { engine.gradient(network, data, test::first_indices(16), 0, gradient); }),
              "the loss is not finite, first 'logits' is not; use a smaller learning rate or gradient_clip");
    EXPECT_EQ(message_of([&] { engine.evaluate(network, data, 0); }),
              "the loss is not finite, first 'logits' is not; use a smaller learning rate, or more bits or a "
              "state_limit for states that grow by their rounding");
}

}  // namespace
}  // namespace imssa
