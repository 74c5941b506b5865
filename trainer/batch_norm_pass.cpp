#include "trainer/batch_norm_pass.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"
#include "trainer/lane_sums.h"

namespace imssa {

namespace {

/// Calls work(block, step, mask) for all steps of a workspace; mask is 1 in the lanes that have the step.
template <class Work>
void for_each_step(const Workspace& workspace, Work&& work) {
    for (int block = 0; block < workspace.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            work(block, step, workspace.present(block * kBlockSteps + step));
        }
    }
}

/// Sums over the items in their order.
std::vector<double> total(const std::vector<std::vector<double>>& items) {
    std::vector<double> sums(items.front().size(), 0.0);
    for (const std::vector<double>& item : items) {
        for (std::size_t index = 0; index < sums.size(); ++index) {
            sums[index] += item[index];
        }
    }
    return sums;
}

double present_steps(const Workspace& workspace) {
    double count = 0.0;
    for (int lane = 0; lane < workspace.lanes; ++lane) {
        count += workspace.lengths[static_cast<std::size_t>(lane)];
    }
    return count;
}

Lanes at_step(const BlockBuffer& buffer, int block, int head, int step) {
    return load_lanes(buffer.block(block) + head * kBlockWidth + step * kLaneWidth);
}

}  // namespace

void update_running_statistics(const std::vector<BatchStatistics>& statistics, NetworkParameters& parameters) {
    for (std::size_t index = 0; index < statistics.size(); ++index) {
        const BatchStatistics& batch = statistics[index];
        LayerParameters& layer = parameters.layers[index];
        const double unbiased = batch.count / std::max(1.0, batch.count - 1.0);
        const auto average = [](float& running, double now) {
            running = static_cast<float>((1.0 - kStatisticsMomentum) * running + kStatisticsMomentum * now);
        };
        for (std::size_t head = 0; head < batch.mean.size(); ++head) {
            average(layer.running_mean(static_cast<Eigen::Index>(head)), batch.mean[head]);
            average(layer.running_variance(static_cast<Eigen::Index>(head)), batch.variance[head] * unbiased);
        }
    }
}

void BatchNormPass::find_statistics(int layer, int items) {
    BatchStatistics& statistics = statistics_[static_cast<std::size_t>(layer)];
    const std::size_t heads = static_cast<std::size_t>(config_.heads);
    std::vector<std::vector<double>> sums(static_cast<std::size_t>(items));
    const auto add_up = [&](bool deviations) {
        pool_.run(items, [&](int item, int /*thread*/) {
            const Workspace& workspace = *workspaces_[static_cast<std::size_t>(item)];
            const BlockBuffer& numbers = workspace.trace[static_cast<std::size_t>(layer)].normalized;
            std::vector<double>& of_item = sums[static_cast<std::size_t>(item)];
            of_item.assign(heads, 0.0);
            for_each_step(workspace, [&](int block, int step, Lanes mask) {
                for (std::size_t head = 0; head < heads; ++head) {
                    Lanes value = at_step(numbers, block, static_cast<int>(head), step);
                    if (deviations) {
                        value -= static_cast<float>(statistics.mean[head]);
                        value *= value;
                    }
                    of_item[head] += lane_sum(mask > 0.0F ? value : Lanes{});
                }
            });
        });
        return total(sums);
    };
    statistics.count = 0.0;
    for (int item = 0; item < items; ++item) {
        statistics.count += present_steps(*workspaces_[static_cast<std::size_t>(item)]);
    }
    statistics.mean = add_up(false);
    for (double& mean : statistics.mean) {
        mean /= statistics.count;
    }
    statistics.variance = add_up(true);
    for (std::size_t head = 0; head < heads; ++head) {
        // The deviations are from the mean rounded to float: what that adds is taken off again.
        const double rounding = statistics.mean[head] - static_cast<double>(static_cast<float>(statistics.mean[head]));
        statistics.variance[head] = std::max(0.0, statistics.variance[head] / statistics.count - rounding * rounding);
        if (!std::isfinite(statistics.variance[head])) {
            throw NumericalError("the batch norm of layers." + std::to_string(layer) + ", head " +
                                 std::to_string(head) + " sees numbers that are not finite");
        }
    }
}

void BatchNormPass::normalize(const EffectiveNetwork& network, int layer, Workspace& workspace) const {
    const std::size_t index = static_cast<std::size_t>(layer);
    const EffectiveLayerTensors& tensors = network.tensors.layers[index];
    const BatchStatistics& statistics = statistics_[index];
    for (int block = 0; block < workspace.blocks; ++block) {
        float* normalized = workspace.trace[index].normalized.block(block);
        float* out = workspace.stream(layer + 1).block(block);
        for (int head = 0; head < config_.heads; ++head) {
            const std::size_t h = static_cast<std::size_t>(head);
            const float mean = static_cast<float>(statistics.mean[h]);
            const float inverse = static_cast<float>(1.0 / std::sqrt(statistics.variance[h] + kNormEpsilon));
            for (int at = head * kBlockWidth; at < (head + 1) * kBlockWidth; at += kLaneWidth) {
                const Lanes value = (load_lanes(normalized + at) - mean) * inverse;
                store_lanes(normalized + at, value);
                store_lanes(out + at, multiply_add(broadcast(tensors.gamma[h]), value, broadcast(tensors.beta[h])));
            }
        }
    }
}

