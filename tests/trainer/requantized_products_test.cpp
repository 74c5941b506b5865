// Zhao et al.: both products of a state on grids ahead of their sum, the recurrent output on one ahead of D u, clipped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <random>

#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "tests/trainer/quantizer_options.h"
#include "trainer/calibration.h"
#include "trainer/fake_pass.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

using test::quantizer;

FakeQuantization requantized(Quantizer kind, int bits, ScaleGranularity scale = ScaleGranularity::tensor) {
    FakeQuantization options;
    options.state = quantizer(kind, bits, scale);
    options.activations = quantizer(kind, bits);
    options.requantize_products = true;
    return options;
}

class RequantizedProductsTest : public testing::Test {
protected:
    RequantizedProductsTest()
        : config(test::small_model()),
          data(test::random_dataset(16, 24, config.channels, config.classes, 7)),
          parameters(test::random_parameters(config, 3)),
          ranges(calibrate(config, parameters, data, 16)) {}

    FakeNetwork network(const FakeQuantization& options) const {
        return fake_network(config, parameters, ranges, options, data.steps, 0);
    }
    /// Outputs of one head of layer 0 for `u` (steps x 16), from state zero or `state` (modes x {re, im} x 16).
    AlignedArray<float> scanned(const FakeNetwork& fake, int head, const AlignedArray<float>& u,
                                const AlignedArray<float>& state) const {
        AlignedArray<float> y(u.size());
        ScanRequest request;
        request.head = head;
        request.modes = config.modes();
        request.u = u.data();
        request.y = y.data();
        request.stride = kBlockWidth;
        request.blocks = static_cast<int>(u.size() / kBlockWidth);
        request.state_in = state.data();
        FakePass(fake, {}).scan(request);
        return y;
    }

    ModelConfig config;
    Dataset data;
    NetworkParameters parameters;
    CalibrationRanges ranges;
};

TEST_F(RequantizedProductsTest, IsTheFormulaWorkedByHand) {
    config = test::small_model();
    config.layers = config.heads = 1;
    config.states = 2;
    parameters = test::random_parameters(config, 3);
    ranges = zero_ranges(config);
    ranges.encoder = 5.0F;
    ranges.layers[0].state(0, 0) = 7.0F;     // 4 bits, symmetric: 7 / 7 = 1 code a unit, -8 to 7
    ranges.layers[0].kernel_output = 5.75F;  // widened by |D| 5 = 1.25: 1 code a unit
    ranges.layers[0].activation = ranges.layers[0].mixing = ranges.layers[0].output = 1.0F;
    FakeQuantization options = requantized(Quantizer::symmetric, 4);
    const auto first_output = [&] {
        parameters.layers[0].d(0) = 0.25F;
        FakeNetwork fake = network(options);
        EffectiveLayerTensors& tensors = fake.effective.tensors.layers[0];
        tensors.a_re[0] = 0.5F;
        tensors.a_im[0] = 0.25F;
        tensors.b_re[0] = 0.4F;  // Bbar u: up to 0.4 x 5 = 2, 3.5 codes a unit
        tensors.b_im[0] = 0.1F;
        tensors.c_re[0] = 1.0F;
        tensors.c_im[0] = 0.5F;
        fake.layers[0].scans = mode_scans(options, fake.effective, fake.layers[0], 0, 5.0F);
        AlignedArray<float> u(kBlockWidth), state(2 * kLaneWidth);
        u[0] = 1.0F;
        state[0] = 3.0F;
        state[kLaneWidth] = 1.0F;
        return scanned(fake, 0, u, state)[0];
    };
    // Abar x = (0.5 + 0.25 i)(3 + i) = 1.25 + 1.25 i -> 1 + i.   Bbar u = 0.4 + 0.1 i: codes 1.4, 0.35 -> 1, 0: 0.2857.
    // x = 1.2857 + i -> 1 + i.   y = Q(1 + 0.5) + 0.25 = 2 + 0.25 (half to even).
    EXPECT_FLOAT_EQ(first_output(), 2.25F);
    options.output_limit = 1.25;  // Q(1.25) = 1
    EXPECT_FLOAT_EQ(first_output(), 1.25F);
    // Without: x = 1.65 + 1.35 i -> 2 + i, y = 2.5 + 0.25.
    options.output_limit = 0.0;
    options.requantize_products = false;
    EXPECT_FLOAT_EQ(first_output(), 2.75F);
    options.output_limit = 2.0;
    EXPECT_FLOAT_EQ(first_output(), 2.25F) << "D u is added behind the limit";
}

