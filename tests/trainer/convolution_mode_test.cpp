#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"
#include "trainer/train_config.h"

namespace imssa {
namespace {

using test::NaiveParameters;

constexpr int kSequences = 18;

QuantizerOptions max_scale(int bits) {
    QuantizerOptions options;
    options.quantizer = Quantizer::max_scale;
    options.bits = bits;
    return options;
}

/// A network with one layer as a convolution in double, its impulse responses and kernel inputs displaced by constants
/// (heads x steps, and sequences x steps x heads): what the straight-through estimator differentiates.
struct DisplacedNetwork {
    ModelConfig config;
    std::vector<double> response_displacement, input_displacement;

    std::vector<double> responses(const NaiveParameters& p, int steps) const {
        std::vector<double> result;
        for (int head = 0; head < config.heads; ++head) {
            const double dt = std::exp(p.at("layers.0.log_dt")[head]);
            for (int lag = 0; lag < steps; ++lag) {
                double value = 0.0;
                for (int n = head * config.modes(); n < (head + 1) * config.modes(); ++n) {
                    const std::complex<double> a(-std::exp(p.at("layers.0.log_neg_re")[n]), p.at("layers.0.im")[n]);
                    const std::complex<double> c(p.at("layers.0.c_re")[n], p.at("layers.0.c_im")[n]);
                    value += 2.0 * (c * std::exp(dt * a * double(lag)) * (std::exp(dt * a) - 1.0) / a).real();
                }
                result.push_back(value);
            }
        }
        return result;
    }

    std::vector<double> inputs(const NaiveParameters& p, const Dataset& data, int sequence) const {
        std::vector<double> u;
        for (int step = 0; step < data.steps; ++step) {
            for (int head = 0; head < config.heads; ++head) {
                double value = p.at("encoder_bias")[head];
                for (int channel = 0; channel < config.channels; ++channel) {
                    value += p.at("encoder")[head * config.channels + channel] *
                             data.sequence(sequence)[step * config.channels + channel];
                }
                u.push_back(value);
            }
        }
        return u;
    }

    double loss(const NaiveParameters& p, const Dataset& data) const {
        const std::vector<double> response = responses(p, data.steps);
        const int heads = config.heads;
        double total = 0.0;
        for (int sequence = 0; sequence < data.count(); ++sequence) {
            const std::vector<double> u = inputs(p, data, sequence);
            std::vector<double> logits = p.at("decoder_bias");
            for (int step = 0; step < data.steps; ++step) {
                std::vector<double> activated;
                for (int head = 0; head < heads; ++head) {
                    double y = p.at("layers.0.d")[head] * u[step * heads + head];
                    for (int lag = 0; lag <= step; ++lag) {
                        const int from = (step - lag) * heads + head;
                        y += (response[head * data.steps + lag] + response_displacement[head * data.steps + lag]) *
                             (u[from] + input_displacement[sequence * data.steps * heads + from]);
                    }
                    activated.push_back(0.5 * y * (1.0 + std::erf(y / std::sqrt(2.0))));
                }
                for (int head = 0; head < heads; ++head) {
                    double mixed = p.at("layers.0.mixing_bias")[head] + u[step * heads + head];
                    for (int from = 0; from < heads; ++from) {
                        mixed += p.at("layers.0.mixing")[head * heads + from] * activated[from];
                    }
                    for (int output = 0; output < config.classes; ++output) {
                        logits[output] += p.at("decoder")[output * heads + head] * mixed / data.steps;
                    }
                }
            }
            double sum = 0.0;
            for (const double logit : logits) {
                sum += std::exp(logit);
            }
            total += (std::log(sum) - logits[static_cast<std::size_t>(data.labels[sequence])]) / data.count();
        }
        return total;
    }
};

class ConvolutionModeTest : public testing::Test {
protected:
    explicit ConvolutionModeTest(int steps = 130) : config(test::small_model()) {
        data = test::random_dataset(kSequences, steps, config.channels, config.classes, 7);
        indices = test::first_indices(kSequences);
    }

