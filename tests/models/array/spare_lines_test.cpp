#include "models/array/spare_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/array/crossbar.h"
#include "models/common/error.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;
using testing_support::sequences_from;

DeviceConfig faulty(double fraction) {
    DeviceConfig device;
    device.stuck_low_fraction = 0.5 * fraction;
    device.stuck_high_fraction = 0.5 * fraction;
    return device;
}

MappingOptions with_spares(int rows, int columns, int per_weight = 4) {
    MappingOptions mapping;
    mapping.cells_per_weight = per_weight;
    mapping.spare_rows = rows;
    mapping.spare_columns = columns;
    return mapping;
}

/// Mean |weight - code| over ten tiles of 25 x 24 weights, in codes.
double weight_error(const DeviceConfig& device, const MappingOptions& mapping) {
    double error = 0.0;
    for (std::uint32_t tile = 0; tile < 10; ++tile) {
        const QuantizedMatrix matrix = random_matrix(25, 24, 127, tile);
        const Crossbar crossbar(matrix, mapping, device, ReadConfig{}, 1, tile, "tile");
        const Eigen::MatrixXd weights = effective_weights(crossbar.conductances(), matrix, mapping, device);
        error += (weights - matrix.codes.cast<double>()).cwiseAbs().mean();
    }
    return error / 10.0;
}

TEST(SpareLines, RowsColumnsAndBothLowerTheWeightErrorOfStuckCells) {
    for (const int per_weight : {2, 4}) {
        const DeviceConfig device = faulty(0.005);
        const double none = weight_error(device, with_spares(0, 0, per_weight));
        const double rows = weight_error(device, with_spares(8, 0, per_weight));
        const double columns = weight_error(device, with_spares(0, 8, per_weight));
        EXPECT_LT(rows, 0.8 * none) << per_weight;
        EXPECT_LT(columns, 0.8 * none) << per_weight;
        EXPECT_LT(weight_error(device, with_spares(8, 8, per_weight)), std::min(rows, columns)) << per_weight;
    }
}

TEST(SpareLines, CompensationOnTopOfThemLowersTheErrorFurther) {
    DeviceConfig device = faulty(0.01);
    const double spares = weight_error(device, with_spares(4, 4));
    device.fault_remap = FaultRemap::compensate;
    const double both = weight_error(device, with_spares(4, 4));
    EXPECT_LT(both, 0.4 * spares);
    EXPECT_LT(both, weight_error(device, with_spares(0, 0)));
}

TEST(SpareLines, OnlyKnownFaultsCanBeMended) {
    DeviceConfig device = faulty(0.01);
    const double nothing_done = weight_error(device, with_spares(0, 0));
    device.fault_remap = FaultRemap::compensate;
    const MappingOptions mapping = with_spares(4, 4);
    const double all_known = weight_error(device, mapping);
    device.known_fault_fraction = 0.5;
    const double half_known = weight_error(device, mapping);
    device.known_fault_fraction = 0.0;
    EXPECT_EQ(weight_error(device, mapping), nothing_done);
    EXPECT_LT(half_known, 0.7 * nothing_done);
    EXPECT_GT(half_known, all_known + 0.3 * nothing_done);
}

// Of 400 000 cells some 4000 are stuck; the known part is within five standard errors of what was asked.
TEST(SpareLines, TheMapperKnowsTheFractionAskedFor) {
    DeviceConfig device = faulty(0.01);
    device.known_fault_fraction = 0.7;
    const UsedCells used{1000, 400};
    const Eigen::MatrixXi stuck = stuck_cells(used, device, 3, 0);
    const Eigen::MatrixXi known = known_stuck_cells(used, device, 3, 0);
    const double count = static_cast<double>((stuck.array() != 0).count());
    const double found = static_cast<double>((known.array() != 0).count());
    EXPECT_NEAR(found / count, 0.7, 5.0 * std::sqrt(0.7 * 0.3 / count));
    EXPECT_TRUE(((known.array() == 0) || (known.array() == stuck.array())).all());
}

