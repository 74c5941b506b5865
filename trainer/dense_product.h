#pragma once

#include <cstddef>

namespace imssa {

/// out = weights * in + bias on one block: weights outputs x inputs (row-major), in inputs x 128, out outputs x 128.
/// bias may be null.
void dense_product(const float* weights, const float* bias, const float* in, float* out, int outputs, int inputs);

/// gradient (outputs x inputs, row-major) += sum over blocks, steps and lanes of out_gradient * in; bias_gradient the
/// same with in = 1. Blocks lie `out_stride` and `in_stride` floats apart.
void dense_gradient(const float* out_gradient, std::size_t out_stride, const float* in, std::size_t in_stride,
                    int blocks, float* gradient, float* bias_gradient, int outputs, int inputs);

}  // namespace imssa
