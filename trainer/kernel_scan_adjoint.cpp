#include <cmath>
#include <cstddef>
#include <type_traits>

#include "trainer/kernel_scan.h"
#include "trainer/lane_buffer.h"
#include "trainer/lane_sums.h"
#include "trainer/mode_group.h"
#include "trainer/packed_scan.h"

namespace imssa {

namespace {

struct ComplexLanes {
    Lanes re, im;
};
struct ComplexSum {
    float re, im;
};

/// The state of mode `mode` of a row, which holds those of all modes at one step, from any layout.
inline ComplexLanes state_at(const float* row, int mode) {
    const float* at = row + 2 * mode * kLaneWidth;
    return {load_lanes(at), load_lanes(at + kLaneWidth)};
}
inline ComplexLanes state_at(const CodePair* row, int mode) {
    ComplexLanes state;
    load_code_pairs(row + mode * kLaneWidth, state.re, state.im);
    return state;
}
/// Of integers: 2^16 times the state, whose halves are both read from the upper place.
inline ComplexLanes state_at(const std::int32_t* row, int mode) {
    const LanesUint pair = reinterpret_cast<LanesUint>(load_lanes_int(row + mode * kLaneWidth));
    return {to_float(reinterpret_cast<LanesInt>(pair << 16)), to_float(reinterpret_cast<LanesInt>(pair & kUpperHalf))};
}

/// Numbers of a state of 16 sequences.
template <class States>
constexpr std::size_t kStateSize = std::is_same<States, float>::value ? 2 * kLaneWidth : kLaneWidth;
/// What one stands for in state_at.
template <class States>
constexpr float kStateUnit = std::is_same<States, std::int32_t>::value ? 0x1p-16F : 1.0F;

/// How B comes into a backward scan: one real constant of all modes, which is not trained; trained; or trained and
/// multiplied into the adjoint, so that the real part of mu = B lambda is the input's gradient (mu obeys the recurrence
/// of lambda with B C for C) and the sums of its products are divided by B at the end.
enum class InputGain { shared, trained, in_adjoint };

/// Below this magnitude B is not divided by.
constexpr double kLeastDivisor = 1e-12;

/// The backward scan of a group of modes. Every state is read once: x_t meets dy_t (gradient of c) and the adjoint of
/// the step behind, lambda_{t+1} (gradient of a); or, when outputs read the previous state, x_{t-1} meets dy_t and
/// lambda_t.
template <int Modes, bool PreviousState, InputGain Gain>
struct BackwardGroup {
    GroupConstants<Modes> k;
    float b_re[Modes], b_im[Modes];
    GroupState<Modes> adjoint;  // lambda of the step behind; for previous states a^T lambda + c^T dy of the step behind
    Lanes da_re[Modes] = {}, da_im[Modes] = {}, db_re[Modes] = {}, db_im[Modes] = {}, dc_re[Modes] = {},
          dc_im[Modes] = {};

    BackwardGroup(const KernelView& kernel, int first) : k(kernel, first) {
        for (int mode = 0; mode < Modes; ++mode) {
            b_re[mode] = kernel.b_re[first + mode];
            b_im[mode] = kernel.b_im[first + mode];
            if constexpr (Gain == InputGain::in_adjoint) {
                const float c_re = k.c_re[mode], c_im = k.c_im[mode];
                k.c_re[mode] = b_re[mode] * c_re + b_im[mode] * c_im;
                k.c_im[mode] = b_re[mode] * c_im - b_im[mode] * c_re;
            }
        }
    }

    void add_pole_gradient(int mode, const ComplexLanes& x, Lanes re, Lanes im) {
        da_re[mode] = multiply_add(re, x.re, multiply_add(im, x.im, da_re[mode]));
        da_im[mode] = multiply_add(im, x.re, multiply_add(-re, x.im, da_im[mode]));
    }

    void add_output_gradient(int mode, const ComplexLanes& x, Lanes dy) {
        dc_re[mode] = multiply_add(dy, x.re, dc_re[mode]);
        dc_im[mode] = multiply_add(dy, x.im, dc_im[mode]);
    }

    /// a^T lambda.
    ComplexLanes pulled_back(int mode, Lanes re, Lanes im, Lanes start_re, Lanes start_im) const {
        return {multiply_add(splat(k.a_im[mode]), im, start_re), multiply_add(splat(k.minus_a_im[mode]), re, start_im)};
    }

