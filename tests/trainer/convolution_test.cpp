#include "trainer/convolution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <vector>

#include "models/common/random.h"

namespace imssa {
namespace {

using Complex = std::complex<double>;

constexpr int kSteps = 133;  // 16.6 blocks
constexpr int kBlocks = 17;
constexpr int kModes = 11;  // more than one group of eight

struct KernelNumbers {
    std::vector<float> a_re, a_im, b_re, b_im, c_re, c_im;

    KernelNumbers() {
        const CounterRandom random(3, RandomPurpose::initialisation, 1);
        std::uint64_t at = 0;
        for (int mode = 0; mode < kModes; ++mode) {
            const double radius = 0.9 + 0.099 * random.uniform(at++);
            const double angle = 3.0 * random.uniform(at++);
            a_re.push_back(static_cast<float>(radius * std::cos(angle)));
            a_im.push_back(static_cast<float>(radius * std::sin(angle)));
            for (std::vector<float>* values : {&b_re, &b_im, &c_re, &c_im}) {
                values->push_back(static_cast<float>(random.normal(at++)));
            }
        }
    }
    KernelView view() const {
        KernelView kernel;
        kernel.modes = kModes;
        kernel.a_re = a_re.data();
        kernel.a_im = a_im.data();
        kernel.b_re = b_re.data();
        kernel.b_im = b_im.data();
        kernel.c_re = c_re.data();
        kernel.c_im = c_im.data();
        return kernel;
    }
};

/// The state of an impulse, step by step.
std::vector<double> naive_response(const KernelNumbers& numbers) {
    std::vector<double> response(kSteps);
    for (std::size_t mode = 0; mode < kModes; ++mode) {
        Complex x(numbers.b_re[mode], numbers.b_im[mode]);
        for (double& value : response) {
            value += numbers.c_re[mode] * x.real() + numbers.c_im[mode] * x.imag();
            x *= Complex(numbers.a_re[mode], numbers.a_im[mode]);
        }
    }
    return response;
}

class ConvolutionTest : public testing::Test {
protected:
    ConvolutionTest() : responses(2, kSteps), u(2, kBlocks), dy(2, kBlocks) {
        const CounterRandom random(4, RandomPurpose::initialisation, 2);
        std::uint64_t at = 0;
        for (int lag = 0; lag < kSteps; ++lag) {
            responses.head(1)[lag] = static_cast<float>(random.normal(at++));
        }
        for (BlockBuffer* buffer : {&u, &dy}) {
            for (int block = 0; block < kBlocks; ++block) {
                for (int place = 0; place < 2 * kBlockWidth; ++place) {
                    const bool valid = block * kBlockSteps + place % kBlockWidth / kLaneWidth < kSteps;
                    buffer->block(block)[place] = valid ? static_cast<float>(random.normal(at++)) : 0.0F;
                }
            }
        }
    }
    /// Head 1 of a buffer.
    static double at(const BlockBuffer& buffer, int step, int lane) {
        return buffer.block(step / kBlockSteps)[kBlockWidth + step % kBlockSteps * kLaneWidth + lane];
    }

