#include "models/array/lane_product.h"

#include <cassert>

namespace imssa {

namespace {

/// A block of kOutputs x kVectors sums held in registers over all inputs.
template <int kOutputs, int kVectors, bool kSquared>
inline void product_block(const MatrixRM& weights, const LaneMatrix& inputs, int output, int vector, LaneMatrix& sums) {
    Lanes accumulators[kOutputs][kVectors] = {};
    const float* weight = weights.data() + output;
    const float* input = inputs.row(0) + vector * kLaneWidth;
    for (Eigen::Index i = 0; i < weights.rows(); ++i, weight += weights.cols(), input += inputs.stride()) {
        Lanes x[kVectors];
        for (int v = 0; v < kVectors; ++v) {
            x[v] = load_lanes(input + v * kLaneWidth);
            if constexpr (kSquared) {
                x[v] *= x[v];
            }
        }
        for (int o = 0; o < kOutputs; ++o) {
            const Lanes w = broadcast(weight[o]);
            for (int v = 0; v < kVectors; ++v) {
                accumulators[o][v] = multiply_add(w, x[v], accumulators[o][v]);
            }
        }
    }
    for (int o = 0; o < kOutputs; ++o) {
        for (int v = 0; v < kVectors; ++v) {
            store_lanes(sums.row(output + o) + (vector + v) * kLaneWidth, accumulators[o][v]);
        }
    }
}

template <int kVectors, bool kSquared>
void product_columns(const MatrixRM& weights, const LaneMatrix& inputs, int vector, LaneMatrix& sums) {
    const int outputs = static_cast<int>(weights.cols());
    int output = 0;
    for (; output + 8 <= outputs; output += 8) {
        product_block<8, kVectors, kSquared>(weights, inputs, output, vector, sums);
    }
    if (output + 4 <= outputs) {
        product_block<4, kVectors, kSquared>(weights, inputs, output, vector, sums);
        output += 4;
    }
    if (output + 2 <= outputs) {
        product_block<2, kVectors, kSquared>(weights, inputs, output, vector, sums);
        output += 2;
    }
    if (output < outputs) {
        product_block<1, kVectors, kSquared>(weights, inputs, output, vector, sums);
    }
}

template <bool kSquared>
void product(const MatrixRM& weights, const LaneMatrix& inputs, LaneMatrix& sums) {
    assert(inputs.channels() == weights.rows() && sums.channels() == weights.cols());
    assert(inputs.stride() == sums.stride());
    if (weights.size() == 0) {
        return;
    }
    int vector = 0;
    for (; vector + 3 <= inputs.vectors(); vector += 3) {
        product_columns<3, kSquared>(weights, inputs, vector, sums);
    }
    if (vector + 2 <= inputs.vectors()) {
        product_columns<2, kSquared>(weights, inputs, vector, sums);
        vector += 2;
    }
    if (vector < inputs.vectors()) {
        product_columns<1, kSquared>(weights, inputs, vector, sums);
    }
}

}  // namespace

void lane_product(const MatrixRM& weights, const LaneMatrix& inputs, LaneMatrix& sums) {
    product<false>(weights, inputs, sums);
}

void lane_product_of_squares(const MatrixRM& weights, const LaneMatrix& inputs, LaneMatrix& sums) {
    product<true>(weights, inputs, sums);
}

}  // namespace imssa
