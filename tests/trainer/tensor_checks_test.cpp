#include "trainer/tensor_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/common/error.h"
#include "tests/trainer/load_sequences.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"
#include "trainer/quantized_pass.h"

namespace imssa {
namespace {

class TensorChecksTest : public testing::Test {
protected:
    TensorChecksTest()
        : config(test::small_model()),
          data(test::random_dataset(20, 30, config.channels, config.classes, 7)),
          parameters(test::random_parameters(config, 3)),
          indices(test::first_indices(20)) {}

    std::string message_of_step(const StepNetwork& network, bool quantized) {
        GradientEngine engine(config, data.steps, quantized, 1, network.fake() != nullptr);
        EffectiveTensors gradient = zero_effective_tensors(config);
        try {
            engine.gradient(network, data, indices, 0, gradient);
        } catch (const NumericalError& error) {
            return error.what();
        }
        return "";
    }

    ModelConfig config;
    Dataset data;
    NetworkParameters parameters;
    std::vector<int> indices;
};

TEST_F(TensorChecksTest, NameDeadActivations) {
    EXPECT_EQ(message_of_step(StepNetwork::in_float(config, parameters, data.steps), false), "");
    // With a ReLU behind it, a kernel that only gives negative numbers leaves nothing.
    config.activation = Activation::relu;
    parameters.encoder.setConstant(0.0F);
    parameters.encoder_bias.setConstant(1.0F);
    parameters.layers[0].d.setConstant(-100.0F);
    const std::string message = message_of_step(StepNetwork::in_float(config, parameters, data.steps), false);
    EXPECT_NE(message.find("'layers.0.activation' is dead"), std::string::npos) << message;
}

TEST_F(TensorChecksTest, NameActivationsThatTheirGridTurnsIntoZero) {
    FakeQuantization options;
    options.activations.quantizer = Quantizer::max_scale;
    options.activations.bits = 2;
    options.activations.range = 1e4;
    const CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    const std::string message = message_of_step(
        StepNetwork::fake_quantized(fake_network(config, parameters, ranges, options, data.steps, 0)), false);
    EXPECT_NE(message.find("'encoder output' is dead"), std::string::npos) << message;
}

TEST_F(TensorChecksTest, NameCodesThatAreAllZero) {
    CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    DeploymentOptions options;
    const StepNetwork alive = StepNetwork::quantized(config, parameters, ranges, options, data.steps);
    EXPECT_EQ(message_of_step(alive, true), "");
    EXPECT_NO_THROW(check_dead_weights(parameters, alive.effective()));
    ranges.layers[1].activation *= 1e4F;
    const std::string message =
        message_of_step(StepNetwork::quantized(config, parameters, ranges, options, data.steps), true);
    EXPECT_NE(message.find("'layers.1.activation' is dead"), std::string::npos) << message;
}

TEST_F(TensorChecksTest, NameStatesThatTheirGridTurnsIntoZero) {
    FakeQuantization options;
    options.state.quantizer = Quantizer::max_scale;
    options.state.bits = 2;
    options.state.range = 1e4;
    const CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    const auto step = [&] {
        return message_of_step(
            StepNetwork::fake_quantized(fake_network(config, parameters, ranges, options, data.steps, 0)), false);
    };
    const std::string message = step();
    EXPECT_NE(message.find("'layers.0.states' is dead"), std::string::npos) << message;
    options.state.range = 0.0;
    EXPECT_NE(step(), "") << "an input of less than half a level moves nothing";
    options.state.bits = 8;
    EXPECT_EQ(step(), "");
    options.state.range = 1e4;
    for (LayerParameters& layer : parameters.layers) {
        layer.c_re.setZero();
        layer.c_im.setZero();
    }
    EXPECT_EQ(step(), "") << "nothing reads them";
}

TEST_F(TensorChecksTest, NameDeployedStatesThatAreAllZero) {
    CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    ranges.layers[1].state *= 1e6F;
    ranges.layers[1].folded_state *= 1e6F;
    ranges.layers[1].increment *= 1e6F;
    DeploymentOptions options;
    const std::string message =
        message_of_step(StepNetwork::quantized(config, parameters, ranges, options, data.steps), true);
    EXPECT_NE(message.find("'layers.1.states' is dead"), std::string::npos) << message;
}

TEST_F(TensorChecksTest, LookAtEveryStepOfStatesThatAreZeroWhereChunksEnd) {
    // An input that stops, and poles that forget it before the sequence ends.
    for (int sequence = 0; sequence < 20; ++sequence) {
        float* values = data.values.data() + static_cast<std::ptrdiff_t>(sequence) * data.steps * config.channels;
        std::fill(values + 10 * config.channels, values + data.steps * config.channels, 0.0F);
    }
    parameters.encoder_bias.setZero();
    for (LayerParameters& layer : parameters.layers) {
        layer.log_neg_re.setZero();
        layer.log_dt.setConstant(std::log(20.0F));
    }
    const CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    EXPECT_EQ(message_of_step(StepNetwork::in_float(config, parameters, data.steps), false), "");
    FakeQuantization options;
    options.state.quantizer = Quantizer::max_scale;
    for (const RangeSource source : {RangeSource::fixed, RangeSource::dynamic}) {
        options.state.ranges = source;
        options.state.scale = ScaleGranularity::head;
        EXPECT_EQ(
            message_of_step(
                StepNetwork::fake_quantized(fake_network(config, parameters, ranges, options, data.steps, 0)), false),
            "");
    }
    DeploymentOptions immediate;
    immediate.kernel.mapping = KernelMapping::fused;
    immediate.kernel.form = OutputForm::immediate;
    immediate.kernel.input_matrix = InputMatrix::cells;
    for (const DeploymentOptions& deployed : {DeploymentOptions{}, immediate}) {
        EXPECT_EQ(message_of_step(StepNetwork::quantized(config, parameters, ranges, deployed, data.steps), true), "");
    }
}

TEST_F(TensorChecksTest, ExpectNothingOfALayerWhoseKernelsAreAllPruned) {
    parameters.layers[1].c_re.setZero();
    parameters.layers[1].c_im.setZero();
    parameters.layers[1].d.setZero();
    EXPECT_EQ(message_of_step(StepNetwork::in_float(config, parameters, data.steps), false), "");
    const CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    EXPECT_EQ(message_of_step(StepNetwork::quantized(config, parameters, ranges, {}, data.steps), true), "");
}

TEST_F(TensorChecksTest, NameWeightsWithoutCodes) {
    const CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    EffectiveNetwork network =
        effective_quantized_network(deploy(config, parameters, ranges, DeploymentOptions{}, data.steps));
    std::fill(network.tensors.layers[1].mixing.begin(), network.tensors.layers[1].mixing.end(), 0.0F);
    try {
        check_dead_weights(parameters, network);
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("layers.1.mixing"), std::string::npos) << error.what();
    }
    parameters.layers[1].mixing.setZero();
    EXPECT_NO_THROW(check_dead_weights(parameters, network)) << "pruned, not dead";
}

TEST_F(TensorChecksTest, NameAnInputMatrixWithoutCodes) {
    const CalibrationRanges ranges = calibrate(config, parameters, data, 20);
    EffectiveNetwork network =
        effective_quantized_network(deploy(config, parameters, ranges, DeploymentOptions{}, data.steps));
    for (std::vector<float>* tensor : {&network.tensors.layers[0].b_re, &network.tensors.layers[0].b_im}) {
        std::fill(tensor->begin(), tensor->end(), 0.0F);
    }
    try {
        check_dead_weights(parameters, network);
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("layers.0.b'"), std::string::npos) << error.what();
    }
}

