#include "trainer/gradient_engine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "models/common/error.h"
#include "models/network/reference_inference.h"
#include "trainer/cross_entropy.h"
#include "trainer/network_pass.h"
#include "trainer/quantized_pass.h"

namespace imssa {

StepNetwork StepNetwork::in_float(const ModelConfig& config, const NetworkParameters& parameters, int steps,
                                  NormStatistics statistics) {
    StepNetwork network;
    network.effective_ = effective_float_network(config, parameters, steps, statistics);
    return network;
}

StepNetwork StepNetwork::quantized(const ModelConfig& config, const NetworkParameters& parameters,
                                   const CalibrationRanges& ranges, const DeploymentOptions& options, int steps) {
    return quantized(deploy(config, parameters, ranges, options, steps));
}

StepNetwork StepNetwork::quantized(DeployedNetwork deployed) {
    StepNetwork network;
    network.deployed_ = std::make_shared<const DeployedNetwork>(std::move(deployed));
    network.effective_ = effective_quantized_network(*network.deployed_);
    return network;
}

StepNetwork StepNetwork::fake_quantized(FakeNetwork fake) {
    StepNetwork network;
    network.fake_ = std::make_shared<const FakeNetwork>(std::move(fake));
    return network;
}

namespace {

/// Workspaces for training and for evaluation.
std::pair<Workspace::Purpose, Workspace::Purpose> purposes(bool quantized, bool fake_quantized, EvaluationMode mode) {
    using Purpose = Workspace::Purpose;
    if (quantized) {
        return {Purpose::quantized, Purpose::quantized_evaluation};
    }
    if (mode == EvaluationMode::convolution) {
        return {Purpose::convolution_training, Purpose::convolution_evaluation};
    }
    if (fake_quantized) {
        return {Purpose::fake_training, Purpose::evaluation};
    }
    return {Purpose::float_training, Purpose::inference};
}

}  // namespace

GradientEngine::GradientEngine(const ModelConfig& config, int steps, bool quantized, int threads, bool fake_quantized,
                               EvaluationMode mode)
    : config_(config),
      quantized_(quantized),
      pool_(threads),
      block_kernels_(config),
      batch_norm_(config, steps, pool_, mode),
      observed_(config) {
    const auto [training, evaluation] = purposes(quantized, fake_quantized, mode);
    for (int thread = 0; thread < threads; ++thread) {
        workspaces_.push_back(std::make_unique<Workspace>(config, steps, training));
        evaluation_workspaces_.push_back(std::make_unique<Workspace>(config, steps, evaluation));
        recorders_.push_back(std::make_unique<BoundsRecorder>(config));
    }
}

BatchLoss GradientEngine::run(const StepNetwork& network, const Dataset& data, const std::vector<int>& indices,
                              std::uint64_t dither_seed, bool with_gradient) {
    const int items = (static_cast<int>(indices.size()) + kLaneWidth - 1) / kLaneWidth;
    item_results_.assign(static_cast<std::size_t>(items), {});
    while (with_gradient && static_cast<int>(item_gradients_.size()) < items) {
        item_gradients_.push_back(zero_effective_tensors(config_));
        item_bounds_.emplace_back(config_);
        item_alive_.emplace_back();
    }
    const bool records = with_gradient && network.fake() != nullptr && follows_training(network.fake()->options);
    std::optional<QuantizedPass> quantized_pass;
    if (quantized_) {
        quantized_pass.emplace(*network.deployed(), network.noise());
    }
    std::optional<FakePass> fake_pass;
    if (!quantized_ && network.fake() == nullptr) {
        block_kernels_.prepare(network.effective());
    } else if (network.fake() != nullptr) {
        PassNoise noise = network.noise();
        noise.dropout = with_gradient ? noise.dropout : 0.0;
        fake_pass.emplace(*network.fake(), noise);
    }
    const double weight = 1.0 / static_cast<double>(indices.size());
    if (with_gradient && network.effective().statistics == NormStatistics::batch) {
        run_batch_norm(network, fake_pass ? &*fake_pass : nullptr, data, indices, dither_seed, weight);
        return total_loss();
    }
    const auto work = [&](int item, int thread) {
        const std::size_t at = static_cast<std::size_t>(item);
        Workspace& workspace =
            *(with_gradient ? workspaces_ : evaluation_workspaces_)[static_cast<std::size_t>(thread)];
        const Sequences sequences = load(network, data, indices, dither_seed, item, workspace);
        const EffectiveNetwork& effective = network.effective();
        const Dropout dropout{with_gradient ? network.noise().dropout : 0.0, network.noise().seed,
                              sequences.identities};
        if (quantized_pass) {
            quantized_pass->forward(sequences.keys, sequences.identities, workspace);
        } else if (fake_pass) {
            BoundsRecorder* recorder = records ? recorders_[static_cast<std::size_t>(thread)].get() : nullptr;
            if (recorder != nullptr) {
                recorder->start();
            }
            fake_pass->forward(sequences.keys, sequences.identities, workspace, recorder);
            if (recorder != nullptr) {
                item_bounds_[at].clear();
                recorder->finish(sequences.lanes, item_bounds_[at]);
            }
        } else {
            forward_float(effective, block_kernels_, workspace, nullptr, dropout);
        }
        take_loss(effective, sequences, weight, with_gradient, item, workspace);
        if (with_gradient) {
            const auto go_back = [&](const KernelAdjoint& adjoint) {
                live_activations(effective, adjoint, workspace, item_alive_[at]);
                for_each_effective_tensor(item_gradients_[at], [](std::vector<float>& values) {
                    std::fill(values.begin(), values.end(), 0.0F);
                });
                backward(effective, adjoint, workspace, item_gradients_[at]);
            };
            if (fake_pass && network.fake()->mode == EvaluationMode::convolution) {
                go_back(ConvolutionAdjoint(*network.fake()));
            } else if (fake_pass) {
                go_back(FakeKernelAdjoint(*fake_pass, sequences.keys, sequences.identities));
            } else if (quantized_pass) {
                go_back(QuantizedKernelAdjoint(*quantized_pass, effective, sequences.keys));
            } else {
                go_back(BlockKernelAdjoint(effective, block_kernels_));
            }
        }
    };
    pool_.run(items, work);
    if (with_gradient) {
        check_live_activations(item_alive_, items, static_cast<int>(indices.size()), silent_);
    }
    if (records) {
        observed_.clear();
        for (int item = 0; item < items; ++item) {
            observed_.join(item_bounds_[static_cast<std::size_t>(item)]);
        }
    }
    return total_loss();
}

GradientEngine::Sequences GradientEngine::load(const StepNetwork& network, const Dataset& data,
                                               const std::vector<int>& indices, std::uint64_t dither_seed, int item,
                                               Workspace& workspace) {
    Sequences sequences;
    std::array<const float*, kLaneWidth> values{};
    std::array<int, kLaneWidth> lengths{};
    const int first = item * kLaneWidth;
    sequences.lanes = std::min(kLaneWidth, static_cast<int>(indices.size()) - first);
    for (int lane = 0; lane < sequences.lanes; ++lane) {
        const std::size_t at = static_cast<std::size_t>(lane);
        const int index = indices[static_cast<std::size_t>(first + lane)];
        values[at] = data.sequence(index);
        lengths[at] = data.length(index);
        sequences.labels[at] = data.labels[static_cast<std::size_t>(index)];
        sequences.identities[lane] = static_cast<std::uint32_t>(index);
        sequences.keys[lane] = dither_sequence_key(dither_seed, static_cast<std::uint64_t>(index));
    }
    workspace.load_inputs(values.data(), sequences.lanes, lengths.data());
    if (network.noise().input > 0.0) {
        add_input_noise(network.noise(), sequences.identities, sequences.lanes, workspace);
    }
    return sequences;
}

void GradientEngine::take_loss(const EffectiveNetwork& network, const Sequences& sequences, double weight,
                               bool training, int item, Workspace& workspace) {
    const SequenceLosses loss =
        cross_entropy(workspace.logits.data(), network.logit_scale, network.logit_limit, config_.classes,
                      sequences.labels.data(), sequences.lanes, weight, workspace.logit_gradient.data());
    BatchLoss& result = item_results_[static_cast<std::size_t>(item)];
    result.sequences = sequences.lanes;
    for (int lane = 0; lane < sequences.lanes; ++lane) {
        result.loss_sum += loss.loss[static_cast<std::size_t>(lane)];
        result.correct += loss.correct[static_cast<std::size_t>(lane)] ? 1 : 0;
    }
    if (!std::isfinite(result.loss_sum)) {
        throw NumericalError("the loss is not finite, first '" + first_not_finite(network, workspace) + "' is not; " +
                             (training ? "use a smaller learning rate or gradient_clip"
                                       : "use a smaller learning rate, or more bits or a state_limit for "
                                         "states that grow by their rounding"));
    }
}

void GradientEngine::run_batch_norm(const StepNetwork& network, const FakePass* convolution, const Dataset& data,
                                    const std::vector<int>& indices, std::uint64_t dither_seed, double weight) {
    const int items = static_cast<int>(item_results_.size());
    const EffectiveNetwork& effective = network.effective();
    std::vector<Sequences> sequences(item_results_.size());
    const BlockKernelAdjoint in_float(effective, block_kernels_);
    std::optional<ConvolutionAdjoint> convolved;
    if (convolution != nullptr) {
        convolved.emplace(convolution->network());
    }
    const KernelAdjoint& adjoint = convolved ? static_cast<const KernelAdjoint&>(*convolved) : in_float;
    BatchNormPass::Work work;
    work.load = [&](int item, Workspace& workspace) {
        sequences[static_cast<std::size_t>(item)] = load(network, data, indices, dither_seed, item, workspace);
    };
    work.forward = [&](int item, int layer, int chunk, Workspace& workspace) {
        const Sequences& own = sequences[static_cast<std::size_t>(item)];
        if (convolution != nullptr) {
            convolution->layer_forward(own.keys, own.identities, layer, chunk, workspace);
            return;
        }
        const Dropout dropout{network.noise().dropout, network.noise().seed, own.identities};
        layer_forward_float(effective, block_kernels_, workspace, layer, chunk, dropout);
    };
    work.loss = [&](int item, Workspace& workspace) {
        take_loss(effective, sequences[static_cast<std::size_t>(item)], weight, true, item, workspace);
        live_activations(effective, adjoint, workspace, item_alive_[static_cast<std::size_t>(item)]);
    };
    batch_norm_.run(effective, items, work, adjoint, item_gradients_);
    check_live_activations(item_alive_, items, static_cast<int>(indices.size()), silent_);
}

BatchLoss GradientEngine::total_loss() const {
    BatchLoss total;
    for (const BatchLoss& result : item_results_) {
        total.loss_sum += result.loss_sum;
        total.correct += result.correct;
        total.sequences += result.sequences;
    }
    return total;
}

BatchLoss GradientEngine::gradient(const StepNetwork& network, const Dataset& data, const std::vector<int>& indices,
                                   std::uint64_t dither_seed, EffectiveTensors& gradient) {
    const BatchLoss result = run(network, data, indices, dither_seed, true);
    for_each_effective_tensor(gradient,
                              [](std::vector<float>& values) { std::fill(values.begin(), values.end(), 0.0F); });
    for (std::size_t item = 0; item < item_results_.size(); ++item) {
        std::vector<std::vector<float>*> to;
        for_each_effective_tensor(gradient, [&to](std::vector<float>& values) { to.push_back(&values); });
        std::size_t tensor = 0;
        for_each_effective_tensor(item_gradients_[item], [&](const std::vector<float>& values) {
            std::vector<float>& sums = *to[tensor++];
            for (std::size_t index = 0; index < values.size(); ++index) {
                sums[index] += values[index];
            }
        });
    }
    return result;
}

BatchLoss GradientEngine::evaluate(const StepNetwork& network, const Dataset& data, std::uint64_t dither_seed) {
    std::vector<int> indices(static_cast<std::size_t>(data.count()));
    std::iota(indices.begin(), indices.end(), 0);
    return run(network, data, indices, dither_seed, false);
}

}  // namespace imssa