/// Largest component of Bbar over what shares the scale of (head, mode).
double largest_b(const FakeNetwork& fake, int head, int mode) {
    const EffectiveLayerTensors& tensors = fake.effective.tensors.layers[0];
    const int modes = fake.effective.config.modes();
    double largest = 0.0;
    for (int h = 0; h < fake.effective.config.heads; ++h) {
        for (int n = 0; n < modes; ++n) {
            const ScaleGranularity scale = fake.options.state.scale;
            const bool shares =
                scale == ScaleGranularity::tensor || (h == head && (scale == ScaleGranularity::head || n == mode));
            const std::size_t at = static_cast<std::size_t>(h * modes + n);
            if (shares) {
                largest = std::max<double>({largest, std::abs(tensors.b_re[at]), std::abs(tensors.b_im[at])});
            }
        }
    }
    return largest;
}

double rounded(const QuantizerGrid& grid, double value) {
    return grid.quantize(static_cast<float>(value));
}

/// Outputs of one head of layer 0 for one sequence, in double.
std::vector<double> naive_outputs(const FakeNetwork& fake, int head, double largest_input,
                                  const std::vector<float>& inputs) {
    const EffectiveLayerTensors& tensors = fake.effective.tensors.layers[0];
    const FakeQuantization& options = fake.options;
    const int modes = fake.effective.config.modes();
    std::vector<std::complex<double>> x(static_cast<std::size_t>(modes));
    std::vector<double> outputs;
    for (const float input : inputs) {
        double sum = 0.0;
        for (int mode = 0; mode < modes; ++mode) {
            const std::size_t at = static_cast<std::size_t>(head * modes + mode);
            const double reach = largest_b(fake, head, mode) * largest_input;
            const QuantizerGrid products = make_grid(options.state, -reach, reach);
            std::complex<double>& state = x[static_cast<std::size_t>(mode)];
            const std::complex<double> decayed = std::complex<double>(tensors.a_re[at], tensors.a_im[at]) * state;
            const auto component = [&](double own, float b) {
                const QuantizerGrid& grid = fake.layers[0].state[at];
                const double next = rounded(grid, own) + rounded(products, static_cast<double>(b) * input);
                return rounded(grid, std::clamp(next, -options.state_limit, options.state_limit));
            };
            state = {component(decayed.real(), tensors.b_re[at]), component(decayed.imag(), tensors.b_im[at])};
            sum += tensors.c_re[at] * state.real() + tensors.c_im[at] * state.imag();
        }
        const double clipped = std::clamp(sum, -options.output_limit, options.output_limit);
        outputs.push_back(rounded(fake.layers[0].recurrent_output, clipped) +
                          tensors.d[static_cast<std::size_t>(head)] * input);
    }
    return outputs;
}

TEST_F(RequantizedProductsTest, FollowsTheRecurrenceWrittenDownPlainly) {
    constexpr int kHead = 2;
    std::mt19937 generator(5);
    std::uniform_real_distribution<float> uniform(-ranges.encoder, ranges.encoder);
    AlignedArray<float> u(3 * kBlockWidth), zero(static_cast<std::size_t>(2 * config.modes()) * kLaneWidth);
    std::vector<std::vector<float>> inputs(kLaneWidth);
    for (std::size_t at = 0; at < u.size(); ++at) {
        u[at] = uniform(generator);
        inputs[at % kLaneWidth].push_back(u[at]);
    }
    for (const Quantizer kind : {Quantizer::max_scale, Quantizer::symmetric}) {
        for (const ScaleGranularity scale :
             {ScaleGranularity::tensor, ScaleGranularity::head, ScaleGranularity::mode}) {
            FakeQuantization options = requantized(kind, 7, scale);
            options.state_limit = 0.6 * ranges.layers[0].state.maxCoeff();
            options.output_limit = 0.8 * ranges.layers[0].kernel_output;
            const FakeNetwork fake = network(options);
            const AlignedArray<float> y = scanned(fake, kHead, u, zero);
            int equal = 0;
            for (std::size_t lane = 0; lane < kLaneWidth; ++lane) {
                const std::vector<double> expected = naive_outputs(fake, kHead, ranges.encoder, inputs[lane]);
                for (std::size_t t = 0; t < expected.size(); ++t) {
                    equal += std::abs(expected[t] - y[t * kLaneWidth + lane]) < 1e-4 ? 1 : 0;
                }
            }
            // Where float and double fall on different sides of a tie, a sequence differs by a code for a while.
            EXPECT_GT(equal, static_cast<int>(u.size()) * 97 / 100);
        }
    }
}

