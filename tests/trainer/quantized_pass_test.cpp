#include "trainer/quantized_pass.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/network/reference_inference.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

struct QuantizedCase {
    const char* name;
    KernelMapping mapping;
    StateRepresentation representation;
    OutputForm form;
    InputMatrix input_matrix;
    RegisterUpdate registers;
    StateRounding rounding;
    ScaleGranularity state_scale;
    Feedthrough feedthrough = Feedthrough::digital;

    KernelOptions options() const {
        KernelOptions kernel;
        kernel.mapping = mapping;
        kernel.representation = representation;
        kernel.form = form;
        kernel.input_matrix = input_matrix;
        kernel.registers = registers;
        kernel.rounding = rounding;
        kernel.state_scale = state_scale;
        kernel.feedthrough = feedthrough;
        kernel.validate();
        return kernel;
    }
};

constexpr auto kFused = KernelMapping::fused;
constexpr auto kDigital = KernelMapping::digital_decay;
constexpr auto kCartesian = StateRepresentation::abar_cartesian;
constexpr auto kDelta = StateRepresentation::abar_delta;
constexpr auto kImmediate = OutputForm::immediate;
constexpr auto kDelayed = OutputForm::delayed;
constexpr auto kCurrent = OutputForm::current;
constexpr auto kCells = InputMatrix::cells;
constexpr auto kFolded = InputMatrix::folded;
constexpr auto kReplace = RegisterUpdate::replace;
constexpr auto kAccumulate = RegisterUpdate::accumulate;
constexpr auto kNearest = StateRounding::nearest;
constexpr auto kDithered = StateRounding::dithered;
constexpr auto kTensor = ScaleGranularity::tensor;
constexpr auto kHead = ScaleGranularity::head;
constexpr auto kMode = ScaleGranularity::mode;

const QuantizedCase kCases[] = {
    {"DigitalCurrentDirectCells", kDigital, kDelta, kCurrent, kFolded, kAccumulate, kNearest, kHead,
     Feedthrough::cells},
    {"DigitalImmediateDirectCells", kDigital, kDelta, kImmediate, kCells, kAccumulate, kNearest, kMode,
     Feedthrough::cells},
    {"FusedDeltaImmediateDirectCells", kFused, kDelta, kImmediate, kCells, kAccumulate, kNearest, kMode,
     Feedthrough::cells},
    {"FusedCartesianDirectCells", kFused, kCartesian, kImmediate, kCells, kReplace, kDithered, kHead,
     Feedthrough::cells},
    {"DigitalCurrent", kDigital, kDelta, kCurrent, kFolded, kAccumulate, kNearest, kHead},
    {"DigitalCurrentReplaceTensor", kDigital, kDelta, kCurrent, kFolded, kReplace, kNearest, kTensor},
    {"DigitalImmediateFolded", kDigital, kDelta, kImmediate, kFolded, kAccumulate, kNearest, kHead},
    {"DigitalImmediateCells", kDigital, kDelta, kImmediate, kCells, kAccumulate, kNearest, kMode},
    {"FusedCartesianImmediate", kFused, kCartesian, kImmediate, kCells, kReplace, kNearest, kHead},
    {"FusedCartesianDelayed", kFused, kCartesian, kDelayed, kCells, kReplace, kNearest, kTensor},
    {"FusedCartesianDithered", kFused, kCartesian, kDelayed, kCells, kReplace, kDithered, kMode},
    {"FusedDeltaImmediate", kFused, kDelta, kImmediate, kCells, kAccumulate, kNearest, kMode},
    {"FusedDeltaDelayed", kFused, kDelta, kDelayed, kCells, kAccumulate, kNearest, kHead},
    {"FusedDeltaReplace", kFused, kDelta, kImmediate, kCells, kReplace, kNearest, kMode},
    {"FusedDeltaDithered", kFused, kDelta, kImmediate, kCells, kAccumulate, kDithered, kMode},
    {"FusedDeltaReplaceDithered", kFused, kDelta, kDelayed, kCells, kReplace, kDithered, kMode},
};

void PrintTo(const QuantizedCase& quantized_case, std::ostream* out) {
    *out << quantized_case.name;
}

class QuantizedForward : public testing::TestWithParam<QuantizedCase> {};

