#pragma once

#include <cstddef>

#include "trainer/kernel_scan.h"
#include "trainer/lane_buffer.h"

namespace imssa {

/// Impulse responses of the heads of one layer, or their gradients: lags 0 .. steps - 1, filled up to whole blocks with
/// zeros, and a block of zeros before lag 0 so that the triangles on the diagonal of the block-Toeplitz matrix are read
/// like every other block.
class ImpulseResponses {
public:
    ImpulseResponses() = default;
    ImpulseResponses(int heads, int steps)
        : steps_(steps),
          row_(static_cast<std::size_t>((steps + kBlockSteps - 1) / kBlockSteps + 1) * kBlockSteps + kLaneWidth),
          values_(row_ * static_cast<std::size_t>(heads)) {}

    /// Lag 0 of a head; lags from -8 on exist.
    float* head(int index) { return values_.data() + row_ * static_cast<std::size_t>(index) + kBlockSteps; }
    const float* head(int index) const { return values_.data() + row_ * static_cast<std::size_t>(index) + kBlockSteps; }
    int steps() const { return steps_; }
    void clear() { values_.clear(); }

private:
    int steps_ = 0;
    std::size_t row_ = 0;
    AlignedArray<float> values_;
};

/// k_m = sum over modes of c_re Re(a^m b) + c_im Im(a^m b) for m < steps, powers in double. Without d.
void impulse_response(const KernelView& kernel, int steps, float* response);

/// Chain rule of impulse_response: adds to the gradient of a, b and c.
void impulse_response_gradient(const KernelView& kernel, int steps, const float* response_gradient,
                               const KernelGradientView& gradient);

/// y_t = sum over m <= t of k_m u_{t-m}, as products of 8 x 8 Toeplitz blocks with blocks of 8 steps x 16 sequences,
/// steps / 2 multiply-adds a step. `u` points at block 0 of a head, `y` at block `first`; blocks lie `u_stride` and
/// `y_stride` floats apart. Writes blocks [first, first + count).
void convolve(const float* response, const float* u, std::size_t u_stride, int first, int count, float* y,
              std::size_t y_stride);

/// Transpose of convolve: the gradient of u in blocks [first, first + count), from that of y, whose block 0 is at
/// `y_gradient`, in blocks up to `blocks`. Writes `u_gradient`, which points at block `first`.
void convolve_adjoint(const float* response, const float* y_gradient, std::size_t y_stride, int first, int count,
                      int blocks, float* u_gradient, std::size_t u_stride);

/// Adds the gradient of the response that the outputs in blocks [first, first + count) leave, sum over steps and lanes
/// of dy_t u_{t-m}. `u` and `y_gradient` point at block 0. Lags before 0 receive meaningless numbers.
void response_gradient(const float* u, std::size_t u_stride, const float* y_gradient, std::size_t y_stride, int first,
                       int count, float* gradient);

}  // namespace imssa
