// Ranges of every time step: fake_quantization.*.ranges = "dynamic".
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "models/network/deployed_kernel.h"
#include "tests/trainer/naive_network.h"
#include "tests/trainer/quantizer_options.h"
#include "trainer/calibration.h"
#include "trainer/fake_pass.h"
#include "trainer/gradient_engine.h"
#include "trainer/grid_lanes.h"
#include "trainer/kernel_scan.h"
#include "trainer/state_scan.h"

namespace imssa {
namespace {

using test::quantizer;

constexpr int kSequences = 20;

TEST(LaneGridTest, HasTheGridOfEveryLanesOwnRange) {
    for (const Quantizer kind : {Quantizer::max_scale, Quantizer::symmetric, Quantizer::asymmetric}) {
        const QuantizerOptions options = quantizer(kind, 3);
        Lanes low = {}, high = {}, value = {};
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            low[lane] = -0.3F * static_cast<float>(lane);
            high[lane] = 0.7F * static_cast<float>(lane);
            value[lane] = 0.33F * static_cast<float>(lane);
        }
        const Lanes quantized = LaneGridMaker(options).of(low, high).quantize(value);
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            const QuantizerGrid grid = make_grid(options, low[lane], high[lane]);
            EXPECT_NEAR(quantized[lane], grid.quantize(value[lane]), 1e-5F * static_cast<float>(lane));
        }
    }
}

TEST(LaneGridTest, DitheredNumbersOfTheRangeStayWithinItsCodes) {
    const CounterRandom random(5, RandomPurpose::initialisation, 9);
    const float most = std::nextafter(2.0F, 0.0F);
    for (const Quantizer kind : {Quantizer::max_scale, Quantizer::symmetric}) {
        for (const int bits : {2, 5, 8, 12}) {
            const LaneGridMaker maker(quantizer(kind, bits));
            const float last = 0.5F * std::ldexp(1.0F, bits) - (kind == Quantizer::symmetric ? 1.0F : 0.0F);
            for (std::uint64_t at = 0; at < 2000; ++at) {
                const float range = static_cast<float>(std::exp(3.0 * random.normal(at)));
                const LaneGrid grid = maker.of_magnitude(broadcast(range));
                for (const float above_one : {1.0F, most}) {
                    StateLanes x{broadcast(range), broadcast(-range)};
                    round_dynamic_dithered(grid, {broadcast(above_one), broadcast(above_one)}, x);
                    ASSERT_LE(std::abs(x.re[0]), range * (last + 0.01F) / last) << bits << " bits, range " << range;
                    ASSERT_LE(std::abs(x.im[0]), range * (last + 0.01F) / last) << bits << " bits, range " << range;
                    ASSERT_NEAR(x.re[0], range, range / last * (above_one == 1.0F ? 1.01F : 0.01F));
                }
            }
        }
    }
}

/// Network with one layer whose states and activations have ranges of the time step.
class DynamicRangeTest : public testing::Test {
protected:
    DynamicRangeTest()
        : config(test::small_model()),
          data(test::random_dataset(kSequences, 45, config.channels, config.classes, 7)),
          parameters(test::random_parameters(config, 3)) {
        config.layers = 1;
    }

    /// Kernel outputs against those of naive_states.
    void expect_ranges_of_the_step(Quantizer kind);

    /// States of a head of one sequence, rounded to the range of their components at every step.
    std::vector<std::complex<double>> naive_states(const std::vector<float>& u, int head, Quantizer quantizer,
                                                   double levels) const {
        std::vector<std::complex<double>> x(static_cast<std::size_t>(config.modes())), all;
        const DiscreteKernel kernel = discretize(parameters.layers[0], head);
        for (const float input : u) {
            double least = 0.0, greatest = 0.0;
            for (std::size_t n = 0; n < x.size(); ++n) {
                x[n] = kernel.abar[n] * x[n] + kernel.bbar[n] * static_cast<double>(input);
                least = std::min({least, x[n].real(), x[n].imag()});
                greatest = std::max({greatest, x[n].real(), x[n].imag()});
            }
            const bool asymmetric = quantizer == Quantizer::asymmetric;
            const double gain =
                asymmetric ? (levels - 1.0) / (greatest - least) : 0.5 * levels / std::max({-least, greatest, 1e-5});
            const double zero = asymmetric ? std::nearbyint(-0.5 * levels - least * gain) : 0.0;
            const auto rounded = [&](double number) { return (std::nearbyint(number * gain + zero) - zero) / gain; };
            for (std::complex<double>& value : x) {
                value = {rounded(value.real()), rounded(value.imag())};
                all.push_back(value);
            }
        }
        return all;
    }

    ModelConfig config;
    Dataset data;
    NetworkParameters parameters;
};

