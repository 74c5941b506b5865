#include "trainer/adamw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"

namespace imssa {
namespace {

ModelConfig tiny_model() {
    ModelConfig config;
    config.layers = 1;
    config.heads = 1;
    config.states = 2;
    config.classes = 2;
    return config;
}

TEST(AdamW, TakesTheStepsComputedByHand) {
    const ModelConfig config = tiny_model();
    AdamW optimizer(config, {});
    NetworkParameters parameters = zero_parameters(config);
    NetworkParameters gradient = zero_parameters(config);
    parameters.encoder(0, 0) = 2.0F;       // weight: decays
    parameters.encoder_bias(0) = 2.0F;     // no decay
    parameters.layers[0].im(0, 0) = 2.0F;  // state space: own rate, no decay
    gradient.encoder(0, 0) = gradient.encoder_bias(0) = gradient.layers[0].im(0, 0) = 0.5F;
    optimizer.step(parameters, gradient, 0.1, 0.01);
    // First step: m / (1 - b1) = g, v / (1 - b2) = g^2, so the update is the learning rate times the sign.
    EXPECT_NEAR(parameters.encoder_bias(0), 2.0 - 0.1, 1e-6);
    EXPECT_NEAR(parameters.encoder(0, 0), 2.0 * (1.0 - 0.1 * 0.01) - 0.1, 1e-6);
    EXPECT_NEAR(parameters.layers[0].im(0, 0), 2.0 - 0.01, 1e-6);
    gradient.encoder_bias(0) = -1.0F;
    optimizer.step(parameters, gradient, 0.1, 0.01);
    const double m = (0.9 * 0.05 + 0.1 * -1.0) / (1.0 - 0.81);
    const double v = (0.999 * 0.00025 + 0.001 * 1.0) / (1.0 - 0.998001);
    EXPECT_NEAR(parameters.encoder_bias(0), 1.9 - 0.1 * m / std::sqrt(v), 1e-6);
    EXPECT_EQ(optimizer.state().steps, 2);
}

TEST(AdamW, PutsEveryTensorInItsGroup) {
    EXPECT_EQ(parameter_group("encoder"), ParameterGroup::weight);
    EXPECT_EQ(parameter_group("layers.1.mixing"), ParameterGroup::weight);
    EXPECT_EQ(parameter_group("layers.1.mixing_bias"), ParameterGroup::other);
    EXPECT_EQ(parameter_group("layers.0.log_dt"), ParameterGroup::state_space);
    EXPECT_EQ(parameter_group("layers.0.c_im"), ParameterGroup::other);
    EXPECT_EQ(parameter_group("decoder"), ParameterGroup::weight);
}

TEST(CosineSchedule, RisesLinearlyAndFallsToZero) {
    EXPECT_DOUBLE_EQ(cosine_schedule(0, 100, 10), 0.1);
    EXPECT_DOUBLE_EQ(cosine_schedule(9, 100, 10), 1.0);
    EXPECT_DOUBLE_EQ(cosine_schedule(10, 100, 10), 1.0);
    EXPECT_NEAR(cosine_schedule(55, 100, 10), 0.5, 1e-12);
    EXPECT_NEAR(cosine_schedule(100, 100, 10), 0.0, 1e-12);
}

TEST(GradientClipping, KeepsTheDirectionAndLimitsTheNorm) {
    NetworkParameters gradient = zero_parameters(tiny_model());
    gradient.encoder(0, 0) = 3.0F;
    gradient.decoder(1, 0) = -4.0F;
    const double norm = gradient_norm(gradient, "here");
    EXPECT_NEAR(norm, 5.0, 1e-6);
    clip_gradient(gradient, norm, 1.0);
    EXPECT_NEAR(gradient.encoder(0, 0), 0.6, 1e-6);
    EXPECT_NEAR(gradient.decoder(1, 0), -0.8, 1e-6);
}

TEST(GradientNorm, NamesTheTensorThatIsNotFinite) {
    NetworkParameters gradient = zero_parameters(tiny_model());
    gradient.layers[0].log_dt(0) = std::nanf("");
    try {
        gradient_norm(gradient, "training epoch 2/6, step 17");
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("layers.0.log_dt"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("epoch 2/6, step 17"), std::string::npos);
    }
}

}  // namespace
}  // namespace imssa
