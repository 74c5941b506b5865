/// Blocks of rows that are read one after another while select transistors cut the other rows off.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/array/crossbar.h"
#include "models/device/device_presets.h"
#include "tests/models/array/dense_wire_transfer.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;
using testing_support::sequences_from;

constexpr int kInputs = 8;
constexpr int kOutputs = 5;
constexpr int kInputsARead = 3;  // blocks of 3, 3 and 2
constexpr int kCodeLimit = 15;

MappingOptions stack(int cells_per_weight) {
    MappingOptions options;
    options.cells_per_weight = cells_per_weight;
    options.tile_rows = 18;
    options.tile_columns = 14;
    return options;
}

DeviceConfig device_with(double read_noise_relative) {
    DeviceConfig device = device_preset("taox_imssa");
    device.read_noise_relative = read_noise_relative;
    return device;
}

ReadConfig with_wires(SenseSide side) {
    ReadConfig read;
    read.wires = {20.0, 15.0, 300.0, 400.0, DriverSide::left, side, ColumnOrder::interleaved};
    return read;
}

/// Random codes on the inputs of one block, zero on the others.
LaneMatrix block_codes(int block, int lanes) {
    LaneMatrix codes = random_codes(kInputs, lanes, 127, 4);
    for (int input = 0; input < kInputs; ++input) {
        if (input / kInputsARead != block) {
            std::fill_n(codes.row(input), lanes, 0.0F);
        }
    }
    return codes;
}

/// Conductances of the whole tile when only a block's rows are connected.
Eigen::MatrixXd connected_cells(const Crossbar& tile, const MappingOptions& options, int block) {
    Eigen::MatrixXd cells = Eigen::MatrixXd::Zero(options.tile_rows, options.tile_columns);
    const int first = block * kInputsARead * options.rows_per_input();
    const int rows = std::min(kInputsARead * options.rows_per_input(), tile.footprint().rows - first);
    cells.block(first, 0, rows, tile.footprint().columns) =
        tile.conductances().block(first, 0, rows, tile.footprint().columns);
    return cells;
}

/// Volts on all rows of the tile.
Eigen::VectorXd row_volts(const QuantizedMatrix& matrix, const MappingOptions& options, const LaneMatrix& codes,
                          int lane) {
    const int rows = options.rows_per_input();
    Eigen::VectorXd volts = Eigen::VectorXd::Zero(options.tile_rows);
    for (int i = 0; i < matrix.inputs(); ++i) {
        const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
        const double volt = ReadConfig{}.v_read_volt * drive * static_cast<double>(codes(i, lane)) / matrix.input_limit;
        volts(i * rows) = volt;
        volts(i * rows + rows - 1) = rows == 2 ? -volt : volt;
    }
    return volts;
}

double codes_per_ampere(const QuantizedMatrix& matrix, const MappingOptions& options) {
    return kCodeLimit / 150e-6 / options.rows_per_input() * matrix.input_limit / ReadConfig{}.v_read_volt;
}

TEST(GatedBlocks, SumsAndEnergiesAreThoseOfTheGridWithTheOtherRowsCutOff) {
    for (const int per_weight : {2, 4}) {
        for (const SenseSide side : {SenseSide::bottom, SenseSide::both}) {
            const MappingOptions options = stack(per_weight);
            const ReadConfig read = with_wires(side);
            const QuantizedMatrix matrix = random_matrix(kInputs, kOutputs, kCodeLimit, 3, true);
            const Crossbar tile(matrix, options, device_with(0.0), read, 1, 4, "tile", kInputsARead);
            ASSERT_EQ(tile.blocks(), 3);
            for (int block = 0; block < 3; ++block) {
                const WireTransfer grid =
                    test::dense_wire_transfer(test::full_grid(connected_cells(tile, options, block), read.wires));
                const LaneMatrix codes = block_codes(block, 20);
                LaneMatrix sums;
                tile.read(codes, sequences_from(0, 20), 0, sums, block);
                ReadEnergy expected;
                for (int lane = 0; lane < 20; ++lane) {
                    const Eigen::VectorXd volts = row_volts(matrix, options, codes, lane);
                    const Eigen::VectorXd column_amps = grid.columns.transpose() * volts;
                    const Eigen::VectorXd row_amps = grid.rows * volts;
                    expected.device_j += volts.dot(row_amps) * read.t_read_s;
                    expected.supply_j += row_amps.cwiseAbs().sum() * read.v_supply_volt * read.t_read_s;
                    for (int o = 0; o < kOutputs; ++o) {
                        const double amps = column_amps(2 * o) - column_amps(2 * o + 1);
                        ASSERT_NEAR(static_cast<double>(sums(o, lane)), amps * codes_per_ampere(matrix, options), 0.01);
                    }
                }
                const ReadEnergy energy = tile.read_energy(codes);
                EXPECT_NEAR(energy.device_j / expected.device_j, 1.0, 1e-5);
                EXPECT_NEAR(energy.supply_j / expected.supply_j, 1.0, 1e-5);
            }
        }
    }
}

