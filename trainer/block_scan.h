#pragma once

#include <cstddef>

#include "trainer/effective_network.h"
#include "trainer/kernel_scan.h"
#include "trainer/lane_buffer.h"

namespace imssa {

/// The float kernel as products of small matrices, a block of 8 steps at a time, instead of step by step. With x the
/// state before a block and u its 8 inputs,
///
///     y_t = sum_{s <= t} k_{t-s} u_s + Re/Im parts of c a^(t+1) against x     (Toeplitz triangle and `read`)
///     x'  = a^8 x + sum_s a^(7-s) u_s                                          (`pole` and `write`)
///
/// which takes 4.5 + 4.5 N/2 multiply-adds a step instead of 6 N/2, all but the a^8 x free of chains from step to step;
/// its reverse needs the gradient of a and c only once a block.
///
/// Place of one head's matrices in memory: toeplitz[8], then per mode pole (re, im), then read and write as components
/// (re, im of each mode) x 8 steps. Gradients lie likewise.
struct BlockKernelLayout {
    int modes = 0;

    static constexpr std::size_t pole() { return kBlockSteps; }
    std::size_t read() const { return pole() + 2 * static_cast<std::size_t>(modes); }
    std::size_t write() const { return read() + 2 * static_cast<std::size_t>(modes) * kBlockSteps; }
    std::size_t size() const {
        return (write() + 2 * static_cast<std::size_t>(modes) * kBlockSteps + kLaneWidth - 1) / kLaneWidth * kLaneWidth;
    }
};

/// The matrices of every head of a float network, b = 1.
class BlockKernels {
public:
    BlockKernels() = default;
    explicit BlockKernels(const ModelConfig& config);
    void prepare(const EffectiveNetwork& network);
    const BlockKernelLayout& layout() const { return layout_; }
    const float* of(int layer, int head) const { return values_.data() + place(layer, head); }

private:
    std::size_t place(int layer, int head) const {
        return (static_cast<std::size_t>(layer) * heads_ + head) * layout_.size();
    }

    BlockKernelLayout layout_;
    int heads_ = 0;
    AlignedArray<float> values_;
};

/// Matrices of one kernel with b = 1 and the output from the new state.
void make_block_kernel(const KernelView& kernel, float* matrices);

/// Chain rule of make_block_kernel: adds to the gradient of a, c and d.
void block_kernel_gradient(const KernelView& kernel, const float* matrices_gradient,
                           const KernelGradientView& gradient);

/// Modes that the scans take at once: their states over a chunk stay in the first-level cache.
constexpr int kBlockScanModes = 8;
/// Floats of scratch that the scans need: states and adjoints of kBlockScanModes modes before every block and behind
/// the last.
constexpr std::size_t kBlockScratch =
    static_cast<std::size_t>(2) * (kChunkBlocks + 1) * kBlockScanModes * 2 * kLaneWidth;

/// One head over up to kChunkBlocks blocks, in float mode (b = 1): u and y point at the head's 8 x 16 numbers of the
/// first block, the next block lies `stride` floats further. state_in, state_out: modes x {re, im} x 16.
void block_scan_forward(const BlockKernelLayout& layout, const float* matrices, const float* u, float* y,
                        std::size_t stride, int blocks, const float* state_in, float* state_out, float* scratch);

/// Adds to u_gradient and to the gradient of the matrices; `adjoint` (modes x {re, im} x 16) is carried from chunk to
/// chunk. state_in: the state before the first block; u_stride: floats from one block of u to the next.
void block_scan_backward(const BlockKernelLayout& layout, const float* matrices, const float* u, std::size_t u_stride,
                         const float* y_gradient, float* u_gradient, std::size_t stride, int blocks,
                         const float* state_in, float* adjoint, float* scratch, float* matrices_gradient);

}  // namespace imssa
