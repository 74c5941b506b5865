#pragma once

#include <cmath>
#include <complex>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "models/common/random.h"
#include "models/network/parameters.h"
#include "trainer/datasets/dataset.h"
#include "trainer/initialize.h"

namespace imssa::test {

/// Parameters in double, by tensor name.
using NaiveParameters = std::map<std::string, std::vector<double>>;

inline NaiveParameters naive_parameters(const NetworkParameters& parameters) {
    NaiveParameters naive;
    for_each_tensor(parameters, [&naive](const std::string& name, const float* data, Eigen::Index size) {
        naive[name] = std::vector<double>(data, data + size);
    });
    return naive;
}

/// Changes Abar and Bbar of mode n (heads x modes) of a layer.
using NaiveDiscretization =
    std::function<void(int layer, int n, std::complex<double>& abar, std::complex<double>& bbar)>;

/// The network of parameters.h written down plainly, in double, one sequence at a time. Returns the logits.
inline std::vector<double> naive_logits(const ModelConfig& config, const NaiveParameters& p, const float* values,
                                        int steps, const NaiveDiscretization& change = {}) {
    using Complex = std::complex<double>;
    const int heads = config.heads;
    const int modes = config.modes();
    const int outputs = config.mixing_outputs();
    std::vector<std::vector<Complex>> states(static_cast<std::size_t>(config.layers),
                                             std::vector<Complex>(static_cast<std::size_t>(heads * modes)));
    std::vector<double> pooled(static_cast<std::size_t>(heads));
    for (int t = 0; t < steps; ++t) {
        std::vector<double> u = p.at("encoder_bias");
        for (int head = 0; head < heads; ++head) {
            for (int channel = 0; channel < config.channels; ++channel) {
                u[head] += p.at("encoder")[head * config.channels + channel] * values[t * config.channels + channel];
            }
        }
        for (int layer = 0; layer < config.layers; ++layer) {
            const std::string prefix = "layers." + std::to_string(layer) + ".";
            const auto at = [&](const char* name) -> const std::vector<double>& { return p.at(prefix + name); };
            std::vector<double> activated(static_cast<std::size_t>(heads));
            for (int head = 0; head < heads; ++head) {
                const double dt = std::exp(at("log_dt")[head]);
                double y = at("d")[head] * u[head];
                for (int mode = 0; mode < modes; ++mode) {
                    const int n = head * modes + mode;
                    const Complex a(-std::exp(at("log_neg_re")[n]), at("im")[n]);
                    Complex abar = std::exp(dt * a);
                    Complex bbar = (abar - 1.0) / a;
                    if (config.trained_b) {
                        bbar *= Complex(at("b_re")[n], at("b_im")[n]);
                    }
                    if (change) {
                        change(layer, n, abar, bbar);
                    }
                    Complex& x = states[layer][n];
                    x = abar * x + bbar * u[head];
                    y += 2.0 * (Complex(at("c_re")[n], at("c_im")[n]) * x).real();
                }
                activated[head] = y;
                if (config.activation == Activation::relu) {
                    activated[head] = std::max(y, 0.0);
                } else if (config.activation == Activation::gelu) {
                    activated[head] = 0.5 * y * (1.0 + std::erf(y / std::sqrt(2.0)));
                } else if (config.activation == Activation::qgelu) {
                    activated[head] = 0.25 * y * std::min(std::max(y + 2.0, 0.0), 4.0);
                }
            }
            std::vector<double> mixed = at("mixing_bias");
            for (int output = 0; output < outputs; ++output) {
                for (int head = 0; head < heads; ++head) {
                    mixed[output] += at("mixing")[output * heads + head] * activated[head];
                }
            }
            std::vector<double> z(static_cast<std::size_t>(heads));
            double mean = 0.0;
            for (int head = 0; head < heads; ++head) {
                z[head] = config.glu ? mixed[head] / (1.0 + std::exp(-mixed[heads + head])) : mixed[head];
                z[head] += config.residual ? u[head] : 0.0;
                mean += z[head] / heads;
            }
            if (config.norm == Norm::layer) {
                double variance = 0.0;
                for (const double value : z) {
                    variance += (value - mean) * (value - mean) / heads;
                }
                for (int head = 0; head < heads; ++head) {
                    z[head] = (z[head] - mean) / std::sqrt(variance + 1e-5) * at("gamma")[head] + at("beta")[head];
                }
            }
            if (config.norm == Norm::batch) {
                for (int head = 0; head < heads; ++head) {
                    z[head] = (z[head] - at("running_mean")[head]) / std::sqrt(at("running_variance")[head] + 1e-5) *
                                  at("gamma")[head] +
                              at("beta")[head];
                }
            }
            u = z;
        }
        for (int head = 0; head < heads; ++head) {
            if (config.pooling == Pooling::mean) {
                pooled[head] += u[head] / steps;
            } else {
                pooled[head] = u[head];
            }
        }
    }
    std::vector<double> logits = p.at("decoder_bias");
    for (int output = 0; output < config.classes; ++output) {
        for (int head = 0; head < heads; ++head) {
            logits[output] += p.at("decoder")[output * heads + head] * pooled[head];
        }
    }
    return logits;
}

/// Mean cross-entropy over sequences [0, count) of a data set.
inline double naive_loss(const ModelConfig& config, const NaiveParameters& parameters, const Dataset& data, int count,
                         const NaiveDiscretization& change = {}) {
    double loss = 0.0;
    for (int index = 0; index < count; ++index) {
        const std::vector<double> logits =
            naive_logits(config, parameters, data.sequence(index), data.length(index), change);
        double sum = 0.0;
        for (const double logit : logits) {
            sum += std::exp(logit);
        }
        loss +=
            (std::log(sum) - logits[static_cast<std::size_t>(data.labels[static_cast<std::size_t>(index)])]) / count;
    }
    return loss;
}

/// Smooth random sequences with random labels.
inline Dataset random_dataset(int count, int steps, int channels, int classes, std::uint64_t seed) {
    Dataset data;
    data.name = "random";
    data.steps = steps;
    data.channels = channels;
    data.classes = classes;
    for (int index = 0; index < count; ++index) {
        const CounterRandom random(seed, RandomPurpose::shuffle, static_cast<std::uint32_t>(index));
        data.labels.push_back(static_cast<int>(random.uniform(0) * classes));
        std::vector<double> value(static_cast<std::size_t>(channels), 0.0);
        for (int at = 0; at < steps * channels; ++at) {
            double& state = value[static_cast<std::size_t>(at % channels)];
            state = 0.8 * state + 0.4 * (2.0 * random.uniform(static_cast<std::uint64_t>(at) + 1) - 1.0);
            data.values.push_back(static_cast<float>(std::min(1.0, std::max(-1.0, state))));
        }
    }
    return data;
}

/// 0 to count - 1.
inline std::vector<int> first_indices(int count) {
    std::vector<int> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
}

/// The data set with sequences of unequal length, and numbers in the padding that nothing may look at.
inline Dataset with_lengths(Dataset data, std::uint64_t seed, float padding) {
    const CounterRandom random(seed, RandomPurpose::shuffle, 12345);
    for (int index = 0; index < data.count(); ++index) {
        data.lengths.push_back(1 + static_cast<int>(random.uniform(static_cast<std::uint64_t>(index)) * data.steps));
        const std::size_t first = static_cast<std::size_t>(index) * data.steps * data.channels;
        for (int at = data.lengths.back() * data.channels; at < data.steps * data.channels; ++at) {
            data.values[first + static_cast<std::size_t>(at)] = padding;
        }
    }
    return data;
}

/// Initial parameters with gamma, beta and the real parts of A moved off their special values.
inline NetworkParameters random_parameters(const ModelConfig& config, std::uint64_t seed) {
    NetworkParameters parameters = initialize_parameters(config, seed);
    std::uint32_t place = 1000;
    for_each_tensor(parameters, [&](const std::string&, float* data, Eigen::Index size) {
        const CounterRandom random(seed, RandomPurpose::initialisation, place++);
        for (Eigen::Index index = 0; index < size; ++index) {
            data[index] += 0.1F * static_cast<float>(random.normal(static_cast<std::uint64_t>(index)));
        }
    });
    return parameters;
}

inline ModelConfig small_model() {
    ModelConfig config;
    config.channels = 2;
    config.classes = 3;
    config.layers = 2;
    config.heads = 5;
    config.states = 6;
    config.dt_min = 1e-2;
    config.dt_max = 2e-1;
    return config;
}

}  // namespace imssa::test
