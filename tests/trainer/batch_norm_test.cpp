#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/naive_network.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

using test::NaiveParameters;
using Stream = std::vector<std::vector<std::vector<double>>>;  ///< [sequence][step][head]

ModelConfig batch_norm_model() {
    ModelConfig config = test::small_model();
    config.heads = 4;
    config.states = 4;
    config.norm = Norm::batch;
    return config;
}

/// One layer up to its norm, of one sequence.
void naive_layer(const ModelConfig& config, const NaiveParameters& p, const std::string& prefix,
                 std::vector<std::vector<double>>& stream) {
    using Complex = std::complex<double>;
    const auto at = [&](const char* name) -> const std::vector<double>& { return p.at(prefix + name); };
    const int modes = config.modes();
    std::vector<Complex> x(static_cast<std::size_t>(config.heads * modes));
    for (std::vector<double>& u : stream) {
        std::vector<double> activated;
        for (int head = 0; head < config.heads; ++head) {
            const double dt = std::exp(at("log_dt")[head]);
            double y = at("d")[head] * u[head];
            for (int n = head * modes; n < (head + 1) * modes; ++n) {
                const Complex a(-std::exp(at("log_neg_re")[n]), at("im")[n]);
                const Complex abar = std::exp(dt * a);
                x[n] = abar * x[n] + (abar - 1.0) / a * u[head];
                y += 2.0 * (Complex(at("c_re")[n], at("c_im")[n]) * x[n]).real();
            }
            activated.push_back(0.5 * y * (1.0 + std::erf(y / std::sqrt(2.0))));
        }
        std::vector<double> z = at("mixing_bias");
        for (int output = 0; output < config.heads; ++output) {
            for (int head = 0; head < config.heads; ++head) {
                z[output] += at("mixing")[output * config.heads + head] * activated[head];
            }
            z[output] += u[output];
        }
        u = z;
    }
}

/// Batch norm of all steps of all sequences.
void naive_norm(const std::vector<double>& gamma, const std::vector<double>& beta, Stream& stream) {
    for (std::size_t head = 0; head < gamma.size(); ++head) {
        double count = 0.0, mean = 0.0, variance = 0.0;
        for (const auto& sequence : stream) {
            for (const auto& u : sequence) {
                mean += u[head];
                count += 1.0;
            }
        }
        mean /= count;
        for (const auto& sequence : stream) {
            for (const auto& u : sequence) {
                variance += (u[head] - mean) * (u[head] - mean) / count;
            }
        }
        for (auto& sequence : stream) {
            for (auto& u : sequence) {
                u[head] = (u[head] - mean) / std::sqrt(variance + 1e-5) * gamma[head] + beta[head];
            }
        }
    }
}

/// Mean cross-entropy of a batch that is normalised with its own statistics, without GLU, with GELU and residual.
double naive_batch_loss(const ModelConfig& config, const NaiveParameters& p, const Dataset& data) {
    Stream stream;
    for (int index = 0; index < data.count(); ++index) {
        stream.emplace_back();
        for (int t = 0; t < data.length(index); ++t) {
            std::vector<double> u = p.at("encoder_bias");
            for (int head = 0; head < config.heads; ++head) {
                for (int channel = 0; channel < config.channels; ++channel) {
                    u[head] += p.at("encoder")[head * config.channels + channel] *
                               data.sequence(index)[t * config.channels + channel];
                }
            }
            stream.back().push_back(u);
        }
    }
    for (int layer = 0; layer < config.layers; ++layer) {
        const std::string prefix = "layers." + std::to_string(layer) + ".";
        for (auto& sequence : stream) {
            naive_layer(config, p, prefix, sequence);
        }
        naive_norm(p.at(prefix + "gamma"), p.at(prefix + "beta"), stream);
    }
    double loss = 0.0;
    for (int index = 0; index < data.count(); ++index) {
        const auto& sequence = stream[static_cast<std::size_t>(index)];
        std::vector<double> logits = p.at("decoder_bias");
        double sum = 0.0;
        for (int label = 0; label < config.classes; ++label) {
            for (int head = 0; head < config.heads; ++head) {
                double pooled = 0.0;
                for (const auto& u : sequence) {
                    pooled += u[head] / static_cast<double>(sequence.size());
                }
                logits[label] += p.at("decoder")[label * config.heads + head] * pooled;
            }
            sum += std::exp(logits[label]);
        }
        loss += (std::log(sum) - logits[data.labels[index]]) / data.count();
    }
    return loss;
}

struct Outcome {
    double loss_sum = 0.0;
    NaiveParameters gradient;
    std::vector<BatchStatistics> statistics;
};

