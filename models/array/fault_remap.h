#pragma once

#include <Eigen/Core>
#include <vector>

#include "models/device/device_config.h"
#include "models/mapping/tile_mapping.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// Targets that allow for stuck cells.
struct RemappedTargets {
    Eigen::MatrixXd targets;    ///< siemens, as target_conductances
    std::vector<bool> swapped;  ///< per output: plus and minus columns have changed places; empty: none has
};

/// Applies `device.fault_remap` to the targets of a matrix. `stuck` as from stuck_cells, for the cells of the
/// footprint.
RemappedTargets remap_targets(const Eigen::MatrixXd& targets, const Eigen::MatrixXi& stuck,
                              const QuantizedMatrix& matrix, const MappingOptions& mapping, const DeviceConfig& device);

}  // namespace imssa
