#include "models/array/wired_cells.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "models/array/wire_grid.h"

namespace imssa {

namespace {

/// Numbers 0 ... n - 1 in the order of `positions`.
std::vector<int> order_of(const std::vector<int>& positions) {
    std::vector<int> order(positions.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&positions](int a, int b) {
        return positions[static_cast<std::size_t>(a)] < positions[static_cast<std::size_t>(b)];
    });
    return order;
}

/// Rows of the footprint that conduct together.
struct RowBlock {
    int first = 0;
    int count = 0;
};

/// The used cells of a block as a grid of wires, whose lines ascend over the tile. `row_order` and `column_order`
/// receive the row of the block and the column of the footprint of each line of the grid.
WireGrid grid_of(const Eigen::MatrixXd& conductances, const UsedCells& used, const RowBlock& block,
                 const MappingOptions& mapping, const WireConfig& wires, std::vector<int>& row_order,
                 std::vector<int>& column_order) {
    const bool separate = wires.column_order == ColumnOrder::separate;
    std::vector<int> row_positions;
    std::vector<int> column_positions;
    for (int row = 0; row < block.count; ++row) {
        row_positions.push_back(used.row_place(block.first + row));
    }
    for (int column = 0; column < used.columns; ++column) {
        const int place = used.column_place(column);
        column_positions.push_back(separate ? place / 2 + (place % 2 == 1 ? mapping.tile_columns / 2 : 0) : place);
    }
    row_order = order_of(row_positions);
    column_order = order_of(column_positions);
    WireGrid grid;
    grid.tile_rows = mapping.tile_rows;
    grid.tile_columns = mapping.tile_columns;
    grid.wires = wires;
    grid.conductances.resize(block.count, used.columns);
    for (const int row : row_order) {
        grid.row_positions.push_back(row_positions[static_cast<std::size_t>(row)]);
    }
    for (const int column : column_order) {
        grid.column_positions.push_back(column_positions[static_cast<std::size_t>(column)]);
    }
    for (int row = 0; row < block.count; ++row) {
        for (int column = 0; column < used.columns; ++column) {
            grid.conductances(row, column) = conductances(block.first + row_order[static_cast<std::size_t>(row)],
                                                          column_order[static_cast<std::size_t>(column)]);
        }
    }
    return grid;
}

}  // namespace

WiredCells wired_cells(const Eigen::MatrixXd& conductances, const UsedCells& used, int rows_a_read,
                       const MappingOptions& mapping, const WireConfig& wires, int parallel_cells) {
    if (wires.is_ideal()) {
        return {conductances, {}};
    }
    WiredCells cells{Eigen::MatrixXd(used.rows, used.columns), Eigen::MatrixXd::Zero(used.rows, used.rows)};
    std::vector<int> rows;
    std::vector<int> columns;
    for (int first = 0; first < used.rows; first += rows_a_read) {
        const RowBlock block{first, std::min(rows_a_read, used.rows - first)};
        // Parallel cells load the wires together; what they add is averaged.
        const WireTransfer transfer =
            wire_transfer(grid_of(parallel_cells * conductances, used, block, mapping, wires, rows, columns));
        for (int row = 0; row < block.count; ++row) {
            const int at = first + rows[static_cast<std::size_t>(row)];
            for (int column = 0; column < used.columns; ++column) {
                cells.columns(at, columns[static_cast<std::size_t>(column)]) =
                    transfer.columns(row, column) / parallel_cells;
            }
            for (int other = 0; other < block.count; ++other) {
                cells.rows(at, first + rows[static_cast<std::size_t>(other)]) = transfer.rows(row, other);
            }
        }
    }
    return cells;
}

}  // namespace imssa
