#include "models/array/wire_grid.h"

#include <gtest/gtest.h>
#include <Eigen/Dense>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "models/common/error.h"
#include "tests/models/array/dense_wire_transfer.h"

namespace imssa {
namespace {

/// Conductances of 1-150 uS; some cells do not conduct at all.
Eigen::MatrixXd random_cells(int rows, int columns, unsigned seed) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> siemens(1e-6, 150e-6);
    Eigen::MatrixXd cells(rows, columns);
    for (Eigen::Index at = 0; at < cells.size(); ++at) {
        cells.data()[at] = siemens(engine);
        if (engine() % 16 == 0) {
            cells.data()[at] = 0.0;
        }
    }
    return cells;
}

WireConfig wires(double row, double column, double driver, double sense) {
    WireConfig config;
    config.row_ohm_per_cell = row;
    config.column_ohm_per_cell = column;
    config.driver_ohm = driver;
    config.sense_ohm = sense;
    return config;
}

void expect_same(const WireTransfer& a, const WireTransfer& b, double relative) {
    EXPECT_LT((a.columns - b.columns).cwiseAbs().maxCoeff(), relative * b.columns.cwiseAbs().maxCoeff());
    EXPECT_LT((a.rows - b.rows).cwiseAbs().maxCoeff(), relative * b.rows.cwiseAbs().maxCoeff());
}

TEST(WireGrid, IdealWiresPassTheConductancesOn) {
    const Eigen::MatrixXd cells = random_cells(7, 5, 1);
    const WireTransfer transfer = wire_transfer(test::full_grid(cells, WireConfig{}));
    EXPECT_LT((transfer.columns - cells).cwiseAbs().maxCoeff(), 1e-18);
    EXPECT_LT((transfer.rows - Eigen::MatrixXd(cells.rowwise().sum().asDiagonal())).cwiseAbs().maxCoeff(), 1e-17);
}

// One cell of 100 uS: driver 50, row 10, column 20, sense 30 ohm in series.
TEST(WireGrid, OneCellIsAChainOfResistors) {
    const WireTransfer transfer =
        wire_transfer(test::full_grid(Eigen::MatrixXd::Constant(1, 1, 1e-4), wires(10, 20, 50, 30)));
    EXPECT_NEAR(transfer.columns(0, 0) * (1e4 + 50 + 10 + 20 + 30), 1.0, 1e-10);
    EXPECT_NEAR(transfer.rows(0, 0), transfer.columns(0, 0), 1e-15);
}

TEST(WireGrid, AgreesWithTheDenseNodalSolutionForEverySideAndEveryZero) {
    const Eigen::MatrixXd cells = random_cells(9, 6, 2);
    for (const WireConfig& base : {wires(2.5, 1.5, 100, 40), wires(2.5, 0, 0, 0), wires(0, 2.5, 0, 0),
                                   wires(0, 0, 100, 0), wires(0, 0, 0, 40), wires(1, 0, 100, 40), wires(0, 2, 50, 0)}) {
        for (const DriverSide drivers : {DriverSide::left, DriverSide::right, DriverSide::both}) {
            for (const SenseSide sense : {SenseSide::bottom, SenseSide::top, SenseSide::both}) {
                WireConfig config = base;
                config.driver_side = drivers;
                config.sense_side = sense;
                const WireGrid grid = test::full_grid(cells, config);
                expect_same(wire_transfer(grid), test::dense_wire_transfer(grid), 1e-10);
            }
        }
    }
}

/// Kirchhoff's current law written out cell by cell on the whole tile, independent of wire_network: nodes r C + c of
/// the rows' wires, R C + r C + c of the columns' wires; a segment of wire between neighbours, and one between an
/// outermost cell and the driver or sense amplifier at that side, in series with its resistance. Column currents in
/// siemens, R x C.
Eigen::MatrixXd cell_by_cell(const Eigen::MatrixXd& cells, const WireConfig& wires) {
    const Eigen::Index rows = cells.rows(), columns = cells.cols(), nodes = rows * columns;
    Eigen::MatrixXd admittance = Eigen::MatrixXd::Zero(2 * nodes, 2 * nodes);
    const auto connect = [&](Eigen::Index a, Eigen::Index b, double siemens) {
        admittance(a, a) += siemens;
        admittance(b, b) += siemens;
        admittance(a, b) -= siemens;
        admittance(b, a) -= siemens;
    };
    const double driver = 1.0 / (wires.row_ohm_per_cell + wires.driver_ohm);
    const double sense = 1.0 / (wires.column_ohm_per_cell + wires.sense_ohm);
    Eigen::MatrixXd from_rows = Eigen::MatrixXd::Zero(2 * nodes, rows);
    Eigen::MatrixXd to_columns = Eigen::MatrixXd::Zero(2 * nodes, columns);
    for (Eigen::Index r = 0; r < rows; ++r) {
        for (Eigen::Index c = 0; c < columns; ++c) {
            const Eigen::Index on_row = r * columns + c, on_column = nodes + on_row;
            connect(on_row, on_column, cells(r, c));
            if (c + 1 < columns) {
                connect(on_row, on_row + 1, 1.0 / wires.row_ohm_per_cell);
            }
            if (r + 1 < rows) {
                connect(on_column, on_column + columns, 1.0 / wires.column_ohm_per_cell);
            }
            if ((c == 0 && wires.driver_side != DriverSide::right) ||
                (c == columns - 1 && wires.driver_side != DriverSide::left)) {
                admittance(on_row, on_row) += driver;
                from_rows(on_row, r) += driver;
            }
            if ((r == 0 && wires.sense_side != SenseSide::bottom) ||
                (r == rows - 1 && wires.sense_side != SenseSide::top)) {
                admittance(on_column, on_column) += sense;
                to_columns(on_column, c) += sense;
            }
        }
    }
    return (to_columns.transpose() * admittance.ldlt().solve(from_rows)).transpose();
}

TEST(WireGrid, AgreesWithCurrentsWrittenOutCellByCellForEverySide) {
    WireGrid part = test::full_grid(random_cells(3, 4, 3), wires(2, 3, 10, 20));
    part.tile_rows = 8;
    part.tile_columns = 7;
    part.row_positions = {1, 4, 5};
    part.column_positions = {0, 2, 5, 6};
    Eigen::MatrixXd all_cells = Eigen::MatrixXd::Zero(8, 7);
    for (int row = 0; row < 3; ++row) {
        for (int column = 0; column < 4; ++column) {
            all_cells(part.row_positions[static_cast<std::size_t>(row)],
                      part.column_positions[static_cast<std::size_t>(column)]) = part.conductances(row, column);
        }
    }
    for (const DriverSide drivers : {DriverSide::left, DriverSide::right, DriverSide::both}) {
        for (const SenseSide sense : {SenseSide::bottom, SenseSide::top, SenseSide::both}) {
            part.wires.driver_side = drivers;
            part.wires.sense_side = sense;
            const Eigen::MatrixXd few = wire_transfer(part).columns;
            const Eigen::MatrixXd of_tile = cell_by_cell(all_cells, part.wires);
            for (int row = 0; row < 3; ++row) {
                for (int column = 0; column < 4; ++column) {
                    EXPECT_NEAR(few(row, column),
                                of_tile(part.row_positions[static_cast<std::size_t>(row)],
                                        part.column_positions[static_cast<std::size_t>(column)]),
                                1e-10 * part.conductances.maxCoeff());
                }
            }
            const WireGrid whole = test::full_grid(random_cells(9, 6, 2), part.wires);
            const Eigen::MatrixXd difference =
                wire_transfer(whole).columns - cell_by_cell(whole.conductances, whole.wires);
            EXPECT_LT(difference.cwiseAbs().maxCoeff(), 1e-10 * whole.conductances.maxCoeff());
        }
    }
}

TEST(WireGrid, LinesThatDoNotConductOnlyAddTheirWire) {
    WireGrid part = test::full_grid(random_cells(3, 2, 3), wires(2, 3, 10, 20));
    part.tile_rows = 8;
    part.tile_columns = 6;
    part.row_positions = {1, 4, 5};
    part.column_positions = {2, 5};
    Eigen::MatrixXd cells = Eigen::MatrixXd::Zero(8, 6);
    for (int row = 0; row < 3; ++row) {
        for (int column = 0; column < 2; ++column) {
            cells(part.row_positions[static_cast<std::size_t>(row)],
                  part.column_positions[static_cast<std::size_t>(column)]) = part.conductances(row, column);
        }
    }
    for (const SenseSide sense : {SenseSide::bottom, SenseSide::both}) {
        part.wires.sense_side = sense;
        part.wires.driver_side = sense == SenseSide::both ? DriverSide::both : DriverSide::left;
        const WireTransfer few = wire_transfer(part);
        const WireTransfer all = test::dense_wire_transfer(test::full_grid(cells, part.wires));
        for (int row = 0; row < 3; ++row) {
            for (int column = 0; column < 2; ++column) {
                EXPECT_NEAR(few.columns(row, column),
                            all.columns(part.row_positions[static_cast<std::size_t>(row)],
                                        part.column_positions[static_cast<std::size_t>(column)]),
                            1e-14);
            }
        }
    }
}

// One cell behind resistances whose ratio is beyond the digits of a double: a chain, known by hand.
TEST(WireGrid, ResistancesFarApartLoseNoDigits) {
    for (const WireConfig& config : {wires(1e-6, 1e9, 1e-6, 0), wires(1e9, 1e-6, 0, 1e9), wires(1e-6, 1e-6, 1e9, 1e9),
                                     wires(1e9, 1e-6, 1e9, 1e-6), wires(1e-6, 1e-6, 1e-6, 1e-6)}) {
        for (const double siemens : {1e-15, 1e-4, 1e4}) {
            const WireTransfer transfer =
                wire_transfer(test::full_grid(Eigen::MatrixXd::Constant(1, 1, siemens), config));
            const double ohm = 1.0 / siemens + config.row_ohm_per_cell + config.column_ohm_per_cell +
                               config.driver_ohm + config.sense_ohm;
            EXPECT_NEAR(transfer.columns(0, 0) * ohm, 1.0, 1e-14);
            EXPECT_NEAR(transfer.rows(0, 0) * ohm, 1.0, 1e-14);
        }
    }
}

TEST(WireGrid, VanishingResistancesPassTheConductancesOnToManyDigits) {
    const Eigen::MatrixXd cells = random_cells(20, 20, 8);
    const WireTransfer transfer = wire_transfer(test::full_grid(cells, wires(1e-6, 1e-6, 1e-6, 1e-6)));
    EXPECT_LT((transfer.columns - cells).cwiseAbs().maxCoeff(), 1e-6 * cells.maxCoeff());
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(20);
    EXPECT_NEAR((transfer.rows * ones).sum() / (transfer.columns.transpose() * ones).sum(), 1.0, 1e-12);
}

TEST(WireGrid, CurrentsOutOfTheDriversEqualTheCurrentsIntoTheColumns) {
    const WireTransfer transfer = wire_transfer(test::full_grid(random_cells(20, 30, 4), wires(2, 3, 10, 20)));
    const Eigen::VectorXd volts = Eigen::VectorXd::Random(20);
    EXPECT_NEAR((transfer.rows * volts).sum() / (transfer.columns.transpose() * volts).sum(), 1.0, 1e-9);
}

/// Column currents of ngspice. The netlist stays in the working directory, for `ngspice -b`.
std::vector<double> simulated_currents(const WireGrid& grid, const std::vector<double>& volts) {
    const std::string stem = "wire_grid_" + std::to_string(grid.rows());
    std::ofstream(stem + ".cir") << wire_netlist(grid, volts);
    const int status = std::system(("ngspice -b " + stem + ".cir > " + stem + ".log 2>&1").c_str());
    EXPECT_EQ(status, 0);
    std::vector<double> currents;
    std::ifstream log(stem + ".log");
    for (std::string line; std::getline(log, line);) {
        if (line.rfind("i(vsense", 0) == 0) {
            currents.push_back(std::stod(line.substr(line.find('=') + 1)));
        }
    }
    std::remove((stem + ".log").c_str());
    return currents;
}

class WireGridInNgspice : public testing::TestWithParam<int> {};

TEST_P(WireGridInNgspice, HasTheSameColumnCurrents) {
    if (std::system("command -v ngspice > /dev/null") != 0) {
        GTEST_SKIP() << "ngspice is not installed";
    }
    const int size = GetParam();
    WireConfig config = wires(2.0, 1.5, 120.0, 35.0);
    if (size > 16) {
        config.driver_side = DriverSide::both;
        config.sense_side = SenseSide::top;
    }
    const WireGrid grid = test::full_grid(random_cells(size, size, static_cast<unsigned>(size)), config);
    std::mt19937 engine(9);
    std::uniform_real_distribution<double> volt(-0.2, 0.2);
    std::vector<double> volts;
    for (int row = 0; row < size; ++row) {
        volts.push_back(volt(engine));
    }
    const Eigen::Map<const Eigen::VectorXd> drive(volts.data(), size);
    const Eigen::VectorXd expected = wire_transfer(grid).columns.transpose() * drive;
    const Eigen::VectorXd without_wires = grid.conductances.transpose() * drive;
    const std::vector<double> currents = simulated_currents(grid, volts);
    ASSERT_EQ(currents.size(), static_cast<std::size_t>(size));
    for (int column = 0; column < size; ++column) {
        EXPECT_NEAR(currents[static_cast<std::size_t>(column)] / expected(column), 1.0, 1e-6) << column;
    }
    EXPECT_GT((without_wires - expected).norm(), 0.01 * expected.norm());  // the wires matter
}

INSTANTIATE_TEST_SUITE_P(Sizes, WireGridInNgspice, testing::Values(16, 32));

TEST(WireConfig, RejectsNegativeResistances) {
    EXPECT_THROW(wires(-1, 0, 0, 0).validate(), UserError);
    EXPECT_NO_THROW(wires(1, 1, 1, 1).validate());
}

TEST(WireConfig, RejectsResistancesThatNoLineHas) {
    for (const double ohm : {1e-12, 1e-9, 1e10, 1e12}) {
        EXPECT_THROW(wires(ohm, 0, 0, 0).validate(), UserError) << ohm;
        EXPECT_THROW(wires(0, ohm, 0, 0).validate(), UserError) << ohm;
        EXPECT_THROW(wires(0, 0, ohm, 0).validate(), UserError) << ohm;
        EXPECT_THROW(wires(0, 0, 0, ohm).validate(), UserError) << ohm;
    }
    EXPECT_NO_THROW(wires(1e-6, 1e9, 0, 1e-6).validate());
}

}  // namespace
}  // namespace imssa
