/// Cost of one kernel forward over N and L: the block scan of mode recurrent against the Toeplitz products of mode
/// convolution, nanoseconds a step of 16 sequences (CPU time, least of many), and the cost of the impulse response.
///
/// kernel_mode_bench
///     prints one row for every N and L.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

#include "trainer/block_scan.h"
#include "trainer/convolution.h"

namespace imssa {
namespace {

constexpr int kRepeats = 10;

double thread_ns() {
    std::timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

double least_ns(int rounds, const std::function<void()>& work) {
    double least = 1e18;
    for (int round = 0; round < rounds; ++round) {
        const double start = thread_ns();
        for (int repeat = 0; repeat < kRepeats; ++repeat) {
            work();
        }
        least = std::min(least, (thread_ns() - start) / kRepeats);
    }
    return least;
}

void print_row(int states, int steps) {
    const int modes = states / 2;
    const int blocks = (steps + kBlockSteps - 1) / kBlockSteps;
    std::vector<float> a_re, a_im, c;
    for (int mode = 0; mode < modes; ++mode) {
        a_re.push_back(static_cast<float>(0.99 * std::cos(0.1 * mode)));
        a_im.push_back(static_cast<float>(0.99 * std::sin(0.1 * mode)));
        c.push_back(0.1F);
    }
    const std::vector<float> ones(static_cast<std::size_t>(modes), 1.0F), zeros(static_cast<std::size_t>(modes));
    KernelView kernel;
    kernel.modes = modes;
    kernel.a_re = a_re.data();
    kernel.a_im = a_im.data();
    kernel.b_re = ones.data();
    kernel.b_im = zeros.data();
    kernel.c_re = c.data();
    kernel.c_im = c.data();
    const BlockKernelLayout layout{modes};
    AlignedArray<float> matrices(layout.size()), state(static_cast<std::size_t>(2 * modes) * kLaneWidth);
    AlignedArray<float> scratch(kBlockScratch);
    make_block_kernel(kernel, matrices.data());
    ImpulseResponses responses(1, steps);
    BlockBuffer u(1, blocks), y(1, blocks);
    const int rounds = std::max(20, 200000 / (steps * modes));
    const double scan = least_ns(rounds, [&] {
        for (int first = 0; first < blocks; first += kChunkBlocks) {
            block_scan_forward(layout, matrices.data(), u.block(first), y.block(first), u.stride(),
                               std::min(kChunkBlocks, blocks - first), state.data(), state.data(), scratch.data());
        }
    });
    const double convolution = least_ns(
        rounds, [&] { convolve(responses.head(0), u.block(0), u.stride(), 0, blocks, y.block(0), y.stride()); });
    const double response = least_ns(20, [&] { impulse_response(kernel, steps, responses.head(0)); });
    std::printf("%5d %5d %12.2f %12.2f %18.1f\n", states, steps, scan / steps, convolution / steps, 1e-3 * response);
}

}  // namespace
}  // namespace imssa

int main() {
    std::puts("    N     L  scan, ns/step  conv., ns/step  response, us a head and step of training");
    for (const int states : {8, 16, 64, 256}) {
        for (const int steps : {16, 32, 64, 112, 256, 784}) {
            imssa::print_row(states, steps);
        }
    }
    return 0;
}
