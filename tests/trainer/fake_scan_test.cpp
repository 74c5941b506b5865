#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/code_pair.h"
#include "trainer/fake_pass.h"
#include "trainer/kernel_scan.h"
#include "trainer/observed_bounds.h"
#include "trainer/state_dither.h"

namespace imssa {
namespace {

struct ScanCase {
    const char* name;
    Quantizer quantizer;
    StateRounding rounding;
    double state_limit;
    bool requantizes;
    int modes;
};

constexpr int kBlocks = 4;
constexpr int kSteps = kBlocks * kBlockSteps;

class ScanOnAGrid : public testing::TestWithParam<ScanCase> {
protected:
    ScanOnAGrid() {
        config = test::small_model();
        config.states = 2 * GetParam().modes;
        data = test::random_dataset(16, 24, config.channels, config.classes, 7);
        parameters = test::random_parameters(config, 3);
        options.state.quantizer = GetParam().quantizer;
        options.state.bits = 6;
        options.state.scale = ScaleGranularity::mode;
        options.state.rounding = GetParam().rounding;
        options.state_limit = GetParam().state_limit;
        options.requantize_products = GetParam().requantizes;
        const ObservedBounds bounds = calibrate_bounds(config, parameters, options, data, 16);
        fake = fake_network(config, parameters, calibrate(config, parameters, data, 16), options, data.steps, 0, 0.0,
                            EvaluationMode::recurrent, &bounds);
        const CounterRandom random(5, RandomPurpose::initialisation, 9);
        for (std::size_t at = 0; at < u.size(); ++at) {
            u[at] = static_cast<float>(1.5 * random.normal(at));
        }
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            keys[lane] = 77U * static_cast<std::uint32_t>(lane) + 5U;
        }
    }

    const FakeLayerGrids& grids() const { return fake.layers[0]; }
    const ModeScan& scan_of(int mode) const { return grids().scans[static_cast<std::size_t>(mode)]; }
    std::size_t row() const { return static_cast<std::size_t>(2 * config.modes()) * kLaneWidth; }

    /// One lane of one mode of head 0, by the formula, in codes: the next state from `x`.
    std::complex<double> next(int mode, std::complex<double> x, double input, int lane, std::uint32_t step) const {
        const EffectiveLayerTensors& tensors = fake.effective.tensors.layers[0];
        const std::size_t at = static_cast<std::size_t>(mode);
        const QuantizerGrid& grid = grids().state[at];
        const double low = grid.low - grid.zero, high = grid.high - grid.zero;
        const std::complex<double> a(tensors.a_re[at], tensors.a_im[at]);
        const std::complex<double> b(tensors.b_re[at], tensors.b_im[at]);
        const auto code = [low, high](double value) { return std::clamp(std::nearbyint(value), low, high); };
        std::complex<double> sum = a * x + b * input * static_cast<double>(grid.gain);
        if (options.requantize_products) {
            const ModeScan& scan = scan_of(mode);
            const double gain = grid.gain / scan.product_inverse;
            const auto product = [&](double value) {
                return std::clamp<double>(std::nearbyint(value * gain), scan.product_low, scan.product_high) / gain *
                       grid.gain;
            };
            const std::complex<double> decayed = a * x;
            sum = {code(decayed.real()) + product(b.real() * input), code(decayed.imag()) + product(b.imag() * input)};
        }
        const double limit = options.state_limit > 0.0 ? options.state_limit * grid.gain : 1e30;
        sum = {std::clamp(sum.real(), -limit, limit), std::clamp(sum.imag(), -limit, limit)};
        if (options.state.rounding == StateRounding::nearest) {
            return {code(sum.real()), code(sum.imag())};
        }
        const LanesUint word = dither_word(keys, scan_of(mode).dither_key, step);
        const DitherLanes dither = dither_above_one(word, dither_factor(mode));
        const double re = dither.re[lane] - 1.0, im = dither.im[lane] - 1.0;
        return {std::clamp(std::floor(sum.real() + re), low, high), std::clamp(std::floor(sum.imag() + im), low, high)};
    }

    ScanRequest request(const float* input, const AlignedArray<float>& state_in) const {
        ScanRequest request;
        request.modes = config.modes();
        request.dither_keys = keys;
        request.sequences = keys;
        request.first_step = 3;
        request.u = input;
        request.stride = kBlockWidth;
        request.blocks = kBlocks;
        request.state_in = state_in.data();
        return request;
    }

    void scan(const float* input, float* y, KeptStates kept, PassObserver* observer = nullptr) const {
        const AlignedArray<float> zero(row());
        ScanRequest wanted = request(input, zero);
        wanted.y = y;
        wanted.states = kept;
        wanted.observer = observer;
        FakePass(fake, {}).scan(wanted);
    }

