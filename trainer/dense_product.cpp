#include "trainer/dense_product.h"

#include <algorithm>

#include "trainer/lane_buffer.h"
#include "trainer/lane_sums.h"

namespace imssa {

namespace {

/// Vectors of a tile. With five or six rows, weights read from memory by the multiply-add itself, 24 to 30 of the 32
/// registers hold sums and inputs.
constexpr int kTile = 4;
constexpr int kTileRows = 6;
/// Gradient tile: eight rows stay in the first-level cache over seven blocks (28 KiB) while two columns at a time
/// stream through it.
constexpr int kGradientRows = 8;
constexpr int kGradientColumns = 2;
constexpr int kGradientBlocks = 7;

using ProductTile = void (*)(const float* weights, const float* bias, const float* in, float* out, int inputs);

/// Rows x 4 vectors of the result in registers, for the four vectors of a block that start at `in` and `out`.
template <int Rows>
void product_tile(const float* weights, const float* bias, const float* in, float* out, int inputs) {
    Lanes sum[Rows][kTile];
    for (int row = 0; row < Rows; ++row) {
        const Lanes start = broadcast(bias != nullptr ? bias[row] : 0.0F);
        for (int vector = 0; vector < kTile; ++vector) {
            sum[row][vector] = start;
        }
    }
    for (int input = 0; input < inputs; ++input, in += kBlockWidth) {
        Lanes value[kTile];
        for (int vector = 0; vector < kTile; ++vector) {
            value[vector] = load_lanes(in + vector * kLaneWidth);
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
            store_lanes(out + row * kBlockWidth + vector * kLaneWidth, sum[row][vector]);
        }
    }
}

/// Rows of the next tile: fives until the rest is a multiple of six; what is less than five at once.
int tile_rows(int rows_left) {
    if (rows_left % kTileRows == 0) {
        return kTileRows;
    }
    return rows_left >= kTileRows - 1 ? kTileRows - 1 : rows_left;
}

/// Rows x Columns sums over all steps in registers, 16 at most, reduced over lanes at the end.
template <int Rows, int Columns>
void gradient_tile(const float* out_gradient, std::size_t out_stride, const float* in, std::size_t in_stride,
                   int blocks, float* gradient, int inputs) {
    static_assert(Rows * Columns <= kLaneWidth, "lane_sums takes 16");
    Lanes sum[kLaneWidth] = {};
    for (int block = 0; block < blocks; ++block) {
        const float* left = out_gradient + block * out_stride;
        const float* right = in + block * in_stride;
        for (int step = 0; step < kBlockSteps; ++step, left += kLaneWidth, right += kLaneWidth) {
            Lanes value[Columns];
            for (int column = 0; column < Columns; ++column) {
                value[column] = load_lanes(right + column * kBlockWidth);
            }
#pragma GCC unroll 8
            for (int row = 0; row < Rows; ++row) {
                const Lanes factor = load_lanes(left + row * kBlockWidth);
                for (int column = 0; column < Columns; ++column) {
                    sum[row * Columns + column] = multiply_add(factor, value[column], sum[row * Columns + column]);
                }
            }
        }
    }
    const Lanes sums = lane_sums(sum);
    for (int row = 0; row < Rows; ++row) {
        for (int column = 0; column < Columns; ++column) {
            gradient[row * inputs + column] += sums[row * Columns + column];
        }
    }
}

template <int Rows>
void gradient_rows(const float* out_gradient, std::size_t out_stride, const float* in, std::size_t in_stride,
                   int blocks, float* gradient, int inputs) {
    int input = 0;
    for (; input + kGradientColumns <= inputs; input += kGradientColumns) {
        gradient_tile<Rows, kGradientColumns>(out_gradient, out_stride, in + input * kBlockWidth, in_stride, blocks,
                                              gradient + input, inputs);
    }
    for (; input < inputs; ++input) {
        gradient_tile<Rows, 1>(out_gradient, out_stride, in + input * kBlockWidth, in_stride, blocks, gradient + input,
                               inputs);
    }
}

}  // namespace

void dense_product(const float* weights, const float* bias, const float* in, float* out, int outputs, int inputs) {
    constexpr ProductTile kTiles[kTileRows] = {product_tile<1>, product_tile<2>, product_tile<3>,
                                               product_tile<4>, product_tile<5>, product_tile<6>};
    // Many inputs: half of the block at a time, so that they stay in the first-level cache.
    constexpr int kHalf = kTile * kLaneWidth;
    const int width = inputs > 64 ? kHalf : kBlockWidth;
    for (int first = 0; first < kBlockWidth; first += width) {
        for (int row = 0; row < outputs;) {
            const int rows = tile_rows(outputs - row);
            const float* row_weights = weights + row * inputs;
            const float* row_bias = bias != nullptr ? bias + row : nullptr;
            for (int column = first; column < first + width; column += kHalf) {
                kTiles[rows - 1](row_weights, row_bias, in + column, out + row * kBlockWidth + column, inputs);
            }
            row += rows;
        }
    }
}

void dense_gradient(const float* out_gradient, std::size_t out_stride, const float* in, std::size_t in_stride,
                    int blocks, float* gradient, float* bias_gradient, int outputs, int inputs) {
    for (int first = 0; first < blocks; first += kGradientBlocks) {
        const int count = std::min(kGradientBlocks, blocks - first);
        const float* right = in + first * in_stride;
        int row = 0;
        for (; row + kGradientRows <= outputs; row += kGradientRows) {
            gradient_rows<kGradientRows>(out_gradient + first * out_stride + row * kBlockWidth, out_stride, right,
                                         in_stride, count, gradient + row * inputs, inputs);
        }
        for (; row < outputs; ++row) {
            gradient_rows<1>(out_gradient + first * out_stride + row * kBlockWidth, out_stride, right, in_stride, count,
                             gradient + row * inputs, inputs);
        }
    }
    for (int row = 0; row < outputs; ++row) {
        Lanes sum = {};
        for (int block = 0; block < blocks; ++block) {
            const float* from = out_gradient + block * out_stride + row * kBlockWidth;
            for (int step = 0; step < kBlockSteps; ++step) {
                sum += load_lanes(from + step * kLaneWidth);
            }
        }
        bias_gradient[row] += lane_sum(sum);
    }
}

}  // namespace imssa