void DynamicRangeTest::expect_ranges_of_the_step(Quantizer kind) {
    FakeQuantization options;
    options.state = quantizer(kind, 12);
    options.state.ranges = RangeSource::dynamic;
    options.state.scale = ScaleGranularity::head;
    options.validate();
    parameters.layers.resize(1);
    const FakeNetwork network = fake_network(config, parameters, zero_ranges(config), options, data.steps, 0);
    const FakePass pass(network, {});
    Workspace workspace(config, data.steps, Workspace::Purpose::fake_training);
    const float* sequence = data.sequence(0);
    workspace.load_inputs(&sequence, 1);
    pass.forward(LanesUint{}, LanesUint{}, workspace);
    const int head = 3;
    std::vector<float> u;
    for (int step = 0; step < data.steps; ++step) {
        u.push_back(
            workspace.stream(0).block(step / kBlockSteps)[head * kBlockWidth + step % kBlockSteps * kLaneWidth]);
    }
    const std::vector<std::complex<double>> expected = naive_states(u, head, kind, 4096.0);
    const KernelView kernel = kernel_view(network.effective, 0, head);
    for (int step = 0; step < data.steps; ++step) {
        double y = kernel.d * u[static_cast<std::size_t>(step)], size = 0.0;
        for (int mode = 0; mode < config.modes(); ++mode) {
            const std::complex<double> x = expected[static_cast<std::size_t>(step * config.modes() + mode)];
            y += kernel.c_re[mode] * x.real() + kernel.c_im[mode] * x.imag();
            size += std::abs(x) * std::hypot(kernel.c_re[mode], kernel.c_im[mode]);
        }
        const float computed = workspace.trace[0].kernel_output.block(
            step / kBlockSteps)[head * kBlockWidth + step % kBlockSteps * kLaneWidth];
        // A code may fall to the other side of a half in float.
        EXPECT_NEAR(computed, y, 1e-3 * size + 1e-6) << "step " << step;
    }
}

TEST_F(DynamicRangeTest, OfStatesIsTheLargestOfTheirHeadAtTheStep) {
    expect_ranges_of_the_step(Quantizer::max_scale);
}

TEST_F(DynamicRangeTest, OfStatesGoesFromTheLeastToTheGreatestComponentWithAZeroPoint) {
    expect_ranges_of_the_step(Quantizer::asymmetric);
}

TEST_F(DynamicRangeTest, GradientsOfFineGridsApproachThoseOfFloat) {
    parameters.layers.resize(1);
    FakeQuantization options;
    options.state = quantizer(Quantizer::max_scale, 16);
    options.state.ranges = RangeSource::dynamic;
    options.state.scale = ScaleGranularity::head;
    options.activations = quantizer(Quantizer::asymmetric, 16);
    options.activations.ranges = RangeSource::dynamic;
    options.validate();
    FakeQuantization asymmetric = options;
    asymmetric.state.quantizer = Quantizer::asymmetric;
    const std::vector<int> indices = test::first_indices(kSequences);
    const auto gradient = [&](const FakeQuantization& own) {
        GradientEngine engine(config, data.steps, false, 2, true);
        EffectiveTensors effective = zero_effective_tensors(config);
        engine.gradient(
            StepNetwork::fake_quantized(fake_network(config, parameters, zero_ranges(config), own, data.steps, 0)),
            data, indices, 5, effective);
        return effective;
    };
    const EffectiveTensors in_float = gradient({});
    for (const FakeQuantization& own : {options, asymmetric}) {
        const EffectiveTensors quantized = gradient(own);
        double difference = 0.0, size = 0.0;
        for (std::size_t at = 0; at < in_float.layers[0].a_re.size(); ++at) {
            difference += std::pow(in_float.layers[0].a_re[at] - quantized.layers[0].a_re[at], 2);
            size += std::pow(in_float.layers[0].a_re[at], 2);
        }
        EXPECT_GT(size, 0.0);
        EXPECT_GT(difference, 0.0);
        EXPECT_LT(std::sqrt(difference / size), 0.01);
    }
}

