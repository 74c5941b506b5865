#pragma once

#include <Eigen/Core>

#include "models/array/wire_config.h"
#include "models/device/programming.h"
#include "models/mapping/tile_mapping.h"

namespace imssa {

/// What the used cells of a tile contribute to its currents, in siemens.
struct WiredCells {
    Eigen::MatrixXd columns;  ///< rows x columns: current into its column per volt on its row, of one of parallel cells
    Eigen::MatrixXd rows;     ///< rows x rows: currents of the rows per volt on the rows; empty when wires are ideal
};

/// Conductances of cells behind the tile's wires. `rows_a_read` rows, one block after another, conduct together; select
/// transistors cut the rows of the other blocks off meanwhile: their cells draw no current, the wires stay as long.
/// Ideal wires pass the conductances on.
WiredCells wired_cells(const Eigen::MatrixXd& conductances, const UsedCells& used, int rows_a_read,
                       const MappingOptions& mapping, const WireConfig& wires, int parallel_cells);

}  // namespace imssa
