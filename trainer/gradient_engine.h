#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/block_scan.h"
#include "trainer/datasets/dataset.h"
#include "trainer/effective_network.h"
#include "trainer/thread_pool.h"
#include "trainer/workspace.h"

namespace imssa {

struct BatchLoss {
    double loss_sum = 0.0;
    int correct = 0;
    int sequences = 0;
};

/// A network of one step in the form that the passes use: float, or deployed to codes.
class StepNetwork {
public:
    static StepNetwork in_float(const ModelConfig& config, const NetworkParameters& parameters, int steps);
    static StepNetwork quantized(const ModelConfig& config, const NetworkParameters& parameters,
                                 const CalibrationRanges& ranges, const DeploymentOptions& options, int steps);

    const EffectiveNetwork& effective() const { return effective_; }
    const DeployedNetwork* deployed() const { return deployed_.get(); }

private:
    std::shared_ptr<const DeployedNetwork> deployed_;
    EffectiveNetwork effective_;
};

/// Loss and gradient of batches, and accuracy of data sets. A batch is cut into work items of 16 sequences, which
/// threads share; each item has a gradient buffer of its own, and they are summed in the order of the items: results do
/// not depend on the number of threads.
class GradientEngine {
public:
    GradientEngine(const ModelConfig& config, int steps, bool quantized, int threads);

    /// Mean loss gradient over data.sequence(indices[i]); dither is keyed by (dither_seed, index). Throws
    /// NumericalError when the loss is not finite.
    BatchLoss gradient(const StepNetwork& network, const Dataset& data, const std::vector<int>& indices,
                       std::uint64_t dither_seed, EffectiveTensors& gradient);

    /// Forward pass only.
    BatchLoss evaluate(const StepNetwork& network, const Dataset& data, std::uint64_t dither_seed);

private:
    BatchLoss run(const StepNetwork& network, const Dataset& data, const std::vector<int>& indices,
                  std::uint64_t dither_seed, bool backward);

    ModelConfig config_;
    bool quantized_;
    ThreadPool pool_;
    BlockKernels block_kernels_;                                     ///< float mode: of the network of this step
    std::vector<std::unique_ptr<Workspace>> workspaces_;             ///< one a thread, for training
    std::vector<std::unique_ptr<Workspace>> evaluation_workspaces_;  ///< one a thread
    std::vector<EffectiveTensors> item_gradients_;
    std::vector<BatchLoss> item_results_;
};

}  // namespace imssa
