#pragma once

#include <cstddef>
#include <cstdint>

#include "trainer/code_pair.h"
#include "trainer/effective_network.h"

namespace imssa {

/// Views of the kernel of one head: pointers to its modes in EffectiveLayerTensors.
struct KernelView {
    int modes = 0;
    const float *a_re = nullptr, *a_im = nullptr, *b_re = nullptr, *b_im = nullptr, *c_re = nullptr, *c_im = nullptr;
    float d = 0.0F;
    bool output_reads_previous_state = false;
    bool input_is_folded = true;  ///< b is one real constant for all modes and is not trained
};
KernelView kernel_view(const EffectiveNetwork& network, int layer, int head);

/// Where the gradient of a kernel is accumulated.
struct KernelGradientView {
    float *a_re = nullptr, *a_im = nullptr, *b_re = nullptr, *b_im = nullptr, *c_re = nullptr, *c_im = nullptr,
          *d = nullptr;
};
KernelGradientView kernel_gradient_view(EffectiveTensors& gradient, int layer, int head, int modes);

/// The states of modes [first_mode, first_mode + count) of one head after every step, for b = 1 (float mode): u points
/// at the head's 8 x 16 values of the first block, the next block lies `stride` floats further. `state_in`: modes x
/// {re, im} x 16 floats; states[t + 1]: count x {re, im} x 16 floats, states[0] is the state before.
void scan_states(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t stride, int blocks,
                 const float* state_in, float* states);

/// Most modes whose states a caller keeps for one backward scan.
constexpr int kBackwardModes = 4;

/// Reverse adjoint of modes [first_mode, first_mode + count), from their `states` (as scan_states lays them out). Adds
/// to the input gradient u_gradient (with d * dy for first_mode = 0) and to the kernel's gradient. `adjoint` (modes x
/// {re, im} x 16) carries the adjoint from the chunk behind to the chunk before. `units`: what one of a state's numbers
/// stands for, of each of the modes (null: 1). The next block of u lies `u_stride` floats further, that of the
/// gradients `stride`.
void scan_backward(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t u_stride,
                   const float* y_gradient, float* u_gradient, std::size_t stride, int blocks, const float* states,
                   float* adjoint, const KernelGradientView& gradient, const float* units = nullptr);
/// The same from pairs of codes: states[t + 1] is count x 16 pairs.
void scan_backward(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t u_stride,
                   const float* y_gradient, float* u_gradient, std::size_t stride, int blocks, const CodePair* states,
                   float* adjoint, const KernelGradientView& gradient, const float* units);
/// The same from states that are integers, as quantized_scan_states lays them out.
void scan_backward(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t u_stride,
                   const float* y_gradient, float* u_gradient, std::size_t stride, int blocks,
                   const std::int32_t* states, float* adjoint, const KernelGradientView& gradient);

}  // namespace imssa
