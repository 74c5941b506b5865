#include "trainer/block_scan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "models/common/random.h"
#include "trainer/lane_sums.h"

namespace imssa {
namespace {

constexpr int kBlocks = 5;  // two pairs and a single block
constexpr int kSteps = kBlocks * kBlockSteps;

std::vector<float> normals(std::size_t size, std::uint32_t place, double deviation = 1.0) {
    const CounterRandom random(12, RandomPurpose::initialisation, place);
    std::vector<float> values;
    for (std::size_t index = 0; index < size; ++index) {
        values.push_back(static_cast<float>(deviation * random.normal(index)));
    }
    return values;
}

void expect_near(const std::vector<float>& values, const std::vector<float>& expected, const char* what) {
    double difference = 0.0, size = 0.0;
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t index = 0; index < values.size(); ++index) {
        difference += std::pow(values[index] - expected[index], 2);
        size += std::pow(expected[index], 2);
    }
    EXPECT_LT(std::sqrt(difference), 1e-5 * std::sqrt(size) + 1e-7) << what << ", norm " << std::sqrt(size);
}

/// A float kernel (b = 1) with its matrices.
struct BlockCase {
    std::size_t modes;
    std::vector<float> a_re, a_im, b_re, b_im, c_re, c_im;
    KernelView view;
    BlockKernelLayout layout;
    std::vector<float> matrices;

