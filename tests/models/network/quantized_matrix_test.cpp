#include "models/network/quantized_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "models/common/error.h"
#include "models/network/quantizer.h"

namespace imssa {
namespace {

TEST(Conversion, RoundsHalfToEvenAndSaturates) {
    const Lanes sums = {0.5F,     1.5F,  2.5F,  -0.5F, -1.5F, 126.5F, 127.4F, 1000.0F,
                        -1000.0F, 0.49F, 0.51F, 3.0F,  1e9F,  -1e9F,  0.0F,   -2.5F};
    const float expected[] = {0, 2, 2, 0, -2, 126, 127, 127, -127, 0, 1, 3, 127, -127, 0, -2};
    const Lanes codes = convert(sums, 1.0F, 0.0F, 127.0F);
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        EXPECT_EQ(codes[lane], expected[lane]) << lane;
    }
}

TEST(Conversion, NotANumberStaysNotANumber) {
    const Lanes codes = convert(broadcast(std::nanf("")), 1.0F, 0.0F, 127.0F);
    EXPECT_TRUE(std::isnan(codes[0]));
}

TEST(Conversion, DitheredRoundingIsUnbiased) {
    // 16 x 4096 draws of Bernoulli(0.3): standard error 0.0018, bound at 5 sigma.
    double sum = 0.0;
    LanesUint keys;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        keys[lane] = dither_sequence_key(7, static_cast<std::uint64_t>(lane));
    }
    for (std::uint32_t step = 0; step < 4096; ++step) {
        const DitherPair dither = dither_pair(keys, dither_unit_key(3), step);
        sum += horizontal_sum(convert_dithered(broadcast(5.3F), 1.0F, 0.0F, 127.0F, dither.re));
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            ASSERT_GE(dither.im[lane], 0.0F);
            ASSERT_LT(dither.im[lane], 1.0F);
        }
    }
    EXPECT_NEAR(sum / (16 * 4096), 5.3, 0.009);
}

TEST(QuantizedMatrix, FollowsTheMaxScaleFormula) {
    MatrixRM weights(2, 3);
    weights << 0.5F, -1.0F, 0.25F, 0.1F, 0.0F, -0.05F;
    const Eigen::Vector2f bias(0.3F, -0.2F);
    const QuantizedMatrix column = quantize_matrix(weights, bias, 0.5, 0.1, 8, 8, 8, WeightRange::column);
    EXPECT_EQ(column.codes(0, 0), 64.0F);  // 63.5 rounds to even
    EXPECT_EQ(column.codes(1, 0), -127.0F);
    EXPECT_EQ(column.codes(0, 1), 127.0F);
    EXPECT_FLOAT_EQ(column.gain[0], 1.0F / 127.0F * 0.5F / 0.1F);
    EXPECT_FLOAT_EQ(column.offset[1], -2.0F);
    const QuantizedMatrix array = quantize_matrix(weights, bias, 0.5, 0.1, 8, 8, 8, WeightRange::array);
    EXPECT_EQ(array.codes(0, 1), 13.0F);  // 0.1 * 127
    EXPECT_FLOAT_EQ(array.gain[0], array.gain[1]);
}

TEST(QuantizedMatrix, ExactProductEqualsIntegerArithmetic) {
    std::mt19937 generator(1);
    std::uniform_int_distribution<int> code(-127, 127);
    MatrixRM driven(33, 17);
    for (int row = 0; row < 33; ++row) {
        for (int column = 0; column < 17; ++column) {
            driven(row, column) = static_cast<float>(code(generator));
        }
    }
    for (const int lanes : {1, 7, 16, 33}) {
        LaneMatrix inputs(33, lanes);
        LaneMatrix sums(17, lanes);
        for (int row = 0; row < 33; ++row) {
            for (int lane = 0; lane < lanes; ++lane) {
                inputs(row, lane) = static_cast<float>(code(generator));
            }
        }
        exact_product(driven, inputs, sums);
        for (int column = 0; column < 17; ++column) {
            for (int lane = 0; lane < lanes; ++lane) {
                long expected = 0;
                for (int row = 0; row < 33; ++row) {
                    expected += static_cast<long>(driven(row, column)) * static_cast<long>(inputs(row, lane));
                }
                ASSERT_EQ(sums(column, lane), static_cast<float>(expected));
            }
        }
    }
}

TEST(QuantizedMatrix, RefusesSumsBeyondExactFloats) {
    const MatrixRM weights = MatrixRM::Constant(1, 1200, 1.0F);
    const Eigen::VectorXf bias = Eigen::VectorXf::Zero(1);
    const QuantizedMatrix small = quantize_matrix(weights.leftCols(1000), bias, 1.0, 1.0, 8, 8, 8, WeightRange::array);
    EXPECT_NO_THROW(small.check_exact("mixing"));
    const QuantizedMatrix large = quantize_matrix(weights, bias, 1.0, 1.0, 8, 8, 8, WeightRange::array);
    EXPECT_THROW(large.check_exact("mixing"), NumericalError);
}

}  // namespace
}  // namespace imssa
