#include <gtest/gtest.h>

#include <algorithm>

#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/fake_quantization.h"
#include "trainer/observed_bounds.h"

namespace imssa {
namespace {

constexpr int kSequences = 16;

class NoiseFullScaleTest : public testing::Test {
protected:
    NoiseFullScaleTest()
        : config(test::small_model()),
          data(test::random_dataset(kSequences, 45, config.channels, config.classes, 7)),
          parameters(test::random_parameters(config, 3)),
          ranges(calibrate(config, parameters, data, kSequences)) {}

    /// Full scales of kernel outputs and of the states of mode 0, layer 0.
    struct FullScales {
        float kernel_output, state;
    };
    FullScales full_scales(const FakeQuantization& options, const ObservedBounds* bounds = nullptr) const {
        const FakeNetwork network =
            fake_network(config, parameters, ranges, options, data.steps, 0, 0.0, EvaluationMode::recurrent, bounds);
        const ModeScan& scan = network.layers[0].scans[0];
        return {network.layers[0].kernel_output_range, scan.full_scale / scan.gain};
    }

    ModelConfig config;
    Dataset data;
    NetworkParameters parameters;
    CalibrationRanges ranges;
};

TEST_F(NoiseFullScaleTest, IsTheCalibratedMaximumWithoutAGrid) {
    const FullScales own = full_scales({});
    EXPECT_EQ(own.kernel_output, ranges.layers[0].kernel_output);
    EXPECT_EQ(own.state, ranges.layers[0].state.maxCoeff());
}

TEST_F(NoiseFullScaleTest, IsTheCalibratedMaximumWithDynamicRanges) {
    FakeQuantization options;
    options.activations.quantizer = Quantizer::asymmetric;
    options.activations.ranges = RangeSource::dynamic;
    options.state.quantizer = Quantizer::symmetric;
    options.state.ranges = RangeSource::dynamic;
    options.state.scale = ScaleGranularity::head;
    const FullScales own = full_scales(options);
    EXPECT_EQ(own.kernel_output, ranges.layers[0].kernel_output);
    EXPECT_FLOAT_EQ(own.state, ranges.layers[0].state.row(0).maxCoeff());
}

TEST_F(NoiseFullScaleTest, FollowsAFixedRange) {
    FakeQuantization options;
    for (QuantizerOptions* group : {&options.activations, &options.state}) {
        group->quantizer = Quantizer::symmetric;
        group->range = 3.5;
    }
    const FullScales own = full_scales(options);
    EXPECT_EQ(own.kernel_output, 3.5F);
    EXPECT_FLOAT_EQ(own.state, 3.5F);
}

TEST_F(NoiseFullScaleTest, FollowsPercentilesAndMovingAverages) {
    FakeQuantization percentile, average;
    for (QuantizerOptions* group : {&percentile.activations, &percentile.state}) {
        group->quantizer = Quantizer::symmetric;
        group->percentile = 90.0;
    }
    for (QuantizerOptions* group : {&average.activations, &average.state}) {
        group->quantizer = Quantizer::asymmetric;
        group->ranges = RangeSource::ema;
    }
    for (const FakeQuantization& options : {percentile, average}) {
        ObservedBounds bounds = calibrate_bounds(config, parameters, options, data, kSequences);
        for (int place = 0; place < bounds.count(); ++place) {
            bounds[place].low *= 0.25F;
            bounds[place].high *= 0.5F;
        }
        const FullScales own = full_scales(options, &bounds);
        const Bounds y = bounds[bounds.activation(0, ActivationPlace::kernel_output)];
        const Bounds state = bounds.state_bounds(0, 0, 0, ScaleGranularity::tensor);
        EXPECT_FLOAT_EQ(own.kernel_output, std::max(-y.low, y.high));
        EXPECT_FLOAT_EQ(own.state, std::max(-state.low, state.high));
    }
}

}  // namespace
}  // namespace imssa