/// Layer outputs of every step, pooled codes and logits.
void expect_reference_codes(const ModelConfig& model, const DeploymentOptions& options, std::uint64_t seed) {
    const Dataset data = test::random_dataset(16, 133, model.channels, model.classes, seed);
    const NetworkParameters parameters = test::random_parameters(model, seed);
    const CalibrationRanges ranges = calibrate(model, parameters, data, 8);
    const DeployedNetwork network = deploy(model, parameters, ranges, options, data.steps);
    std::vector<const float*> values;
    std::vector<std::uint64_t> ids;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        values.push_back(data.sequence(lane));
        ids.push_back(static_cast<std::uint64_t>(100 + lane));
    }
    const std::vector<std::uint32_t> keys = dither_keys(5, ids);
    LanesUint key_lanes = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        key_lanes[lane] = keys[static_cast<std::size_t>(lane)];
    }
    const QuantizedPass pass(network);
    Workspace training(model, data.steps, Workspace::Purpose::quantized);
    Workspace evaluation(model, data.steps, Workspace::Purpose::quantized_evaluation);
    for (Workspace* workspace : {&training, &evaluation}) {
        workspace->load_inputs(values.data(), kLaneWidth);
        pass.forward(key_lanes, *workspace);
    }
    LaneMatrix input(model.channels, kLaneWidth), sums(model.heads, kLaneWidth), codes(model.heads, kLaneWidth);
    const MatrixRM encoder = network.encoder.driven_codes();
    std::vector<ReferenceLayer> layers;
    for (int layer = 0; layer < model.layers; ++layer) {
        layers.emplace_back(network, layer, kLaneWidth);
    }
    for (int step = 0; step < data.steps; ++step) {
        step_input_codes(network, values, step, input);
        encode(network, encoder, input, sums, codes);
        const LaneMatrix* stream = &codes;
        for (int layer = 0; layer <= model.layers; ++layer) {
            const NarrowCode* computed =
                training.stream_codes(layer).block(step / kBlockSteps) + (step % kBlockSteps) * kLaneWidth;
            for (int head = 0; head < model.heads; ++head) {
                for (int lane = 0; lane < kLaneWidth; ++lane) {
                    ASSERT_EQ(computed[head * kBlockWidth + lane], (*stream)(head, lane))
                        << "input of layer " << layer << ", step " << step << ", head " << head << ", lane " << lane;
                }
            }
            if (layer < model.layers) {
                ReferenceLayer& reference = layers[static_cast<std::size_t>(layer)];
                reference.step(*stream, static_cast<std::uint32_t>(step), keys);
                stream = &reference.output();
            }
        }
    }
    const ReferenceResult result = ReferenceInference(network).run(values, ids, 5);
    for (const Workspace* workspace : {&training, &evaluation}) {
        for (int output = 0; output < model.classes; ++output) {
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                ASSERT_EQ(workspace->logits[static_cast<std::size_t>(output * kLaneWidth + lane)],
                          result.logits(output, lane));
            }
        }
    }
}

TEST_P(QuantizedForward, EqualsTheReferenceInferenceCodeForCode) {
    DeploymentOptions options;
    options.kernel = GetParam().options();
    options.state_clip = 0.8;  // some states do saturate
    options.activation_clip = 0.9;
    expect_reference_codes(test::small_model(), options, 21);
}

INSTANTIATE_TEST_SUITE_P(Kernels, QuantizedForward, testing::ValuesIn(kCases),
                         [](const auto& information) { return information.param.name; });

TEST(QuantizedForward, EqualsTheReferenceInferenceForEveryLayerUnit) {
    for (const bool glu : {false, true}) {
        for (const Norm norm : {Norm::none, Norm::layer, Norm::batch}) {
            for (const Activation activation : {Activation::none, Activation::relu, Activation::gelu}) {
                ModelConfig model = test::small_model();
                model.glu = glu;
                model.norm = norm;
                model.activation = activation;
                model.residual = !glu;
                model.pooling = glu ? Pooling::last : Pooling::mean;
                model.states = 16;
                expect_reference_codes(model, {}, 22);
            }
        }
    }
}

TEST(QuantizedForward, EqualsTheReferenceInferenceAtFourBits) {
    DeploymentOptions options;
    options.activation_bits = options.weight_bits = options.input_bits = options.logit_bits = 4;
    options.kernel.weight_bits = 4;
    expect_reference_codes(test::small_model(), options, 23);
}

class QuantizedGradient : public testing::TestWithParam<QuantizedCase> {};

