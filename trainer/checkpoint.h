#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/network/parameters.h"
#include "trainer/adamw.h"
#include "trainer/observed_bounds.h"
#include "trainer/train_config.h"

namespace imssa {

/// One row of the training log.
struct EpochMetrics {
    int phase = 0;  ///< 0: training, 1: finetune
    int epoch = 0;  ///< from 1
    double train_loss = 0.0, train_accuracy = 0.0, test_loss = 0.0, test_accuracy = 0.0;
    double learning_rate = 0.0;  ///< of the last step
    double gradient_norm = 0.0;  ///< mean before clipping
    double wall_s = 0.0, cpu_s = 0.0;
};

/// A trained model with everything that is needed to deploy it or to go on training to the same bits.
struct Checkpoint {
    TrainConfig config;   ///< resolved
    int steps = 0;        ///< sequence length that it was trained on
    int phase = 0;        ///< of config: 0 training, 1 finetune
    int epochs_done = 0;  ///< in that phase
    /// parameters_checksum of the checkpoint that the first phase began with (--init); empty where there was none.
    std::string init_checksum;
    NetworkParameters parameters;
    std::optional<CalibrationRanges> ranges;  ///< converter ranges, once calibrated
    std::optional<ObservedBounds> bounds;     ///< of fake quantization, where it needs them
    std::optional<AdamWState> optimizer;      ///< dropped when its phase is complete
    std::vector<EpochMetrics> history;
};

/// SHA-256 of names and values of all parameters, in hexadecimal digits.
std::string parameters_checksum(const NetworkParameters& parameters);

/// Newest file format that this build reads and writes.
constexpr int kCheckpointVersion = 1;

/// Writes a temporary file in the same folder, syncs it and renames it: whatever happens, `path` holds a whole
/// checkpoint or what it held before. The file is HDF5 behind a 512-byte user block with a SHA-256 of the rest (docs:
/// trainer/checkpoint_file.h).
void save_checkpoint(const Checkpoint& checkpoint, const std::string& path);

/// Throws UserError when the file is missing, cut, changed, or of another format or version.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace imssa
