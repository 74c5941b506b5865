#include "trainer/kernel_scan.h"

#include "trainer/lane_buffer.h"
#include "trainer/mode_group.h"

namespace imssa {

namespace {

template <int Modes>
void states_group(const KernelView& kernel, int first, const float* u, std::size_t stride, int blocks,
                  const float* state_in, float* states) {
    const GroupConstants<Modes> k(kernel, first);
    GroupState<Modes> x;
    x.load(state_in + 2 * first * kLaneWidth);
    x.store(states);
    for (int block = 0; block < blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            const Lanes input = load_lanes(u + block * stride + step * kLaneWidth);
#pragma GCC unroll 8
            for (int mode = 0; mode < Modes; ++mode) {
                const Lanes re = multiply_add(splat(k.minus_a_im[mode]), x.im[mode],
                                              multiply_add(splat(k.a_re[mode]), x.re[mode], input));
                x.im[mode] = multiply_add(splat(k.a_re[mode]), x.im[mode], splat(k.a_im[mode]) * x.re[mode]);
                x.re[mode] = re;
            }
            states += 2 * Modes * kLaneWidth;
            x.store(states);
        }
    }
}

}  // namespace

KernelView kernel_view(const EffectiveNetwork& network, int layer, int head) {
    const EffectiveLayerTensors& tensors = network.tensors.layers[static_cast<std::size_t>(layer)];
    const int modes = network.config.modes();
    const std::size_t first = static_cast<std::size_t>(head) * modes;
    KernelView view;
    view.modes = modes;
    view.a_re = tensors.a_re.data() + first;
    view.a_im = tensors.a_im.data() + first;
    view.b_re = tensors.b_re.data() + first;
    view.b_im = tensors.b_im.data() + first;
    view.c_re = tensors.c_re.data() + first;
    view.c_im = tensors.c_im.data() + first;
    view.d = tensors.d[static_cast<std::size_t>(head)];
    view.output_reads_previous_state = network.output_reads_previous_state;
    view.input_is_folded = network.input_is_folded;
    return view;
}

KernelGradientView kernel_gradient_view(EffectiveTensors& gradient, int layer, int head, int modes) {
    EffectiveLayerTensors& tensors = gradient.layers[static_cast<std::size_t>(layer)];
    const std::size_t first = static_cast<std::size_t>(head) * modes;
    KernelGradientView view;
    view.a_re = tensors.a_re.data() + first;
    view.a_im = tensors.a_im.data() + first;
    view.b_re = tensors.b_re.data() + first;
    view.b_im = tensors.b_im.data() + first;
    view.c_re = tensors.c_re.data() + first;
    view.c_im = tensors.c_im.data() + first;
    view.d = tensors.d.data() + head;
    return view;
}

void scan_states(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t stride, int blocks,
                 const float* state_in, float* states) {
    switch (count) {
        case 4:
            states_group<4>(kernel, first_mode, u, stride, blocks, state_in, states);
            break;
        case 2:
            states_group<2>(kernel, first_mode, u, stride, blocks, state_in, states);
            break;
        default:
            states_group<1>(kernel, first_mode, u, stride, blocks, state_in, states);
            break;
    }
}

}  // namespace imssa