Outcome run(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data, int threads) {
    const std::vector<int> indices = test::first_indices(data.count());
    GradientEngine engine(config, data.steps, false, threads);
    EffectiveTensors effective = zero_effective_tensors(config);
    NetworkParameters gradient = zero_parameters(config);
    Outcome outcome;
    outcome.loss_sum = engine
                           .gradient(StepNetwork::in_float(config, parameters, data.steps, NormStatistics::batch), data,
                                     indices, 0, effective)
                           .loss_sum;
    parameter_gradient(config, parameters, nullptr, effective, gradient, Parameterization::continuous,
                       InputMatrix::folded, NormStatistics::batch);
    outcome.gradient = test::naive_parameters(gradient);
    outcome.statistics = engine.batch_statistics();
    return outcome;
}

TEST(BatchNorm, GradientThroughTheStatisticsAgreesWithCentralDifferences) {
    const ModelConfig config = batch_norm_model();
    // 18 sequences are two items, 21 steps three blocks; unequal lengths count with the steps they have.
    for (const bool unequal : {false, true}) {
        Dataset data = test::random_dataset(18, 21, config.channels, config.classes, 7);
        if (unequal) {
            data = test::with_lengths(std::move(data), 4, 0.7F);
        }
        const NetworkParameters parameters = test::random_parameters(config, 3);
        const Outcome outcome = run(config, parameters, data, 2);
        NaiveParameters naive = test::naive_parameters(parameters);
        EXPECT_NEAR(outcome.loss_sum / data.count(), naive_batch_loss(config, naive, data), 2e-6);
        for (auto& [name, values] : naive) {
            double difference = 0.0, size = 0.0;
            for (std::size_t index = 0; index < values.size(); ++index) {
                const double step = 1e-5;
                const double kept = values[index];
                values[index] = kept + step;
                const double above = naive_batch_loss(config, naive, data);
                values[index] = kept - step;
                const double below = naive_batch_loss(config, naive, data);
                values[index] = kept;
                const double expected = (above - below) / (2.0 * step);
                difference += std::pow(outcome.gradient.at(name)[index] - expected, 2);
                size += expected * expected;
            }
            EXPECT_LT(std::sqrt(difference), 1e-4 * std::sqrt(size) + 2e-7) << name << ", norm " << std::sqrt(size);
        }
    }
}

TEST(BatchNorm, GradientAndStatisticsAreTheSameToTheBitForAnyThreads) {
    const ModelConfig config = batch_norm_model();
    const Dataset data = test::random_dataset(75, 130, config.channels, config.classes, 9);
    const NetworkParameters parameters = test::random_parameters(config, 4);
    const Outcome one = run(config, parameters, data, 1);
    const Outcome three = run(config, parameters, data, 3);
    EXPECT_EQ(one.loss_sum, three.loss_sum);
    EXPECT_EQ(one.gradient, three.gradient);
    ASSERT_EQ(one.statistics.size(), 2U);
    EXPECT_EQ(one.statistics[1].mean, three.statistics[1].mean);
    EXPECT_EQ(one.statistics[1].variance, three.statistics[1].variance);
    EXPECT_EQ(one.statistics[0].count, 75.0 * 130.0);
}

/// One step in mode convolution with dropout, and the same step by recurrence.
struct DroppedStep {
    double loss_sum = 0.0;
    NaiveParameters gradient;
    std::vector<BatchStatistics> statistics;
};

DroppedStep dropped_step(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data,
                         EvaluationMode mode, int threads) {
    const bool convolution = mode == EvaluationMode::convolution;
    const std::vector<int> indices = test::first_indices(data.count());
    GradientEngine engine(config, data.steps, false, threads, convolution, mode);
    StepNetwork network =
        convolution ? StepNetwork::fake_quantized(fake_network(config, parameters, zero_ranges(config), {}, data.steps,
                                                               0, 0.0, mode, nullptr, NormStatistics::batch))
                    : StepNetwork::in_float(config, parameters, data.steps, NormStatistics::batch);
    PassNoise noise;
    noise.seed = 21;
    noise.dropout = 0.25;
    network.set_noise(noise);
    EffectiveTensors effective = zero_effective_tensors(config);
    NetworkParameters gradient = zero_parameters(config);
    DroppedStep step;
    step.loss_sum = engine.gradient(network, data, indices, 0, effective).loss_sum;
    if (convolution) {
        fake_parameter_gradient(*network.fake(), parameters, effective, Parameterization::continuous, gradient);
    } else {
        parameter_gradient(config, parameters, nullptr, effective, gradient, Parameterization::continuous,
                           InputMatrix::folded, NormStatistics::batch);
    }
    step.gradient = test::naive_parameters(gradient);
    step.statistics = engine.batch_statistics();
    return step;
}