    /// lambda_t of one mode, and what it adds to the gradients of a and c. `row`: the states that meet dy_t. `Latest`:
    /// the last step of the chunk, whose adjoint from behind comes as a^T lambda.
    template <bool Latest, class States>
    ComplexLanes step(const States* row, int mode, Lanes dy) {
        const ComplexLanes x = state_at(row, mode);
        add_output_gradient(mode, x, dy);
        const Lanes re = adjoint.re[mode], im = adjoint.im[mode];
        if constexpr (PreviousState) {
            add_pole_gradient(mode, x, re, im);
            const ComplexLanes next =
                pulled_back(mode, re, im, multiply_add(splat(k.c_re[mode]), dy, splat(k.a_re[mode]) * re),
                            multiply_add(splat(k.c_im[mode]), dy, splat(k.a_re[mode]) * im));
            adjoint.re[mode] = next.re;
            adjoint.im[mode] = next.im;
            return {re, im};
        } else {
            ComplexLanes carried{re, im};
            if constexpr (!Latest) {
                add_pole_gradient(mode, x, re, im);
                carried = pulled_back(mode, re, im, splat(k.a_re[mode]) * re, splat(k.a_re[mode]) * im);
            }
            adjoint.re[mode] = multiply_add(splat(k.c_re[mode]), dy, carried.re);
            adjoint.im[mode] = multiply_add(splat(k.c_im[mode]), dy, carried.im);
            return {adjoint.re[mode], adjoint.im[mode]};
        }
    }

    /// All modes at one step; returns the input's gradient, `du` before.
    template <bool Latest, class States>
    Lanes all_modes(const States* row, Lanes dy, Lanes input, Lanes du) {
        Lanes pull = Gain == InputGain::in_adjoint ? du : Lanes{};
#pragma GCC unroll 2
        for (int mode = 0; mode < Modes; ++mode) {
            const ComplexLanes lambda = step<Latest>(row, mode, dy);
            if constexpr (Gain == InputGain::trained) {
                du = multiply_add(splat(b_re[mode]), lambda.re, multiply_add(splat(b_im[mode]), lambda.im, du));
            } else {
                pull = pull + lambda.re;
            }
            if constexpr (Gain != InputGain::shared) {
                db_re[mode] = multiply_add(input, lambda.re, db_re[mode]);
                db_im[mode] = multiply_add(input, lambda.im, db_im[mode]);
            }
        }
        switch (Gain) {
            case InputGain::shared:
                return multiply_add(splat(b_re[0]), pull, du);
            case InputGain::in_adjoint:
                return pull;
            default:
                return du;
        }
    }

    /// The state ahead of the first step, and a^T lambda for the chunk before.
    template <class States>
    void finish(const States* states) {
        for (int mode = 0; mode < Modes && !PreviousState; ++mode) {
            const Lanes re = adjoint.re[mode], im = adjoint.im[mode];
            add_pole_gradient(mode, state_at(states, mode), re, im);
            const ComplexLanes carried = pulled_back(mode, re, im, splat(k.a_re[mode]) * re, splat(k.a_re[mode]) * im);
            adjoint.re[mode] = carried.re;
            adjoint.im[mode] = carried.im;
        }
    }

    /// Sums of products with lambda from those with mu: re - i im is linear in the adjoint re - i im.
    ComplexSum over_b(int mode, ComplexSum sum) const {
        if constexpr (Gain != InputGain::in_adjoint) {
            return sum;
        }
        const double re = b_re[mode], im = b_im[mode], square = re * re + im * im;
        return {static_cast<float>((sum.re * re - sum.im * im) / square),
                static_cast<float>((sum.re * im + sum.im * re) / square)};
    }

