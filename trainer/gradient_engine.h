#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/batch_norm_pass.h"
#include "trainer/block_scan.h"
#include "trainer/datasets/dataset.h"
#include "trainer/effective_network.h"
#include "trainer/fake_pass.h"
#include "trainer/observed_bounds.h"
#include "trainer/tensor_checks.h"
#include "trainer/thread_pool.h"
#include "trainer/workspace.h"

namespace imssa {

struct BatchLoss {
    double loss_sum = 0.0;
    int correct = 0;
    int sequences = 0;

    double mean_loss() const { return loss_sum / sequences; }
    double accuracy() const { return static_cast<double>(correct) / sequences; }
};

/// A network of one step in the form that the passes use: float, deployed to codes, or float on grids.
class StepNetwork {
public:
    /// `statistics` batch: for gradients only; the batch norm then uses those of the batch.
    static StepNetwork in_float(const ModelConfig& config, const NetworkParameters& parameters, int steps,
                                NormStatistics statistics = NormStatistics::running);
    static StepNetwork quantized(const ModelConfig& config, const NetworkParameters& parameters,
                                 const CalibrationRanges& ranges, const DeploymentOptions& options, int steps);
    /// A deployed network as it is, possibly with errors in its codes.
    static StepNetwork quantized(DeployedNetwork deployed);
    /// Real numbers on the grids of a fake quantization.
    static StepNetwork fake_quantized(FakeNetwork network);

    /// Errors of inputs, states and activations that go with it (none at first).
    void set_noise(const PassNoise& noise) { noise_ = noise; }

    const EffectiveNetwork& effective() const { return fake_ ? fake_->effective : effective_; }
    const DeployedNetwork* deployed() const { return deployed_.get(); }
    const FakeNetwork* fake() const { return fake_.get(); }
    const PassNoise& noise() const { return noise_; }

private:
    std::shared_ptr<const DeployedNetwork> deployed_;
    std::shared_ptr<const FakeNetwork> fake_;
    EffectiveNetwork effective_;
    PassNoise noise_;
};

/// Loss and gradient of batches, and accuracy of data sets. A batch is cut into work items of 16 sequences, which
/// threads share; each item has a gradient buffer of its own, and they are summed in the order of the items: results do
/// not depend on the number of threads.
class GradientEngine {
public:
    /// `quantized`: networks are deployed to codes; `fake_quantized`: real on grids, and in mode `convolution` every
    /// network.
    GradientEngine(const ModelConfig& config, int steps, bool quantized, int threads, bool fake_quantized = false,
                   EvaluationMode mode = EvaluationMode::recurrent);

    /// Mean loss gradient over data.sequence(indices[i]); dither is keyed by (dither_seed, index). Throws
    /// NumericalError when the loss is not finite, or when an activation is zero everywhere in the batch (dead:
    /// check_live_activations).
    BatchLoss gradient(const StepNetwork& network, const Dataset& data, const std::vector<int>& indices,
                       std::uint64_t dither_seed, EffectiveTensors& gradient);

    /// What the batch of the last gradient() showed, when ranges of its network follow training.
    const ObservedBounds& observed() const { return observed_; }

    /// Forward pass only.
    BatchLoss evaluate(const StepNetwork& network, const Dataset& data, std::uint64_t dither_seed);

    /// Of the last gradient with NormStatistics::batch, one a layer.
    const std::vector<BatchStatistics>& batch_statistics() const { return batch_norm_.statistics(); }

private:
    /// The sequences of one work item.
    struct Sequences {
        int lanes = 0;
        std::array<int, kLaneWidth> labels{};
        LanesUint keys = {}, identities = {};
    };

    static Sequences load(const StepNetwork& network, const Dataset& data, const std::vector<int>& indices,
                          std::uint64_t dither_seed, int item, Workspace& workspace);
    void take_loss(const EffectiveNetwork& network, const Sequences& sequences, double weight, bool training, int item,
                   Workspace& workspace);
    /// `convolution`: null in recurrent mode.
    void run_batch_norm(const StepNetwork& network, const FakePass* convolution, const Dataset& data,
                        const std::vector<int>& indices, std::uint64_t dither_seed, double weight);
    BatchLoss total_loss() const;
    BatchLoss run(const StepNetwork& network, const Dataset& data, const std::vector<int>& indices,
                  std::uint64_t dither_seed, bool backward);

    ModelConfig config_;
    bool quantized_;
    ThreadPool pool_;
    BlockKernels block_kernels_;  ///< float mode: of the network of this step
    BatchNormPass batch_norm_;
    std::vector<std::unique_ptr<Workspace>> workspaces_;             ///< one a thread, for training
    std::vector<std::unique_ptr<Workspace>> evaluation_workspaces_;  ///< one a thread
    std::vector<EffectiveTensors> item_gradients_;
    std::vector<std::unique_ptr<BoundsRecorder>> recorders_;  ///< one a thread
    std::vector<ObservedBounds> item_bounds_;
    ObservedBounds observed_;
    std::vector<std::vector<unsigned char>> item_alive_;  ///< live_activations of every item
    SilentSequences silent_;
    std::vector<BatchLoss> item_results_;
};

}  // namespace imssa