/// With M numbers, zhat normalized: d z = gamma / deviation (d out - mean(d out) - zhat mean(d out zhat)).
void BatchNormPass::layer_gradient(const EffectiveNetwork& network, const KernelAdjoint& kernels, int layer, int items,
                                   std::vector<EffectiveTensors>& gradients) {
    const std::size_t index = static_cast<std::size_t>(layer);
    const std::size_t heads = static_cast<std::size_t>(config_.heads);
    std::vector<std::vector<double>> sums(static_cast<std::size_t>(items));
    pool_.run(items, [&](int item, int /*thread*/) {
        const std::size_t at = static_cast<std::size_t>(item);
        const Workspace& workspace = *workspaces_[at];
        sums[at].assign(2 * heads, 0.0);
        for_each_step(workspace, [&](int block, int step, Lanes mask) {
            for (std::size_t head = 0; head < heads; ++head) {
                const int row = static_cast<int>(head);
                const Lanes gradient = at_step(workspace.gradient_a, block, row, step) * mask;
                sums[at][head] += lane_sum(gradient);
                sums[at][heads + head] +=
                    lane_sum(gradient * at_step(workspace.trace[index].normalized, block, row, step));
            }
        });
        EffectiveLayerTensors& to = gradients[at].layers[index];
        for (std::size_t head = 0; head < heads; ++head) {
            to.beta[head] = static_cast<float>(sums[at][head]);
            to.gamma[head] = static_cast<float>(sums[at][heads + head]);
        }
    });
    const std::vector<double> sum = total(sums);
    const BatchStatistics& statistics = statistics_[index];
    pool_.run(items, [&](int item, int /*thread*/) {
        const std::size_t at = static_cast<std::size_t>(item);
        Workspace& workspace = *workspaces_[at];
        for_each_step(workspace, [&](int block, int step, Lanes mask) {
            for (std::size_t head = 0; head < heads; ++head) {
                const int row = static_cast<int>(head);
                float* gradient = workspace.gradient_a.block(block) + row * kBlockWidth + step * kLaneWidth;
                const Lanes normalized = at_step(workspace.trace[index].normalized, block, row, step);
                const float mean = static_cast<float>(sum[head] / statistics.count);
                const float projection = static_cast<float>(sum[heads + head] / statistics.count);
                const float inverse = static_cast<float>(1.0 / std::sqrt(statistics.variance[head] + kNormEpsilon));
                // The factor gamma comes with the affine map of the layer unit.
                const Lanes ahead = (load_lanes(gradient) - mean - normalized * projection) * inverse;
                store_lanes(gradient, mask > 0.0F ? ahead : Lanes{});
            }
        });
        for (int chunk = workspace.chunks - 1; chunk >= 0; --chunk) {
            layer_backward(network, kernels, workspace, layer, chunk, gradients[at]);
        }
        std::swap(workspace.gradient_a, workspace.gradient_b);
    });
}

void BatchNormPass::run(const EffectiveNetwork& network, int items, const Work& work, const KernelAdjoint& adjoint,
                        std::vector<EffectiveTensors>& gradients) {
    const Workspace::Purpose purpose = mode_ == EvaluationMode::convolution
                                           ? Workspace::Purpose::convolution_batch_norm_training
                                           : Workspace::Purpose::batch_norm_training;
    while (static_cast<int>(workspaces_.size()) < items) {
        workspaces_.push_back(std::make_unique<Workspace>(config_, steps_, purpose));
    }
    statistics_.resize(static_cast<std::size_t>(config_.layers));
    const auto workspace_of = [this](int item) -> Workspace& { return *workspaces_[static_cast<std::size_t>(item)]; };
    for (int layer = 0; layer < config_.layers; ++layer) {
        pool_.run(items, [&](int item, int /*thread*/) {
            Workspace& workspace = workspace_of(item);
            if (layer == 0) {
                work.load(item, workspace);
                start_float(workspace);
            } else {
                normalize(network, layer - 1, workspace);
            }
            for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
                if (layer == 0) {
                    encode_chunk(network, workspace, chunk);
                }
                work.forward(item, layer, chunk, workspace);
            }
        });
        find_statistics(layer, items);
    }
    pool_.run(items, [&](int item, int /*thread*/) {
        Workspace& workspace = workspace_of(item);
        EffectiveTensors& gradient = gradients[static_cast<std::size_t>(item)];
        normalize(network, config_.layers - 1, workspace);
        for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
            pool_chunk(workspace, chunk);
        }
        finish_float(network, workspace);
        work.loss(item, workspace);
        for_each_effective_tensor(gradient,
                                  [](std::vector<float>& values) { std::fill(values.begin(), values.end(), 0.0F); });
        start_backward(network, workspace, gradient);
        for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
            pooling_backward(workspace, chunk);
        }
    });
    for (int layer = config_.layers - 1; layer >= 0; --layer) {
        layer_gradient(network, adjoint, layer, items, gradients);
    }
    pool_.run(items, [&](int item, int /*thread*/) {
        Workspace& workspace = workspace_of(item);
        EffectiveTensors& gradient = gradients[static_cast<std::size_t>(item)];
        for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
            encoder_backward(network, workspace, chunk, gradient);
        }
        adjoint.finish(workspace, gradient);
    });
}

}  // namespace imssa
