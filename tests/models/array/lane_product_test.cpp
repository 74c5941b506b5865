#include "models/array/lane_product.h"

#include <gtest/gtest.h>

#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;

TEST(LaneProduct, IntegersAreExactForEveryShapeOfTheBlocks) {
    for (const int lanes : {1, 16, 17, 33, 48, 70, 100}) {
        for (const int outputs : {1, 2, 3, 5, 7, 8, 15, 23, 32}) {
            const MatrixRM weights = random_matrix(29, outputs, 127, static_cast<unsigned>(outputs)).codes;
            const LaneMatrix inputs = random_codes(29, lanes, 127, static_cast<unsigned>(lanes));
            LaneMatrix sums(outputs, lanes);
            LaneMatrix squares(outputs, lanes);
            lane_product(weights, inputs, sums);
            lane_product_of_squares(weights, inputs, squares);
            for (int o = 0; o < outputs; ++o) {
                for (int lane = 0; lane < lanes; ++lane) {
                    std::int64_t sum = 0;
                    double square = 0.0;
                    double magnitude = 0.0;
                    for (int i = 0; i < 29; ++i) {
                        const auto w = static_cast<std::int64_t>(weights(i, o));
                        const auto x = static_cast<std::int64_t>(inputs(i, lane));
                        sum += w * x;
                        square += static_cast<double>(w * x * x);
                        magnitude += static_cast<double>(std::abs(w * x * x));
                    }
                    ASSERT_EQ(sums(o, lane), static_cast<float>(sum));
                    ASSERT_NEAR(squares(o, lane), square, 29 * 6e-8 * magnitude);  // one rounding an input
                }
            }
        }
    }
}

}  // namespace
}  // namespace imssa
