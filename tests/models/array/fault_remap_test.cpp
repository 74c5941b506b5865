#include "models/array/fault_remap.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "models/array/crossbar.h"
#include "models/array/programmed_codes.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;
using testing_support::sequences_from;

/// Mean squared error of the sums of a tile with 5 % stuck cells and no other error.
double mean_square_error(FaultRemap remap, int per_weight) {
    DeviceConfig device;
    device.stuck_low_fraction = 0.03;
    device.stuck_high_fraction = 0.02;
    device.fault_remap = remap;
    MappingOptions mapping;
    mapping.cells_per_weight = per_weight;
    double squares = 0.0;
    for (std::uint32_t tile_index = 0; tile_index < 20; ++tile_index) {
        const QuantizedMatrix matrix = random_matrix(24, 16, 127, tile_index, true);
        const LaneMatrix inputs = random_codes(24, 32, 127, 2);
        LaneMatrix expected(16, 32);
        exact_product(matrix.driven_codes(), inputs, expected);
        LaneMatrix sums;
        const Crossbar tile(matrix, mapping, device, ReadConfig{}, 1, tile_index, "tile");
        tile.read(inputs, sequences_from(0, 32), 0, sums);
        for (int o = 0; o < 16; ++o) {
            for (int lane = 0; lane < 32; ++lane) {
                const double error = static_cast<double>(sums(o, lane)) - static_cast<double>(expected(o, lane));
                squares += error * error;
            }
        }
    }
    return squares;
}

TEST(FaultRemap, EveryOptionIsBetterThanNone) {
    for (const int per_weight : {2, 4}) {
        const double none = mean_square_error(FaultRemap::none, per_weight);
        EXPECT_LT(mean_square_error(FaultRemap::swap, per_weight), none) << per_weight;
        EXPECT_LT(mean_square_error(FaultRemap::compensate, per_weight), 0.5 * none) << per_weight;
    }
}

TEST(FaultRemap, ZeroedWeightsReadZero) {
    DeviceConfig device;
    device.stuck_low_fraction = 0.1;
    device.stuck_high_fraction = 0.1;
    device.fault_remap = FaultRemap::zero;
    for (const int per_weight : {2, 4}) {
        MappingOptions mapping;
        mapping.cells_per_weight = per_weight;
        const int rows = mapping.rows_per_input();
        const QuantizedMatrix matrix = random_matrix(20, 15, 127, 7);
        const Crossbar tile(matrix, mapping, device, ReadConfig{}, 1, 3, "tile");
        const UsedCells used{tile.footprint().rows, tile.footprint().columns};
        const Eigen::MatrixXi stuck = stuck_cells(used, device, 1, 3);
        const Eigen::MatrixXd weights = effective_weights(tile.conductances(), matrix, mapping, device);
        int zeroed = 0;
        for (int i = 0; i < 20; ++i) {
            for (int o = 0; o < 15; ++o) {
                const std::int64_t count = (stuck.block(i * rows, 2 * o, rows, 2).array() != 0).count();
                if (count > 1) {
                    continue;  // two stuck cells can be beyond what the others can cancel
                }
                EXPECT_NEAR(weights(i, o), count == 1 ? 0.0 : static_cast<double>(matrix.codes(i, o)), 1e-9);
                zeroed += count == 1 ? 1 : 0;
            }
        }
        EXPECT_GT(zeroed, 20);
    }
}

TEST(FaultRemap, WithoutFaultsChangesNothing) {
    const QuantizedMatrix matrix = random_matrix(6, 5, 15, 7);
    const MappingOptions mapping;
    DeviceConfig device;
    device.fault_remap = FaultRemap::swap;
    const Eigen::MatrixXd targets = target_conductances(matrix, mapping, device);
    const RemappedTargets same = remap_targets(targets, Eigen::MatrixXi::Zero(12, 10), matrix, mapping, device);
    EXPECT_EQ(same.targets, targets);
    EXPECT_TRUE(same.swapped.empty());
}

// One output whose plus column is stuck high where it should be low: swapped, the cell is where it should be.
TEST(FaultRemap, SwapPutsAStuckHighCellUnderALargeWeight) {
    QuantizedMatrix matrix = random_matrix(1, 1, 15, 7);
    matrix.codes << -15.0F;
    MappingOptions mapping;
    mapping.cells_per_weight = 2;
    DeviceConfig device;
    device.fault_remap = FaultRemap::swap;
    Eigen::MatrixXi stuck(1, 2);
    stuck << 1, 0;
    const RemappedTargets remapped =
        remap_targets(target_conductances(matrix, mapping, device), stuck, matrix, mapping, device);
    ASSERT_EQ(remapped.swapped.size(), 1U);
    EXPECT_TRUE(remapped.swapped[0]);
    EXPECT_EQ(remapped.targets(0, 0), device.g_max_siemens);
    EXPECT_EQ(remapped.targets(0, 1), device.g_min_siemens);
}

TEST(FaultRemap, ProgrammedCodesAreWhatReadsOfSwappedColumnsSee) {
    const QuantizedMatrix matrix = random_matrix(12, 9, 127, 127);
    MappingOptions mapping;
    DeviceConfig device;
    device.fault_remap = FaultRemap::swap;
    device.stuck_high_fraction = 0.05;
    device.programming_sigma_siemens = 2e-6;
    const Crossbar crossbar(matrix, mapping, device, ReadConfig{}, 3, 1, "tile");
    const Eigen::MatrixXd codes = crossbar.programmed_codes();
    LaneMatrix inputs(matrix.inputs(), matrix.inputs());
    std::vector<std::uint64_t> ids;
    for (int input = 0; input < matrix.inputs(); ++input) {
        inputs(input, input) = 1.0F;
        ids.push_back(static_cast<std::uint64_t>(input));
    }
    LaneMatrix sums;
    crossbar.read(inputs, ids, 0, sums);
    for (int input = 0; input < matrix.inputs(); ++input) {
        for (int output = 0; output < matrix.outputs(); ++output) {
            EXPECT_NEAR(sums(output, input), codes(input, output) * matrix.drive[static_cast<std::size_t>(input)],
                        1e-3);
        }
    }
    const ProgrammedMatrix programmed = program_matrix(matrix, mapping, device, 3, 1);
    EXPECT_GT(std::count(programmed.swapped.begin(), programmed.swapped.end(), true), 0) << "nothing was swapped";
}

}  // namespace
}  // namespace imssa
