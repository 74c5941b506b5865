#include "trainer/observed_bounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "tests/trainer/quantizer_options.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

using test::quantizer;

constexpr int kSequences = 20;

class ObservedBoundsTest : public testing::Test {
protected:
    ObservedBoundsTest()
        : config(test::small_model()),
          data(test::random_dataset(kSequences, 45, config.channels, config.classes, 7)),
          parameters(test::random_parameters(config, 3)) {}

    ObservedBounds calibrated(const FakeQuantization& options) const {
        return calibrate_bounds(config, parameters, options, data, kSequences);
    }

    /// Encoder outputs of all sequences, in double.
    std::vector<float> encoder_outputs() const {
        std::vector<float> values;
        for (int sequence = 0; sequence < kSequences; ++sequence) {
            for (int step = 0; step < data.steps; ++step) {
                for (int head = 0; head < config.heads; ++head) {
                    double value = parameters.encoder_bias(head);
                    for (int channel = 0; channel < config.channels; ++channel) {
                        value += parameters.encoder(head, channel) *
                                 data.sequence(sequence)[step * config.channels + channel];
                    }
                    values.push_back(static_cast<float>(value));
                }
            }
        }
        return values;
    }

    /// Re and Im of the states of one head of layer 0.
    std::vector<float> head_states(int head) const {
        std::vector<float> values;
        const std::vector<float> u = encoder_outputs();
        const double dt = std::exp(parameters.layers[0].log_dt(head));
        for (int mode = 0; mode < config.modes(); ++mode) {
            const std::complex<double> a(-std::exp(parameters.layers[0].log_neg_re(head, mode)),
                                         parameters.layers[0].im(head, mode));
            for (int sequence = 0; sequence < kSequences; ++sequence) {
                std::complex<double> x = 0.0;
                for (int step = 0; step < data.steps; ++step) {
                    const std::size_t at =
                        static_cast<std::size_t>((sequence * data.steps + step) * config.heads + head);
                    x = std::exp(dt * a) * x + (std::exp(dt * a) - 1.0) / a * static_cast<double>(u[at]);
                    values.push_back(static_cast<float>(x.real()));
                    values.push_back(static_cast<float>(x.imag()));
                }
            }
        }
        return values;
    }

    ModelConfig config;
    Dataset data;
    NetworkParameters parameters;
};

TEST_F(ObservedBoundsTest, HoldEveryNumberOfTheCalibrationData) {
    const ObservedBounds bounds = calibrated({});
    const std::vector<float> u = encoder_outputs();
    EXPECT_NEAR(bounds[ObservedBounds::encoder()].low, *std::min_element(u.begin(), u.end()), 1e-6);
    EXPECT_NEAR(bounds[ObservedBounds::encoder()].high, *std::max_element(u.begin(), u.end()), 1e-6);
    const std::vector<float> x = head_states(2);
    const Bounds states = bounds.state_bounds(0, 2, 0, ScaleGranularity::head);
    EXPECT_NEAR(states.low, *std::min_element(x.begin(), x.end()), 1e-6);
    EXPECT_NEAR(states.high, *std::max_element(x.begin(), x.end()), 1e-6);
    EXPECT_EQ(bounds.kernel_input(0), ObservedBounds::encoder());
    EXPECT_EQ(bounds.kernel_input(1), bounds.activation(0, ActivationPlace::output));
}

TEST_F(ObservedBoundsTest, PercentilesAreThoseOfTheNumbers) {
    FakeQuantization options;
    options.activations = quantizer(Quantizer::asymmetric, 8);
    options.activations.percentile = 95.0;
    options.state = quantizer(Quantizer::symmetric, 8);
    options.state.percentile = 90.0;
    options.state.scale = ScaleGranularity::head;
    const ObservedBounds bounds = calibrated(options);
    const std::vector<float> u = encoder_outputs();
    const double width = bounds[0].high - bounds[0].low;
    EXPECT_NEAR(bounds[0].low, percentile_of(u, 5.0), 0.005 * width);
    EXPECT_NEAR(bounds[0].high, percentile_of(u, 95.0), 0.005 * width);
    std::vector<float> x = head_states(2);
    for (float& value : x) {
        value = std::abs(value);
    }
    const Bounds states = bounds.state_bounds(0, 2, 1, ScaleGranularity::head);
    EXPECT_NEAR(states.high, percentile_of(x, 90.0), 0.01 * states.high);
    EXPECT_EQ(states.low, -states.high);
}

