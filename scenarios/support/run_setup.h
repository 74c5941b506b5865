#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/chip/chip_config.h"
#include "models/network/deployed_network.h"
#include "models/network/remove_pruned.h"
#include "trainer/checkpoint.h"
#include "trainer/datasets/dataset.h"

namespace imssa {

/// What a run on the chip starts from.
struct RunRequest {
    std::string checkpoint;              ///< --checkpoint FILE
    std::string chip;                    ///< --chip FILE.toml
    std::vector<std::string> overrides;  ///< --set keys of the chip file
    std::optional<std::string> data;     ///< --data DIR
    Split split = Split::kTest;
    int sequences = 0;  ///< 0: all of the split
};

struct RunSetup {
    Checkpoint checkpoint;
    ChipConfig chip;
    DeployedNetwork network;
    KernelCount kernels;  ///< of the trained network, and what is left of it on the chip
    Dataset dataset;
    std::string cost_table;  ///< path of the chip's price table

    /// Pointers to the sequences by id (their index in the split).
    std::map<std::uint64_t, const float*> sequences() const;
};

/// The chip file over the checkpoint's kernel options: keys that [kernel] does not give keep what the model was trained
/// with.
ChipConfig load_chip(const std::string& path, const std::vector<std::string>& overrides, const KernelOptions& trained);

/// Loads checkpoint, chip and data, and deploys the model for the chip. Throws UserError.
RunSetup load_run(const RunRequest& request);

/// The same without data: sequences of the length that the checkpoint was trained with.
RunSetup load_design(const RunRequest& request);

}  // namespace imssa
