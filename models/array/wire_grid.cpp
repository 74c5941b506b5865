#include "models/array/wire_grid.h"

#include <Eigen/Dense>
#include <Eigen/OrderingMethods>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <cassert>
#include <cmath>
#include <stdexcept>

#include "models/common/error.h"

namespace imssa {

namespace {

using SparseMatrix = Eigen::SparseMatrix<double>;

void check_ohm(double value, const char* key) {
    if (!(value >= 0.0) || !std::isfinite(value)) {
        throw UserError(std::string(key) + " = " + std::to_string(value) +
                        " is out of range: set a resistance of at least 0 ohm");
    }
}

/// One line: its nodes along the crossing lines and its links to its terminal.
class LineBuilder {
public:
    LineBuilder(double ohm_per_cell, double end_ohm, bool at_start, bool at_end, int length)
        : ohm_per_cell_(ohm_per_cell), end_ohm_(end_ohm), at_start_(at_start), at_end_(at_end), length_(length) {}

    /// Adds the wire; returns the node at each position.
    std::vector<int> add(const std::vector<int>& positions, int terminal, WireNetwork& network) const {
        const std::size_t count = positions.size();
        if (ohm_per_cell_ == 0.0) {
            int node = terminal;
            if (end_ohm_ > 0.0) {
                node = network.nodes++;
                const double ends = (at_start_ ? 1.0 : 0.0) + (at_end_ ? 1.0 : 0.0);
                network.branches.push_back({terminal, node, ends / end_ohm_});
            }
            return std::vector<int>(count, node);
        }
        std::vector<int> nodes;
        for (std::size_t at = 0; at < count; ++at) {
            nodes.push_back(network.nodes++);
            if (at > 0) {
                const int cells = positions[at] - positions[at - 1];
                network.branches.push_back({nodes[at - 1], nodes[at], 1.0 / (ohm_per_cell_ * cells)});
            }
        }
        if (at_start_) {
            const double ohm = ohm_per_cell_ * (positions.front() + 1) + end_ohm_;
            network.branches.push_back({terminal, nodes.front(), 1.0 / ohm});
        }
        if (at_end_) {
            const double ohm = ohm_per_cell_ * (length_ - positions.back()) + end_ohm_;
            network.branches.push_back({terminal, nodes.back(), 1.0 / ohm});
        }
        return nodes;
    }

private:
    double ohm_per_cell_, end_ohm_;
    bool at_start_, at_end_;
    int length_;
};

/// Columns from terminal admittances; the first `rows` terminals are sources.
WireTransfer split_terminals(const Eigen::MatrixXd& admittance, int rows) {
    const Eigen::Index columns = admittance.cols() - rows;
    return {-admittance.topRightCorner(rows, columns), admittance.topLeftCorner(rows, rows)};
}

/// Positions of the nodes in a fill-reducing order of the free nodes, terminals last.
std::vector<int> elimination_order(const WireNetwork& network, int terminals) {
    const int free_nodes = network.nodes - terminals;
    std::vector<Eigen::Triplet<double>> entries;
    entries.reserve(static_cast<std::size_t>(free_nodes) + 2 * network.branches.size());
    for (int node = 0; node < free_nodes; ++node) {
        entries.emplace_back(node, node, 1.0);
    }
    for (const WireBranch& branch : network.branches) {
        if (branch.from >= terminals && branch.to >= terminals) {
            entries.emplace_back(branch.from - terminals, branch.to - terminals, 1.0);
            entries.emplace_back(branch.to - terminals, branch.from - terminals, 1.0);
        }
    }
    std::vector<int> order(static_cast<std::size_t>(network.nodes));
    for (int terminal = 0; terminal < terminals; ++terminal) {
        order[static_cast<std::size_t>(terminal)] = free_nodes + terminal;
    }
    if (free_nodes == 0) {
        return order;
    }
    SparseMatrix pattern(free_nodes, free_nodes);
    pattern.setFromTriplets(entries.begin(), entries.end());
    Eigen::PermutationMatrix<Eigen::Dynamic, Eigen::Dynamic, int> permutation;
    Eigen::AMDOrdering<int>()(pattern, permutation);
    for (int place = 0; place < free_nodes; ++place) {
        order[static_cast<std::size_t>(terminals + permutation.indices()(place))] = place;
    }
    return order;
}

}  // namespace

void WireConfig::validate() const {
    check_ohm(row_ohm_per_cell, "row_ohm_per_cell");
    check_ohm(column_ohm_per_cell, "column_ohm_per_cell");
    check_ohm(driver_ohm, "driver_ohm");
    check_ohm(sense_ohm, "sense_ohm");
}

WireNetwork wire_network(const WireGrid& grid) {
    const WireConfig& wires = grid.wires;
    const LineBuilder row_line(wires.row_ohm_per_cell, wires.driver_ohm, wires.driver_side != DriverSide::right,
                               wires.driver_side != DriverSide::left, grid.tile_columns);
    const LineBuilder column_line(wires.column_ohm_per_cell, wires.sense_ohm, wires.sense_side != SenseSide::bottom,
                                  wires.sense_side != SenseSide::top, grid.tile_rows);
    WireNetwork network;
    network.nodes = grid.rows() + grid.columns();
    std::vector<std::vector<int>> row_nodes;
    row_nodes.reserve(static_cast<std::size_t>(grid.rows()));
    for (int row = 0; row < grid.rows(); ++row) {
        row_nodes.push_back(row_line.add(grid.column_positions, row, network));
    }
    for (int column = 0; column < grid.columns(); ++column) {
        const std::vector<int> nodes = column_line.add(grid.row_positions, grid.rows() + column, network);
        for (int row = 0; row < grid.rows(); ++row) {
            const double siemens = grid.conductances(row, column);
            if (siemens > 0.0) {
                network.branches.push_back({row_nodes[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)],
                                            nodes[static_cast<std::size_t>(row)], siemens});
            }
        }
    }
    return network;
}

