#pragma once

#include <cstdint>
#include <vector>

#include "trainer/checkpoint.h"
#include "trainer/gradient_engine.h"
#include "trainer/observed_bounds.h"
#include "trainer/progress.h"

namespace imssa {

/// Order in which an epoch visits the training sequences: a permutation that depends on (seed, phase, epoch) only.
std::vector<int> shuffled_indices(int count, std::uint64_t seed, int phase, int epoch);

/// Seed of the dither of one epoch of training: fresh every epoch.
std::uint64_t epoch_dither_seed(std::uint64_t seed, int phase, int epoch);

/// What one optimisation step runs with: the parameters with this step's errors, and the network made of them.
struct TrainingStep {
    NetworkParameters parameters;
    StepNetwork network;
};

/// Makes them: quantization with at least `bits` bits (0: as configured), errors of phase.noise keyed by `seed`. Ranges
/// may be null in float, bounds where needs_bounds is false.
TrainingStep draw_step(const TrainConfig& config, const PhaseConfig& phase, const NetworkParameters& parameters,
                       const CalibrationRanges* ranges, int steps, int bits, std::uint64_t seed,
                       const ObservedBounds* bounds = nullptr, NormStatistics statistics = NormStatistics::running);

/// Optimises the parameters of a checkpoint through the epochs of one phase.
class PhaseTrainer {
public:
    /// `checkpoint` holds the state that training goes on from, and is advanced; quantized phases calibrate first when
    /// it has no ranges.
    PhaseTrainer(Checkpoint& checkpoint, const Dataset& train, const Dataset& test, int threads);

    /// One epoch. Returns false when a signal stopped it: the checkpoint then still holds the state before the epoch.
    bool run_epoch(ProgressReport& progress);

    /// Greedy pruning of the parameters as they are; returns the validation accuracy of what is left.
    double prune(const Dataset& validation);

    /// Loss and accuracy on the test data with the parameters as they are.
    BatchLoss test();

    /// How often an epoch so far has pulled a pole back to kLargestPole.
    std::int64_t pulled_poles() const { return pulled_poles_; }

    /// Of its phase; never automatic.
    EvaluationMode mode() const { return phase_.mode; }
    bool done() const { return checkpoint_.epochs_done >= phase_.epochs; }

private:
    StepNetwork step_network(const NetworkParameters& parameters, int epoch, const ObservedBounds* bounds) const;
    TrainingStep training_step(const NetworkParameters& parameters, int epoch, std::int64_t step,
                               const ObservedBounds* bounds) const;
    const ObservedBounds* own_bounds() const;
    void step_gradient(const TrainingStep& drawn, const NetworkParameters& parameters,
                       const EffectiveTensors& effective, NetworkParameters& gradient) const;
    /// Returns the poles that it had to pull back.
    PulledPoles update(AdamW& optimizer, const NetworkParameters& gradient, double factor,
                       NetworkParameters& parameters) const;

    Checkpoint& checkpoint_;
    const PhaseConfig phase_;  ///< its mode is definite
    const Dataset& train_;
    const Dataset& test_;
    GradientEngine engine_;
    std::int64_t steps_per_epoch_;
    std::int64_t pulled_poles_ = 0;
};

/// The configuration of a phase: 0 training, 1 finetune.
/// CPU time of all threads so far.
double process_cpu_seconds();

const PhaseConfig& phase_config(const TrainConfig& config, int phase);
/// With the mode that `automatic` stands for.
PhaseConfig definite_phase(PhaseConfig phase, const ModelConfig& model, int steps);
const char* phase_name(int phase);

}  // namespace imssa
