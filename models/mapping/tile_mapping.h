#pragma once

#include <Eigen/Core>
#include <array>
#include <string>
#include <utility>

#include "models/device/device_config.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// How the heads of a layer share tiles. diagonal: several heads' blocks on the diagonal of one tile, read together;
/// the cells off the diagonal hold zero with their errors (cross-talk). row_gated: heads above each other on the same
/// columns, read one after another while the select transistors keep the other rows without current.
enum class Packing { one_head, diagonal, row_gated };

/// Where a matrix product is computed: in cells, or exactly in digital multipliers on the same codes.
enum class MatrixPlace { cells, digital };

/// Kernels and modes that pruning has set to zero: left out of the chip, or kept as zeros on cells.
enum class PrunedWeights { removed, kept };

constexpr std::array<std::pair<const char*, PrunedWeights>, 2> enum_names(PrunedWeights) {
    return {{{"removed", PrunedWeights::removed}, {"kept", PrunedWeights::kept}}};
}
constexpr std::array<std::pair<const char*, Packing>, 3> enum_names(Packing) {
    return {{{"one_head", Packing::one_head}, {"diagonal", Packing::diagonal}, {"row_gated", Packing::row_gated}}};
}
constexpr std::array<std::pair<const char*, MatrixPlace>, 2> enum_names(MatrixPlace) {
    return {{{"cells", MatrixPlace::cells}, {"digital", MatrixPlace::digital}}};
}

/// How signed weights sit on cells. Four cells per weight (IMSSA, decoded from its hardware figure): [[g+, g-], [g-,
/// g+]], inputs driven as (+v, -v) row pairs, outputs read as (+, -) column pairs. Two cells: bipolar input drivers,
/// (+, -) column pairs.
struct MappingOptions {
    int tile_rows = 64;
    int tile_columns = 64;
    int spare_rows = 0;     ///< of tile_rows: kept free, to take the place of rows with stuck cells that are known
    int spare_columns = 0;  ///< of tile_columns, likewise
    int cells_per_weight = 4;
    int weight_slices = 1;  ///< columns that share the bits of a weight; their conversions are added digitally
    Packing packing = Packing::one_head;
    bool split_heads = false;  ///< a head too large for a tile takes several; their partial outputs are added digitally
    MatrixPlace kernel_input = MatrixPlace::cells;   ///< Bbar where it is not folded into C
    MatrixPlace kernel_output = MatrixPlace::cells;  ///< C
    MatrixPlace encoder = MatrixPlace::cells;
    MatrixPlace mixing_matrix = MatrixPlace::cells;
    MatrixPlace decoder = MatrixPlace::cells;
    PrunedWeights pruned = PrunedWeights::removed;

    int rows_per_input() const { return cells_per_weight == 4 ? 2 : 1; }
    static constexpr int columns_per_output() { return 2; }
    /// Weights that fit above each other and side by side on a tile.
    int tile_inputs() const { return (tile_rows - spare_rows) / rows_per_input(); }
    int tile_outputs() const { return (tile_columns - spare_columns) / (columns_per_output() * weight_slices); }
    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, MappingOptions& options) {
    visit("tile_rows", options.tile_rows);
    visit("tile_columns", options.tile_columns);
    visit("spare_rows", options.spare_rows);
    visit("spare_columns", options.spare_columns);
    visit("cells_per_weight", options.cells_per_weight);
    visit("weight_slices", options.weight_slices);
    visit("packing", options.packing);
    visit("split_heads", options.split_heads);
    visit("kernel_input", options.kernel_input);
    visit("kernel_output", options.kernel_output);
    visit("encoder", options.encoder);
    visit("mixing_matrix", options.mixing_matrix);
    visit("decoder", options.decoder);
    visit("pruned", options.pruned);
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