/// With fine codes everywhere, the straight-through gradient and its chain rule through all scales must come close to
/// the float gradient. The seeds are of networks without a tensor whose gradient is small by cancellation.
void expect_gradient_close_to_float(const ModelConfig& model, const KernelOptions& kernel, std::uint32_t seed) {
    const Dataset data = test::random_dataset(32, 60, model.channels, model.classes, seed);
    const NetworkParameters parameters = test::random_parameters(model, seed);
    const CalibrationRanges ranges = calibrate(model, parameters, data, 32);
    DeploymentOptions options;
    options.kernel = kernel;
    options.input_bits = options.activation_bits = 12;
    options.weight_bits = 10;
    options.logit_bits = 14;
    options.activation_clip = options.state_clip = 1.1;  // nothing saturates
    options.kernel.weight_bits = 10;
    options.kernel.a_bits = options.kernel.mapping == kFused ? 10 : 12;
    options.kernel.state_bits = 12;
    options.kernel.register_bits = 16;
    const std::vector<int> indices = test::first_indices(32);
    const auto gradient_of = [&](const StepNetwork& network, bool quantized) {
        GradientEngine engine(model, data.steps, quantized, 1);
        EffectiveTensors effective = zero_effective_tensors(model);
        NetworkParameters gradient = zero_parameters(model);
        engine.gradient(network, data, indices, 1, effective);
        parameter_gradient(model, parameters, network.deployed(), effective, gradient);
        return test::naive_parameters(gradient);
    };
    const test::NaiveParameters expected = gradient_of(StepNetwork::in_float(model, parameters, data.steps), false);
    const test::NaiveParameters computed =
        gradient_of(StepNetwork::quantized(model, parameters, ranges, options, data.steps), true);
    for (const auto& [name, values] : expected) {
        double difference = 0.0, size = 0.0;
        for (std::size_t index = 0; index < values.size(); ++index) {
            difference += std::pow(computed.at(name)[index] - values[index], 2);
            size += values[index] * values[index];
        }
        // Poles on a cartesian grid move noticeably even with 10 bits.
        EXPECT_LT(std::sqrt(difference), 0.05 * std::sqrt(size) + 1e-5) << name << ", norm " << std::sqrt(size);
    }
}

TEST_P(QuantizedGradient, WithFineCodesComesCloseToTheFloatGradient) {
    expect_gradient_close_to_float(test::small_model(), GetParam().options(), 31);
}

TEST_P(QuantizedGradient, OfATrainedBComesCloseToTheFloatGradient) {
    ModelConfig model = test::small_model();
    model.trained_b = true;
    expect_gradient_close_to_float(model, GetParam().options(), 39);
}

INSTANTIATE_TEST_SUITE_P(Kernels, QuantizedGradient, testing::ValuesIn(kCases),
                         [](const auto& information) { return information.param.name; });

TEST(QuantizedGradient, IsTheSameToTheBitForOneAndTwoThreads) {
    const ModelConfig model = test::small_model();
    const Dataset data = test::random_dataset(70, 60, model.channels, model.classes, 33);
    const NetworkParameters parameters = test::random_parameters(model, 33);
    DeploymentOptions options;
    options.kernel = kCases[14].options();
    const StepNetwork network =
        StepNetwork::quantized(model, parameters, calibrate(model, parameters, data, 32), options, data.steps);
    const std::vector<int> indices = test::first_indices(70);
    std::vector<std::vector<float>> gradients[2];
    for (const int threads : {1, 2}) {
        GradientEngine engine(model, data.steps, true, threads);
        EffectiveTensors effective = zero_effective_tensors(model);
        engine.gradient(network, data, indices, 9, effective);
        for_each_effective_tensor(effective,
                                  [&](std::vector<float>& values) { gradients[threads - 1].push_back(values); });
    }
    EXPECT_EQ(gradients[0], gradients[1]);
}

TEST(QuantizedGradient, IsZeroWhereACodeIsAtItsLimit) {
    const ModelConfig model = test::small_model();
    const Dataset data = test::random_dataset(16, 24, model.channels, model.classes, 34);
    const NetworkParameters parameters = test::random_parameters(model, 34);
    CalibrationRanges ranges = calibrate(model, parameters, data, 16);
    ranges.pooled *= 1e-4F;  // every pooled code saturates: nothing before the decoder gets a gradient
    const StepNetwork network = StepNetwork::quantized(model, parameters, ranges, {}, data.steps);
    const std::vector<int> indices = test::first_indices(16);
    GradientEngine engine(model, data.steps, true, 1);
    EffectiveTensors effective = zero_effective_tensors(model);
    engine.gradient(network, data, indices, 9, effective);
    for (const float value : effective.layers[0].mixing) {
        EXPECT_EQ(value, 0.0F);
    }
}

TEST(QuantizedGradient, IsZeroAheadOfALayerWhoseOutputsAreAtTheirLimit) {
    for (const bool glu : {false, true}) {
        ModelConfig model = test::small_model();
        model.glu = glu;
        const Dataset data = test::random_dataset(16, 24, model.channels, model.classes, 35);
        const NetworkParameters parameters = test::random_parameters(model, 35);
        for (const bool limited : {false, true}) {
            CalibrationRanges ranges = calibrate(model, parameters, data, 16);
            ranges.layers.back().output *= limited ? 1e-6F : 1.0F;
            const StepNetwork network = StepNetwork::quantized(model, parameters, ranges, {}, data.steps);
            GradientEngine engine(model, data.steps, true, 1);
            EffectiveTensors effective = zero_effective_tensors(model);
            engine.gradient(network, data, test::first_indices(16), 9, effective);
            for (const EffectiveLayerTensors& layer : effective.layers) {
                const bool all_zero =
                    std::all_of(layer.mixing.begin(), layer.mixing.end(), [](float value) { return value == 0.0F; });
                EXPECT_EQ(all_zero, limited);
            }
        }
    }
}

}  // namespace
}  // namespace imssa
