#include "models/mapping/kernel_placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/common/error.h"
#include "models/mapping/weight_slices.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

std::vector<DeployedKernel> kernels(int heads, int states, const KernelOptions& options) {
    ModelConfig model;
    model.channels = 1;
    model.layers = 1;
    model.heads = heads;
    model.states = states;
    const testing::RandomNetwork network = testing::random_network(model, 5);
    DeploymentOptions deployment;
    deployment.kernel = options;
    return deploy(network.model, network.parameters, network.ranges, deployment, 4).layers.front().kernels;
}

KernelOptions fused() {
    KernelOptions options;
    options.mapping = KernelMapping::fused;
    options.form = OutputForm::delayed;
    options.input_matrix = InputMatrix::cells;
    return options;
}

TEST(KernelPlacement, FourteenModesFillOneTileOfThePublishedChip) {
    const std::vector<DeployedKernel> heads = kernels(3, 28, fused());
    const std::vector<TileGroup> groups = place_kernels(heads, MappingOptions{}, "kernel");
    ASSERT_EQ(groups.size(), 3U);
    for (const TileGroup& group : groups) {
        ASSERT_EQ(group.tiles.size(), 1U);
        EXPECT_EQ(group.tiles[0].inputs, 29);  // 58 of 64 rows
        EXPECT_EQ(group.tiles[0].outputs, 29);
        EXPECT_EQ(tile_matrix(group.tiles[0], heads).codes,
                  heads[static_cast<std::size_t>(group.heads.front())].array.codes);
    }
}

TEST(KernelPlacement, DiagonalPackingPutsBlocksOnTheDiagonalAndZerosElsewhere) {
    const std::vector<DeployedKernel> heads = kernels(5, 8, fused());  // 9 inputs x 9 outputs: three a tile of 32 x 32
    MappingOptions options;
    options.packing = Packing::diagonal;
    const std::vector<TileGroup> groups = place_kernels(heads, options, "kernel");
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].heads, (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(groups[1].heads, (std::vector<int>{3, 4}));
    const QuantizedMatrix tile = tile_matrix(groups[0].tiles[0], heads);
    ASSERT_EQ(tile.inputs(), 27);
    ASSERT_EQ(tile.outputs(), 27);
    MatrixRM off_diagonal = tile.codes;
    for (int head = 0; head < 3; ++head) {
        const std::size_t at = static_cast<std::size_t>(head);
        EXPECT_EQ(MatrixRM(tile.codes.block(9 * head, 9 * head, 9, 9)), heads[at].array.codes);
        EXPECT_EQ(tile.gain[static_cast<std::size_t>(9 * head)], heads[at].array.gain[0]);
        off_diagonal.block(9 * head, 9 * head, 9, 9).setZero();
    }
    EXPECT_TRUE((off_diagonal.array() == 0.0F).all());
}

TEST(KernelPlacement, RowGatedHeadsShareColumnsAndAreReadOneAfterAnother) {
    const std::vector<DeployedKernel> heads = kernels(5, 8, fused());
    MappingOptions options;
    options.packing = Packing::row_gated;
    const std::vector<TileGroup> groups = place_kernels(heads, options, "kernel");
    ASSERT_EQ(groups.size(), 2U);
    const TilePlan& plan = groups[0].tiles[0];
    EXPECT_EQ(plan.reads(), 3);
    EXPECT_EQ(plan.inputs, 27);
    EXPECT_EQ(plan.outputs, 9);
    const KernelTileCounts counts = count_kernel_tiles(groups, heads, options);
    EXPECT_EQ(counts.tiles, 2);
    EXPECT_EQ(counts.reads_per_step, 5);
    EXPECT_EQ(counts.passes, 3);
    EXPECT_DOUBLE_EQ(counts.adc_conversions, 5 * 9);
    EXPECT_DOUBLE_EQ(counts.outputs_of_tiles, 2 * 9);
}

TEST(KernelPlacement, ALargeHeadSplitsByModesAndKeepsEveryCellOnce) {
    const std::vector<DeployedKernel> heads = kernels(1, 22, fused());
    MappingOptions options;
    options.tile_rows = 18;  // 9 inputs: four modes and u
    options.split_heads = true;
    const std::vector<TileGroup> groups = place_kernels(heads, options, "kernel");
    ASSERT_EQ(groups.size(), 1U);
    ASSERT_EQ(groups[0].tiles.size(), 3U);
    MatrixRM seen = MatrixRM::Zero(heads[0].array.inputs(), heads[0].array.outputs());
    for (const TilePlan& plan : groups[0].tiles) {
        EXPECT_LE(plan.inputs, 9);
        const QuantizedMatrix tile = tile_matrix(plan, heads);
        for (std::size_t i = 0; i < plan.blocks[0].inputs.size(); ++i) {
            for (std::size_t o = 0; o < plan.blocks[0].outputs.size(); ++o) {
                seen(plan.blocks[0].inputs[i], plan.blocks[0].outputs[o]) +=
                    tile.codes(static_cast<int>(i), static_cast<int>(o));
            }
        }
    }
    EXPECT_EQ(seen, heads[0].array.codes);
}

TEST(KernelPlacement, AHeadThatMayNotSplitIsRefusedInOneLineThatSaysHow) {
    const std::vector<DeployedKernel> heads = kernels(2, 40, fused());
    try {
        place_kernels(heads, MappingOptions{}, "chip.layer0.kernel");
        FAIL() << "expected a UserError";
    } catch (const UserError& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("chip.layer0.kernel.head0.tile needs 82 x 82"));
        EXPECT_THAT(error.what(), ::testing::HasSubstr("split_heads = true"));
        EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
    }
    MappingOptions split;  // a single mode does not fit: what is set already is not advised
    split.tile_rows = split.tile_columns = 4;
    split.split_heads = true;
    try {
        place_kernels(heads, split, "chip.layer0.kernel");
        FAIL() << "expected a UserError";
    } catch (const UserError& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("needs 6 x 6"));
        EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("split_heads")));
    }
}