    /// Every state that the scan keeps, and every output, follows from the state before; returns how many are at their
    /// limit.
    int expect_formula() const {
        AlignedArray<float> states((kSteps + 1) * row()), y(u.size());
        scan(u.data(), nullptr, {states.data()});
        scan(u.data(), y.data(), {});
        const EffectiveLayerTensors& tensors = fake.effective.tensors.layers[0];
        int off_by_one = 0, all = 0, at_limit = 0, far = 0;
        for (int step = 0; step < kSteps; ++step) {
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                const std::size_t at = static_cast<std::size_t>(step * kLaneWidth + lane);
                double output = 0.0;
                for (int mode = 0; mode < config.modes(); ++mode) {
                    const auto state = [&](int time) {
                        const float* from =
                            states.data() + static_cast<std::size_t>(time) * row() + 2 * mode * kLaneWidth;
                        return std::complex<double>(from[lane], from[kLaneWidth + lane]);
                    };
                    const std::complex<double> expected =
                        next(mode, state(step), u[at], lane, 3 + static_cast<std::uint32_t>(step));
                    const std::complex<double> found = state(step + 1);
                    for (const double difference : {found.real() - expected.real(), found.imag() - expected.imag()}) {
                        far += std::abs(difference) > 1.0 ? 1 : 0;
                        off_by_one += difference != 0.0 ? 1 : 0;
                        ++all;
                    }
                    at_limit += std::abs(found.real()) >= scan_of(mode).high ? 1 : 0;
                    const std::size_t place = static_cast<std::size_t>(mode);
                    output += (tensors.c_re[place] * found.real() + tensors.c_im[place] * found.imag()) /
                              grids().state[place].gain;
                }
                const double rounded = options.requantize_products
                                           ? grids().recurrent_output.quantize(static_cast<float>(output))
                                           : output;
                const double step_of_y = options.requantize_products ? 1.001 / grids().recurrent_output.gain : 0.0;
                EXPECT_NEAR(y[at], rounded + tensors.d[0] * u[at], 1e-4 * (1.0 + std::abs(output)) + step_of_y);
            }
        }
        EXPECT_EQ(far, 0);
        EXPECT_LE(off_by_one, all / 2000) << "single precision decides differently near a tie only";
        return at_limit;
    }

    ModelConfig config;
    Dataset data;
    NetworkParameters parameters;
    FakeQuantization options;
    FakeNetwork fake;
    AlignedArray<float> u{kBlocks * kBlockWidth};
    LanesUint keys = {};
};

TEST_P(ScanOnAGrid, StatesAndOutputsFollowTheFormulaFromEveryStateThatWasReached) {
    EXPECT_GT(expect_formula(), 0) << "the limits are reached";
}

TEST_P(ScanOnAGrid, InputsWithinTheirGridDriveStatesToTheLimitByTheFormulaToo) {
    float largest = 1.0F;
    for (int mode = 0; mode < config.modes() && options.requantize_products; ++mode) {
        largest = std::min(largest, scan_of(mode).product_input);
    }
    for (std::size_t at = 0; at < u.size(); ++at) {
        const float part = at < u.size() / 2 ? 0.02F : 1.0F;
        u[at] = part * largest * std::clamp(u[at] + 2.0F, -1.0F, 1.0F);
    }
    EXPECT_GT(expect_formula(), 0) << "the limits are reached";
}

TEST_P(ScanOnAGrid, AnObserverChangesNothing) {
    AlignedArray<float> states((kSteps + 1) * row()), observed((kSteps + 1) * row()), y(u.size()), observed_y(u.size());
    BoundsRecorder recorder(config);
    for (const float part : {1.0F, 0.02F}) {
        std::transform(u.data(), u.data() + u.size(), u.data(), [part](float input) { return part * input; });
        recorder.start();
        scan(u.data(), y.data(), {states.data()});
        scan(u.data(), observed_y.data(), {observed.data()}, &recorder);
        EXPECT_TRUE(std::equal(states.data(), states.data() + states.size(), observed.data()));
        EXPECT_TRUE(std::equal(y.data(), y.data() + y.size(), observed_y.data()));
        EXPECT_NE(states[states.size() - 1], 0.0F);
    }
}

