#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "trainer/network_pass.h"
#include "trainer/thread_pool.h"

namespace imssa {

/// Mean and variance of the numbers ahead of a batch norm, of each head over all steps of all sequences of a batch.
struct BatchStatistics {
    std::vector<double> mean, variance;  ///< heads; the variance divides by `count`
    double count = 0.0;                  ///< steps of all sequences
};

/// Share of the new batch in the running averages, as in PyTorch.
constexpr double kStatisticsMomentum = 0.1;

/// running = 0.9 running + 0.1 of the batch; the variance with count - 1.
void update_running_statistics(const std::vector<BatchStatistics>& statistics, NetworkParameters& parameters);

/// Forward and backward pass of a whole batch through a network with batch norm, in real numbers and with the
/// statistics of the batch: layer by layer, since each layer needs those of the layer before. Sums over the batch are
/// those of the items of 16 sequences, added in their order: results do not depend on the number of threads.
class BatchNormPass {
public:
    /// Makes workspaces when they are needed, one an item.
    BatchNormPass(const ModelConfig& config, int steps, ThreadPool& pool)
        : config_(config), steps_(steps), pool_(pool) {}

    /// `load(item, workspace)` fills an item's input; `dropout(item)` is its dropout; `loss(item, workspace)` turns its
    /// logits into their gradient. `gradients` (one an item) are set.
    void run(const EffectiveNetwork& network, const BlockKernels& kernels, int items,
             const std::function<void(int, Workspace&)>& load, const std::function<Dropout(int)>& dropout,
             const std::function<void(int, Workspace&)>& loss, std::vector<EffectiveTensors>& gradients);

    /// Of the batch that ran last, one a layer.
    const std::vector<BatchStatistics>& statistics() const { return statistics_; }

private:
    void find_statistics(int layer, int items);
    void normalize(const EffectiveNetwork& network, int layer, Workspace& workspace) const;
    void layer_gradient(const EffectiveNetwork& network, const KernelAdjoint& kernels, int layer, int items,
                        std::vector<EffectiveTensors>& gradients);

    ModelConfig config_;
    int steps_;
    ThreadPool& pool_;
    std::vector<std::unique_ptr<Workspace>> workspaces_;
    std::vector<BatchStatistics> statistics_;
};

}  // namespace imssa