    explicit BlockCase(int count) : modes(static_cast<std::size_t>(count)), layout{count} {
        const std::vector<float> angle = normals(modes, 1, 0.5);
        for (std::size_t mode = 0; mode < modes; ++mode) {
            const float magnitude = 1.0F - 0.1F / static_cast<float>(mode + 1);
            a_re.push_back(magnitude * std::cos(angle[mode]));
            a_im.push_back(magnitude * std::sin(angle[mode]));
        }
        b_re.assign(modes, 1.0F);
        b_im.assign(modes, 0.0F);
        c_re = normals(modes, 2);
        c_im = normals(modes, 3);
        view = {count, a_re.data(), a_im.data(), b_re.data(), b_im.data(), c_re.data(), c_im.data(), 0.7F, false, true};
        matrices.resize(layout.size());
        make_block_kernel(view, matrices.data());
    }
};

/// x' = a x + u, y = c.x' + D u, one lane at a time.
void recurrence(const BlockCase& kernel, const std::vector<float>& u, const std::vector<float>& start,
                std::vector<float>& y, std::vector<float>& end) {
    for (std::size_t lane = 0; lane < kLaneWidth; ++lane) {
        std::vector<std::complex<double>> x;
        for (std::size_t mode = 0; mode < kernel.modes; ++mode) {
            x.emplace_back(start[2 * mode * kLaneWidth + lane], start[(2 * mode + 1) * kLaneWidth + lane]);
        }
        for (std::size_t at = lane; at < u.size(); at += kLaneWidth) {
            double sum = kernel.view.d * u[at];
            for (std::size_t mode = 0; mode < kernel.modes; ++mode) {
                const std::complex<double> a(kernel.a_re[mode], kernel.a_im[mode]);
                x[mode] = a * x[mode] + static_cast<double>(u[at]);
                sum += kernel.c_re[mode] * x[mode].real() + kernel.c_im[mode] * x[mode].imag();
            }
            y[at] = static_cast<float>(sum);
        }
        for (std::size_t mode = 0; mode < kernel.modes; ++mode) {
            end[2 * mode * kLaneWidth + lane] = static_cast<float>(x[mode].real());
            end[(2 * mode + 1) * kLaneWidth + lane] = static_cast<float>(x[mode].imag());
        }
    }
}

class BlockScan : public testing::TestWithParam<int> {};

TEST_P(BlockScan, ForwardAgreesWithTheRecurrence) {
    const BlockCase test_case(GetParam());
    const std::vector<float> u = normals(kSteps * kLaneWidth, 6);
    const std::vector<float> start = normals(test_case.modes * 2 * kLaneWidth, 7);
    std::vector<float> y(u.size()), end(start.size()), expected_y(u.size()), expected_end(start.size());
    std::vector<float> scratch(kBlockScratch);
    recurrence(test_case, u, start, expected_y, expected_end);
    block_scan_forward(test_case.layout, test_case.matrices.data(), u.data(), y.data(), kBlockWidth, kBlocks,
                       start.data(), end.data(), scratch.data());
    expect_near(y, expected_y, "y");
    expect_near(end, expected_end, "state");
}

TEST_P(BlockScan, BackwardAgreesWithTheAdjointOfTheRecurrence) {
    const BlockCase test_case(GetParam());
    const std::size_t modes = test_case.modes;
    const std::vector<float> u = normals(kSteps * kLaneWidth, 8);
    const std::vector<float> dy = normals(kSteps * kLaneWidth, 9);
    const std::vector<float> start = normals(modes * 2 * kLaneWidth, 7);
    const std::vector<float> residual = normals(u.size(), 10);
    const std::vector<float> behind = normals(start.size(), 11);
    // [0]: by blocks, [1]: step by step
    std::vector<float> du[2] = {residual, residual};
    std::vector<float> adjoint[2] = {behind, behind};
    std::vector<float> a_re[2], a_im[2], c_re[2], c_im[2], unused(modes);
    float d[2] = {};
    for (int side = 0; side < 2; ++side) {
        for (std::vector<float>* values : {&a_re[side], &a_im[side], &c_re[side], &c_im[side]}) {
            values->assign(modes, 0.0F);
        }
    }
    const auto view = [&](int side) {
        return KernelGradientView{a_re[side].data(), a_im[side].data(), unused.data(), unused.data(),
                                  c_re[side].data(), c_im[side].data(), &d[side]};
    };
    std::vector<float> scratch(kBlockScratch), matrices_gradient(test_case.layout.size());
    block_scan_backward(test_case.layout, test_case.matrices.data(), u.data(), kBlockWidth, dy.data(), du[0].data(),
                        kBlockWidth, kBlocks, start.data(), adjoint[0].data(), scratch.data(),
                        matrices_gradient.data());
    block_kernel_gradient(test_case.view, matrices_gradient.data(), view(0));
    std::vector<float> states((kSteps + 1) * kBackwardModes * 2 * kLaneWidth);
    for (int first = 0; first < GetParam();) {
        const int left = GetParam() - first;
        const int count = left >= 4 ? 4 : (left >= 2 ? 2 : 1);
        scan_states(test_case.view, first, count, u.data(), kBlockWidth, kBlocks, start.data(), states.data());
        scan_backward(test_case.view, first, count, u.data(), kBlockWidth, dy.data(), du[1].data(), kBlockWidth,
                      kBlocks, states.data(), adjoint[1].data(), view(1));
        first += count;
    }
    expect_near(du[0], du[1], "u");
    expect_near(adjoint[0], adjoint[1], "adjoint");
    expect_near(a_re[0], a_re[1], "a_re");
    expect_near(a_im[0], a_im[1], "a_im");
    expect_near(c_re[0], c_re[1], "c_re");
    expect_near(c_im[0], c_im[1], "c_im");
    EXPECT_NEAR(d[0], d[1], 1e-4 * (1.0 + std::abs(d[1])));
}

INSTANTIATE_TEST_SUITE_P(Counts, BlockScan, testing::Values(1, 2, 3, 4, 7, 8, 13, 32));

TEST(LaneSums, OfSixteenVectorsAreTheSumsOfEach) {
    Lanes values[kLaneWidth];
    for (int row = 0; row < kLaneWidth; ++row) {
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            values[row][lane] = static_cast<float>((row + 1) * (lane + 1));
        }
    }
    EXPECT_EQ(lane_sum(values[4]), 5.0F * 136.0F);
    const Lanes sums = lane_sums(values);
    for (int row = 0; row < kLaneWidth; ++row) {
        EXPECT_EQ(sums[row], static_cast<float>((row + 1) * 136));
    }
}

}  // namespace
}  // namespace imssa