WireTransfer wire_transfer(const WireGrid& grid) {
    const WireNetwork network = wire_network(grid);
    const int terminals = grid.rows() + grid.columns();
    const std::vector<int> order = elimination_order(network, terminals);
    const int free_nodes = network.nodes - terminals;
    std::vector<Eigen::Triplet<double>> entries;
    double largest = 0.0;
    for (const WireBranch& branch : network.branches) {
        const int from = order[static_cast<std::size_t>(branch.from)];
        const int to = order[static_cast<std::size_t>(branch.to)];
        entries.emplace_back(from, from, branch.siemens);
        entries.emplace_back(to, to, branch.siemens);
        entries.emplace_back(std::max(from, to), std::min(from, to), -branch.siemens);
        largest = std::max(largest, branch.siemens);
    }
    // Nothing is grounded, so the admittance of the terminals alone is singular. A known conductance from each of them
    // to ground passes through the elimination unchanged and is taken away afterwards.
    const double ground = 1e-3 * largest;
    for (int terminal = 0; terminal < terminals; ++terminal) {
        entries.emplace_back(free_nodes + terminal, free_nodes + terminal, ground);
    }
    SparseMatrix nodal(network.nodes, network.nodes);
    nodal.setFromTriplets(entries.begin(), entries.end());
    const Eigen::SimplicialLDLT<SparseMatrix, Eigen::Lower, Eigen::NaturalOrdering<int>> factors(nodal);
    if (factors.info() != Eigen::Success) {
        throw std::logic_error("the wire grid could not be factorised");
    }
    const SparseMatrix lower = factors.matrixL().nestedExpression();
    const Eigen::MatrixXd lower_terminals = Eigen::MatrixXd(lower.bottomRightCorner(terminals, terminals));
    const Eigen::MatrixXd unit_lower = lower_terminals.triangularView<Eigen::UnitLower>();
    const Eigen::VectorXd pivots = factors.vectorD().tail(terminals);
    Eigen::MatrixXd admittance = unit_lower * pivots.asDiagonal() * unit_lower.transpose();
    admittance.diagonal().array() -= ground;
    return split_terminals(admittance, grid.rows());
}

}  // namespace imssa
