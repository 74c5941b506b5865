/// Column currents of tiles with wire resistance: the sparse factorisation beside ngspice on the exported netlist.
/// Prints times and the largest relative difference of a column current, which must stay below 1e-6. The netlists stay
/// in the working directory as wire_grid_<size>.cir, for `ngspice -b`.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "models/array/wire_grid.h"
#include "tests/models/array/dense_wire_transfer.h"

namespace imssa {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

WireGrid random_grid(int size, std::mt19937& engine) {
    std::uniform_real_distribution<double> siemens(1e-6, 150e-6);
    Eigen::MatrixXd cells(size, size);
    for (Eigen::Index at = 0; at < cells.size(); ++at) {
        cells.data()[at] = siemens(engine);
    }
    WireConfig wires;
    wires.row_ohm_per_cell = 2.0;
    wires.column_ohm_per_cell = 1.5;
    wires.driver_ohm = 120.0;
    wires.sense_ohm = 35.0;
    return test::full_grid(cells, wires);
}

std::vector<double> ngspice_currents(const std::string& stem) {
    std::vector<double> currents;
    if (std::system(("ngspice -b " + stem + ".cir > " + stem + ".log 2>&1").c_str()) != 0) {
        return currents;
    }
    std::ifstream log(stem + ".log");
    for (std::string line; std::getline(log, line);) {
        if (line.rfind("i(vsense", 0) == 0) {
            currents.push_back(std::stod(line.substr(line.find('=') + 1)));
        }
    }
    std::remove((stem + ".log").c_str());
    return currents;
}

/// Largest relative difference of a column current; infinity when ngspice gave no currents.
double compare(int size) {
    std::mt19937 engine(static_cast<unsigned>(size));
    std::uniform_real_distribution<double> volt(-0.2, 0.2);
    const WireGrid grid = random_grid(size, engine);
    std::vector<double> volts(static_cast<std::size_t>(size));
    std::generate(volts.begin(), volts.end(), [&] { return volt(engine); });
    const Clock::time_point factorised = Clock::now();
    const WireTransfer transfer = wire_transfer(grid);
    const double ours_s = seconds_since(factorised);
    const Eigen::VectorXd expected =
        transfer.columns.transpose() * Eigen::Map<const Eigen::VectorXd>(volts.data(), size);
    const std::string stem = "wire_grid_" + std::to_string(size);
    std::ofstream(stem + ".cir") << wire_netlist(grid, volts);
    const Clock::time_point simulated = Clock::now();
    const std::vector<double> currents = ngspice_currents(stem);
    const double ngspice_s = seconds_since(simulated);
    double largest = currents.size() == volts.size() ? 0.0 : INFINITY;
    for (std::size_t column = 0; column < currents.size(); ++column) {
        largest = std::max(largest, std::abs(currents[column] / expected(static_cast<Eigen::Index>(column)) - 1.0));
    }
    std::printf("%3d x %-3d   transfer matrix of all inputs %8.4f s   ngspice, one input %8.4f s   difference %.1e\n",
                size, size, ours_s, ngspice_s, largest);
    return largest;
}

}  // namespace
}  // namespace imssa

int main() {
    if (std::system("command -v ngspice > /dev/null") != 0) {
        std::fprintf(stderr, "wire_grid_vs_ngspice: install ngspice first\n");
        return 2;
    }
    double largest = 0.0;
    for (const int size : {16, 32, 64}) {
        largest = std::max(largest, imssa::compare(size));
    }
    return largest < 1e-6 ? 0 : 1;
}
