#include "trainer/fake_pass.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "tests/trainer/quantizer_options.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"
#include "trainer/train_config.h"

namespace imssa {
namespace {

using test::quantizer;

class FakePassTest : public testing::Test {
protected:
    FakePassTest()
        : config(test::small_model()),
          data(test::random_dataset(20, 130, config.channels, config.classes, 7)),
          parameters(test::random_parameters(config, 3)),
          ranges(calibrate(config, parameters, data, 20)) {}

    FakeNetwork network(const FakeQuantization& options, std::uint64_t seed = 0) const {
        return fake_network(config, parameters, ranges, options, data.steps, seed);
    }

    struct Result {
        BatchLoss batch;
        NetworkParameters gradient;
    };
    Result gradient(const FakeQuantization& options, const PassNoise& noise = {}, int threads = 1) const {
        GradientEngine engine(config, data.steps, false, threads, true);
        StepNetwork step = StepNetwork::fake_quantized(network(options));
        step.set_noise(noise);
        EffectiveTensors effective = zero_effective_tensors(config);
        Result result{engine.gradient(step, data, test::first_indices(20), 5, effective), zero_parameters(config)};
        fake_parameter_gradient(*step.fake(), parameters, effective, Parameterization::continuous, result.gradient);
        return result;
    }

    ModelConfig config;
    Dataset data;
    NetworkParameters parameters;
    CalibrationRanges ranges;
};

double relative_difference(const NetworkParameters& a, const NetworkParameters& b) {
    double difference = 0.0, size = 0.0;
    const test::NaiveParameters first = test::naive_parameters(a);
    for (const auto& [name, values] : test::naive_parameters(b)) {
        for (std::size_t index = 0; index < values.size(); ++index) {
            difference += std::pow(values[index] - first.at(name)[index], 2);
            size += values[index] * values[index];
        }
    }
    return std::sqrt(difference / size);
}

TEST_F(FakePassTest, WithoutQuantizersIsTheFloatPass) {
    GradientEngine engine(config, data.steps, false, 1);
    EffectiveTensors effective = zero_effective_tensors(config);
    NetworkParameters expected = zero_parameters(config);
    const BatchLoss batch = engine.gradient(StepNetwork::in_float(config, parameters, data.steps), data,
                                            test::first_indices(20), 5, effective);
    parameter_gradient(config, parameters, nullptr, effective, expected);
    const Result result = gradient({});
    EXPECT_NEAR(result.batch.loss_sum, batch.loss_sum, 1e-5 * batch.loss_sum);
    EXPECT_LT(relative_difference(expected, result.gradient), 1e-4);
}

TEST_F(FakePassTest, GradientsOfFineGridsApproachThoseOfFloat) {
    FakeQuantization options;
    options.a_re = options.a_im = options.step = quantizer(Quantizer::max_scale, 16);
    options.c = options.d = options.mixing = options.encoder = options.decoder = options.biases =
        quantizer(Quantizer::symmetric, 16);
    options.state = quantizer(Quantizer::max_scale, 16);
    options.activations = quantizer(Quantizer::max_scale, 16);
    EXPECT_LT(relative_difference(gradient({}).gradient, gradient(options).gradient), 0.02);
}

TEST_F(FakePassTest, PutsEveryGroupOnItsGrid) {
    FakeQuantization options;
    options.c = quantizer(Quantizer::max_scale, 1);
    options.mixing = quantizer(Quantizer::max_scale, 2);
    options.abar = quantizer(Quantizer::symmetric, 8);
    options.abar.scale = ScaleGranularity::head;
    const FakeNetwork fake = network(options);
    const EffectiveLayerTensors& layer = fake.effective.tensors.layers[0];
    const double c_maximum =
        std::max(parameters.layers[0].c_re.cwiseAbs().maxCoeff(), parameters.layers[0].c_im.cwiseAbs().maxCoeff());
    for (const float c : layer.c_re) {
        EXPECT_NEAR(std::abs(c / (2.0 * c_maximum)), c == 0.0F ? 0.0 : 1.0, 1e-6) << "ternary";
    }
    const double w_maximum = parameters.layers[0].mixing.cwiseAbs().maxCoeff();
    for (const float w : layer.mixing) {
        EXPECT_NEAR(2.0 * w / w_maximum, std::nearbyint(2.0 * w / w_maximum), 1e-5) << "five levels";
    }
    for (std::size_t index = 0; index < layer.a_re.size(); ++index) {
        EXPECT_LT(std::hypot(layer.a_re[index], layer.a_im[index]), 1.0F);
    }
}

template <class Matrix>
std::vector<float> flat(const Matrix& matrix) {
    return {matrix.data(), matrix.data() + matrix.size()};
}

TEST_F(FakePassTest, PutsEachGroupOfParametersOnItsGridAndNoOther) {
    // 3 bits of max_scale: 9 levels, multiples of a quarter of the largest magnitude of the tensor.
    struct Group {
        const char* name;
        QuantizerOptions FakeQuantization::*options;
        std::vector<std::vector<float>> (*numbers)(const FakeNetwork&);
    };
    const Group groups[] = {
        {"a_re", &FakeQuantization::a_re,
         [](const FakeNetwork& net) {
             const MatrixRM re = net.used.layers[0].log_neg_re.array().exp();
             return std::vector<std::vector<float>>{flat(re)};
         }},
        {"a_im", &FakeQuantization::a_im,
         [](const FakeNetwork& net) { return std::vector<std::vector<float>>{flat(net.used.layers[0].im)}; }},
        {"step", &FakeQuantization::step,
         [](const FakeNetwork& net) { return std::vector<std::vector<float>>{flat(net.used.layers[0].log_dt)}; }},
        {"c", &FakeQuantization::c,
         [](const FakeNetwork& net) {
             const EffectiveLayerTensors& layer = net.effective.tensors.layers[0];
             std::vector<float> all = layer.c_re;
             all.insert(all.end(), layer.c_im.begin(), layer.c_im.end());
             return std::vector<std::vector<float>>{all};
         }},
        {"d", &FakeQuantization::d,
         [](const FakeNetwork& net) { return std::vector<std::vector<float>>{net.effective.tensors.layers[0].d}; }},
        {"mixing", &FakeQuantization::mixing,
         [](const FakeNetwork& net) {
             return std::vector<std::vector<float>>{net.effective.tensors.layers[0].mixing};
         }},
        {"encoder", &FakeQuantization::encoder,
         [](const FakeNetwork& net) { return std::vector<std::vector<float>>{net.effective.tensors.encoder}; }},
        {"decoder", &FakeQuantization::decoder,
         [](const FakeNetwork& net) { return std::vector<std::vector<float>>{net.effective.tensors.decoder}; }},
        {"biases", &FakeQuantization::biases,
         [](const FakeNetwork& net) {
             return std::vector<std::vector<float>>{net.effective.tensors.encoder_bias,
                                                    net.effective.tensors.layers[0].mixing_bias,
                                                    net.effective.tensors.decoder_bias};
         }},
    };
    const FakeNetwork plain = network({});
    for (const Group& quantized : groups) {
        FakeQuantization options;
        options.*quantized.options = quantizer(Quantizer::max_scale, 3);
        const FakeNetwork fake = network(options);
        for (const Group& group : groups) {
            const auto numbers = group.numbers(fake);
            if (group.name != quantized.name) {
                EXPECT_EQ(numbers, group.numbers(plain)) << quantized.name << " changes " << group.name;
                continue;
            }
            EXPECT_NE(numbers, group.numbers(plain)) << group.name;
            for (const std::vector<float>& tensor : numbers) {
                float largest = 0.0F;
                for (const float value : tensor) {
                    largest = std::max(largest, std::abs(value));
                }
                for (const float value : tensor) {
                    const float code = largest == 0.0F ? 0.0F : 4.0F * value / largest;
                    const float least = 4.0F * 1.1e-4F / largest;  // Re A keeps some decay
                    const bool decays = std::string(group.name) == "a_re" && code < least;
                    EXPECT_TRUE(decays || std::abs(code - std::nearbyint(code)) < 1e-4F) << group.name << ": " << value;
                }
            }
        }
    }
}

TEST_F(FakePassTest, RangesThatClipPassNoGradientToTheNumbersBeyond) {
    FakeQuantization options;
    options.mixing = quantizer(Quantizer::symmetric, 8);
    options.mixing.range = 0.5 * parameters.layers[0].mixing.cwiseAbs().maxCoeff();
    const Result result = gradient(options);
    int clipped = 0;
    for (Eigen::Index index = 0; index < parameters.layers[0].mixing.size(); ++index) {
        const bool beyond = std::abs(parameters.layers[0].mixing.data()[index]) > options.mixing.range;
        clipped += beyond ? 1 : 0;
        EXPECT_EQ(result.gradient.layers[0].mixing.data()[index] == 0.0F, beyond);
    }
    EXPECT_GT(clipped, 0);
}

TEST_F(FakePassTest, GradientsDoNotDependOnThreads) {
    FakeQuantization options;
    options.state = quantizer(Quantizer::max_scale, 6);
    options.state.rounding = StateRounding::dithered;
    options.c = quantizer(Quantizer::max_scale, 4);
    const PassNoise noise{0.01, 0.01, 0.1, 77};
    const Result one = gradient(options, noise, 1);
    const Result two = gradient(options, noise, 2);
    EXPECT_EQ(one.batch.loss_sum, two.batch.loss_sum);
    EXPECT_EQ(test::naive_parameters(one.gradient), test::naive_parameters(two.gradient));
}

TEST_F(FakePassTest, ErrorsChangeWithTheirSeedOnly) {
    const Result first = gradient({}, {0.02, 0.0, 0.0, 1});
    const Result again = gradient({}, {0.02, 0.0, 0.0, 1});
    const Result other = gradient({}, {0.02, 0.0, 0.0, 2});
    EXPECT_EQ(first.batch.loss_sum, again.batch.loss_sum);
    EXPECT_NE(first.batch.loss_sum, other.batch.loss_sum);
}

TEST_F(FakePassTest, GaussianErrorsHaveTheDeviationAskedFor) {
    double squares = 0.0;
    int count = 0;
    AlignedArray<float> block(kBlockWidth);
    LanesUint sequences = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        sequences[lane] = static_cast<std::uint32_t>(lane);
    }
    for (std::uint32_t first = 0; first < 400; first += kBlockSteps) {
        block.clear();
        add_block_noise(0.25, 9, 3, sequences, first, block.data());
        for (int at = 0; at < kBlockWidth; ++at) {
            squares += block[static_cast<std::size_t>(at)] * block[static_cast<std::size_t>(at)];
            ++count;
        }
    }
    EXPECT_NEAR(std::sqrt(squares / count), 0.25, 0.25 * 5.0 / std::sqrt(2.0 * count));
}

TEST_F(FakePassTest, DeadTensorIsNamed) {
    FakeQuantization options;
    options.mixing = quantizer(Quantizer::max_scale, 1);
    options.mixing.range = 1000.0;
    try {
        network(options);
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("layers.0.mixing"), std::string::npos) << error.what();
    }
}

TEST(FakeQuantizationTest, RefusesWhatMakesNoSense) {
    FakeQuantization options;
    options.abar = options.a_re = quantizer(Quantizer::max_scale, 8);
    EXPECT_THROW(options.validate(), UserError);
    options = {};
    options.activations = quantizer(Quantizer::asymmetric, 8);
    options.activations.scale = ScaleGranularity::head;
    EXPECT_THROW(options.validate(), UserError);
    PhaseConfig phase;
    phase.noise.states = 0.1;
    EXPECT_THROW(phase.validate(), UserError);
    phase.precision = Precision::fake_quantized;
    EXPECT_NO_THROW(phase.validate());
}

}  // namespace
}  // namespace imssa
