#include "trainer/dense_product.h"

#include "trainer/lane_buffer.h"

namespace imssa {

namespace {

constexpr int kTile = 4;

/// Rows x 4 vectors of the result in registers.
template <int Rows>
void product_tile(const float* weights, const float* bias, const float* in, float* out, int inputs) {
    for (int column = 0; column < kBlockSteps; column += kTile) {
        Lanes sum[Rows][kTile];
        for (int row = 0; row < Rows; ++row) {
            const Lanes start = broadcast(bias != nullptr ? bias[row] : 0.0F);
            for (int vector = 0; vector < kTile; ++vector) {
                sum[row][vector] = start;
            }
        }
        const float* from = in + column * kLaneWidth;
        for (int input = 0; input < inputs; ++input, from += kBlockWidth) {
            Lanes value[kTile];
            for (int vector = 0; vector < kTile; ++vector) {
                value[vector] = load_lanes(from + vector * kLaneWidth);
            }
            for (int row = 0; row < Rows; ++row) {
                const Lanes weight = broadcast(weights[row * inputs + input]);
                for (int vector = 0; vector < kTile; ++vector) {
                    sum[row][vector] = multiply_add(weight, value[vector], sum[row][vector]);
                }
            }
        }
        for (int row = 0; row < Rows; ++row) {
            for (int vector = 0; vector < kTile; ++vector) {
                store_lanes(out + row * kBlockWidth + (column + vector) * kLaneWidth, sum[row][vector]);
            }
        }
    }
}

/// Rows x Columns sums over all steps in registers, reduced over lanes at the end.
template <int Rows, int Columns>
void gradient_tile(const float* out_gradient, std::size_t out_stride, const float* in, std::size_t in_stride,
                   int blocks, float* gradient, int inputs) {
    Lanes sum[Rows][Columns] = {};
    for (int block = 0; block < blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            const float* left = out_gradient + block * out_stride + step * kLaneWidth;
            const float* right = in + block * in_stride + step * kLaneWidth;
            Lanes value[Columns];
            for (int column = 0; column < Columns; ++column) {
                value[column] = load_lanes(right + column * kBlockWidth);
            }
            for (int row = 0; row < Rows; ++row) {
                const Lanes factor = load_lanes(left + row * kBlockWidth);
                for (int column = 0; column < Columns; ++column) {
                    sum[row][column] = multiply_add(factor, value[column], sum[row][column]);
                }
            }
        }
    }
    for (int row = 0; row < Rows; ++row) {
        for (int column = 0; column < Columns; ++column) {
            gradient[row * inputs + column] += horizontal_sum(sum[row][column]);
        }
    }
}

template <int Rows>
void gradient_rows(const float* out_gradient, std::size_t out_stride, const float* in, std::size_t in_stride,
                   int blocks, float* gradient, int inputs) {
    int input = 0;
    for (; input + kTile <= inputs; input += kTile) {
        gradient_tile<Rows, kTile>(out_gradient, out_stride, in + input * kBlockWidth, in_stride, blocks,
                                   gradient + input, inputs);
    }
    for (; input < inputs; ++input) {
        gradient_tile<Rows, 1>(out_gradient, out_stride, in + input * kBlockWidth, in_stride, blocks, gradient + input,
                               inputs);
    }
}

}  // namespace

void dense_product(const float* weights, const float* bias, const float* in, float* out, int outputs, int inputs) {
    int row = 0;
    for (; row + kTile <= outputs; row += kTile) {
        product_tile<kTile>(weights + row * inputs, bias != nullptr ? bias + row : nullptr, in, out + row * kBlockWidth,
                            inputs);
    }
    for (; row < outputs; ++row) {
        product_tile<1>(weights + row * inputs, bias != nullptr ? bias + row : nullptr, in, out + row * kBlockWidth,
                        inputs);
    }
}

void dense_gradient(const float* out_gradient, std::size_t out_stride, const float* in, std::size_t in_stride,
                    int blocks, float* gradient, float* bias_gradient, int outputs, int inputs) {
    int row = 0;
    for (; row + kTile <= outputs; row += kTile) {
        gradient_rows<kTile>(out_gradient + row * kBlockWidth, out_stride, in, in_stride, blocks,
                             gradient + row * inputs, inputs);
    }
    for (; row < outputs; ++row) {
        gradient_rows<1>(out_gradient + row * kBlockWidth, out_stride, in, in_stride, blocks, gradient + row * inputs,
                         inputs);
    }
    for (row = 0; row < outputs; ++row) {
        Lanes sum = {};
        for (int block = 0; block < blocks; ++block) {
            const float* from = out_gradient + block * out_stride + row * kBlockWidth;
            for (int step = 0; step < kBlockSteps; ++step) {
                sum += load_lanes(from + step * kLaneWidth);
            }
        }
        bias_gradient[row] += horizontal_sum(sum);
    }
}

}  // namespace imssa