TEST_F(ObservedBoundsTest, AsymmetricActivationsHaveTheGridOfTheirBounds) {
    FakeQuantization options;
    options.activations = quantizer(Quantizer::asymmetric, 4);
    options.state = quantizer(Quantizer::symmetric, 6);
    options.state.percentile = 99.0;
    const ObservedBounds bounds = calibrated(options);
    const CalibrationRanges ranges = calibrate(config, parameters, data, kSequences);
    const FakeNetwork network =
        fake_network(config, parameters, ranges, options, data.steps, 0, 0.0, EvaluationMode::recurrent, &bounds);
    // GELU makes numbers from -0.17 upwards: an asymmetric grid spends 15 steps on all of them (Zhao et al.).
    const Bounds own = bounds[bounds.activation(0, ActivationPlace::activation)];
    EXPECT_LT(own.low, 0.0F);
    EXPECT_GT(own.low, -0.2F);
    EXPECT_NEAR(network.layers[0].activation.gain, 15.0 / (own.high - own.low), 1e-4);
    const Bounds states = bounds.state_bounds(0, 0, 0, ScaleGranularity::tensor);
    EXPECT_NEAR(network.layers[0].state[0].gain, 31.0 / states.high, 1e-3);
}

TEST_F(ObservedBoundsTest, FollowAnExponentialMovingAverage) {
    ObservedBounds bounds(config), observed(config);
    bounds[0] = {-1.0F, 2.0F};
    observed[0] = {-3.0F, 1.0F};
    const int state = bounds.state(1, 4, 2);
    bounds[state] = {-1.0F, 1.0F};
    observed[state] = {-2.0F, 2.0F};
    FakeQuantization options;
    options.activations = quantizer(Quantizer::symmetric, 8);
    options.activations.ranges = RangeSource::ema;
    options.activations.momentum = 0.75;
    bounds.follow(observed, options);
    EXPECT_FLOAT_EQ(bounds[0].low, -1.5F);
    EXPECT_FLOAT_EQ(bounds[0].high, 1.75F);
    EXPECT_FLOAT_EQ(bounds[state].low, -1.0F) << "states do not follow unless asked to";
    options.state = options.activations;
    options.state.momentum = 0.5;
    bounds.follow(observed, options);
    EXPECT_FLOAT_EQ(bounds[state].high, 1.5F);
    EXPECT_EQ(state, bounds.count() - 1) << "the last place";
}

TEST_F(ObservedBoundsTest, OfABatchDoNotDependOnThreadsAndLanes) {
    FakeQuantization options;
    options.activations = quantizer(Quantizer::max_scale, 8);
    options.activations.ranges = RangeSource::ema;
    const ObservedBounds bounds = calibrated(options);
    const CalibrationRanges ranges = calibrate(config, parameters, data, kSequences);
    const std::vector<int> indices = test::first_indices(kSequences);
    std::vector<ObservedBounds> seen;
    for (const int threads : {1, 2}) {
        GradientEngine engine(config, data.steps, false, threads, true);
        EffectiveTensors gradient = zero_effective_tensors(config);
        engine.gradient(StepNetwork::fake_quantized(fake_network(config, parameters, ranges, options, data.steps, 0,
                                                                 0.0, EvaluationMode::recurrent, &bounds)),
                        data, indices, 5, gradient);
        seen.push_back(engine.observed());
    }
    for (int place = 0; place < bounds.count(); ++place) {
        EXPECT_EQ(seen[0][place].low, seen[1][place].low);
        EXPECT_EQ(seen[0][place].high, seen[1][place].high);
    }
    // The whole calibration set is the batch, and the encoder is not quantized before it is observed.
    EXPECT_EQ(seen[0][0].high, bounds[0].high);
    EXPECT_EQ(seen[0][0].low, bounds[0].low);
}

TEST(RangeOptionsTest, RefuseWhatMakesNoSense) {
    FakeQuantization options;
    options.state = quantizer(Quantizer::max_scale, 8);
    options.state.ranges = RangeSource::dynamic;
    EXPECT_THROW(options.validate(), UserError) << "one range for all heads would make heads wait for each other";
    options.state.scale = ScaleGranularity::head;
    EXPECT_NO_THROW(options.validate());
    options.c = quantizer(Quantizer::max_scale, 8);
    options.c.ranges = RangeSource::ema;
    EXPECT_THROW(options.validate(), UserError);
    QuantizerOptions own = quantizer(Quantizer::symmetric, 8);
    own.ranges = RangeSource::dynamic;
    own.percentile = 99.0;
    EXPECT_THROW(own.validate(), UserError);
    own.percentile = 100.0;
    own.momentum = 1.0;
    EXPECT_THROW(own.validate(), UserError);
}

}  // namespace
}  // namespace imssa
