#include "trainer/kernel_scan.h"

#include "trainer/lane_buffer.h"
#include "trainer/lane_sums.h"

namespace imssa {

namespace {

/// Constants of a group of modes. They are read from memory in every step (one broadcast operand an instruction): the
/// barrier in the scans keeps the compiler from copying them all into registers and spilling states instead.
template <int Modes>
struct GroupConstants {
    float a_re[Modes], a_im[Modes], minus_a_im[Modes], c_re[Modes], c_im[Modes];

    GroupConstants(const KernelView& kernel, int first) {
        for (int mode = 0; mode < Modes; ++mode) {
            a_re[mode] = kernel.a_re[first + mode];
            a_im[mode] = kernel.a_im[first + mode];
            minus_a_im[mode] = -a_im[mode];
            c_re[mode] = kernel.c_re[first + mode];
            c_im[mode] = kernel.c_im[first + mode];
        }
    }
};

inline void keep_constants_in_memory() {
    asm volatile("" ::: "memory");
}

template <int Modes>
struct GroupState {
    Lanes re[Modes], im[Modes];

    void load(const float* from) {
        for (int mode = 0; mode < Modes; ++mode) {
            re[mode] = load_lanes(from + (2 * mode) * kLaneWidth);
            im[mode] = load_lanes(from + (2 * mode + 1) * kLaneWidth);
        }
    }
    void store(float* to) const {
        for (int mode = 0; mode < Modes; ++mode) {
            store_lanes(to + (2 * mode) * kLaneWidth, re[mode]);
            store_lanes(to + (2 * mode + 1) * kLaneWidth, im[mode]);
        }
    }
};

template <int Modes>
void forward_group(const KernelView& kernel, int first, const float* u, float* y, std::size_t stride, int blocks,
                   const float* state_in, float* state_out) {
    const GroupConstants<Modes> constants(kernel, first);
    GroupState<Modes> x;
    x.load(state_in + 2 * first * kLaneWidth);
    const float d = kernel.d;
    for (int block = 0; block < blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            keep_constants_in_memory();
            const GroupConstants<Modes>& k = constants;
            const Lanes input = load_lanes(u + block * stride + step * kLaneWidth);
            float* out = y + block * stride + step * kLaneWidth;
            Lanes sum[2] = {first == 0 ? input * d : load_lanes(out), Lanes{}};
#pragma GCC unroll 8
            for (int mode = 0; mode < Modes; ++mode) {
                const Lanes re = multiply_add(broadcast(k.minus_a_im[mode]), x.im[mode],
                                              multiply_add(broadcast(k.a_re[mode]), x.re[mode], input));
                const Lanes im =
                    multiply_add(broadcast(k.a_re[mode]), x.im[mode], broadcast(k.a_im[mode]) * x.re[mode]);
                x.re[mode] = re;
                x.im[mode] = im;
                Lanes& part = sum[mode % 2];
                part = multiply_add(broadcast(k.c_re[mode]), re, multiply_add(broadcast(k.c_im[mode]), im, part));
            }
            store_lanes(out, sum[0] + sum[1]);
        }
    }
    x.store(state_out + 2 * first * kLaneWidth);
}

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
                const Lanes re = multiply_add(broadcast(k.minus_a_im[mode]), x.im[mode],
                                              multiply_add(broadcast(k.a_re[mode]), x.re[mode], input));
                x.im[mode] = multiply_add(broadcast(k.a_re[mode]), x.im[mode], broadcast(k.a_im[mode]) * x.re[mode]);
                x.re[mode] = re;
            }
            states += 2 * Modes * kLaneWidth;
            x.store(states);
        }
    }
}

