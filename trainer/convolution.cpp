#include "trainer/convolution.h"

#include <algorithm>
#include <complex>

#include "trainer/lane_sums.h"

namespace imssa {

namespace {

using Complex = std::complex<double>;

/// Block of a head, counted from the one that `at` points to (signed: lags reach back).
inline const float* block_at(const float* at, std::size_t stride, int index) {
    return at + static_cast<std::ptrdiff_t>(stride) * index;
}

/// sum[block][to] += response[8 lag + to - from] in[block][from], or with the transposed Toeplitz block.
template <int Blocks, bool Transposed>
inline void multiply_toeplitz(const float* response, const float* const (&in)[Blocks],
                              Lanes (&sum)[Blocks][kBlockSteps]) {
#pragma GCC unroll 8
    for (int from = 0; from < kBlockSteps; ++from) {
        Lanes value[Blocks];
        for (int block = 0; block < Blocks; ++block) {
            value[block] = load_lanes(in[block] + from * kLaneWidth);
        }
#pragma GCC unroll 8
        for (int to = 0; to < kBlockSteps; ++to) {
            const Lanes weight = broadcast(response[Transposed ? from - to : to - from]);
            for (int block = 0; block < Blocks; ++block) {
                sum[block][to] = multiply_add(weight, value[block], sum[block][to]);
            }
        }
    }
}

/// Modes that run through time side by side, in double.
constexpr int kModes = 8;

struct ModeGroup {
    double a_re[kModes] = {}, a_im[kModes] = {}, b_re[kModes] = {}, b_im[kModes] = {}, c_re[kModes] = {},
           c_im[kModes] = {};

    ModeGroup(const KernelView& kernel, int first) {
        for (int n = 0; n < kModes && first + n < kernel.modes; ++n) {
            a_re[n] = kernel.a_re[first + n];
            a_im[n] = kernel.a_im[first + n];
            b_re[n] = kernel.b_re[first + n];
            b_im[n] = kernel.b_im[first + n];
            c_re[n] = kernel.c_re[first + n];
            c_im[n] = kernel.c_im[first + n];
        }
    }
};

template <int Blocks>
void store_sums(const Lanes (&sum)[Blocks][kBlockSteps], float* to, std::size_t stride) {
    for (int block = 0; block < Blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            store_lanes(to + block * stride + step * kLaneWidth, sum[block][step]);
        }
    }
}

}  // namespace

void impulse_response(const KernelView& kernel, int steps, float* response) {
    std::fill_n(response, steps, 0.0F);
    for (int first = 0; first < kernel.modes; first += kModes) {
        const ModeGroup group(kernel, first);
        double re[kModes], im[kModes];  // c a^m b
        for (int n = 0; n < kModes; ++n) {
            re[n] = group.c_re[n] * group.b_re[n] + group.c_im[n] * group.b_im[n];
            im[n] = group.c_re[n] * group.b_im[n] - group.c_im[n] * group.b_re[n];
        }
        for (int lag = 0; lag < steps; ++lag) {
            double sum = 0.0;
            for (int n = 0; n < kModes; ++n) {
                sum += re[n];
                const double next = re[n] * group.a_re[n] - im[n] * group.a_im[n];
                im[n] = re[n] * group.a_im[n] + im[n] * group.a_re[n];
                re[n] = next;
            }
            response[lag] += static_cast<float>(sum);
        }
    }
}

void impulse_response_gradient(const KernelView& kernel, int steps, const float* response_gradient,
                               const KernelGradientView& gradient) {
    for (int first = 0; first < kernel.modes; first += kModes) {
        const ModeGroup group(kernel, first);
        // sum of dk_m a^m by Horner's rule, and its derivative with respect to a
        double s_re[kModes] = {}, s_im[kModes] = {}, d_re[kModes] = {}, d_im[kModes] = {};
        for (int lag = steps - 1; lag >= 0; --lag) {
            const double dk = response_gradient[lag];
            for (int n = 0; n < kModes; ++n) {
                const double a_re = group.a_re[n], a_im = group.a_im[n];
                const double next_d = d_re[n] * a_re - d_im[n] * a_im + s_re[n];
                d_im[n] = d_re[n] * a_im + d_im[n] * a_re + s_im[n];
                d_re[n] = next_d;
                const double next_s = s_re[n] * a_re - s_im[n] * a_im + dk;
                s_im[n] = s_re[n] * a_im + s_im[n] * a_re;
                s_re[n] = next_s;
            }
        }
        for (int n = 0; n < kModes && first + n < kernel.modes; ++n) {
            const Complex b(group.b_re[n], group.b_im[n]);
            const Complex read(group.c_re[n], -group.c_im[n]);
            const Complex sum(s_re[n], s_im[n]), derivative(d_re[n], d_im[n]);
            const Complex states = b * sum;
            const Complex a_gradient = std::conj(read * b * derivative);
            const Complex b_gradient = std::conj(read * sum);
            const int mode = first + n;
            gradient.a_re[mode] += static_cast<float>(a_gradient.real());
            gradient.a_im[mode] += static_cast<float>(a_gradient.imag());
            gradient.b_re[mode] += static_cast<float>(b_gradient.real());
            gradient.b_im[mode] += static_cast<float>(b_gradient.imag());
            gradient.c_re[mode] += static_cast<float>(states.real());
            gradient.c_im[mode] += static_cast<float>(states.imag());
        }
    }
}