TEST_F(TensorChecksTest, NameMixingOutputsThatAreAllZero) {
    const CalibrationRanges own = calibrate(config, parameters, data, 20);
    CalibrationRanges wide = own;
    for (LayerRanges& layer : wide.layers) {
        layer.mixing = 1e6F;
    }
    for (const bool glu : {false, true}) {
        config.glu = glu;
        parameters = test::random_parameters(config, 3);
        const std::string deployed =
            message_of_step(StepNetwork::quantized(config, parameters, wide, {}, data.steps), true);
        EXPECT_NE(deployed.find("'layers.0.mixing outputs' is dead"), std::string::npos) << deployed;
        FakeQuantization options;
        options.activations.quantizer = Quantizer::max_scale;
        const std::string fake = message_of_step(
            StepNetwork::fake_quantized(fake_network(config, parameters, wide, options, data.steps, 0)), false);
        EXPECT_NE(fake.find("'layers.0.mixing outputs' is dead"), std::string::npos) << fake;
        EXPECT_EQ(message_of_step(StepNetwork::quantized(config, parameters, own, {}, data.steps), true), "");
    }
}

TEST_F(TensorChecksTest, LookAtMixingOutputsOfActivationsMadeAgain) {
    config.glu = false;
    parameters = test::random_parameters(config, 3);
    for (LayerParameters& layer : parameters.layers) {
        layer.mixing_bias.setZero();
    }
    const DeployedNetwork deployed =
        deploy(config, parameters, calibrate(config, parameters, data, 20), DeploymentOptions{}, data.steps);
    const QuantizedPass pass(deployed);
    const EffectiveNetwork network = effective_quantized_network(deployed);
    Workspace workspace(config, data.steps, Workspace::Purpose::quantized);
    test::load_first_sequences(data, workspace);
    pass.forward(LanesUint{}, workspace);
    // What the forward pass happens to leave there says nothing.
    workspace.activation = BlockBuffer(config.heads, kMixingGradientBlocks);
    std::vector<unsigned char> alive;
    live_activations(network, QuantizedKernelAdjoint(pass, network, LanesUint{}), workspace, alive);
    for (std::size_t place = 0; place < alive.size(); ++place) {
        EXPECT_EQ(alive[place], 1) << "place " << place;
    }
}