TEST(KernelPlacement, CountsWithoutPlacingEveryHeadAreThoseOfThePlacement) {
    for (const Packing packing : {Packing::one_head, Packing::diagonal, Packing::row_gated}) {
        for (const int rows : {64, 18}) {
            for (const int heads : {1, 3, 7, 8}) {
                const std::vector<DeployedKernel> all = kernels(heads, rows == 64 ? 8 : 22, fused());
                MappingOptions options;
                options.tile_rows = rows;
                options.packing = rows == 64 ? packing : Packing::one_head;
                options.split_heads = rows != 64;
                options.weight_slices = 1 + heads % 2;
                const KernelTileCounts placed = count_kernel_tiles(place_kernels(all, options, "kernel"), all, options);
                const KernelTileCounts counted = count_kernel_tiles(all.front(), heads, options, "kernel");
                EXPECT_EQ(counted.tiles, placed.tiles);
                EXPECT_EQ(counted.reads_per_step, placed.reads_per_step);
                EXPECT_EQ(counted.passes, placed.passes);
                EXPECT_EQ(counted.outputs, placed.outputs);
                EXPECT_DOUBLE_EQ(counted.dac_conversions, placed.dac_conversions);
                EXPECT_DOUBLE_EQ(counted.adc_conversions, placed.adc_conversions);
                EXPECT_DOUBLE_EQ(counted.partial_sums_added, placed.partial_sums_added);
                // 22 states: 23 outputs, y once more on every further tile; 8 states: 9 outputs.
                const double sums = heads * (rows == 64 ? 9.0 : 23.0);
                EXPECT_DOUBLE_EQ(counted.partial_sums_added, counted.adc_conversions - sums);
                EXPECT_DOUBLE_EQ(counted.dacs, placed.dacs);
                EXPECT_DOUBLE_EQ(counted.outputs_of_tiles, placed.outputs_of_tiles);
                EXPECT_DOUBLE_EQ(counted.weights, placed.weights);
                EXPECT_DOUBLE_EQ(counted.digital_products, placed.digital_products);
            }
        }
    }
}

TEST(KernelPlacement, DigitalInputOfAFusedReadLeavesOutTheRowOfUAndCountsItsProducts) {
    MappingOptions options;
    const std::vector<DeployedKernel> heads = kernels(3, 8, fused());
    const KernelTileCounts cells = count_kernel_tiles(place_kernels(heads, options, "kernel"), heads, options);
    options.kernel_input = MatrixPlace::digital;
    const std::vector<TileGroup> groups = place_kernels(heads, options, "kernel");
    const TilePlan& plan = groups.front().tiles.front();
    EXPECT_THAT(plan.blocks.front().inputs, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
    EXPECT_EQ(plan.outputs, heads.front().array.outputs());
    const KernelTileCounts counts = count_kernel_tiles(groups, heads, options);
    EXPECT_EQ(counts.digital_products_of_head, 8);  // Re and Im of four modes
    EXPECT_DOUBLE_EQ(counts.dac_conversions, cells.dac_conversions - 3);
    EXPECT_DOUBLE_EQ(counts.adc_conversions, cells.adc_conversions);
    // What is not in cells is what the digital products add: the row of u.
    MatrixRM outside = heads.front().array.codes;
    for (const int input : plan.blocks.front().inputs) {
        outside.row(input).setZero();
    }
    EXPECT_EQ(outside.row(heads.front().state_input_row()), heads.front().array.codes.row(8));
    EXPECT_GT(outside.cwiseAbs().maxCoeff(), 0.0F);
}

TEST(KernelPlacement, DigitalOutputOfAFoldedDigitalDecayLeavesNoCells) {
    MappingOptions options;
    options.kernel_output = MatrixPlace::digital;
    const std::vector<DeployedKernel> heads = kernels(2, 4, KernelOptions{});
    const std::vector<TileGroup> groups = place_kernels(heads, options, "kernel");
    const KernelTileCounts counts = count_kernel_tiles(groups, heads, options);
    EXPECT_EQ(counts.tiles, 0);
    EXPECT_EQ(counts.digital_products_of_head, 4);
}

TEST(WeightSlices, DigitsAddUpToTheCodesWithTheirSigns) {
    const QuantizedMatrix matrix = kernels(1, 8, fused()).front().array;
    for (int slices = 1; slices <= 8; ++slices) {
        const QuantizedMatrix sliced = slice_matrix(matrix, slices);
        ASSERT_EQ(sliced.outputs(), slices * matrix.outputs());
        const int bits = slice_bits(matrix.code_limit, slices);
        MatrixRM sum = MatrixRM::Zero(matrix.inputs(), matrix.outputs());
        for (int slice = 0; slice < slices; ++slice) {
            MatrixRM digits(matrix.inputs(), matrix.outputs());
            for (int output = 0; output < matrix.outputs(); ++output) {
                digits.col(output) = sliced.codes.col(slice_column(output, slice, slices));
            }
            EXPECT_LE(digits.cwiseAbs().maxCoeff(), static_cast<float>(slices == 1 ? 127 : (1 << bits) - 1));
            EXPECT_TRUE((digits.array() * matrix.codes.array() >= 0.0F).all());
            sum += digits * static_cast<float>(1 << (bits * slice));
        }
        EXPECT_EQ(sum, matrix.codes) << slices << " slices";
    }
}

}  // namespace
}  // namespace imssa
