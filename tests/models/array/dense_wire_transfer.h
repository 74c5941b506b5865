#pragma once

#include <Eigen/Dense>
#include <numeric>

#include "models/array/wire_grid.h"

namespace imssa::test {

/// All cells of a tile as large as `conductances`.
inline WireGrid full_grid(const Eigen::MatrixXd& conductances, const WireConfig& wires) {
    WireGrid grid;
    grid.conductances = conductances;
    grid.tile_rows = grid.rows();
    grid.tile_columns = grid.columns();
    grid.row_positions.resize(static_cast<std::size_t>(grid.rows()));
    grid.column_positions.resize(static_cast<std::size_t>(grid.columns()));
    std::iota(grid.row_positions.begin(), grid.row_positions.end(), 0);
    std::iota(grid.column_positions.begin(), grid.column_positions.end(), 0);
    grid.wires = wires;
    return grid;
}

/// wire_transfer by a dense solution of the nodal equations, source by source.
inline WireTransfer dense_wire_transfer(const WireGrid& grid) {
    const WireNetwork network = wire_network(grid);
    const int terminals = grid.rows() + grid.columns();
    const int free_nodes = network.nodes - terminals;
    Eigen::MatrixXd nodal = Eigen::MatrixXd::Zero(network.nodes, network.nodes);
    for (const WireBranch& branch : network.branches) {
        nodal(branch.from, branch.from) += branch.siemens;
        nodal(branch.to, branch.to) += branch.siemens;
        nodal(branch.from, branch.to) -= branch.siemens;
        nodal(branch.to, branch.from) -= branch.siemens;
    }
    const Eigen::MatrixXd coupling = nodal.bottomLeftCorner(free_nodes, terminals);
    const Eigen::MatrixXd free_potentials =
        nodal.bottomRightCorner(free_nodes, free_nodes).fullPivLu().solve(-coupling);
    const Eigen::MatrixXd admittance =
        nodal.topLeftCorner(terminals, terminals) + coupling.transpose() * free_potentials;
    const Eigen::Index columns = admittance.cols() - grid.rows();
    return {-admittance.topRightCorner(grid.rows(), columns), admittance.topLeftCorner(grid.rows(), grid.rows())};
}

}  // namespace imssa::test
