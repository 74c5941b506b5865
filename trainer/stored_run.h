#pragma once

#include <optional>
#include <string>

#include "trainer/training_run.h"

namespace imssa {

/// Phases of a configuration: training, finetune.
constexpr int kPhases = 2;

/// Where the checkpoint of a phase is.
std::string checkpoint_path(const TrainingOptions& options, int phase);

/// The newest checkpoint in the output folder that a run with the same configuration and the same initial parameters
/// has written; none where there is no checkpoint. What an earlier run left behind it counts as none where the run of
/// these options has got as far as a checkpoint of its own. Throws UserError where all are of another run.
std::optional<Checkpoint> stored_checkpoint(const TrainingOptions& options);

}  // namespace imssa