TEST_F(DynamicRangeTest, HeadsScannedTwoAtATimeObservedOrAgainAreThoseScannedAlone) {
    constexpr int kBlocks = 3;
    for (const int modes : {4, 5, 8, 16, 20, 24}) {
        for (const StateRounding rounding : {StateRounding::nearest, StateRounding::dithered}) {
            config.heads = 2;
            config.states = 2 * modes;
            parameters = test::random_parameters(config, 3);
            FakeQuantization options;
            options.state = quantizer(Quantizer::max_scale, 5);
            options.state.ranges = RangeSource::dynamic;
            options.state.scale = ScaleGranularity::head;
            options.state.rounding = rounding;
            options.output_limit = 0.5;
            options.validate();
            const FakeNetwork network = fake_network(config, parameters, zero_ranges(config), options, data.steps, 0);
            const FakePass pass(network, {});
            const std::size_t stride = static_cast<std::size_t>(config.heads) * kBlockWidth;
            const std::size_t row = 2 * static_cast<std::size_t>(modes) * kLaneWidth;
            AlignedArray<float> u(kBlocks * stride), start(2 * row);
            const CounterRandom random(5, RandomPurpose::initialisation, 9);
            for (std::size_t at = 0; at < u.size(); ++at) {
                u[at] = static_cast<float>(random.normal(at));
            }
            for (std::size_t at = 0; at < start.size(); ++at) {
                start[at] = 0.1F * static_cast<float>(random.normal(u.size() + at));
            }
            struct Result {
                AlignedArray<float> y, states;
                BlockBuffer ranges;
            };
            Result together{AlignedArray<float>(u.size()), AlignedArray<float>(2 * row), BlockBuffer(4, kBlocks)};
            Result alone{AlignedArray<float>(u.size()), AlignedArray<float>(2 * row), BlockBuffer(4, kBlocks)};
            Result observed{AlignedArray<float>(u.size()), AlignedArray<float>(2 * row), BlockBuffer(4, kBlocks)};
            const auto request_of = [&](Result& of, int head) {
                ScanRequest request;
                request.head = head;
                request.modes = modes;
                request.dither_keys = LanesUint{} + 5U;
                request.u = u.data() + static_cast<std::size_t>(head) * kBlockWidth;
                request.stride = stride;
                request.blocks = kBlocks;
                request.state_in = start.data() + static_cast<std::size_t>(head) * row;
                request.ranges = StateRanges::of(of.ranges, 0, head);
                return request;
            };
            const auto scan = [&](Result& to, int head, int heads, PassObserver* observer = nullptr) {
                ScanRequest request = request_of(to, head);
                request.heads = heads;
                request.y = to.y.data() + static_cast<std::size_t>(head) * kBlockWidth;
                request.state_out = to.states.data() + static_cast<std::size_t>(head) * row;
                request.observer = observer;
                pass.scan(request);
            };
            scan(together, 0, 2);
            scan(alone, 0, 1);
            scan(alone, 1, 1);
            BoundsRecorder recorder(config);
            recorder.start();
            scan(observed, 0, 2, &recorder);
            EXPECT_TRUE(std::equal(observed.y.data(), observed.y.data() + u.size(), alone.y.data()));
            EXPECT_TRUE(std::equal(observed.states.data(), observed.states.data() + 2 * row, alone.states.data()));
            EXPECT_TRUE(std::equal(together.y.data(), together.y.data() + u.size(), alone.y.data()));
            EXPECT_TRUE(std::equal(together.states.data(), together.states.data() + 2 * row, alone.states.data()));
            AlignedArray<float> kept((kBlocks * kBlockSteps + 1) * row);
            for (int head = 0; head < 2; ++head) {
                ScanRequest again = request_of(alone, head);
                again.states = {kept.data()};
                pass.scan(again);
                EXPECT_TRUE(std::equal(kept.data() + kBlocks * kBlockSteps * row, kept.data() + kept.size(),
                                       alone.states.data() + head * row));
                const float* last = alone.ranges.block(kBlocks - 1) + head * kBlockWidth + 7 * kLaneWidth;
                for (std::size_t at = 0; at < row; ++at) {
                    const float state = alone.states[static_cast<std::size_t>(head) * row + at];
                    ASSERT_LE(std::abs(state), last[at % kLaneWidth] * 1.000001F) << "beyond the range of its step";
                    ASSERT_NE(last[at % kLaneWidth], 0.0F);
                }
            }
        }
    }
}

TEST_F(DynamicRangeTest, DitheredActivationsAreRightOnAverage) {
    parameters.layers.resize(1);
    FakeQuantization options;
    options.activations = quantizer(Quantizer::symmetric, 3);
    options.activations.ranges = RangeSource::dynamic;
    options.activations.rounding = StateRounding::dithered;
    options.validate();
    const FakeNetwork network = fake_network(config, parameters, zero_ranges(config), options, data.steps, 0);
    const FakePass pass(network, {});
    const FakeNetwork exact = fake_network(config, parameters, zero_ranges(config), {}, data.steps, 0);
    Workspace workspace(config, data.steps, Workspace::Purpose::fake_training);
    const float* sequence = data.sequence(0);
    workspace.load_inputs(&sequence, 1);
    FakePass(exact, {}).forward(LanesUint{}, LanesUint{}, workspace);
    const float* place = workspace.stream(0).block(1) + 2 * kBlockWidth;
    const double expected = *place;
    double largest = 0.0;
    for (int head = 0; head < config.heads; ++head) {
        largest = std::max<double>(largest, std::abs(workspace.stream(0).block(1)[head * kBlockWidth]));
    }
    constexpr int kDraws = 400;
    double sum = 0.0;
    for (std::uint32_t draw = 0; draw < kDraws; ++draw) {
        pass.forward(LanesUint{} + draw * 7919U, LanesUint{}, workspace);
        sum += *place / kDraws;
    }
    EXPECT_NEAR(sum, expected, 5.0 * largest / 3.0 * 0.5 / std::sqrt(kDraws));
}

}  // namespace
}  // namespace imssa
