#include <algorithm>

#include "trainer/block_scan.h"

namespace imssa {

namespace {

constexpr int kPowers = kBlockSteps + 1;

/// a^0 .. a^8 of one mode.
struct Powers {
    float re[kPowers], im[kPowers];

    Powers(float a_re, float a_im) {
        re[0] = 1.0F;
        im[0] = 0.0F;
        for (int power = 1; power < kPowers; ++power) {
            re[power] = re[power - 1] * a_re - im[power - 1] * a_im;
            im[power] = re[power - 1] * a_im + im[power - 1] * a_re;
        }
    }
};

}  // namespace

BlockKernels::BlockKernels(const ModelConfig& config)
    : layout_{config.modes()},
      heads_(config.heads),
      values_(static_cast<std::size_t>(config.layers) * config.heads * layout_.size()) {}

void BlockKernels::prepare(const EffectiveNetwork& network) {
    for (int layer = 0; layer < network.config.layers; ++layer) {
        for (int head = 0; head < heads_; ++head) {
            make_block_kernel(kernel_view(network, layer, head), values_.data() + place(layer, head));
        }
    }
}

void make_block_kernel(const KernelView& kernel, float* matrices) {
    const BlockKernelLayout layout{kernel.modes};
    float* toeplitz = matrices;
    std::fill_n(toeplitz, kBlockSteps, 0.0F);
    toeplitz[0] = kernel.d;
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const Powers a(kernel.a_re[mode], kernel.a_im[mode]);
        const float c_re = kernel.c_re[mode];
        const float c_im = kernel.c_im[mode];
        float* pole = matrices + BlockKernelLayout::pole() + 2 * mode;
        float* read = matrices + layout.read() + 2 * mode * kBlockSteps;
        float* write = matrices + layout.write() + 2 * mode * kBlockSteps;
        pole[0] = a.re[kBlockSteps];
        pole[1] = a.im[kBlockSteps];
        for (int step = 0; step < kBlockSteps; ++step) {
            toeplitz[step] += c_re * a.re[step] + c_im * a.im[step];
            read[step] = c_re * a.re[step + 1] + c_im * a.im[step + 1];
            read[kBlockSteps + step] = c_im * a.re[step + 1] - c_re * a.im[step + 1];
            write[step] = a.re[kBlockSteps - 1 - step];
            write[kBlockSteps + step] = a.im[kBlockSteps - 1 - step];
        }
    }
}

void block_kernel_gradient(const KernelView& kernel, const float* matrices_gradient,
                           const KernelGradientView& gradient) {
    const BlockKernelLayout layout{kernel.modes};
    const float* toeplitz = matrices_gradient;
    *gradient.d += toeplitz[0];
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const Powers a(kernel.a_re[mode], kernel.a_im[mode]);
        const float c_re = kernel.c_re[mode];
        const float c_im = kernel.c_im[mode];
        const float* pole = matrices_gradient + BlockKernelLayout::pole() + 2 * mode;
        const float* read = matrices_gradient + layout.read() + 2 * mode * kBlockSteps;
        const float* write = matrices_gradient + layout.write() + 2 * mode * kBlockSteps;
        float g_re[kPowers] = {}, g_im[kPowers] = {};  // of the powers of a
        float dc_re = 0.0F, dc_im = 0.0F;
        g_re[kBlockSteps] = pole[0];
        g_im[kBlockSteps] = pole[1];
        for (int step = 0; step < kBlockSteps; ++step) {
            const float k = toeplitz[step], re = read[step], im = read[kBlockSteps + step];
            g_re[step] += k * c_re;
            g_im[step] += k * c_im;
            dc_re += k * a.re[step] + re * a.re[step + 1] - im * a.im[step + 1];
            dc_im += k * a.im[step] + re * a.im[step + 1] + im * a.re[step + 1];
            g_re[step + 1] += re * c_re + im * c_im;
            g_im[step + 1] += re * c_im - im * c_re;
            g_re[kBlockSteps - 1 - step] += write[step];
            g_im[kBlockSteps - 1 - step] += write[kBlockSteps + step];
        }
        float da_re = 0.0F, da_im = 0.0F;
        for (int power = kBlockSteps; power > 0; --power) {
            const float re = g_re[power], im = g_im[power];
            da_re += re * a.re[power - 1] + im * a.im[power - 1];
            da_im += im * a.re[power - 1] - re * a.im[power - 1];
            g_re[power - 1] += re * a.re[1] + im * a.im[1];
            g_im[power - 1] += im * a.re[1] - re * a.im[1];
        }
        gradient.a_re[mode] += da_re;
        gradient.a_im[mode] += da_im;
        gradient.c_re[mode] += dc_re;
        gradient.c_im[mode] += dc_im;
    }
}

}  // namespace imssa
