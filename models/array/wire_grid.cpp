#include "models/array/wire_grid.h"

#include <Eigen/Dense>
#include <Eigen/OrderingMethods>
#include <Eigen/SparseCore>
#include <algorithm>
#include <sstream>

#include "models/common/error.h"

namespace imssa {

namespace {

using SparseMatrix = Eigen::SparseMatrix<double>;

// Far beyond any wire, driver or amplifier; currents of cells behind more vanish beside those of other errors.
constexpr double kLeastOhm = 1e-6;
constexpr double kMostOhm = 1e9;

void check_ohm(double value, const char* key) {
    if (value == 0.0 || (value >= kLeastOhm && value <= kMostOhm)) {
        return;
    }
    std::ostringstream number;
    number << value;
    throw UserError(std::string(key) + " = " + number.str() +
                    " is out of range: set 0 (an ideal line) or a resistance of 1e-6 to 1e9 ohm");
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

/// A node of the network and what links it to another one.
struct Link {
    int node = 0;
    double siemens = 0.0;
};
using Links = std::vector<Link>;

/// Conductances between the terminals alone, symmetric with a zero diagonal. The free nodes are eliminated one after
/// another: a star of conductances g_i around a node is a mesh of g_i g_j / sum g between its neighbours. Nothing is
/// subtracted, so that every conductance is right to a few units in the last place whatever lies between resistances.
Eigen::MatrixXd terminal_links(const WireNetwork& network, const std::vector<int>& order, int terminals) {
    const int free_nodes = network.nodes - terminals;
    const std::size_t free_count = static_cast<std::size_t>(free_nodes);
    Eigen::MatrixXd between = Eigen::MatrixXd::Zero(terminals, terminals);
    std::vector<Links> branches(free_count);  // of a free node to those eliminated after it
    for (const WireBranch& branch : network.branches) {
        const int from = order[static_cast<std::size_t>(branch.from)];
        const int to = order[static_cast<std::size_t>(branch.to)];
        const int first = std::min(from, to);
        const int last = std::max(from, to);
        if (first < free_nodes) {
            branches[static_cast<std::size_t>(first)].push_back({last, branch.siemens});
        } else {
            between(last - free_nodes, first - free_nodes) += branch.siemens;
        }
    }
    std::vector<Links> stars(free_count);               // of eliminated nodes, neighbours ascending
    std::vector<double> totals(free_count, 0.0);        // of their conductances
    std::vector<std::size_t> next(free_count, 0);       // first neighbour that is not yet eliminated
    std::vector<std::vector<int>> waiting(free_count);  // stars by that neighbour
    std::vector<double> sum(static_cast<std::size_t>(network.nodes), 0.0);
    std::vector<bool> seen(sum.size(), false);
    std::vector<int> neighbours;
    const auto add = [&](int node, double siemens) {
        const std::size_t at = static_cast<std::size_t>(node);
        if (!seen[at]) {
            seen[at] = true;
            neighbours.push_back(node);
        }
        sum[at] += siemens;
    };
    for (std::size_t node = 0; node < free_count; ++node) {
        neighbours.clear();
        for (const Link& branch : branches[node]) {
            add(branch.node, branch.siemens);
        }
        for (const int earlier : waiting[node]) {
            const std::size_t star = static_cast<std::size_t>(earlier);
            const Links& links = stars[star];
            const double part = links[next[star]].siemens / totals[star];
            for (std::size_t at = ++next[star]; at < links.size(); ++at) {
                add(links[at].node, part * links[at].siemens);
            }
            if (next[star] < links.size() && links[next[star]].node < free_nodes) {
                waiting[static_cast<std::size_t>(links[next[star]].node)].push_back(earlier);
            }
        }
        waiting[node].clear();
        std::sort(neighbours.begin(), neighbours.end());
        for (const int neighbour : neighbours) {
            const std::size_t at = static_cast<std::size_t>(neighbour);
            stars[node].push_back({neighbour, sum[at]});
            totals[node] += sum[at];
            sum[at] = 0.0;
            seen[at] = false;
        }
        if (!neighbours.empty() && neighbours.front() < free_nodes) {
            waiting[static_cast<std::size_t>(neighbours.front())].push_back(static_cast<int>(node));
        }
    }
    for (std::size_t node = 0; node < free_count; ++node) {
        const Links& links = stars[node];
        std::size_t first = links.size();
        while (first > 0 && links[first - 1].node >= free_nodes) {
            --first;
        }
        for (std::size_t column = first; column < links.size(); ++column) {
            const double part = links[column].siemens / totals[node];
            for (std::size_t row = column + 1; row < links.size(); ++row) {
                between(links[row].node - free_nodes, links[column].node - free_nodes) += part * links[row].siemens;
            }
        }
    }
    const Eigen::MatrixXd lower = between.triangularView<Eigen::StrictlyLower>();
    return lower + lower.transpose();
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
    const Eigen::MatrixXd links = terminal_links(network, elimination_order(network, terminals), terminals);
    const Eigen::MatrixXd of_rows = links.topRows(grid.rows());
    Eigen::MatrixXd rows = -of_rows.leftCols(grid.rows());
    rows.diagonal() = of_rows.rowwise().sum();
    return {of_rows.rightCols(grid.columns()), rows};
}

}  // namespace imssa
