#include "trainer/kernel_scan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "models/common/random.h"
#include "trainer/lane_buffer.h"

namespace imssa {
namespace {

constexpr int kBlocks = 3;
constexpr int kSteps = kBlocks * kBlockSteps;

std::vector<float> normals(std::size_t size, std::uint32_t place, double deviation = 1.0) {
    const CounterRandom random(11, RandomPurpose::initialisation, place);
    std::vector<float> values;
    for (std::size_t index = 0; index < size; ++index) {
        values.push_back(static_cast<float>(deviation * random.normal(index)));
    }
    return values;
}

/// A kernel of its own memory.
struct OwnedKernel {
    std::vector<float> a_re, a_im, b_re, b_im, c_re, c_im;
    KernelView view;

    OwnedKernel(int modes, bool previous_state, bool folded) {
        const std::vector<float> angle = normals(static_cast<std::size_t>(modes), 1);
        for (int mode = 0; mode < modes; ++mode) {
            const float magnitude = 1.0F - 0.3F / static_cast<float>(mode + 2);
            a_re.push_back(magnitude * std::cos(angle[static_cast<std::size_t>(mode)]));
            a_im.push_back(magnitude * std::sin(angle[static_cast<std::size_t>(mode)]));
        }
        const std::size_t size = static_cast<std::size_t>(modes);
        b_re = folded ? std::vector<float>(size, 0.5F) : normals(size, 2);
        b_im = folded ? std::vector<float>(size, 0.0F) : normals(size, 3);
        c_re = normals(size, 4);
        c_im = normals(size, 5);
        view = {modes,       a_re.data(), a_im.data(), b_re.data(),    b_im.data(),
                c_re.data(), c_im.data(), 0.7F,        previous_state, folded};
    }
};

class ScanOfModes : public testing::TestWithParam<int> {};

TEST_P(ScanOfModes, StatesAgreeWithAScalarRecurrence) {
    const int modes = GetParam();
    OwnedKernel kernel(modes, false, true);
    kernel.b_re.assign(kernel.b_re.size(), 1.0F);
    const std::vector<float> u = normals(kSteps * kLaneWidth, 6);
    const std::vector<float> start = normals(static_cast<std::size_t>(2 * modes * kLaneWidth), 7);
    for (int first = 0; first < modes;) {
        const int count = modes - first >= 4 ? 4 : (modes - first >= 2 ? 2 : 1);
        const std::size_t row = static_cast<std::size_t>(2 * count * kLaneWidth);
        std::vector<float> states((kSteps + 1) * row);
        scan_states(kernel.view, first, count, u.data(), kBlockWidth, kBlocks, start.data(), states.data());
        for (int mode = first; mode < first + count; ++mode) {
            const std::size_t own = static_cast<std::size_t>(mode);
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                const auto state = [&](int t, int part) {
                    const int place = (2 * (mode - first) + part) * kLaneWidth + lane;
                    return states[static_cast<std::size_t>(t) * row + static_cast<std::size_t>(place)];
                };
                std::complex<double> x(start[static_cast<std::size_t>(2 * mode * kLaneWidth + lane)],
                                       start[static_cast<std::size_t>((2 * mode + 1) * kLaneWidth + lane)]);
                for (int t = 0; t < kSteps; ++t) {
                    x = std::complex<double>(kernel.a_re[own], kernel.a_im[own]) * x +
                        static_cast<double>(u[static_cast<std::size_t>(t * kLaneWidth + lane)]);
                    ASSERT_NEAR(state(t + 1, 0), x.real(), 2e-5 * (1.0 + std::abs(x))) << "step " << t;
                    ASSERT_NEAR(state(t + 1, 1), x.imag(), 2e-5 * (1.0 + std::abs(x))) << "step " << t;
                }
            }
        }
        first += count;
    }
}

INSTANTIATE_TEST_SUITE_P(Counts, ScanOfModes, testing::Values(1, 2, 3, 4, 7, 8, 16, 21));

struct AdjointCase {
    int modes;
    bool previous_state, folded;
    bool has_zero_b = false;
    float unit = 1.0F;  ///< of the states
};

class AdjointOfAScan : public testing::TestWithParam<AdjointCase> {};

/// x' = a x + b u, y = c.x + d u by the chain rule, one lane and one number at a time: the straight-through formula of
/// the quantized mode, with arbitrary numbers for the states.
TEST_P(AdjointOfAScan, AgreesWithTheChainRuleWrittenOutInDouble) {
    const AdjointCase& test_case = GetParam();
    const int modes = test_case.modes;
    OwnedKernel kernel(modes, test_case.previous_state, test_case.folded);
    if (test_case.has_zero_b) {
        kernel.b_re[1] = kernel.b_im[1] = 0.0F;
    }
    const std::vector<float> units(static_cast<std::size_t>(modes), test_case.unit);
    const std::vector<float> u = normals(kSteps * kLaneWidth, 8);
    const std::vector<float> dy = normals(kSteps * kLaneWidth, 9);
    const std::vector<float> residual = normals(kSteps * kLaneWidth, 10);
    const std::size_t size = static_cast<std::size_t>(modes);
    std::vector<float> du = residual;
    std::vector<float> adjoint(2 * size * kLaneWidth, 0.0F);
    std::vector<float> g[6];
    for (std::vector<float>& values : g) {
        values.assign(size, 0.0F);
    }
    float dd = 0.0F;
    const KernelGradientView gradient{g[0].data(), g[1].data(), g[2].data(), g[3].data(),
                                      g[4].data(), g[5].data(), &dd};
    std::vector<std::vector<float>> states(size);  // per mode: (steps + 1) x {re, im} x 16
    for (std::size_t mode = 0; mode < size; ++mode) {
        states[mode] = normals((kSteps + 1) * 2 * kLaneWidth, 20 + static_cast<std::uint32_t>(mode));
    }
    for (int first = 0; first < modes;) {
        const int count = modes - first >= 4 ? 4 : (modes - first >= 2 ? 2 : 1);
        std::vector<float> group;
        for (int t = 0; t <= kSteps; ++t) {
            for (int mode = first; mode < first + count; ++mode) {
                const float* from = states[static_cast<std::size_t>(mode)].data() + t * 2 * kLaneWidth;
                group.insert(group.end(), from, from + 2 * kLaneWidth);
            }
        }
        scan_backward(kernel.view, first, count, u.data(), kBlockWidth, dy.data(), du.data(), kBlockWidth, kBlocks,
                      group.data(), adjoint.data(), gradient, units.data());
        first += count;
    }
    std::vector<double> expected_du(residual.begin(), residual.end());
    double expected_dd = 0.0;
    for (std::size_t mode = 0; mode < size; ++mode) {
        double e[6] = {};
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            double re = 0.0, im = 0.0;  // adjoint of the state after step t
            const auto x = [&](int t, int part) {
                return static_cast<double>(test_case.unit) *
                       states[mode][static_cast<std::size_t>((t * 2 + part) * kLaneWidth + lane)];
            };
            for (int t = kSteps - 1; t >= 0; --t) {
                const std::size_t at = static_cast<std::size_t>(t * kLaneWidth + lane);
                const int read = test_case.previous_state ? t : t + 1;
                if (!test_case.previous_state) {
                    re += kernel.c_re[mode] * dy[at];
                    im += kernel.c_im[mode] * dy[at];
                }
                e[0] += re * x(t, 0) + im * x(t, 1);
                e[1] += im * x(t, 0) - re * x(t, 1);
                e[2] += re * u[at];
                e[3] += im * u[at];
                e[4] += dy[at] * x(read, 0);
                e[5] += dy[at] * x(read, 1);
                expected_du[at] += kernel.b_re[mode] * re + kernel.b_im[mode] * im;
                const double next_re = kernel.a_re[mode] * re + kernel.a_im[mode] * im;
                im = kernel.a_re[mode] * im - kernel.a_im[mode] * re;
                re = next_re;
                if (test_case.previous_state) {
                    re += kernel.c_re[mode] * dy[at];
                    im += kernel.c_im[mode] * dy[at];
                }
            }
        }
        for (int tensor = 0; tensor < 6; ++tensor) {
            const bool trained = !test_case.folded || (tensor != 2 && tensor != 3);
            EXPECT_NEAR(g[tensor][mode], trained ? e[tensor] : 0.0, 2e-3) << "tensor " << tensor << ", mode " << mode;
        }
    }
    for (std::size_t at = 0; at < expected_du.size(); ++at) {
        expected_du[at] += 0.7 * dy[at];
        expected_dd += static_cast<double>(dy[at]) * u[at];
        EXPECT_NEAR(du[at], expected_du[at], 1e-4);
    }
    EXPECT_NEAR(dd, expected_dd, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Forms, AdjointOfAScan,
                         testing::Values(AdjointCase{7, false, true}, AdjointCase{7, false, false},
                                         AdjointCase{7, true, true}, AdjointCase{7, true, false},
                                         AdjointCase{8, false, true}, AdjointCase{7, false, false, true},
                                         AdjointCase{7, false, false, false, 0.25F}));

}  // namespace
}  // namespace imssa
