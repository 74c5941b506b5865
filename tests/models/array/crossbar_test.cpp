#include "models/array/crossbar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/array/wire_grid.h"
#include "models/common/error.h"
#include "models/device/device_presets.h"
#include "tests/models/array/dense_wire_transfer.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;
using testing_support::sequences_from;

MappingOptions cells(int cells_per_weight) {
    MappingOptions options;
    options.cells_per_weight = cells_per_weight;
    return options;
}

DeviceConfig without_read_noise() {
    DeviceConfig device = device_preset("taox_imssa");
    device.read_noise_relative = 0.0;
    return device;
}

/// Sum of one output and lane from the currents of every single cell, as the tile's periphery sees it: code units are
/// volts and siemens times code_limit / window.
double sum_of_cells(const Crossbar& tile, const QuantizedMatrix& matrix, const MappingOptions& options,
                    const DeviceConfig& device, const LaneMatrix& inputs, int output, int lane) {
    const int rows = options.rows_per_input();
    double plus = 0.0;
    double minus = 0.0;
    for (int i = 0; i < matrix.inputs(); ++i) {
        const double v =
            static_cast<double>(inputs(i, lane)) * static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
        for (int row = 0; row < rows; ++row) {
            const double driven = row == 0 ? v : -v;
            plus += driven * tile.conductances()(i * rows + row, 2 * output);
            minus += driven * tile.conductances()(i * rows + row, 2 * output + 1);
        }
    }
    return (plus - minus) / rows * matrix.code_limit / (device.g_max_siemens - device.g_min_siemens);
}

TEST(Crossbar, IdealSumsAreTheExactIntegers) {
    DeviceConfig device;
    device.g_min_siemens = 1e-6;
    for (const int per_weight : {2, 4}) {
        for (const bool mixed : {false, true}) {
            const QuantizedMatrix matrix = random_matrix(32, 32, 127, 1, mixed);
            const Crossbar tile(matrix, cells(per_weight), device, ReadConfig{}, 1, 0, "tile");
            const LaneMatrix inputs = random_codes(32, 45, 127, 2);
            LaneMatrix expected(32, 45);
            exact_product(matrix.driven_codes(), inputs, expected);
            LaneMatrix sums;
            tile.read(inputs, sequences_from(0, 45), 0, sums);
            for (int o = 0; o < 32; ++o) {
                for (int lane = 0; lane < 45; ++lane) {
                    ASSERT_EQ(sums(o, lane), expected(o, lane));
                }
            }
        }
    }
}

TEST(Crossbar, ProgrammedSumsEqualTheCurrentsOfAllCells) {
    const DeviceConfig device = without_read_noise();
    for (const int per_weight : {2, 4}) {
        const QuantizedMatrix matrix = random_matrix(31, 29, 7, 3, true);
        const Crossbar tile(matrix, cells(per_weight), device, ReadConfig{}, 1, 4, "tile");
        const LaneMatrix inputs = random_codes(31, 20, 127, 4);
        LaneMatrix sums;
        tile.read(inputs, sequences_from(0, 20), 0, sums);
        for (int o = 0; o < 29; ++o) {
            for (int lane = 0; lane < 20; ++lane) {
                // 31 products of up to 7 x 127 x 1.2 codes, each rounded to 24 bits.
                ASSERT_NEAR(sums(o, lane), sum_of_cells(tile, matrix, cells(per_weight), device, inputs, o, lane),
                            0.02);
            }
        }
    }
}

TEST(Crossbar, ALaneHasTheSameBitsHoweverManyLanesRunBesideIt) {
    const QuantizedMatrix matrix = random_matrix(32, 31, 127, 5, true);
    const Crossbar tile(matrix, cells(4), device_preset("taox_imssa"), ReadConfig{}, 9, 2, "tile");
    LaneMatrix all;
    tile.read(random_codes(32, 200, 127, 6), sequences_from(1000, 200), 17, all);
    for (const int lanes : {1, 7, 16, 64}) {
        LaneMatrix sums;
        tile.read(random_codes(32, lanes, 127, 6), sequences_from(1000, lanes), 17, sums);
        for (int o = 0; o < 31; ++o) {
            for (int lane = 0; lane < lanes; ++lane) {
                ASSERT_EQ(sums(o, lane), all(o, lane)) << lanes << " lanes, output " << o << ", lane " << lane;
            }
        }
    }
    // The last sequence alone, which ran in another lane before.
    LaneMatrix last(32, 1);
    const LaneMatrix inputs = random_codes(32, 200, 127, 6);
    for (int i = 0; i < 32; ++i) {
        last(i, 0) = inputs(i, 199);
    }
    LaneMatrix sums;
    tile.read(last, sequences_from(1199, 1), 17, sums);
    for (int o = 0; o < 31; ++o) {
        ASSERT_EQ(sums(o, 0), all(o, 199));
    }
}