    /// `units`: numbers per unit of each mode's states, which are in `state_unit`.
    void add_to(const KernelGradientView& gradient, int first, const float* units, float state_unit) const {
        for (int mode = 0; mode < Modes; ++mode) {
            const float unit = state_unit * (units == nullptr ? 1.0F : units[mode]);
            const ComplexSum a = over_b(mode, {lane_sum(da_re[mode]), lane_sum(da_im[mode])});
            gradient.a_re[first + mode] += a.re * unit;
            gradient.a_im[first + mode] += a.im * unit;
            gradient.c_re[first + mode] += lane_sum(dc_re[mode]) * unit;
            gradient.c_im[first + mode] += lane_sum(dc_im[mode]) * unit;
            if constexpr (Gain != InputGain::shared) {
                const ComplexSum b = over_b(mode, {lane_sum(db_re[mode]), lane_sum(db_im[mode])});
                gradient.b_re[first + mode] += b.re;
                gradient.b_im[first + mode] += b.im;
            }
        }
    }
};

/// `row_size`: numbers in a row of `states`, which begin with those of mode `first`.
template <int Modes, bool PreviousState, InputGain Gain, class States>
void backward_group(const KernelView& kernel, int first, const float* u, std::size_t u_stride, const float* y_gradient,
                    float* u_gradient, std::size_t stride, int blocks, const States* states, std::size_t row_size,
                    float* adjoint, const KernelGradientView& gradient, const float* units) {
    BackwardGroup<Modes, PreviousState, Gain> group(kernel, first);
    group.adjoint.load(adjoint + 2 * first * kLaneWidth);
    Lanes dd = {};
    const Lanes d = splat(kernel.d);
    const auto run_step = [&](int block, int step, const States* row, auto latest) {
        const std::size_t at = static_cast<std::size_t>(block) * stride + static_cast<std::size_t>(step) * kLaneWidth;
        const Lanes dy = load_lanes(y_gradient + at);
        Lanes du = load_lanes(u_gradient + at);
        Lanes input = {};
        if (Gain != InputGain::shared || first == 0) {
            input = load_lanes(u + static_cast<std::size_t>(block) * u_stride + step * kLaneWidth);
        }
        if (first == 0) {
            du = multiply_add(d, dy, du);
            dd = multiply_add(dy, input, dd);
        }
        store_lanes(u_gradient + at, group.template all_modes<decltype(latest)::value>(row, dy, input, du));
    };
    const std::size_t last = static_cast<std::size_t>(blocks) * kBlockSteps - 1;
    const States* row = states + (PreviousState ? last : last + 1) * row_size;
    run_step(blocks - 1, kBlockSteps - 1, row, std::true_type{});
    for (int block = blocks - 1; block >= 0; --block) {
        for (int step = block == blocks - 1 ? kBlockSteps - 2 : kBlockSteps - 1; step >= 0; --step) {
            row -= row_size;
            run_step(block, step, row, std::false_type{});
        }
    }
    group.finish(states);
    group.adjoint.store(adjoint + 2 * first * kLaneWidth);
    group.add_to(gradient, first, units, kStateUnit<States>);
    if (first == 0) {
        *gradient.d += lane_sum(dd);
    }
}

/// Whether B of the modes can be divided by.
bool divides(const KernelView& kernel, int first, int count) {
    bool all = true;
    for (int mode = first; mode < first + count; ++mode) {
        all = all && std::hypot(kernel.b_re[mode], kernel.b_im[mode]) > kLeastDivisor;
    }
    return all;
}

template <int Modes, class... Arguments>
void backward_dispatch(const KernelView& kernel, int first, Arguments&&... arguments) {
    if (kernel.output_reads_previous_state) {
        if (kernel.input_is_folded) {
            backward_group<Modes, true, InputGain::shared>(kernel, first, arguments...);
        } else {
            backward_group<Modes, true, InputGain::trained>(kernel, first, arguments...);
        }
    } else if (kernel.input_is_folded) {
        backward_group<Modes, false, InputGain::shared>(kernel, first, arguments...);
    } else if (divides(kernel, first, Modes)) {
        backward_group<Modes, false, InputGain::in_adjoint>(kernel, first, arguments...);
    } else {
        backward_group<Modes, false, InputGain::trained>(kernel, first, arguments...);
    }
}

/// Two modes at a time: their constants, adjoints and sums stay in registers.
template <class States>
void scan_backward_from(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t u_stride,
                        const float* y_gradient, float* u_gradient, std::size_t stride, int blocks,
                        const States* states, float* adjoint, const KernelGradientView& gradient, const float* units) {
    const std::size_t row_size = static_cast<std::size_t>(count) * kStateSize<States>;
    const auto run = [&](int index, auto modes) {
        backward_dispatch<decltype(modes)::value>(
            kernel, first_mode + index, u, u_stride, y_gradient, u_gradient, stride, blocks,
            states + static_cast<std::size_t>(index) * kStateSize<States>, row_size, adjoint, gradient,
            units == nullptr ? nullptr : units + index);
    };
    int index = 0;
    for (; index + 2 <= count; index += 2) {
        run(index, std::integral_constant<int, 2>{});
    }
    if (index < count) {
        run(index, std::integral_constant<int, 1>{});
    }
}

}  // namespace

void scan_backward(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t u_stride,
                   const float* y_gradient, float* u_gradient, std::size_t stride, int blocks, const float* states,
                   float* adjoint, const KernelGradientView& gradient, const float* units) {
    scan_backward_from(kernel, first_mode, count, u, u_stride, y_gradient, u_gradient, stride, blocks, states, adjoint,
                       gradient, units);
}

void scan_backward(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t u_stride,
                   const float* y_gradient, float* u_gradient, std::size_t stride, int blocks, const CodePair* states,
                   float* adjoint, const KernelGradientView& gradient, const float* units) {
    scan_backward_from(kernel, first_mode, count, u, u_stride, y_gradient, u_gradient, stride, blocks, states, adjoint,
                       gradient, units);
}

void scan_backward(const KernelView& kernel, int first_mode, int count, const float* u, std::size_t u_stride,
                   const float* y_gradient, float* u_gradient, std::size_t stride, int blocks,
                   const std::int32_t* states, float* adjoint, const KernelGradientView& gradient) {
    scan_backward_from(kernel, first_mode, count, u, u_stride, y_gradient, u_gradient, stride, blocks, states, adjoint,
                       gradient, nullptr);
}

}  // namespace imssa
