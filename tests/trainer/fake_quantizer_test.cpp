#include "trainer/fake_quantizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "tests/trainer/quantizer_options.h"

namespace imssa {
namespace {

using test::quantizer;

TEST(MaxScaleQuantizerTest, OneBitIsTernary) {
    const QuantizerGrid grid = make_grid(quantizer(Quantizer::max_scale, 1), -0.5, 2.0);
    // Q = 2: scale = 1 / 2, codes -1, 0, 1.
    EXPECT_FLOAT_EQ(grid.quantize(1.1F), 2.0F);
    EXPECT_FLOAT_EQ(grid.quantize(0.9F), 0.0F);
    EXPECT_FLOAT_EQ(grid.quantize(-1.1F), -2.0F);
    EXPECT_FLOAT_EQ(grid.quantize(1.0F), 0.0F) << "half to even";
}

TEST(MaxScaleQuantizerTest, KeepsOneLevelMoreThanItIsAskedFor) {
    const QuantizerGrid grid = make_grid(quantizer(Quantizer::max_scale, 2), -1.0, 1.0);
    // Q = 4: scale = 2, levels -1, -1/2, 0, 1/2, 1.
    EXPECT_FLOAT_EQ(grid.quantize(0.74F), 0.5F);
    EXPECT_FLOAT_EQ(grid.quantize(0.76F), 1.0F);
    EXPECT_FLOAT_EQ(grid.quantize(-0.3F), -0.5F);
    EXPECT_FLOAT_EQ(grid.quantize(-9.0F), -1.0F);
    EXPECT_EQ(grid.high - grid.low, 4.0F);
}

TEST(MaxScaleQuantizerTest, FixedRangeSaturatesAndPassesEveryGradient) {
    QuantizerOptions options = quantizer(Quantizer::max_scale, 2);
    options.range = 1.0;
    const float values[] = {-0.5F, 0.0F, 3.14159F, 6.28318F};
    const QuantizerGrid grid = observe_grid(options, values, 4);
    EXPECT_FLOAT_EQ(grid.quantize(values[0]), -0.5F);
    EXPECT_FLOAT_EQ(grid.quantize(values[2]), 1.0F);
    EXPECT_TRUE(grid.passes_gradient(values[3]));
}

TEST(SymmetricQuantizerTest, FollowsZhao) {
    const QuantizerGrid grid = make_grid(quantizer(Quantizer::symmetric, 4), -1.4, 0.7);
    // s = 1.4 / 7 = 0.2, codes -8 .. 7.
    EXPECT_FLOAT_EQ(grid.quantize(0.29F), 0.2F);
    EXPECT_FLOAT_EQ(grid.quantize(0.31F), 0.4F);
    EXPECT_FLOAT_EQ(grid.quantize(5.0F), 1.4F);
    EXPECT_FLOAT_EQ(grid.quantize(-5.0F), -1.6F);
    EXPECT_FALSE(grid.passes_gradient(1.5F));
    EXPECT_FALSE(grid.passes_gradient(-1.5F));
    EXPECT_TRUE(grid.passes_gradient(1.3F));
}

TEST(AsymmetricQuantizerTest, FollowsZhao) {
    const QuantizerGrid grid = make_grid(quantizer(Quantizer::asymmetric, 2), -1.0, 2.0);
    // s = 3 / 3 = 1, z = round(-2 + 1) = -1: codes -2 .. 1 stand for -1, 0, 1, 2.
    EXPECT_FLOAT_EQ(grid.zero, -1.0F);
    EXPECT_FLOAT_EQ(grid.quantize(-0.6F), -1.0F);
    EXPECT_FLOAT_EQ(grid.quantize(-0.4F), 0.0F);
    EXPECT_FLOAT_EQ(grid.quantize(1.6F), 2.0F);
    EXPECT_FLOAT_EQ(grid.quantize(7.0F), 2.0F);
    EXPECT_TRUE(grid.passes_gradient(-1.0F));
    EXPECT_FALSE(grid.passes_gradient(-1.01F));
}

TEST(AsymmetricQuantizerTest, KeepsATensorOfOneNumber) {
    const float values[] = {0.3F, 0.3F};
    EXPECT_FLOAT_EQ(observe_grid(quantizer(Quantizer::asymmetric, 8), values, 2).quantize(0.3F), 0.3F);
}

TEST(QuantizerRangeTest, PercentileLeavesOutliersOut) {
    QuantizerOptions options = quantizer(Quantizer::symmetric, 8);
    options.percentile = 75.0;
    const float values[] = {1.0F, -2.0F, 3.0F, -4.0F, 100.0F};
    // Magnitudes 1, 2, 3, 4, 100: the 75th percentile is 4.
    EXPECT_FLOAT_EQ(observe_grid(options, values, 5).range_high, 4.0F);
    EXPECT_DOUBLE_EQ(percentile_of({4.0F, 1.0F, 3.0F, 2.0F}, 50.0), 2.5);
}

TEST(QuantizerRangeTest, HeadsAndModesHaveScalesOfTheirOwn) {
    const float start[] = {1.0F, 0.4F, 10.0F, 4.0F};
    QuantizerOptions options = quantizer(Quantizer::max_scale, 1);
    float tensor[4], head[4], mode[4];
    std::copy(start, start + 4, tensor);
    std::copy(start, start + 4, head);
    std::copy(start, start + 4, mode);
    quantize_tensor(options, "x", tensor, nullptr, 2, 2, 0);
    options.scale = ScaleGranularity::head;
    quantize_tensor(options, "x", head, nullptr, 2, 2, 0);
    options.scale = ScaleGranularity::mode;
    quantize_tensor(options, "x", mode, nullptr, 2, 2, 0);
    EXPECT_EQ(std::vector<float>(tensor, tensor + 4), (std::vector<float>{0.0F, 0.0F, 10.0F, 0.0F}));
    EXPECT_EQ(std::vector<float>(head, head + 4), (std::vector<float>{1.0F, 0.0F, 10.0F, 0.0F}));
    EXPECT_EQ(std::vector<float>(mode, mode + 4), (std::vector<float>(start, start + 4)));
}

TEST(QuantizerRangeTest, RealAndImaginaryPartsShareOne) {
    float re[] = {1.0F, 0.3F};
    float im[] = {2.0F, -1.2F};
    const std::vector<unsigned char> passes = quantize_tensor(quantizer(Quantizer::max_scale, 1), "c", re, im, 1, 2, 0);
    EXPECT_EQ(std::vector<float>(re, re + 2), (std::vector<float>{0.0F, 0.0F}));
    EXPECT_EQ(std::vector<float>(im, im + 2), (std::vector<float>{2.0F, -2.0F}));
    EXPECT_EQ(passes.size(), 4U);
}

TEST(StochasticRoundingTest, IsRightOnAverageAndTheSameForTheSameSeed) {
    QuantizerOptions options = quantizer(Quantizer::symmetric, 2);
    options.rounding = StateRounding::dithered;
    options.range = 1.0;
    std::vector<float> first(20000, 0.3F), again(20000, 0.3F);
    quantize_tensor(options, "x", first.data(), nullptr, 1, 20000, 7);
    quantize_tensor(options, "x", again.data(), nullptr, 1, 20000, 7);
    EXPECT_EQ(first, again);
    double sum = 0.0;
    for (const float value : first) {
        sum += value;
    }
    EXPECT_NEAR(sum / 20000.0, 0.3, 5.0 * std::sqrt(0.21 / 20000.0));
}

TEST(DeadTensorTest, IsNamed) {
    QuantizerOptions options = quantizer(Quantizer::max_scale, 1);
    options.range = 100.0;
    float values[] = {0.1F, -0.2F};
    try {
        quantize_tensor(options, "layers.1.mixing", values, nullptr, 1, 2, 0);
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("layers.1.mixing"), std::string::npos);
    }
}

TEST(QuantizerOptionsTest, RefusesWhatMakesNoSense) {
    QuantizerOptions options = quantizer(Quantizer::symmetric, 1);
    EXPECT_THROW(options.validate(), UserError);
    options = quantizer(Quantizer::max_scale, 17);
    EXPECT_THROW(options.validate(), UserError);
    options = quantizer(Quantizer::asymmetric, 8);
    options.range = 1.0;
    EXPECT_THROW(options.validate(), UserError);
    options = quantizer(Quantizer::symmetric, 8);
    options.range = 1.0;
    options.percentile = 99.0;
    EXPECT_THROW(options.validate(), UserError);
}

TEST(QuantizerGrid, RoundsOnce) {
    QuantizerGrid grid;
    grid.gain = 0x1.1745fp+15F;
    grid.zero = -32703.0F;
    grid.low = -32768.0F;
    grid.high = 32767.0F;
    // The product with the gain is 1.4e-12 below one half.
    EXPECT_EQ(grid.quantize(0x1.d55522p-17F), 0.0F);
    EXPECT_GT(grid.quantize(0x1.d55532p-17F), 0.0F);
}

}  // namespace
}  // namespace imssa
