#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/checkpoint.h"

namespace imssa {

struct TrainingOptions {
    TrainConfig config;
    int threads = 1;
    std::string out_folder = ".";
    std::optional<std::string> data_folder;
    bool resume = false;              ///< go on from the checkpoints in the output folder
    std::optional<std::string> init;  ///< checkpoint whose parameters to start from
    bool quiet = false;
};

struct TrainingOutcome {
    std::vector<EpochMetrics> history;
    std::vector<std::string> checkpoints;  ///< written
    int interrupted_by = 0;                ///< signal number, 0 when training came to its end
    int test_sequences = 0;
};

/// Where a run starts: parameters of the configuration's seed, or those of options.init, with the ranges that it has.
/// Throws UserError when its model is another one.
Checkpoint initial_checkpoint(const TrainingOptions& options, int steps);

/// Runs the phases of a configuration. Every epoch ends with a checkpoint and a row of `<name>.csv` in the output
/// folder; an interrupted run goes on from there to the same bits. Throws UserError and NumericalError.
TrainingOutcome run_training(const TrainingOptions& options);

}  // namespace imssa
