#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "models/device/device_config.h"

namespace imssa {

/// Cells of the top left corner of a tile that a matrix uses.
struct UsedCells {
    int rows = 0;
    int columns = 0;
};

/// Conductances in siemens after programming `targets` (rows x columns of a tile, siemens).
///
/// Every used cell: g = max(0, target + Normal(programming_mean, programming_sigma)), drawn with the purpose
/// `programming`; then, with the purpose `faults`, a fraction of the cells is stuck at g_min or at g_max whatever was
/// asked of it. A cell's draws depend on (seed, tile, row, column) only. Cells outside `used` are left alone and
/// stay at their targets. `stuck_cells` receives the number of stuck cells among the used ones.
Eigen::MatrixXd programmed_conductances(const Eigen::MatrixXd& targets, const UsedCells& used,
                                        const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile,
                                        std::int64_t& stuck_cells);

}  // namespace imssa