// 20 000 reads of one input: the variance has a standard error of 1 %, so five of them; and the sum over all outputs of
// chi-squares must be within five standard deviations.
TEST(Crossbar, ReadNoiseHasTheVarianceOfIndependentCells) {
    DeviceConfig device = device_preset("taox_imssa");
    for (const int per_weight : {2, 4}) {
        const MappingOptions options = cells(per_weight);
        const QuantizedMatrix matrix = random_matrix(12, 5, 15, 7, true);
        const Crossbar tile(matrix, options, device, ReadConfig{}, 3, 1, "tile");
        const Crossbar quiet(matrix, options, without_read_noise(), ReadConfig{}, 3, 1, "tile");
        ASSERT_EQ(tile.conductances(), quiet.conductances());
        const int lanes = 20000;
        const LaneMatrix one = random_codes(12, 1, 127, 8);
        LaneMatrix inputs(12, lanes);
        for (int i = 0; i < 12; ++i) {
            std::fill_n(inputs.row(i), lanes, one(i, 0));
        }
        LaneMatrix noisy;
        LaneMatrix exact;
        tile.read(inputs, sequences_from(0, lanes), 5, noisy);
        quiet.read(inputs, sequences_from(0, lanes), 5, exact);
        const int rows = options.rows_per_input();
        for (int o = 0; o < 5; ++o) {
            double expected = 0.0;
            for (int i = 0; i < 12; ++i) {
                const double v =
                    static_cast<double>(one(i, 0)) * static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
                for (int row = 0; row < rows; ++row) {
                    for (int column = 0; column < 2; ++column) {
                        const double sigma =
                            0.01 * tile.conductances()(i * rows + row, 2 * o + column) / rows * 15 / 150e-6;
                        expected += sigma * sigma * v * v;
                    }
                }
            }
            double mean = 0.0;
            double variance = 0.0;
            for (int lane = 0; lane < lanes; ++lane) {
                const double noise = static_cast<double>(noisy(o, lane)) - static_cast<double>(exact(o, lane));
                mean += noise / lanes;
                variance += noise * noise / lanes;
            }
            EXPECT_NEAR(mean, 0.0, 5.0 * std::sqrt(expected / lanes));
            EXPECT_NEAR(variance / expected, 1.0, 5.0 * std::sqrt(2.0 / lanes));
        }
    }
}

TEST(Crossbar, ReadNoiseOfOutputsAndStepsIsUncorrelated) {
    const QuantizedMatrix matrix = random_matrix(8, 6, 15, 7);
    const Crossbar tile(matrix, cells(4), device_preset("taox_imssa"), ReadConfig{}, 3, 1, "tile");
    const int lanes = 20000;
    LaneMatrix inputs(8, lanes);
    for (int i = 0; i < 8; ++i) {
        std::fill_n(inputs.row(i), lanes, 100.0F);
    }
    LaneMatrix now;
    LaneMatrix next;
    tile.read(inputs, sequences_from(0, lanes), 1, now);
    tile.read(inputs, sequences_from(0, lanes), 2, next);
    const auto correlation = [](const LaneMatrix& a, int i, const LaneMatrix& b, int j) {
        const Eigen::Map<const Eigen::ArrayXf> x(a.row(i), lanes);
        const Eigen::Map<const Eigen::ArrayXf> y(b.row(j), lanes);
        const Eigen::ArrayXd dx = x.cast<double>() - x.cast<double>().mean();
        const Eigen::ArrayXd dy = y.cast<double>() - y.cast<double>().mean();
        return (dx * dy).sum() / std::sqrt(dx.square().sum() * dy.square().sum());
    };
    const double bound = 5.0 / std::sqrt(static_cast<double>(lanes));
    for (int i = 0; i < 6; ++i) {
        EXPECT_LT(std::abs(correlation(now, i, next, i)), bound);
        for (int j = 0; j < i; ++j) {
            EXPECT_LT(std::abs(correlation(now, i, now, j)), bound) << i << ", " << j;
        }
    }
}