TEST_F(RequantizedProductsTest, GradientOfWhatFollowsTheStatesIsThatOfFiniteDifferences) {
    // The loss is smooth in C and D of the last layer: nothing behind them is rounded without activations.
    FakeQuantization options = requantized(Quantizer::max_scale, 4, ScaleGranularity::head);
    options.activations.quantizer = Quantizer::off;
    GradientEngine engine(config, data.steps, false, 1, true);
    const std::vector<int> all = test::first_indices(16);
    const auto loss = [&](NetworkParameters* gradient) {
        const StepNetwork step = StepNetwork::fake_quantized(network(options));
        EffectiveTensors effective = zero_effective_tensors(config);
        const BatchLoss batch = engine.gradient(step, data, all, 5, effective);
        if (gradient != nullptr) {
            fake_parameter_gradient(*step.fake(), parameters, effective, Parameterization::continuous, *gradient);
        }
        return batch.loss_sum / 16.0;
    };
    NetworkParameters gradient = zero_parameters(config);
    loss(&gradient);
    LayerParameters& layer = parameters.layers.back();
    const LayerParameters& of_layer = gradient.layers.back();
    const auto difference = [&](float& parameter) {
        const float kept = parameter;
        constexpr float kStep = 0.02F;
        parameter = kept + kStep;
        const double above = loss(nullptr);
        parameter = kept - kStep;
        const double below = loss(nullptr);
        parameter = kept;
        return (above - below) / (2.0 * kStep);
    };
    double size = of_layer.c_re.cwiseAbs().maxCoeff();
    for (int head = 0; head < config.heads; ++head) {
        EXPECT_NEAR(of_layer.c_re(head, 1), difference(layer.c_re(head, 1)), 0.03 * size) << head;
        EXPECT_NEAR(of_layer.c_im(head, 0), difference(layer.c_im(head, 0)), 0.03 * size) << head;
    }
    size = of_layer.d.cwiseAbs().maxCoeff();
    EXPECT_NEAR(of_layer.d(1), difference(layer.d(1)), 0.03 * size);
}

TEST_F(RequantizedProductsTest, StraightThroughGradientsOfFineGridsApproachThoseOfFloat) {
    GradientEngine engine(config, data.steps, false, 1, true);
    const std::vector<int> all = test::first_indices(16);
    const auto gradient = [&](const FakeQuantization& options) {
        const StepNetwork step = StepNetwork::fake_quantized(network(options));
        EffectiveTensors effective = zero_effective_tensors(config);
        NetworkParameters result = zero_parameters(config);
        engine.gradient(step, data, all, 5, effective);
        fake_parameter_gradient(*step.fake(), parameters, effective, Parameterization::continuous, result);
        return test::naive_parameters(result);
    };
    FakeQuantization fine = requantized(Quantizer::max_scale, 16, ScaleGranularity::head);
    fine.output_limit = 1000.0;
    const test::NaiveParameters exact = gradient({});
    double error = 0.0, size = 0.0;
    for (const auto& [name, values] : gradient(fine)) {
        for (std::size_t index = 0; index < values.size(); ++index) {
            error += std::pow(values[index] - exact.at(name)[index], 2);
            size += std::pow(exact.at(name)[index], 2);
        }
    }
    EXPECT_LT(std::sqrt(error / size), 0.02);
}

TEST(RequantizedProducts, NeedCalibratedStatesAndTheRecurrence) {
    FakeQuantization options = requantized(Quantizer::symmetric, 8);
    EXPECT_NO_THROW(options.validate());
    EXPECT_THROW(check_convolution(options), UserError);
    options.state.quantizer = Quantizer::off;
    EXPECT_THROW(options.validate(), UserError);
    options = requantized(Quantizer::symmetric, 8, ScaleGranularity::head);
    options.state.ranges = RangeSource::dynamic;
    EXPECT_THROW(options.validate(), UserError);
    options = requantized(Quantizer::symmetric, 8);
    options.activations.rounding = StateRounding::dithered;
    EXPECT_THROW(options.validate(), UserError);
    options = {};
    options.output_limit = -1.0;
    EXPECT_THROW(options.validate(), UserError);
}

}  // namespace
}  // namespace imssa
