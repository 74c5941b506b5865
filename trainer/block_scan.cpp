#include "trainer/block_scan.h"

#include <algorithm>

#include "trainer/lane_sums.h"

namespace imssa {

namespace {

constexpr int kBlocksAtOnce = 2;

/// Heads of a block lie side by side, blocks far apart: too short runs for the machine to see.
inline void prefetch_next_head(const float* place) {
    __builtin_prefetch(place + kBlockWidth);
}

/// The states of the next group of modes, or of the next head, follow. All heads' states together do not stay in the
/// second-level cache from one chunk to the next.
inline void prefetch_next_states(const float* states, std::size_t row) {
    for (std::size_t at = 0; at < row; at += kLaneWidth) {
        __builtin_prefetch(states + row + at);
    }
}

/// x' = pole x + matrix (components x 8) times the inputs of the block, for Modes modes over Blocks consecutive blocks:
/// forward in time, or backward with the conjugate pole. `at` points at the states of the first block's x; the next
/// lies `next` floats further.
template <int Modes, int Blocks>
inline void advance_states(const float* matrix, const float* pole, float sign, const float* const (&in)[Blocks],
                           float* at, std::ptrdiff_t next) {
    constexpr int kComponents = 2 * Modes;
    Lanes sum[Blocks][kComponents] = {};
#pragma GCC unroll 8
    for (int step = 0; step < kBlockSteps; ++step) {
        Lanes value[Blocks];
        for (int block = 0; block < Blocks; ++block) {
            value[block] = load_lanes(in[block] + step * kLaneWidth);
        }
#pragma GCC unroll 8
        for (int component = 0; component < kComponents; ++component) {
            const Lanes weight = broadcast(matrix[component * kBlockSteps + step]);
            for (int block = 0; block < Blocks; ++block) {
                sum[block][component] = multiply_add(weight, value[block], sum[block][component]);
            }
        }
    }
    for (int mode = 0; mode < Modes; ++mode) {
        const Lanes pole_re = broadcast(pole[2 * mode]);
        const Lanes pole_im = broadcast(sign * pole[2 * mode + 1]);
        float* place = at + 2 * mode * kLaneWidth;
        Lanes re = load_lanes(place);
        Lanes im = load_lanes(place + kLaneWidth);
        for (int block = 0; block < Blocks; ++block) {
            const Lanes next_re = multiply_add(pole_re, re, multiply_add(-pole_im, im, sum[block][2 * mode]));
            im = multiply_add(pole_re, im, multiply_add(pole_im, re, sum[block][2 * mode + 1]));
            re = next_re;
            place += next;
            store_lanes(place, re);
            store_lanes(place + kLaneWidth, im);
        }
    }
}

/// States of Modes modes before every block and behind the last, [blocks + 1][components] vectors `row` floats apart.
/// Backward in time: the adjoint behind every block and before the first.
template <int Modes, bool Backward>
void scan_block_states(const float* matrix, const float* pole, const float* in, std::size_t stride, int blocks,
                       float* states, std::size_t row) {
    const auto input = [&](int index) {
        return in + static_cast<std::size_t>(Backward ? blocks - 1 - index : index) * stride;
    };
    const std::ptrdiff_t next = Backward ? -static_cast<std::ptrdiff_t>(row) : static_cast<std::ptrdiff_t>(row);
    float* at = states + (Backward ? static_cast<std::size_t>(blocks) * row : 0);
    const float sign = Backward ? -1.0F : 1.0F;
    int index = 0;
    for (; index + kBlocksAtOnce <= blocks; index += kBlocksAtOnce, at += kBlocksAtOnce * next) {
        const float* const ins[kBlocksAtOnce] = {input(index), input(index + 1)};
        advance_states<Modes, kBlocksAtOnce>(matrix, pole, sign, ins, at, next);
    }
    for (; index < blocks; ++index, at += next) {
        const float* const ins[1] = {input(index)};
        advance_states<Modes, 1>(matrix, pole, sign, ins, at, next);
    }
}

template <bool Backward>
void scan_group_states(int modes, const float* matrix, const float* pole, const float* in, std::size_t stride,
                       int blocks, float* states) {
    const std::size_t row = static_cast<std::size_t>(modes) * 2 * kLaneWidth;
    int mode = 0;
    const auto run = [&](auto scan, int count) {
        for (; mode + count <= modes; mode += count) {
            scan(matrix + 2 * mode * kBlockSteps, pole + 2 * mode, in, stride, blocks, states + 2 * mode * kLaneWidth,
                 row);
        }
    };
    run(scan_block_states<4, Backward>, 4);
    run(scan_block_states<2, Backward>, 2);
    run(scan_block_states<1, Backward>, 1);
}

/// out += matrix^T (8 x components) times the states, and with Toeplitz the triangle times the inputs (the transposed
/// triangle when going backward), for Blocks blocks.
template <int Blocks, bool Backward>
inline void read_states(const float* toeplitz, const float* matrix, int components, const float* in, float* out,
                        std::size_t stride, const float* states, std::size_t row, bool accumulate) {
    Lanes sum[Blocks][kBlockSteps] = {};
    if (accumulate) {
#pragma GCC unroll 2
        for (int block = 0; block < Blocks; ++block) {
#pragma GCC unroll 8
            for (int step = 0; step < kBlockSteps; ++step) {
                sum[block][step] = load_lanes(out + block * stride + step * kLaneWidth);
            }
        }
    }
    if (toeplitz != nullptr) {
#pragma GCC unroll 8
        for (int from = 0; from < kBlockSteps; ++from) {
            Lanes value[Blocks];
            for (int block = 0; block < Blocks; ++block) {
                const std::size_t place = block * stride + from * kLaneWidth;
                value[block] = load_lanes(in + place);
                prefetch_next_head(in + place);
                prefetch_next_head(out + place);
            }
#pragma GCC unroll 8
            for (int lag = 0; lag < (Backward ? from + 1 : kBlockSteps - from); ++lag) {
                const Lanes weight = broadcast(toeplitz[lag]);
                const int to = Backward ? from - lag : from + lag;
                for (int block = 0; block < Blocks; ++block) {
                    sum[block][to] = multiply_add(weight, value[block], sum[block][to]);
                }
            }
        }
    }
    for (int component = 0; component < components; ++component) {
        Lanes value[Blocks];
        for (int block = 0; block < Blocks; ++block) {
            value[block] = load_lanes(states + block * row + component * kLaneWidth);
        }
#pragma GCC unroll 8
        for (int step = 0; step < kBlockSteps; ++step) {
            const Lanes weight = broadcast(matrix[component * kBlockSteps + step]);
            for (int block = 0; block < Blocks; ++block) {
                sum[block][step] = multiply_add(weight, value[block], sum[block][step]);
            }
        }
    }
#pragma GCC unroll 2
    for (int block = 0; block < Blocks; ++block) {
#pragma GCC unroll 8
        for (int step = 0; step < kBlockSteps; ++step) {
            store_lanes(out + block * stride + step * kLaneWidth, sum[block][step]);
        }
    }
}

template <bool Backward>
void read_group(const float* toeplitz, const float* matrix, int modes, const float* in, float* out, std::size_t stride,
                int blocks, const float* states, bool accumulate) {
    const std::size_t row = static_cast<std::size_t>(modes) * 2 * kLaneWidth;
    int block = 0;
    for (; block + kBlocksAtOnce <= blocks; block += kBlocksAtOnce) {
        read_states<kBlocksAtOnce, Backward>(toeplitz, matrix, 2 * modes, in + block * stride, out + block * stride,
                                             stride, states + block * row, row, accumulate);
    }
    for (; block < blocks; ++block) {
        read_states<1, Backward>(toeplitz, matrix, 2 * modes, in + block * stride, out + block * stride, stride,
                                 states + block * row, row, accumulate);
    }
}

inline void add_sums(Lanes (&values)[kLaneWidth], float* to) {
    store_lanes(to, load_lanes(to) + lane_sums(values));
}

/// gradient (2 components x 8 steps) += sum over blocks and lanes of state times value of the step.
void mode_gradient(const float* in, std::size_t stride, int blocks, const float* states, std::size_t row,
                   float* gradient) {
    Lanes sum[kLaneWidth] = {};
    for (int block = 0; block < blocks; ++block) {
        const Lanes re = load_lanes(states + block * row);
        const Lanes im = load_lanes(states + block * row + kLaneWidth);
#pragma GCC unroll 8
        for (int step = 0; step < kBlockSteps; ++step) {
            const Lanes value = load_lanes(in + block * stride + step * kLaneWidth);
            sum[step] = multiply_add(re, value, sum[step]);
            sum[kBlockSteps + step] = multiply_add(im, value, sum[kBlockSteps + step]);
        }
    }
    add_sums(sum, gradient);
}

/// Gradient of a^8 of up to kBlockScanModes modes: sum over blocks of conj(x before) times the adjoint behind.
void pole_gradient(int modes, int blocks, const float* states, const float* adjoints, std::size_t row,
                   float* gradient) {
    Lanes sum[kLaneWidth] = {};
    for (int mode = 0; mode < modes; ++mode) {
        Lanes re = {}, im = {};
        for (int block = 0; block < blocks; ++block) {
            const float* x = states + block * row + 2 * mode * kLaneWidth;
            const float* adjoint = adjoints + (block + 1) * row + 2 * mode * kLaneWidth;
            const Lanes x_re = load_lanes(x), x_im = load_lanes(x + kLaneWidth);
            const Lanes l_re = load_lanes(adjoint), l_im = load_lanes(adjoint + kLaneWidth);
            re = multiply_add(l_re, x_re, multiply_add(l_im, x_im, re));
            im = multiply_add(l_im, x_re, multiply_add(-l_re, x_im, im));
        }
        sum[2 * mode] = re;
        sum[2 * mode + 1] = im;
    }
    const Lanes sums = lane_sums(sum);
    for (int component = 0; component < 2 * modes; ++component) {
        gradient[component] += sums[component];
    }
}

void toeplitz_gradient(const float* u, std::size_t u_stride, const float* y_gradient, std::size_t stride, int blocks,
                       float* gradient) {
    Lanes sum[kLaneWidth] = {};  // two sums a lag, so that they wait less for each other
    for (int block = 0; block < blocks; ++block) {
        Lanes dy[kBlockSteps];
#pragma GCC unroll 8
        for (int step = 0; step < kBlockSteps; ++step) {
            dy[step] = load_lanes(y_gradient + block * stride + step * kLaneWidth);
        }
#pragma GCC unroll 8
        for (int from = 0; from < kBlockSteps; ++from) {
            const float* place = u + block * u_stride + from * kLaneWidth;
            const Lanes input = load_lanes(place);
            prefetch_next_head(place);
#pragma GCC unroll 8
            for (int to = from; to < kBlockSteps; ++to) {
                Lanes& part = sum[to - from + (from % 2) * kBlockSteps];
                part = multiply_add(input, dy[to], part);
            }
        }
    }
    const Lanes sums = lane_sums(sum);
    for (int lag = 0; lag < kBlockSteps; ++lag) {
        gradient[lag] += sums[lag] + sums[lag + kBlockSteps];
    }
}

}  // namespace

void block_scan_forward(const BlockKernelLayout& layout, const float* matrices, const float* u, float* y,
                        std::size_t stride, int blocks, const float* state_in, float* state_out, float* scratch) {
    for (int first = 0; first < layout.modes; first += kBlockScanModes) {
        const int modes = std::min(kBlockScanModes, layout.modes - first);
        const std::size_t row = static_cast<std::size_t>(modes) * 2 * kLaneWidth;
        const int place = 2 * first * kBlockSteps;
        std::copy_n(state_in + 2 * first * kLaneWidth, row, scratch);
        prefetch_next_states(state_in + 2 * first * kLaneWidth, row);
        if (state_out != state_in) {
            prefetch_next_states(state_out + 2 * first * kLaneWidth, row);
        }
        scan_group_states<false>(modes, matrices + layout.write() + place,
                                 matrices + BlockKernelLayout::pole() + 2 * first, u, stride, blocks, scratch);
        std::copy_n(scratch + static_cast<std::size_t>(blocks) * row, row, state_out + 2 * first * kLaneWidth);
        read_group<false>(first == 0 ? matrices : nullptr, matrices + layout.read() + place, modes, u, y, stride,
                          blocks, scratch, first > 0);
    }
}

void block_scan_backward(const BlockKernelLayout& layout, const float* matrices, const float* u, std::size_t u_stride,
                         const float* y_gradient, float* u_gradient, std::size_t stride, int blocks,
                         const float* state_in, float* adjoint, float* scratch, float* matrices_gradient) {
    toeplitz_gradient(u, u_stride, y_gradient, stride, blocks, matrices_gradient);
    float* states = scratch;
    float* adjoints = scratch + kBlockScratch / 2;
    for (int first = 0; first < layout.modes; first += kBlockScanModes) {
        const int modes = std::min(kBlockScanModes, layout.modes - first);
        const std::size_t row = static_cast<std::size_t>(modes) * 2 * kLaneWidth;
        const int place = 2 * first * kBlockSteps;
        const float* pole = matrices + BlockKernelLayout::pole() + 2 * first;
        const float* read = matrices + layout.read() + place;
        const float* write = matrices + layout.write() + place;
        std::copy_n(state_in + 2 * first * kLaneWidth, row, states);
        prefetch_next_states(state_in + 2 * first * kLaneWidth, row);
        scan_group_states<false>(modes, write, pole, u, u_stride, blocks, states);
        float* carried = adjoint + 2 * first * kLaneWidth;
        std::copy_n(carried, row, adjoints + static_cast<std::size_t>(blocks) * row);
        prefetch_next_states(carried, row);
        scan_group_states<true>(modes, read, pole, y_gradient, stride, blocks, adjoints);
        std::copy_n(adjoints, row, carried);
        read_group<true>(first == 0 ? matrices : nullptr, write, modes, y_gradient, u_gradient, stride, blocks,
                         adjoints + row, true);
        pole_gradient(modes, blocks, states, adjoints, row, matrices_gradient + BlockKernelLayout::pole() + 2 * first);
        for (int mode = 0; mode < modes; ++mode) {
            float* to = matrices_gradient + place + 2 * mode * kBlockSteps;
            mode_gradient(y_gradient, stride, blocks, states + 2 * mode * kLaneWidth, row, to + layout.read());
            mode_gradient(u, u_stride, blocks, adjoints + row + 2 * mode * kLaneWidth, row, to + layout.write());
        }
    }
}

}  // namespace imssa
