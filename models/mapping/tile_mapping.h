#pragma once

#include <Eigen/Core>
#include <string>

#include "models/device/device_config.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// How signed weights sit on cells. Four cells per weight (IMSSA, decoded from its hardware figure): [[g+, g-], [g-,
/// g+]], inputs driven as (+v, -v) row pairs, outputs read as (+, -) column pairs. Two cells: bipolar input drivers,
/// (+, -) column pairs.
struct MappingOptions {
    int tile_rows = 64;
    int tile_columns = 64;
    int cells_per_weight = 4;

    int rows_per_input() const { return cells_per_weight == 4 ? 2 : 1; }
    static constexpr int columns_per_output() { return 2; }
    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, MappingOptions& options) {
    visit("tile_rows", options.tile_rows);
    visit("tile_columns", options.tile_columns);
    visit("cells_per_weight", options.cells_per_weight);
}

/// Rows and columns that a matrix occupies on a tile.
struct TileFootprint {
    int rows = 0;
    int columns = 0;
    double utilisation = 0.0;  ///< cells with a target above g_min, of all cells of the tile
};

/// Throws UserError naming `name`, the size needed and the tile's size when the matrix does not fit one tile.
TileFootprint footprint(const QuantizedMatrix& matrix, const MappingOptions& options, const std::string& name);

/// Target conductances in siemens, tile_rows x tile_columns; unused cells at g_min. g = g_min + |code| / code_limit
/// x (g_max - g_min) for the cells of the code's sign, g_min for the others. Input i sits on rows 2i and 2i + 1 (two
/// cells a weight: row i), output o on columns 2o and 2o + 1.
Eigen::MatrixXd target_conductances(const QuantizedMatrix& matrix, const MappingOptions& options,
                                    const DeviceConfig& device);

/// The inverse: effective signed weights in weight-code units (inputs x outputs) of (programmed) conductances. For
/// target conductances it returns the codes exactly (values within 1e-9 codes of an integer are that integer).
Eigen::MatrixXd effective_weights(const Eigen::MatrixXd& conductances, const QuantizedMatrix& matrix,
                                  const MappingOptions& options, const DeviceConfig& device);

}  // namespace imssa