TEST(Crossbar, NothingIsReadNoisyWhenAllInputsAreZero) {
    const QuantizedMatrix matrix = random_matrix(8, 6, 15, 7);
    const Crossbar tile(matrix, cells(4), device_preset("taox_imssa"), ReadConfig{}, 3, 1, "tile");
    LaneMatrix sums;
    tile.read(LaneMatrix(8, 20), sequences_from(0, 20), 1, sums);
    EXPECT_EQ(sums, LaneMatrix(6, 20));
    const ReadEnergy energy = tile.read_energy(LaneMatrix(8, 20));
    EXPECT_EQ(energy.device_j, 0.0);
    EXPECT_EQ(energy.supply_j, 0.0);
}

TEST(Crossbar, EnergyIsTheSameToTheBitHoweverLanesAreGrouped) {
    const QuantizedMatrix matrix = random_matrix(20, 12, 127, 3, true);
    const Crossbar tile(matrix, cells(4), device_preset("taox_imssa"), ReadConfig{}, 5, 1, "tile");
    const LaneMatrix all = random_codes(20, 37, 127, 4);
    ReadEnergy sum;
    for (int lane = 0; lane < 37; ++lane) {
        LaneMatrix one(20, 1);
        for (int input = 0; input < 20; ++input) {
            one(input, 0) = all(input, lane);
        }
        const ReadEnergy energy = tile.read_energy(one);
        sum.device_j += energy.device_j;
        sum.supply_j += energy.supply_j;
    }
    const ReadEnergy together = tile.read_energy(all);
    EXPECT_EQ(sum.device_j, together.device_j);
    EXPECT_EQ(sum.supply_j, together.supply_j);
}

TEST(Crossbar, ReprogrammingWithTheSameCodesGivesTheSameTile) {
    const QuantizedMatrix matrix = random_matrix(20, 12, 127, 3, true);
    const Crossbar original(matrix, cells(4), device_preset("taox_imssa"), ReadConfig{}, 5, 1, "tile");
    Crossbar tile = original;
    tile.reprogram(MatrixRM::Zero(20, 12));
    EXPECT_GT((tile.conductances() - original.conductances()).norm(), 0.0);
    tile.reprogram(original.codes());
    EXPECT_EQ(tile.conductances(), original.conductances());
    EXPECT_THROW(tile.reprogram(MatrixRM::Zero(3, 3)), UserError);
    EXPECT_THROW(tile.reprogram(MatrixRM::Constant(20, 12, 128.0F)), UserError);
}

TEST(Crossbar, TheSameSeedGivesTheSameBitsAndAnotherOneDoesNot) {
    const QuantizedMatrix matrix = random_matrix(20, 20, 127, 5);
    const LaneMatrix inputs = random_codes(20, 30, 127, 6);
    const auto sums_of = [&](std::uint64_t seed, std::uint32_t tile_index, std::uint32_t step) {
        const Crossbar tile(matrix, cells(4), device_preset("taox_imssa"), ReadConfig{}, seed, tile_index, "tile");
        LaneMatrix sums;
        tile.read(inputs, sequences_from(0, 30), step, sums);
        return sums;
    };
    EXPECT_EQ(sums_of(1, 2, 3), sums_of(1, 2, 3));
    EXPECT_NE(sums_of(1, 2, 3), sums_of(2, 2, 3));
    EXPECT_NE(sums_of(1, 2, 3), sums_of(1, 3, 3));
    EXPECT_NE(sums_of(1, 2, 3), sums_of(1, 2, 4));
}