    struct Result {
        BatchLoss batch;
        NetworkParameters gradient;
    };
    Result gradient(const FakeQuantization& options, int threads = 1) {
        const NetworkParameters parameters = test::random_parameters(config, 3);
        const CalibrationRanges ranges = calibrate(config, parameters, data, kSequences);
        GradientEngine engine(config, data.steps, false, threads, true, EvaluationMode::convolution);
        step = StepNetwork::fake_quantized(
            fake_network(config, parameters, ranges, options, data.steps, 0, 0.0, EvaluationMode::convolution));
        EffectiveTensors effective = zero_effective_tensors(config);
        Result result{engine.gradient(step, data, indices, 5, effective), zero_parameters(config)};
        EXPECT_EQ(engine.evaluate(step, data, 5).loss_sum, result.batch.loss_sum) << "forward pass alone";
        fake_parameter_gradient(*step.fake(), parameters, effective, Parameterization::continuous, result.gradient);
        return result;
    }

    ModelConfig config;
    Dataset data;
    std::vector<int> indices;
    StepNetwork step;
};

void expect_near(const NetworkParameters& expected, const NetworkParameters& actual, double tolerance) {
    const NaiveParameters values = test::naive_parameters(actual);
    for (const auto& [name, wanted] : test::naive_parameters(expected)) {
        double difference = 0.0, size = 0.0;
        for (std::size_t index = 0; index < wanted.size(); ++index) {
            difference += std::pow(values.at(name)[index] - wanted[index], 2);
            size += wanted[index] * wanted[index];
        }
        EXPECT_LT(std::sqrt(difference), tolerance * std::sqrt(size) + 1e-7) << name;
    }
}

TEST_F(ConvolutionModeTest, InFloatAgreesWithTheRecurrence) {
    const NetworkParameters parameters = test::random_parameters(config, 3);
    GradientEngine engine(config, data.steps, false, 1);
    EffectiveTensors effective = zero_effective_tensors(config);
    NetworkParameters expected = zero_parameters(config);
    const BatchLoss batch =
        engine.gradient(StepNetwork::in_float(config, parameters, data.steps), data, indices, 5, effective);
    parameter_gradient(config, parameters, nullptr, effective, expected);
    const Result result = gradient({});
    EXPECT_NEAR(result.batch.loss_sum, batch.loss_sum, 1e-5 * batch.loss_sum);
    expect_near(expected, result.gradient, 1e-4);
}

TEST_F(ConvolutionModeTest, GradientsDoNotDependOnThreads) {
    FakeQuantization options;
    options.state = max_scale(6);
    const Result one = gradient(options, 1);
    const Result two = gradient(options, 2);
    EXPECT_EQ(one.batch.loss_sum, two.batch.loss_sum);
    EXPECT_EQ(test::naive_parameters(one.gradient), test::naive_parameters(two.gradient));
}

TEST_F(ConvolutionModeTest, QuantizesImpulseResponsesWithHalfTheLevelsOfTheState) {
    // QS4D: 4 bits ask for 16 levels; half of them, 8, leave steps of (largest magnitude) / 4.
    FakeQuantization options;
    options.state = max_scale(4);
    gradient(options);
    const FakeLayerGrids& grids = step.fake()->layers[0];
    double largest = 0.0;
    for (int head = 0; head < config.heads; ++head) {
        for (int lag = 0; lag < data.steps; ++lag) {
            largest = std::max<double>(largest, std::abs(grids.responses.head(head)[lag]));
        }
    }
    int nonzero = 0;
    for (int head = 0; head < config.heads; ++head) {
        for (int lag = 0; lag < data.steps; ++lag) {
            const double code = grids.responses.head(head)[lag] / largest * 4.0;
            EXPECT_NEAR(code, std::nearbyint(code), 1e-5);
            nonzero += std::abs(code) > 0.5 ? 1 : 0;
        }
    }
    EXPECT_GT(nonzero, 0);
    EXPECT_NEAR(grids.input.gain * calibrate(config, test::random_parameters(config, 3), data, kSequences).encoder, 4.0,
                1e-4);
}

/// Short sequences of one layer, for the naive convolution.
class StraightThroughTest : public ConvolutionModeTest {
protected:
    StraightThroughTest() : ConvolutionModeTest(20) {
        config.layers = 1;
        config.norm = Norm::none;
    }
};

TEST_F(StraightThroughTest, GradientIsThatOfTheNetworkWithItsRoundingErrorsHeld) {
    FakeQuantization options;
    options.state = max_scale(4);
    options.state.scale = ScaleGranularity::head;
    const Result computed = gradient(options);
    const FakeLayerGrids& grids = step.fake()->layers[0];
    NaiveParameters p = test::naive_parameters(test::random_parameters(config, 3));
    DisplacedNetwork naive{config, {}, {}};
    const std::vector<double> responses = naive.responses(p, data.steps);
    for (int head = 0; head < config.heads; ++head) {
        for (int lag = 0; lag < data.steps; ++lag) {
            naive.response_displacement.push_back(grids.responses.head(head)[lag] -
                                                  responses[static_cast<std::size_t>(head * data.steps + lag)]);
        }
    }
    double displaced = 0.0;
    for (int sequence = 0; sequence < kSequences; ++sequence) {
        for (const double u : naive.inputs(p, data, sequence)) {
            const double displacement = grids.input.quantize(static_cast<float>(u)) - u;
            naive.input_displacement.push_back(displacement);
            displaced = std::max(displaced, std::abs(displacement));
        }
    }
    EXPECT_GT(displaced, 0.0);
    const double loss = naive.loss(p, data);
    EXPECT_NEAR(computed.batch.loss_sum / kSequences, loss, 1e-5 * loss);
    const NaiveParameters gradients = test::naive_parameters(computed.gradient);
    for (auto& [name, values] : p) {
        for (std::size_t index = 0; index < values.size(); index += 4) {
            const double kept = values[index];
            values[index] = kept + 1e-5;
            const double above = naive.loss(p, data);
            values[index] = kept - 1e-5;
            const double below = naive.loss(p, data);
            values[index] = kept;
            const double expected = (above - below) / 2e-5;
            EXPECT_NEAR(gradients.at(name)[index], expected, 2e-4 * std::abs(expected) + 2e-6) << name;
        }
    }
}

TEST_F(StraightThroughTest, InputsBeyondASymmetricRangePassNoGradient) {
    FakeQuantization options;
    options.state = max_scale(5);
    options.state.quantizer = Quantizer::symmetric;
    const NetworkParameters parameters = test::random_parameters(config, 3);
    CalibrationRanges ranges = calibrate(config, parameters, data, kSequences);
    // Without D and residual, the kernel is the only way back to the encoder.
    config.residual = false;
    NetworkParameters without_d = parameters;
    without_d.layers[0].d.setZero();
    const auto encoder_gradient = [&](float factor) {
        CalibrationRanges narrow = ranges;
        narrow.encoder *= factor;
        GradientEngine engine(config, data.steps, false, 1, true, EvaluationMode::convolution);
        step = StepNetwork::fake_quantized(
            fake_network(config, without_d, narrow, options, data.steps, 0, 0.0, EvaluationMode::convolution));
        EffectiveTensors effective = zero_effective_tensors(config);
        engine.gradient(step, data, indices, 5, effective);
        double size = 0.0;
        for (const float value : effective.encoder) {
            size += std::abs(value);
        }
        return size;
    };
    EXPECT_GT(encoder_gradient(1.0F), 1e-4);
    EXPECT_LT(encoder_gradient(1e-6F), 1e-3 * encoder_gradient(1.0F));
}

void expect_refusal(const TrainConfig& config, const std::string& words) {
    try {
        config.training.validate();
        config.validate();
        FAIL() << "not refused: " << words;
    } catch (const UserError& error) {
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
}

TEST(ConvolutionModeOptions, RefusesWhatOnlyStatesHave) {
    TrainConfig good;
    good.training.epochs = 1;
    good.training.mode = EvaluationMode::convolution;
    good.training.precision = Precision::fake_quantized;
    good.fake_quantization.state = max_scale(4);
    good.complete();
    EXPECT_NO_THROW(good.training.validate());
    EXPECT_NO_THROW(good.validate());
    TrainConfig config = good;
    config.training.precision = Precision::quantized;
    expect_refusal(config, "step by step");
    config = good;
    config.training.noise.states = 0.1;
    expect_refusal(config, "no states");
    config = good;
    config.fake_quantization.state.rounding = StateRounding::dithered;
    expect_refusal(config, "dithered");
    config = good;
    config.fake_quantization.state.scale = ScaleGranularity::mode;
    expect_refusal(config, "sum of all modes");
    config = good;
    config.fake_quantization.state.range = 1.0;
    expect_refusal(config, "state.range");
    config = good;
    config.fake_quantization.state.bits = 1;
    expect_refusal(config, "half the levels");
    config = good;
    config.fake_quantization.state_limit = 50.0;
    expect_refusal(config, "state_limit");
}

}  // namespace
}  // namespace imssa
