#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "trainer/evaluation_mode.h"
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
    /// Makes workspaces for `mode` when they are needed, one an item.
    BatchNormPass(const ModelConfig& config, int steps, ThreadPool& pool, EvaluationMode mode)
        : config_(config), steps_(steps), pool_(pool), mode_(mode) {}

    /// What the pass does with an item of 16 sequences.
    struct Work {
        std::function<void(int item, Workspace&)> load;  ///< fills its input
        /// Takes a chunk through a layer, up to the numbers ahead of the batch norm.
        std::function<void(int item, int layer, int chunk, Workspace&)> forward;
        std::function<void(int item, Workspace&)> loss;  ///< turns its logits into their gradient
    };

    /// `adjoint` is the backward pass of the kernels that work.forward runs. `gradients` (one an item) are set.
    void run(const EffectiveNetwork& network, int items, const Work& work, const KernelAdjoint& adjoint,
             std::vector<EffectiveTensors>& gradients);

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
    EvaluationMode mode_;
    std::vector<std::unique_ptr<Workspace>> workspaces_;
    std::vector<BatchStatistics> statistics_;
};

}  // namespace imssa