TEST(SpareLines, AMovedLineLeavesItsFaultBehindAndHoldsItsWeights) {
    const DeviceConfig device = faulty(0.001);
    const MappingOptions mapping = with_spares(2, 0);
    int moved = 0;
    for (std::uint32_t tile = 0; tile < 20; ++tile) {
        const QuantizedMatrix matrix = random_matrix(20, 20, 127, tile);
        const Eigen::MatrixXd targets = target_conductances(matrix, mapping, device);
        const UsedCells used = place_lines(targets, matrix, mapping, device, 1, tile);
        if (used.row_places.empty()) {
            continue;
        }
        EXPECT_EQ(std::count(used.row_places.begin(), used.row_places.end(), 62), 1);
        const std::ptrdiff_t row =
            std::find(used.row_places.begin(), used.row_places.end(), 62) - used.row_places.begin();
        const Crossbar crossbar(matrix, mapping, device, ReadConfig{}, 1, tile, "tile");
        const Eigen::MatrixXi stuck = stuck_cells({40, 40}, device, 1, tile);
        EXPECT_GT((stuck.middleRows(row, 2).array() != 0).count(), 0);
        const Eigen::MatrixXd weights = effective_weights(crossbar.conductances(), matrix, mapping, device);
        if ((stuck_cells(used, device, 1, tile).middleRows(row, 2).array() == 0).all()) {
            EXPECT_EQ(weights.row(row / 2), matrix.codes.row(row / 2).cast<double>());
            ++moved;
        }
    }
    EXPECT_GT(moved, 3);
}

TEST(SpareLines, WithoutFaultsTheyAreLeftAloneAndReadsStayExact) {
    const QuantizedMatrix matrix = random_matrix(20, 20, 127, 4);
    const MappingOptions mapping = with_spares(8, 8);
    const DeviceConfig device;
    EXPECT_TRUE(
        place_lines(target_conductances(matrix, mapping, device), matrix, mapping, device, 1, 0).row_places.empty());
    const LaneMatrix inputs = random_codes(20, 5, 127, 2);
    LaneMatrix expected(20, 5);
    exact_product(matrix.driven_codes(), inputs, expected);
    LaneMatrix sums;
    Crossbar(matrix, mapping, device, ReadConfig{}, 1, 0, "tile").read(inputs, sequences_from(0, 5), 0, sums);
    for (int output = 0; output < 20; ++output) {
        for (int lane = 0; lane < 5; ++lane) {
            EXPECT_EQ(sums(output, lane), expected(output, lane));
        }
    }
}

// A line on a spare place lies further from driver or sense amplifier: with wires it loses more, and only it does so
// much. Both orders of the columns.
TEST(SpareLines, WiresSeeTheLinesWhereTheyLie) {
    const DeviceConfig device = faulty(0.008);
    for (const ColumnOrder order : {ColumnOrder::interleaved, ColumnOrder::separate}) {
        ReadConfig read;
        read.wires.row_ohm_per_cell = 20.0;
        read.wires.column_ohm_per_cell = 20.0;
        read.wires.column_order = order;
        int compared = 0;
        for (std::uint32_t tile = 0; tile < 30; ++tile) {
            QuantizedMatrix matrix = random_matrix(8, 8, 127, tile);
            matrix.codes.setConstant(100.0F);
            const MappingOptions mapping = with_spares(0, 2, 2);
            const UsedCells used =
                place_lines(target_conductances(matrix, mapping, device), matrix, mapping, device, 1, tile);
            if (used.column_places.empty()) {
                continue;
            }
            const std::ptrdiff_t moved =
                (std::find(used.column_places.begin(), used.column_places.end(), 62) - used.column_places.begin()) / 2;
            const Crossbar crossbar(matrix, mapping, device, read, 1, tile, "tile");
            LaneMatrix inputs(8, 1);
            for (int input = 0; input < 8; ++input) {
                inputs(input, 0) = 127.0F;
            }
            LaneMatrix sums;
            crossbar.read(inputs, sequences_from(0, 1), 0, sums);
            const Eigen::MatrixXi stuck = stuck_cells(used, device, 1, tile);
            if ((stuck.array() != 0).any()) {
                continue;
            }
            for (int output = 0; output < 8; ++output) {
                if (output != moved) {
                    EXPECT_LT(sums(static_cast<int>(moved), 0), 0.995F * sums(output, 0)) << output;
                }
            }
            EXPECT_GT(crossbar.read_energy(inputs).device_j, 0.0);
            ++compared;
        }
        EXPECT_GT(compared, 0);
    }
}

TEST(SpareLines, TakeRoomFromWeights) {
    const QuantizedMatrix matrix = random_matrix(31, 10, 127, 1);
    EXPECT_EQ(footprint(matrix, with_spares(2, 0), "tile").rows, 62);
    EXPECT_THROW(footprint(matrix, with_spares(4, 0), "tile"), UserError);
    EXPECT_THROW(with_spares(3, 0).validate(), UserError);
    EXPECT_THROW(with_spares(0, 64).validate(), UserError);
    EXPECT_EQ(with_spares(4, 8).tile_inputs(), 30);
    EXPECT_EQ(with_spares(4, 8).tile_outputs(), 28);
}

}  // namespace
}  // namespace imssa
