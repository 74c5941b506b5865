#include "trainer/initialize.h"

#include <cmath>

#include "models/common/random.h"

namespace imssa {

namespace {

constexpr double kPi = 3.14159265358979323846;

/// Streams of random numbers: one a tensor.
class TensorRandom {
public:
    explicit TensorRandom(std::uint64_t seed) : seed_(seed) {}
    CounterRandom next() { return CounterRandom(seed_, RandomPurpose::initialisation, place_++); }

private:
    std::uint64_t seed_;
    std::uint32_t place_ = 0;
};

void fill_uniform(float* values, Eigen::Index size, double bound, const CounterRandom& random) {
    for (Eigen::Index index = 0; index < size; ++index) {
        values[index] = static_cast<float>(bound * (2.0 * random.uniform(static_cast<std::uint64_t>(index)) - 1.0));
    }
}

void fill_normal(float* values, Eigen::Index size, double deviation, const CounterRandom& random) {
    for (Eigen::Index index = 0; index < size; ++index) {
        values[index] = static_cast<float>(deviation * random.normal(static_cast<std::uint64_t>(index)));
    }
}

}  // namespace

NetworkParameters initialize_parameters(const ModelConfig& config, std::uint64_t seed) {
    NetworkParameters parameters = zero_parameters(config);
    TensorRandom random(seed);
    const double channel_bound = 1.0 / std::sqrt(static_cast<double>(config.channels));
    const double head_bound = 1.0 / std::sqrt(static_cast<double>(config.heads));
    fill_uniform(parameters.encoder.data(), parameters.encoder.size(), channel_bound, random.next());
    fill_uniform(parameters.encoder_bias.data(), parameters.encoder_bias.size(), channel_bound, random.next());
    for (LayerParameters& layer : parameters.layers) {
        layer.log_neg_re.setConstant(static_cast<float>(std::log(0.5)));
        for (int mode = 0; mode < config.modes(); ++mode) {
            layer.im.col(mode).setConstant(static_cast<float>(kPi * mode));
        }
        const CounterRandom steps = random.next();
        const double low = std::log(config.dt_min);
        const double high = std::log(config.dt_max);
        for (int head = 0; head < config.heads; ++head) {
            layer.log_dt(head) =
                static_cast<float>(low + (high - low) * steps.uniform(static_cast<std::uint64_t>(head)));
        }
        // A complex normal of variance 1 has variance 1/2 in each part.
        fill_normal(layer.c_re.data(), layer.c_re.size(), std::sqrt(0.5), random.next());
        fill_normal(layer.c_im.data(), layer.c_im.size(), std::sqrt(0.5), random.next());
        fill_normal(layer.d.data(), layer.d.size(), 1.0, random.next());
        fill_uniform(layer.mixing.data(), layer.mixing.size(), head_bound, random.next());
        fill_uniform(layer.mixing_bias.data(), layer.mixing_bias.size(), head_bound, random.next());
        layer.gamma.setOnes();
        layer.beta.setZero();
    }
    fill_uniform(parameters.decoder.data(), parameters.decoder.size(), head_bound, random.next());
    fill_uniform(parameters.decoder_bias.data(), parameters.decoder_bias.size(), head_bound, random.next());
    return parameters;
}

}  // namespace imssa