TEST_P(ScanOnAGrid, PairsOfCodesGoBackAsNumbersDo) {
    AlignedArray<float> states((kSteps + 1) * row());
    AlignedArray<CodePair> codes((kSteps + 1) * row() / 2);
    AlignedArray<float> start(row()), dy(u.size());
    std::copy_n(u.data(), u.size(), dy.data());
    const FakePass pass(fake, {});
    const int count = std::min(config.modes(), kBackwardModes);
    const auto keep = [&](KeptStates kept) {
        ScanRequest wanted = request(u.data(), start);
        wanted.modes = count;
        wanted.states = kept;
        pass.scan(wanted);
    };
    keep({states.data()});
    keep({nullptr, codes.data()});
    std::vector<float> units;
    for (int mode = 0; mode < count; ++mode) {
        units.push_back(scan_of(mode).inverse);
    }
    const auto go_back = [&](const auto* kept) {
        EffectiveTensors gradient = zero_effective_tensors(config);
        AlignedArray<float> adjoint(row()), du(u.size());
        scan_backward(kernel_view(fake.effective, 0, 0), 0, count, u.data(), kBlockWidth, dy.data(), du.data(),
                      kBlockWidth, kBlocks, kept, adjoint.data(), kernel_gradient_view(gradient, 0, 0, config.modes()),
                      units.data());
        return gradient.layers[0];
    };
    const EffectiveLayerTensors numbers = go_back(static_cast<const float*>(states.data()));
    const EffectiveLayerTensors pairs = go_back(static_cast<const CodePair*>(codes.data()));
    EXPECT_EQ(numbers.a_re, pairs.a_re);
    EXPECT_EQ(numbers.a_im, pairs.a_im);
    EXPECT_EQ(numbers.b_re, pairs.b_re);
    EXPECT_EQ(numbers.c_im, pairs.c_im);
    EXPECT_NE(numbers.a_re[0], 0.0F);
}

TEST_P(ScanOnAGrid, AnInputThatIsNotANumberLeavesNumbersOnGridsOfMaxScale) {
    AlignedArray<float> states((kSteps + 1) * row());
    for (std::size_t at = 0; at < u.size(); ++at) {
        u[at] *= 0.01F;
    }
    u[5 * kLaneWidth + 2] = std::numeric_limits<float>::quiet_NaN();
    scan(u.data(), nullptr, {states.data()});
    const bool numbers =
        std::none_of(states.data(), states.data() + states.size(), [](float x) { return std::isnan(x); });
    EXPECT_EQ(numbers, options.state.quantizer == Quantizer::max_scale);
}

TEST_P(ScanOnAGrid, AnInputThatIsNotANumberIsSeenInTheOutput) {
    AlignedArray<float> y(u.size());
    u[5 * kLaneWidth + 2] = std::numeric_limits<float>::quiet_NaN();
    scan(u.data(), y.data(), {});
    EXPECT_TRUE(std::isnan(y[5 * kLaneWidth + 2]));
    EXPECT_FALSE(std::isnan(y[5 * kLaneWidth + 3]));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, ScanOnAGrid,
    testing::Values(ScanCase{"nearest", Quantizer::max_scale, StateRounding::nearest, 0.0, false, 8},
                    ScanCase{"nearest_seven_modes", Quantizer::symmetric, StateRounding::nearest, 0.0, false, 7},
                    ScanCase{"nearest_zero_point", Quantizer::asymmetric, StateRounding::nearest, 0.0, false, 4},
                    ScanCase{"nearest_clipped", Quantizer::max_scale, StateRounding::nearest, 0.2, false, 4},
                    ScanCase{"dithered", Quantizer::max_scale, StateRounding::dithered, 0.0, false, 8},
                    ScanCase{"dithered_seven_modes", Quantizer::symmetric, StateRounding::dithered, 0.0, false, 7},
                    ScanCase{"dithered_clipped", Quantizer::max_scale, StateRounding::dithered, 0.2, false, 4},
                    ScanCase{"requantized", Quantizer::max_scale, StateRounding::nearest, 0.0, true, 8},
                    ScanCase{"requantized_uneven", Quantizer::symmetric, StateRounding::nearest, 0.0, true, 5}),
    [](const testing::TestParamInfo<ScanCase>& instance) { return std::string(instance.param.name); });

TEST(CodePairs, HoldEveryCodeTheyAreFor) {
    AlignedArray<CodePair> pairs(kLaneWidth);
    for (int code = -static_cast<int>(kLargestPaired); code <= static_cast<int>(kLargestPaired); ++code) {
        const float number = static_cast<float>(code);
        store_code_pairs(pairs.data(), broadcast(number), broadcast(-number));
        Lanes re, im;
        load_code_pairs(pairs.data(), re, im);
        EXPECT_EQ(re[3], number);
        EXPECT_EQ(im[3], -number);
    }
    store_code_pairs(pairs.data(), broadcast(std::numeric_limits<float>::quiet_NaN()), Lanes{});
    Lanes re, im;
    load_code_pairs(pairs.data(), re, im);
    EXPECT_TRUE(std::isnan(re[0]));
    EXPECT_EQ(im[0], 0.0F);
}

}  // namespace
}  // namespace imssa
