#include "models/mapping/tile_mapping.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"

namespace imssa {

namespace {

/// Siemens per weight code.
double siemens_per_code(const QuantizedMatrix& matrix, const DeviceConfig& device) {
    return (device.g_max_siemens - device.g_min_siemens) / matrix.code_limit;
}

}  // namespace

void MappingOptions::validate() const {
    if (cells_per_weight != 2 && cells_per_weight != 4) {
        throw UserError("cells_per_weight = " + std::to_string(cells_per_weight) +
                        " is not known: set 4 (inputs as row pairs) or 2 (bipolar drivers)");
    }
    if (tile_rows < rows_per_input() || tile_columns < columns_per_output() || tile_rows > 65536 ||
        tile_columns > 65536) {
        throw UserError("a tile of " + std::to_string(tile_rows) + " x " + std::to_string(tile_columns) +
                        " cells is not possible: one weight takes " + std::to_string(rows_per_input()) + " x " +
                        std::to_string(columns_per_output()) + ", and lines have at most 65536 cells");
    }
    if (spare_rows < 0 || spare_rows % rows_per_input() != 0 || spare_rows > tile_rows - rows_per_input()) {
        throw UserError("spare_rows = " + std::to_string(spare_rows) + " is not possible: set a multiple of " +
                        std::to_string(rows_per_input()) + " (the rows of an input) that leaves rows of the " +
                        std::to_string(tile_rows) + " for weights");
    }
    if (spare_columns < 0 || spare_columns % columns_per_output() != 0 ||
        spare_columns > tile_columns - columns_per_output()) {
        throw UserError("spare_columns = " + std::to_string(spare_columns) +
                        " is not possible: set an even number (an output has two columns) that leaves columns of the " +
                        std::to_string(tile_columns) + " for weights");
    }
    if (weight_slices < 1 || weight_slices > 8) {
        throw UserError("weight_slices = " + std::to_string(weight_slices) +
                        " is not possible: set between 1 (a weight in one pair of columns) and 8");
    }
}

TileFootprint footprint(const QuantizedMatrix& matrix, const MappingOptions& options, const std::string& name) {
    TileFootprint result;
    result.rows = matrix.inputs() * options.rows_per_input();
    result.columns = matrix.outputs() * MappingOptions::columns_per_output();
    if (result.rows > options.tile_rows - options.spare_rows ||
        result.columns > options.tile_columns - options.spare_columns) {
        throw UserError(name + " needs " + std::to_string(result.rows) + " x " + std::to_string(result.columns) +
                        " cells (" + std::to_string(matrix.inputs()) + " inputs x " + std::to_string(matrix.outputs()) +
                        " outputs, " + std::to_string(options.cells_per_weight) + " cells per weight) but a tile has " +
                        std::to_string(options.tile_rows) + " x " + std::to_string(options.tile_columns) +
                        (options.spare_rows + options.spare_columns > 0
                             ? " of which " + std::to_string(options.spare_rows) + " rows and " +
                                   std::to_string(options.spare_columns) + " columns are spare"
                             : "") +
                        ": raise tile_rows and tile_columns" +
                        (options.cells_per_weight == 4 ? ", set cells_per_weight = 2" : "") + " or shrink the model");
    }
    // A non-zero weight holds its conductance in half of its cells; the other half sits at g_min.
    const double nonzero = static_cast<double>((matrix.codes.array() != 0.0F).count());
    const int conducting_cells = options.cells_per_weight / 2;
    result.utilisation = nonzero * conducting_cells /
                         (static_cast<double>(options.tile_rows) * static_cast<double>(options.tile_columns));
    return result;
}

Eigen::MatrixXd target_conductances(const QuantizedMatrix& matrix, const MappingOptions& options,
                                    const DeviceConfig& device) {
    const double scale = siemens_per_code(matrix, device);
    Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(options.tile_rows, options.tile_columns, device.g_min_siemens);
    for (int i = 0; i < matrix.inputs(); ++i) {
        for (int o = 0; o < matrix.outputs(); ++o) {
            const double code = matrix.codes(i, o);
            const double plus = device.g_min_siemens + scale * std::max(code, 0.0);
            const double minus = device.g_min_siemens + scale * std::max(-code, 0.0);
            if (options.cells_per_weight == 4) {
                targets(2 * i, 2 * o) = plus;
                targets(2 * i, 2 * o + 1) = minus;
                targets(2 * i + 1, 2 * o) = minus;
                targets(2 * i + 1, 2 * o + 1) = plus;
            } else {
                targets(i, 2 * o) = plus;
                targets(i, 2 * o + 1) = minus;
            }
        }
    }
    return targets;
}

Eigen::MatrixXd effective_weights(const Eigen::MatrixXd& conductances, const QuantizedMatrix& matrix,
                                  const MappingOptions& options, const DeviceConfig& device) {
    const double scale = 1.0 / siemens_per_code(matrix, device);
    // Rounding in double precision leaves about 1e-12 codes; nothing analog is that fine.
    constexpr double kSnapCodes = 1e-9;
    Eigen::MatrixXd weights(matrix.inputs(), matrix.outputs());
    for (int i = 0; i < matrix.inputs(); ++i) {
        for (int o = 0; o < matrix.outputs(); ++o) {
            double weight = 0.0;
            if (options.cells_per_weight == 4) {
                weight = 0.5 * scale *
                         ((conductances(2 * i, 2 * o) - conductances(2 * i, 2 * o + 1)) +
                          (conductances(2 * i + 1, 2 * o + 1) - conductances(2 * i + 1, 2 * o)));
            } else {
                weight = scale * (conductances(i, 2 * o) - conductances(i, 2 * o + 1));
            }
            const double whole = std::round(weight);
            weights(i, o) = std::abs(weight - whole) < kSnapCodes ? whole : weight;
        }
    }
    return weights;
}

}  // namespace imssa