// By hand: codes [[3, -1], [0, 2]] of full scale 3 on a window of 10-100 uS, so 30 uS a code. Two cells:
// row 0 = 100 + 10 + 10 + 40 = 160 uS, row 1 = 10 + 10 + 70 + 10 = 100 uS. Input codes 4 and -2 of 4 with drives 1 and
// 1/2 at 0.2 V: 0.2 V and -0.05 V.
//   device: (0.04 x 160 + 0.0025 x 100) uW x 20 ns = 6.65 uW x 20 ns = 0.133 pJ
//   supply: 0.9 x (0.2 x 160 + 0.05 x 100) uW x 20 ns = 33.3 uW x 20 ns = 0.666 pJ
// Four cells conduct on both rows of a pair: twice as much.
TEST(Crossbar, EnergyOfATwoByTwoMatrixIsTheOneByHand) {
    QuantizedMatrix matrix = random_matrix(2, 2, 3, 1);
    matrix.codes << 3.0F, -1.0F, 0.0F, 2.0F;
    matrix.drive = {1.0F, 0.5F};
    matrix.input_limit = 4;
    DeviceConfig device;
    device.g_min_siemens = 10e-6;
    device.g_max_siemens = 100e-6;
    LaneMatrix inputs(2, 3);
    for (int lane = 0; lane < 3; ++lane) {
        inputs(0, lane) = 4.0F;
        inputs(1, lane) = -2.0F;
    }
    inputs.row(0)[5] = 100.0F;  // padding must not count
    for (const int per_weight : {2, 4}) {
        const Crossbar tile(matrix, cells(per_weight), device, ReadConfig{}, 1, 0, "tile");
        const ReadEnergy energy = tile.read_energy(inputs);
        EXPECT_NEAR(energy.device_j, 3 * 0.133e-12 * per_weight / 2, 1e-18);
        EXPECT_NEAR(energy.supply_j, 3 * 0.666e-12 * per_weight / 2, 1e-18);
    }
}

TEST(Crossbar, ProgrammingCountsTheCellsOfTheFootprint) {
    const QuantizedMatrix matrix = random_matrix(30, 20, 7, 1);
    const DeviceConfig device = device_preset("taox_imssa");
    const Crossbar tile(matrix, cells(4), device, ReadConfig{}, 1, 0, "tile");
    EXPECT_EQ(tile.programming().cells, 60 * 40);
    EXPECT_DOUBLE_EQ(tile.programming().pulses, 2400 * 8.5);
    EXPECT_DOUBLE_EQ(tile.programming().energy_j, 2400 * 8.5 * 17.5e-12);
    EXPECT_DOUBLE_EQ(tile.programming().time_s, 2400 * 8.5 * 1.1e-6);
    EXPECT_EQ(tile.inputs(), 30);
    EXPECT_EQ(tile.outputs(), 20);
}

/// Read conditions with wires of 2 and 1.5 ohm a cell, drivers of 100 ohm and sense amplifiers of 40 ohm.
ReadConfig with_wires(ColumnOrder order, double scale) {
    ReadConfig read;
    read.wires = {2.0 * scale, 1.5 * scale, 100.0 * scale, 40.0 * scale, DriverSide::left, SenseSide::bottom, order};
    return read;
}

/// All rows and columns of the tile as the dense reference sees them, unused cells cut off.
WireTransfer reference_transfer(const Crossbar& tile, const MappingOptions& options, const ReadConfig& read) {
    const int used_rows = tile.footprint().rows;
    const bool separate = read.wires.column_order == ColumnOrder::separate;
    Eigen::MatrixXd cells = Eigen::MatrixXd::Zero(options.tile_rows, options.tile_columns);
    for (int column = 0; column < tile.footprint().columns; ++column) {
        const int place = separate ? column / 2 + column % 2 * options.tile_columns / 2 : column;
        cells.col(place).head(used_rows) = tile.conductances().col(column).head(used_rows);
    }
    return test::dense_wire_transfer(test::full_grid(cells, read.wires));
}

