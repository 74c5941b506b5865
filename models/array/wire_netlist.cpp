#include <cassert>
#include <cstdio>
#include <string>

#include "models/array/wire_grid.h"

namespace imssa {

namespace {

std::string with_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.17g", value);
    return text;
}

}  // namespace

std::string wire_netlist(const WireGrid& grid, const std::vector<double>& row_volts) {
    assert(static_cast<int>(row_volts.size()) == grid.rows());
    const WireNetwork network = wire_network(grid);
    std::string text = "* " + std::to_string(grid.rows()) + " rows and " + std::to_string(grid.columns()) +
                       " columns of a crossbar tile with wire resistance\n" +
                       "* sources of the rows: n0 ...; virtual grounds of the columns: n" +
                       std::to_string(grid.rows()) + " ...\n";
    for (int row = 0; row < grid.rows(); ++row) {
        const std::string name = std::to_string(row);
        text += "vrow" + name + " n" + name + " 0 dc " + with_digits(row_volts[static_cast<std::size_t>(row)]) + "\n";
    }
    for (int column = 0; column < grid.columns(); ++column) {
        text += "vsense" + std::to_string(column) + " n" + std::to_string(grid.rows() + column) + " 0 dc 0\n";
    }
    int index = 0;
    for (const WireBranch& branch : network.branches) {
        text += "r" + std::to_string(index++) + " n" + std::to_string(branch.from) + " n" + std::to_string(branch.to) +
                " " + with_digits(1.0 / branch.siemens) + "\n";
    }
    text += ".options reltol=1e-9\n.control\nset numdgt=12\nop\n";
    for (int column = 0; column < grid.columns(); ++column) {
        text += "print i(vsense" + std::to_string(column) + ")\n";
    }
    text += "quit\n.endc\n.end\n";
    return text;
}

}  // namespace imssa