TEST(BatchNorm, ConvolutionWithDropoutAndUnequalLengthsAgreesWithTheRecurrence) {
    const ModelConfig config = batch_norm_model();
    const Dataset data =
        test::with_lengths(test::random_dataset(35, 130, config.channels, config.classes, 9), 40, 0.7F);
    const NetworkParameters parameters = test::random_parameters(config, 4);
    const DroppedStep recurrent = dropped_step(config, parameters, data, EvaluationMode::recurrent, 1);
    const DroppedStep convolution = dropped_step(config, parameters, data, EvaluationMode::convolution, 1);
    EXPECT_NEAR(convolution.loss_sum, recurrent.loss_sum, 1e-5 * recurrent.loss_sum);
    for (const auto& [name, expected] : recurrent.gradient) {
        double difference = 0.0, size = 0.0;
        for (std::size_t index = 0; index < expected.size(); ++index) {
            difference += std::pow(convolution.gradient.at(name)[index] - expected[index], 2);
            size += expected[index] * expected[index];
        }
        EXPECT_LT(std::sqrt(difference), 2e-4 * std::sqrt(size) + 2e-7) << name << ", norm " << std::sqrt(size);
    }
    ASSERT_EQ(convolution.statistics.size(), recurrent.statistics.size());
    for (std::size_t head = 0; head < recurrent.statistics[1].mean.size(); ++head) {
        EXPECT_NEAR(convolution.statistics[1].mean[head], recurrent.statistics[1].mean[head], 1e-5);
        EXPECT_NEAR(convolution.statistics[1].variance[head], recurrent.statistics[1].variance[head], 1e-5);
    }
    const DroppedStep threaded = dropped_step(config, parameters, data, EvaluationMode::convolution, 3);
    EXPECT_EQ(threaded.loss_sum, convolution.loss_sum);
    EXPECT_EQ(threaded.gradient, convolution.gradient);
}

TEST(BatchNorm, DoesNotSeeThePadding) {
    const ModelConfig config = batch_norm_model();
    const Dataset data = test::random_dataset(18, 45, config.channels, config.classes, 7);
    const NetworkParameters parameters = test::random_parameters(config, 3);
    const Outcome zeros = run(config, parameters, test::with_lengths(data, 3, 0.0F), 1);
    const Outcome others = run(config, parameters, test::with_lengths(data, 3, 0.9F), 1);
    EXPECT_EQ(zeros.loss_sum, others.loss_sum);
    EXPECT_EQ(zeros.gradient, others.gradient);
    EXPECT_EQ(zeros.statistics[1].variance, others.statistics[1].variance);
}

TEST(BatchNorm, RunningAveragesTakeATenthOfTheBatchWithTheUnbiasedVariance) {
    ModelConfig config = batch_norm_model();
    config.layers = 1;
    NetworkParameters parameters = zero_parameters(config);
    parameters.layers[0].running_mean.setConstant(2.0F);
    parameters.layers[0].running_variance.setConstant(1.0F);
    BatchStatistics batch;
    batch.mean.assign(4, -1.0);
    batch.variance.assign(4, 3.0);
    batch.count = 4.0;
    update_running_statistics({batch}, parameters);
    EXPECT_FLOAT_EQ(parameters.layers[0].running_mean(3), 1.7F);      // 0.9 x 2 - 0.1
    EXPECT_FLOAT_EQ(parameters.layers[0].running_variance(0), 1.3F);  // 0.9 + 0.1 x 3 x 4 / 3
}

TEST(BatchNorm, ConstantStatisticsMakeTheFoldedNetworkEqualToTheBatchNormalisedOne) {
    ModelConfig config = batch_norm_model();
    config.layers = 1;
    const Dataset data = test::random_dataset(16, 40, config.channels, config.classes, 11);
    NetworkParameters parameters = test::random_parameters(config, 6);
    const Outcome outcome = run(config, parameters, data, 1);
    for (Eigen::Index head = 0; head < 4; ++head) {
        parameters.layers[0].running_mean(head) = static_cast<float>(outcome.statistics[0].mean[head]);
        parameters.layers[0].running_variance(head) = static_cast<float>(outcome.statistics[0].variance[head]);
    }
    GradientEngine engine(config, data.steps, false, 1);
    const BatchLoss folded = engine.evaluate(StepNetwork::in_float(config, parameters, data.steps), data, 0);
    EXPECT_NEAR(folded.loss_sum, outcome.loss_sum, 1e-5 * outcome.loss_sum);
}

}  // namespace
}  // namespace imssa