template <int Modes, bool PreviousState, bool TrainedInput>
void backward_group(const KernelView& kernel, int first, const float* u, const float* y_gradient, float* u_gradient,
                    std::size_t stride, int blocks, const float* states, float* adjoint,
                    const KernelGradientView& gradient) {
    const GroupConstants<Modes> k(kernel, first);
    float b_re[Modes], b_im[Modes];
    for (int mode = 0; mode < Modes; ++mode) {
        b_re[mode] = kernel.b_re[first + mode];
        b_im[mode] = kernel.b_im[first + mode];
    }
    GroupState<Modes> carried;  // a^T lambda_{t+1}, and c^T dy_{t+1} when outputs read the previous state
    carried.load(adjoint + 2 * first * kLaneWidth);
    Lanes da_re[Modes] = {}, da_im[Modes] = {}, db_re[Modes] = {}, db_im[Modes] = {}, dc_re[Modes] = {},
          dc_im[Modes] = {};
    Lanes dd = {};
    const float d = kernel.d;
    for (int block = blocks - 1; block >= 0; --block) {
        for (int step = kBlockSteps - 1; step >= 0; --step) {
            const int t = block * kBlockSteps + step;
            const Lanes dy = load_lanes(y_gradient + block * stride + step * kLaneWidth);
            float* du_at = u_gradient + block * stride + step * kLaneWidth;
            Lanes du = load_lanes(du_at);
            const float* before = states + static_cast<std::size_t>(t) * 2 * Modes * kLaneWidth;
            const float* after = before + 2 * Modes * kLaneWidth;
            const float* read = PreviousState ? before : after;
            Lanes input = {};
            if (TrainedInput || first == 0) {
                input = load_lanes(u + block * stride + step * kLaneWidth);
            }
            if (first == 0) {
                du = multiply_add(broadcast(d), dy, du);
                dd = multiply_add(dy, input, dd);
            }
            Lanes pull = {};
#pragma GCC unroll 4
            for (int mode = 0; mode < Modes; ++mode) {
                Lanes re = carried.re[mode], im = carried.im[mode];
                if (!PreviousState) {
                    re = multiply_add(broadcast(k.c_re[mode]), dy, re);
                    im = multiply_add(broadcast(k.c_im[mode]), dy, im);
                }
                const Lanes x_re = load_lanes(before + (2 * mode) * kLaneWidth);
                const Lanes x_im = load_lanes(before + (2 * mode + 1) * kLaneWidth);
                da_re[mode] = multiply_add(re, x_re, multiply_add(im, x_im, da_re[mode]));
                da_im[mode] = multiply_add(im, x_re, multiply_add(-re, x_im, da_im[mode]));
                dc_re[mode] = multiply_add(dy, load_lanes(read + (2 * mode) * kLaneWidth), dc_re[mode]);
                dc_im[mode] = multiply_add(dy, load_lanes(read + (2 * mode + 1) * kLaneWidth), dc_im[mode]);
                if (TrainedInput) {
                    du = multiply_add(broadcast(b_re[mode]), re, multiply_add(broadcast(b_im[mode]), im, du));
                    db_re[mode] = multiply_add(input, re, db_re[mode]);
                    db_im[mode] = multiply_add(input, im, db_im[mode]);
                } else {
                    pull = pull + re;
                }
                Lanes next_re = broadcast(k.a_re[mode]) * re;
                Lanes next_im = broadcast(k.a_re[mode]) * im;
                if (PreviousState) {
                    next_re = multiply_add(broadcast(k.c_re[mode]), dy, next_re);
                    next_im = multiply_add(broadcast(k.c_im[mode]), dy, next_im);
                }
                carried.re[mode] = multiply_add(broadcast(k.a_im[mode]), im, next_re);
                carried.im[mode] = multiply_add(broadcast(k.minus_a_im[mode]), re, next_im);
            }
            store_lanes(du_at, TrainedInput ? du : multiply_add(broadcast(b_re[0]), pull, du));
        }
    }
    carried.store(adjoint + 2 * first * kLaneWidth);
    for (int mode = 0; mode < Modes; ++mode) {
        gradient.a_re[first + mode] += lane_sum(da_re[mode]);
        gradient.a_im[first + mode] += lane_sum(da_im[mode]);
        gradient.c_re[first + mode] += lane_sum(dc_re[mode]);
        gradient.c_im[first + mode] += lane_sum(dc_im[mode]);
        if (TrainedInput) {
            gradient.b_re[first + mode] += lane_sum(db_re[mode]);
            gradient.b_im[first + mode] += lane_sum(db_im[mode]);
        }
    }
    if (first == 0) {
        *gradient.d += lane_sum(dd);
    }
}

template <int Modes, class... Arguments>
void backward_dispatch(const KernelView& kernel, Arguments&&... arguments) {
    if (kernel.output_reads_previous_state) {
        if (kernel.input_is_folded) {
            backward_group<Modes, true, false>(kernel, arguments...);
        } else {
            backward_group<Modes, true, true>(kernel, arguments...);
        }
    } else if (kernel.input_is_folded) {
        backward_group<Modes, false, false>(kernel, arguments...);
    } else {
        backward_group<Modes, false, true>(kernel, arguments...);
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

void scan_forward(const KernelView& kernel, const float* u, float* y, std::size_t stride, int blocks,
                  const float* state_in, float* state_out) {
    int first = 0;
    for (; first + 8 <= kernel.modes; first += 8) {
        forward_group<8>(kernel, first, u, y, stride, blocks, state_in, state_out);
    }
    for (; first + 4 <= kernel.modes; first += 4) {
        forward_group<4>(kernel, first, u, y, stride, blocks, state_in, state_out);
    }
    for (; first + 2 <= kernel.modes; first += 2) {
        forward_group<2>(kernel, first, u, y, stride, blocks, state_in, state_out);
    }
    for (; first < kernel.modes; ++first) {
        forward_group<1>(kernel, first, u, y, stride, blocks, state_in, state_out);
    }
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

void scan_backward(const KernelView& kernel, int first_mode, int count, const float* u, const float* y_gradient,
                   float* u_gradient, std::size_t stride, int blocks, const float* states, float* adjoint,
                   const KernelGradientView& gradient) {
    switch (count) {
        case 4:
            backward_dispatch<4>(kernel, first_mode, u, y_gradient, u_gradient, stride, blocks, states, adjoint,
                                 gradient);
            break;
        case 2:
            backward_dispatch<2>(kernel, first_mode, u, y_gradient, u_gradient, stride, blocks, states, adjoint,
                                 gradient);
            break;
        default:
            backward_dispatch<1>(kernel, first_mode, u, y_gradient, u_gradient, stride, blocks, states, adjoint,
                                 gradient);
            break;
    }
}

}  // namespace imssa
