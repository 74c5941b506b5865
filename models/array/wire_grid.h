#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "models/array/wire_config.h"

namespace imssa {

/// The linear network of a programmed tile: cells between row and column wires. Only conducting rows and columns are
/// in it; the wires of a line run over the whole tile, so positions count. Cells of other rows and columns are cut off
/// by their access transistors.
struct WireGrid {
    Eigen::MatrixXd conductances;       ///< siemens, conducting rows x columns
    std::vector<int> row_positions;     ///< of each conducting row on the tile, from the top, ascending
    std::vector<int> column_positions;  ///< of each conducting column on the tile, from the left, ascending
    int tile_rows = 0;
    int tile_columns = 0;
    WireConfig wires;

    int rows() const { return static_cast<int>(conductances.rows()); }
    int columns() const { return static_cast<int>(conductances.cols()); }
};

/// A resistor between two nodes. Nodes 0 ... rows - 1 are the sources of the rows, rows ... rows + columns - 1 the
/// virtual grounds of the columns; the others are free.
struct WireBranch {
    int from = 0;
    int to = 0;
    double siemens = 0.0;
};
struct WireNetwork {
    int nodes = 0;
    std::vector<WireBranch> branches;
};
WireNetwork wire_network(const WireGrid& grid);

/// Currents of a tile as linear functions of its row voltages, in siemens.
struct WireTransfer {
    Eigen::MatrixXd columns;  ///< rows x columns: current into column c = sum_r columns(r, c) V_r
    Eigen::MatrixXd rows;     ///< rows x rows: current out of the driver of row r = sum_q rows(r, q) V_q
};

/// Exact, by one sparse elimination of the free nodes: what is left between the terminals are the conductances that a
/// star-mesh transformation makes of the network (Kron reduction).
WireTransfer wire_transfer(const WireGrid& grid);

/// The grid as an ngspice netlist with one voltage source a row; running it prints the current of every column as
/// `i(vsense<c>) = value` with 12 digits, in ampere.
std::string wire_netlist(const WireGrid& grid, const std::vector<double>& row_volts);

}  // namespace imssa