TEST_F(TensorChecksTest, NamePooledNumbersAndLogitsThatStayZero) {
    const CalibrationRanges own = calibrate(config, parameters, data, 20);
    for (const std::string name : {"pooled", "logits"}) {
        CalibrationRanges wide = own;
        (name == "pooled" ? wide.pooled : wide.logits) = 1e6F;
        const StepNetwork network = StepNetwork::quantized(config, parameters, wide, {}, data.steps);
        GradientEngine engine(config, data.steps, true, 1);
        EffectiveTensors gradient = zero_effective_tensors(config);
        const auto step = [&] { engine.gradient(network, data, indices, 0, gradient); };
        for (int seen = 20; seen < kFewestSilent; seen += 20) {
            EXPECT_NO_THROW(step()) << seen << " sequences may be silent by chance";
        }
        try {
            step();
            ADD_FAILURE() << name << ": no error";
        } catch (const NumericalError& error) {
            EXPECT_NE(std::string(error.what()).find("'" + name + "' is dead: zero in the last 80 sequences"),
                      std::string::npos)
                << error.what();
        }
    }
}

TEST_F(TensorChecksTest, NameTheParameterThatIsNotFinite) {
    EXPECT_NO_THROW(check_finite(parameters, "epoch 1, step 2"));
    parameters.layers[1].mixing(0, 0) = std::nanf("");
    try {
        check_finite(parameters, "epoch 1, step 2");
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("'layers.1.mixing' is not finite after the update of epoch 1, step 2"), std::string::npos)
            << text;
    }
}

TEST_F(TensorChecksTest, NameTheFirstActivationThatIsNotFinite) {
    parameters.layers[1].mixing(0, 0) = std::nanf("");
    const std::string message = message_of_step(StepNetwork::in_float(config, parameters, data.steps), false);
    EXPECT_NE(message.find("layers.1.output"), std::string::npos) << message;
}

}  // namespace
}  // namespace imssa