    ImpulseResponses responses;
    BlockBuffer u, dy;
};

TEST_F(ConvolutionTest, ImpulseResponseIsTheOutputOfARecurrenceOnAnImpulse) {
    const KernelNumbers numbers;
    std::vector<float> response(kSteps);
    impulse_response(numbers.view(), kSteps, response.data());
    const std::vector<double> expected = naive_response(numbers);
    for (std::size_t lag = 0; lag < kSteps; ++lag) {
        EXPECT_NEAR(response[lag], expected[lag], 1e-5);
    }
}

TEST_F(ConvolutionTest, GradientOfTheImpulseResponseAgreesWithCentralDifferences) {
    KernelNumbers numbers;
    const CounterRandom random(5, RandomPurpose::initialisation, 3);
    std::vector<float> weights(kSteps);
    for (std::size_t lag = 0; lag < kSteps; ++lag) {
        weights[lag] = static_cast<float>(random.normal(lag));
    }
    const auto sum = [&] {
        double total = 0.0;
        const std::vector<double> response = naive_response(numbers);
        for (std::size_t lag = 0; lag < kSteps; ++lag) {
            total += weights[lag] * response[lag];
        }
        return total;
    };
    std::vector<std::vector<float>> gradients(6, std::vector<float>(kModes));
    float d = 0.0F;
    const KernelGradientView view{gradients[0].data(),
                                  gradients[1].data(),
                                  gradients[2].data(),
                                  gradients[3].data(),
                                  gradients[4].data(),
                                  gradients[5].data(),
                                  &d};
    impulse_response_gradient(numbers.view(), kSteps, weights.data(), view);
    std::vector<float>* const tensors[] = {&numbers.a_re, &numbers.a_im, &numbers.b_re,
                                           &numbers.b_im, &numbers.c_re, &numbers.c_im};
    for (std::size_t tensor = 0; tensor < 6; ++tensor) {
        for (std::size_t mode = 0; mode < kModes; ++mode) {
            float& value = (*tensors[tensor])[mode];
            const float kept = value;
            value = kept + 1e-4F;
            const double high = value, above = sum();
            value = kept - 1e-4F;
            const double low = value, below = sum();
            value = kept;
            const double expected = (above - below) / (high - low);
            EXPECT_NEAR(gradients[tensor][mode], expected, 1e-3 * std::abs(expected) + 1e-2)
                << "tensor " << tensor << ", mode " << mode;
        }
    }
}

TEST_F(ConvolutionTest, BlocksGiveTheSumOverLags) {
    BlockBuffer y(2, kBlocks);
    // Chunks of odd and even length.
    for (const auto& [first, count] : {std::pair{0, 5}, std::pair{5, 8}, std::pair{13, 4}}) {
        convolve(responses.head(1), u.block(0) + kBlockWidth, u.stride(), first, count, y.block(first) + kBlockWidth,
                 y.stride());
    }
    for (const int lane : {0, 15}) {
        for (int step = 0; step < kSteps; ++step) {
            double expected = 0.0;
            for (int lag = 0; lag <= step; ++lag) {
                expected += responses.head(1)[lag] * at(u, step - lag, lane);
            }
            ASSERT_NEAR(at(y, step, lane), expected, 1e-4) << "step " << step;
        }
    }
}

TEST_F(ConvolutionTest, AdjointIsTheTransposedSum) {
    BlockBuffer du(2, kBlocks);
    for (const auto& [first, count] : {std::pair{0, 5}, std::pair{5, 8}, std::pair{13, 4}}) {
        convolve_adjoint(responses.head(1), dy.block(0) + kBlockWidth, dy.stride(), first, count, kBlocks,
                         du.block(first) + kBlockWidth, du.stride());
    }
    for (const int lane : {0, 15}) {
        for (int step = 0; step < kSteps; ++step) {
            double expected = 0.0;
            for (int lag = 0; step + lag < kSteps; ++lag) {
                expected += responses.head(1)[lag] * at(dy, step + lag, lane);
            }
            ASSERT_NEAR(at(du, step, lane), expected, 1e-4) << "step " << step;
        }
    }
}

TEST_F(ConvolutionTest, GradientOfTheResponseIsTheCorrelationOfInputAndOutputGradient) {
    ImpulseResponses gradient(2, kSteps);
    for (const auto& [first, count] : {std::pair{13, 4}, std::pair{5, 8}, std::pair{0, 5}}) {
        response_gradient(u.block(0) + kBlockWidth, u.stride(), dy.block(0) + kBlockWidth, dy.stride(), first, count,
                          gradient.head(1));
    }
    for (int lag = 0; lag < kSteps; ++lag) {
        double expected = 0.0;
        for (int step = lag; step < kSteps; ++step) {
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                expected += at(dy, step, lane) * at(u, step - lag, lane);
            }
        }
        ASSERT_NEAR(gradient.head(1)[lag], expected, 1e-3) << "lag " << lag;
    }
}

}  // namespace
}  // namespace imssa
