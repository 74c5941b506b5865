#include "trainer/weight_noise.h"

#include <algorithm>
#include <cmath>

#include "models/common/random.h"

namespace imssa {

namespace {

/// Slowest decay that errors of A may leave.
constexpr double kLargestRe = -1e-4;

void add_range_noise(double sigma, const CounterRandom& random, MatrixRM& values) {
    const double range = values.maxCoeff() - values.minCoeff();
    for (Eigen::Index index = 0; index < values.size(); ++index) {
        const double error = range * sigma * random.normal(static_cast<std::uint64_t>(index));
        values.data()[index] = static_cast<float>(values.data()[index] + error);
    }
}

}  // namespace

void add_continuous_a_noise(double sigma, std::uint64_t seed, NetworkParameters& parameters) {
    std::uint32_t place = 0;
    for (LayerParameters& layer : parameters.layers) {
        MatrixRM re = -layer.log_neg_re.array().exp();
        add_range_noise(sigma, CounterRandom(seed, RandomPurpose::training_noise, place++), re);
        layer.log_neg_re = (-re.array().min(static_cast<float>(kLargestRe))).log();
        add_range_noise(sigma, CounterRandom(seed, RandomPurpose::training_noise, place++), layer.im);
    }
}

void straight_through_a(const NetworkParameters& parameters, const NetworkParameters& used,
                        NetworkParameters& gradient) {
    for (std::size_t layer = 0; layer < parameters.layers.size(); ++layer) {
        const MatrixRM& from = parameters.layers[layer].log_neg_re;
        const MatrixRM& to = used.layers[layer].log_neg_re;
        if (from != to) {
            gradient.layers[layer].log_neg_re.array() *= (from.array() - to.array()).exp();
        }
    }
}

std::uint64_t step_noise_seed(std::uint64_t seed, int phase, int epoch, std::int64_t step) {
    const std::uint32_t place = mix32(static_cast<std::uint32_t>(phase * 1000000 + epoch) + 0x7f4a7c15U);
    const std::uint32_t low = mix32(place + static_cast<std::uint32_t>(step));
    return seed ^ (static_cast<std::uint64_t>(place | 0x80000000U) << 32 | low);
}

}  // namespace imssa