void convolve(const float* response, const float* u, std::size_t u_stride, int first, int count, float* y,
              std::size_t y_stride) {
    int block = first;
    for (; block + 2 <= first + count; block += 2, y += 2 * y_stride) {
        Lanes sum[2][kBlockSteps] = {};
        for (int lag = 0; lag <= block; ++lag) {
            const float* const in[2] = {block_at(u, u_stride, block - lag), block_at(u, u_stride, block + 1 - lag)};
            multiply_toeplitz<2, false>(response + lag * kBlockSteps, in, sum);
        }
        Lanes last[1][kBlockSteps];
        std::copy_n(sum[1], kBlockSteps, last[0]);
        const float* const in[1] = {u};
        multiply_toeplitz<1, false>(response + (block + 1) * kBlockSteps, in, last);
        std::copy_n(last[0], kBlockSteps, sum[1]);
        store_sums(sum, y, y_stride);
    }
    if (block < first + count) {
        Lanes sum[1][kBlockSteps] = {};
        for (int lag = 0; lag <= block; ++lag) {
            const float* const in[1] = {block_at(u, u_stride, block - lag)};
            multiply_toeplitz<1, false>(response + lag * kBlockSteps, in, sum);
        }
        store_sums(sum, y, y_stride);
    }
}

void convolve_adjoint(const float* response, const float* y_gradient, std::size_t y_stride, int first, int count,
                      int blocks, float* u_gradient, std::size_t u_stride) {
    int block = first;
    for (; block + 2 <= first + count; block += 2, u_gradient += 2 * u_stride) {
        Lanes sum[2][kBlockSteps] = {};
        for (int lag = 0; block + 1 + lag < blocks; ++lag) {
            const float* const in[2] = {block_at(y_gradient, y_stride, block + lag),
                                        block_at(y_gradient, y_stride, block + 1 + lag)};
            multiply_toeplitz<2, true>(response + lag * kBlockSteps, in, sum);
        }
        Lanes last[1][kBlockSteps];
        std::copy_n(sum[0], kBlockSteps, last[0]);
        const float* const in[1] = {block_at(y_gradient, y_stride, blocks - 1)};
        multiply_toeplitz<1, true>(response + (blocks - 1 - block) * kBlockSteps, in, last);
        std::copy_n(last[0], kBlockSteps, sum[0]);
        store_sums(sum, u_gradient, u_stride);
    }
    if (block < first + count) {
        Lanes sum[1][kBlockSteps] = {};
        for (int lag = 0; block + lag < blocks; ++lag) {
            const float* const in[1] = {block_at(y_gradient, y_stride, block + lag)};
            multiply_toeplitz<1, true>(response + lag * kBlockSteps, in, sum);
        }
        store_sums(sum, u_gradient, u_stride);
    }
}

void response_gradient(const float* u, std::size_t u_stride, const float* y_gradient, std::size_t y_stride, int first,
                       int count, float* gradient) {
    for (int lag = 0; lag < first + count; ++lag) {
        Lanes sum[kLaneWidth] = {};  // sum[7 + to - from]
        for (int block = std::max(first, lag); block < first + count; ++block) {
            const float* out = block_at(y_gradient, y_stride, block);
            const float* in = block_at(u, u_stride, block - lag);
            Lanes dy[kBlockSteps];
#pragma GCC unroll 8
            for (int to = 0; to < kBlockSteps; ++to) {
                dy[to] = load_lanes(out + to * kLaneWidth);
            }
#pragma GCC unroll 8
            for (int from = 0; from < kBlockSteps; ++from) {
                const Lanes value = load_lanes(in + from * kLaneWidth);
#pragma GCC unroll 8
                for (int to = 0; to < kBlockSteps; ++to) {
                    Lanes& part = sum[kBlockSteps - 1 + to - from];
                    part = multiply_add(value, dy[to], part);
                }
            }
        }
        float* place = gradient + lag * kBlockSteps - (kBlockSteps - 1);
        store_lanes(place, load_lanes(place) + lane_sums(sum));
    }
}

}  // namespace imssa