TEST(Crossbar, SumsAndEnergyWithWiresAreThoseOfTheGrid) {
    const DeviceConfig device = without_read_noise();
    for (const int per_weight : {2, 4}) {
        for (const ColumnOrder order : {ColumnOrder::interleaved, ColumnOrder::separate}) {
            MappingOptions options = cells(per_weight);
            options.tile_rows = 16;
            options.tile_columns = 14;
            const ReadConfig read = with_wires(order, 10.0);
            const QuantizedMatrix matrix = random_matrix(7, 5, 15, 3, true);
            const Crossbar tile(matrix, options, device, read, 1, 4, "tile");
            const WireTransfer grid = reference_transfer(tile, options, read);
            const LaneMatrix inputs = random_codes(7, 20, 127, 4);
            LaneMatrix sums;
            tile.read(inputs, sequences_from(0, 20), 0, sums);
            ReadEnergy expected;
            const int rows = options.rows_per_input();
            for (int lane = 0; lane < 20; ++lane) {
                Eigen::VectorXd volts = Eigen::VectorXd::Zero(options.tile_rows);
                for (int i = 0; i < 7; ++i) {
                    const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
                    const double volt = read.v_read_volt * drive * static_cast<double>(inputs(i, lane)) / 127.0;
                    volts(i * rows) = volt;
                    volts(i * rows + rows - 1) = rows == 2 ? -volt : volt;
                }
                const Eigen::VectorXd column_amps = grid.columns.transpose() * volts;
                const Eigen::VectorXd row_amps = grid.rows * volts;
                expected.device_j += volts.dot(row_amps) * read.t_read_s;
                expected.supply_j += row_amps.cwiseAbs().sum() * read.v_supply_volt * read.t_read_s;
                for (int o = 0; o < 5; ++o) {
                    const bool separate = order == ColumnOrder::separate;
                    const int plus = separate ? o : 2 * o;
                    const int minus = separate ? o + 7 : 2 * o + 1;
                    const double amps = column_amps(plus) - column_amps(minus);
                    const double sum = amps / rows * 15.0 / 150e-6 * 127.0 / read.v_read_volt;
                    ASSERT_NEAR(static_cast<double>(sums(o, lane)), sum, 0.01);
                }
            }
            const ReadEnergy energy = tile.read_energy(inputs);
            EXPECT_NEAR(energy.device_j / expected.device_j, 1.0, 1e-5);
            EXPECT_NEAR(energy.supply_j / expected.supply_j, 1.0, 1e-5);
        }
    }
}

TEST(Crossbar, VanishingWireResistanceIsNoWireResistance) {
    const DeviceConfig device = device_preset("taox_imssa");
    const QuantizedMatrix matrix = random_matrix(20, 12, 127, 3, true);
    const LaneMatrix inputs = random_codes(20, 20, 127, 4);
    const Crossbar ideal(matrix, cells(4), device, ReadConfig{}, 1, 4, "tile");
    const Crossbar wired(matrix, cells(4), device, with_wires(ColumnOrder::interleaved, 1e-6), 1, 4, "tile");
    LaneMatrix expected;
    LaneMatrix sums;
    ideal.read(inputs, sequences_from(0, 20), 0, expected);
    wired.read(inputs, sequences_from(0, 20), 0, sums);
    for (int o = 0; o < 12; ++o) {
        for (int lane = 0; lane < 20; ++lane) {
            EXPECT_NEAR(sums(o, lane), expected(o, lane), 1.0);  // of up to 3e5
        }
    }
    EXPECT_NEAR(wired.read_energy(inputs).device_j / ideal.read_energy(inputs).device_j, 1.0, 1e-4);
    EXPECT_NEAR(wired.read_energy(inputs).supply_j / ideal.read_energy(inputs).supply_j, 1.0, 1e-4);
}

TEST(Crossbar, AMatrixTooLargeForTheTileIsAUserError) {
    const QuantizedMatrix matrix = random_matrix(40, 20, 7, 1);
    EXPECT_THROW(Crossbar(matrix, cells(4), DeviceConfig{}, ReadConfig{}, 1, 0, "decoder"), UserError);
    EXPECT_NO_THROW(Crossbar(matrix, cells(2), DeviceConfig{}, ReadConfig{}, 1, 0, "decoder"));
}

TEST(ReadConfig, RejectsZeroVoltagesAndTimes) {
    ReadConfig read;
    EXPECT_NO_THROW(read.validate());
    read.t_read_s = 0.0;
    EXPECT_THROW(read.validate(), UserError);
}

}  // namespace
}  // namespace imssa