// 20 000 reads: the variance has a standard error of 1 %, so five of them.
TEST(GatedBlocks, NoiseIsThatOfTheRowsThatConduct) {
    constexpr int kReads = 20000;
    constexpr double kBoltzmann = 1.380649e-23;
    constexpr double kElementaryCharge = 1.602176634e-19;
    constexpr double kReadNoise = 0.05;
    const MappingOptions options = stack(4);
    const DeviceConfig device = device_with(kReadNoise);
    const QuantizedMatrix matrix = random_matrix(kInputs, kOutputs, kCodeLimit, 3, true);
    ReadConfig read = with_wires(SenseSide::bottom);
    read.thermal_noise = true;
    read.shot_noise = true;
    read.noise_bandwidth_hz = 1e11;
    const Crossbar tile(matrix, options, device, read, 1, 4, "tile", kInputsARead);
    const Crossbar quiet(matrix, options, device_with(0.0), with_wires(SenseSide::bottom), 1, 4, "tile", kInputsARead);
    for (int block = 0; block < 3; ++block) {
        const LaneMatrix one = block_codes(block, 1);
        LaneMatrix codes(kInputs, kReads);
        for (int input = 0; input < kInputs; ++input) {
            std::fill_n(codes.row(input), kReads, one(input, 0));
        }
        LaneMatrix noisy;
        LaneMatrix exact;
        tile.read(codes, sequences_from(0, kReads), 5, noisy, block);
        quiet.read(codes, sequences_from(0, kReads), 5, exact, block);
        const Eigen::MatrixXd cells = connected_cells(tile, options, block);
        const Eigen::MatrixXd transfer = test::dense_wire_transfer(test::full_grid(cells, read.wires)).columns;
        const Eigen::VectorXd volts = row_volts(matrix, options, one, 0);
        for (int o = 0; o < kOutputs; ++o) {
            double ampere2 = 0.0;
            for (int column = 2 * o; column < 2 * o + 2; ++column) {
                for (int row = 0; row < options.tile_rows; ++row) {
                    const double siemens = cells(row, column);
                    const double flicker = kReadNoise * transfer(row, column) * volts(row);
                    ampere2 += siemens > 0.0 ? flicker * flicker : 0.0;
                    ampere2 += 4.0 * kBoltzmann * device.temperature_kelvin * siemens * read.noise_bandwidth_hz;
                    ampere2 += 2.0 * kElementaryCharge * std::abs(volts(row)) * siemens * read.noise_bandwidth_hz;
                }
            }
            const double expected = ampere2 * std::pow(codes_per_ampere(matrix, options), 2);
            double variance = 0.0;
            for (int at = 0; at < kReads; ++at) {
                variance += std::pow(static_cast<double>(noisy(o, at)) - static_cast<double>(exact(o, at)), 2) / kReads;
            }
            EXPECT_NEAR(variance / expected, 1.0, 5.0 * std::sqrt(2.0 / kReads)) << "block " << block;
        }
    }
}

TEST(GatedBlocks, WithoutWiresAndThermalNoiseAreCodesOfAnUngatedArray) {
    const MappingOptions options = stack(4);
    const QuantizedMatrix matrix = random_matrix(kInputs, kOutputs, kCodeLimit, 3, true);
    const Crossbar gated(matrix, options, device_with(0.01), ReadConfig{}, 1, 4, "tile", kInputsARead);
    const Crossbar together(matrix, options, device_with(0.01), ReadConfig{}, 1, 4, "tile");
    for (int block = 0; block < gated.blocks(); ++block) {
        const LaneMatrix codes = block_codes(block, 20);
        LaneMatrix sums;
        LaneMatrix expected;
        gated.read(codes, sequences_from(0, 20), 7, sums, block);
        together.read(codes, sequences_from(0, 20), 7, expected);
        EXPECT_EQ(sums, expected);
        EXPECT_EQ(gated.read_energy(codes).supply_j, together.read_energy(codes).supply_j);
        EXPECT_EQ(gated.read_energy(codes).device_j, together.read_energy(codes).device_j);
    }
}

TEST(GatedBlocks, ReprogrammingKeepsTheBlocks) {
    const QuantizedMatrix matrix = random_matrix(kInputs, kOutputs, kCodeLimit, 3);
    const ReadConfig read = with_wires(SenseSide::bottom);
    Crossbar tile(matrix, stack(4), device_with(0.0), read, 1, 4, "tile", kInputsARead);
    const LaneMatrix codes = block_codes(1, 20);
    LaneMatrix before;
    LaneMatrix after;
    tile.read(codes, sequences_from(0, 20), 0, before, 1);
    tile.reprogram(MatrixRM::Zero(kInputs, kOutputs));
    tile.reprogram(matrix.codes);
    tile.read(codes, sequences_from(0, 20), 0, after, 1);
    EXPECT_EQ(tile.blocks(), 3);
    EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace imssa
