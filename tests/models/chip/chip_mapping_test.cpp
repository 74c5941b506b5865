// What mappings do to analog errors.
#include <gtest/gtest.h>

#include "models/chip/kernel_tiles.h"
#include "models/chip/tiled_product.h"
#include "tests/models/chip/chip_bench.h"

namespace imssa::testing {
namespace {

constexpr int kLanes = 20;

struct Bench {
    explicit Bench(const ChipConfig& chip) : config(chip) {
        KernelOptions options;
        options.mapping = KernelMapping::fused;
        options.form = OutputForm::immediate;
        options.input_matrix = InputMatrix::cells;
        ModelConfig model = small_model();
        model.layers = 1;
        kernels = small_network(model, options, 4).layers.front().kernels;
        for (int lane = 0; lane < kLanes; ++lane) {
            ids.push_back(static_cast<std::uint64_t>(lane));
        }
    }
    /// Sums of all heads when only the heads in `driven` have inputs.
    std::vector<LaneMatrix> sums(const std::vector<int>& driven, std::uint32_t step = 0) const {
        std::vector<LaneMatrix> all;
        std::uint32_t first_tile = 3;
        for (const TileGroup& group : place_kernels(kernels, config.mapping, "kernel")) {
            const std::vector<std::string> names(group.tiles.size(), "tile");
            KernelTiles tiles(group, kernels, config, 5, {first_tile, first_tile}, names);
            first_tile += static_cast<std::uint32_t>(group.tiles.size());
            std::vector<HeadRead> reads(group.heads.size());
            for (std::size_t k = 0; k < reads.size(); ++k) {
                const QuantizedMatrix& array = kernels[static_cast<std::size_t>(group.heads[k])].array;
                reads[k].inputs = LaneMatrix(array.inputs(), kLanes);
                reads[k].sums = LaneMatrix(array.outputs(), kLanes);
                if (std::count(driven.begin(), driven.end(), group.heads[k]) > 0) {
                    for (int input = 0; input < array.inputs(); ++input) {
                        for (int lane = 0; lane < kLanes; ++lane) {
                            reads[k].inputs(input, lane) = static_cast<float>((7 * input + 13 * lane) % 101 - 50);
                        }
                    }
                }
            }
            tiles.read(reads, ids, step, nullptr);
            for (HeadRead& read : reads) {
                all.push_back(read.sums);
            }
        }
        return all;
    }

    ChipConfig config;
    std::vector<DeployedKernel> kernels;
    std::vector<std::uint64_t> ids;
};

ChipConfig noisy(Packing packing) {
    ChipConfig config;
    config.mapping.packing = packing;
    config.device.programming_sigma_siemens = 4e-6;
    config.device.read_noise_relative = 0.01;
    config.adc.input_noise_codes = 0.3;
    return config;
}

double largest(const LaneMatrix& matrix) {
    double value = 0.0;
    for (int channel = 0; channel < matrix.channels(); ++channel) {
        for (int lane = 0; lane < matrix.lanes(); ++lane) {
            value = std::max(value, static_cast<double>(std::abs(matrix(channel, lane))));
        }
    }
    return value;
}

TEST(ChipMapping, HeadsOnTheDiagonalDisturbEachOtherOnlyThroughErrors) {
    ChipConfig config;
    config.mapping.packing = Packing::diagonal;
    EXPECT_EQ(largest(Bench(config).sums({0})[1]), 0.0) << "ideal zeros are silent";
    config.device.programming_sigma_siemens = 4e-6;
    EXPECT_GT(largest(Bench(config).sums({0})[1]), 10.0) << "programmed zeros are not";
}

TEST(ChipMapping, GatedHeadsAndHeadsOfTheirOwnDoNotDisturbEachOther) {
    for (const Packing packing : {Packing::one_head, Packing::row_gated}) {
        ChipConfig config = noisy(packing);
        config.adc.input_noise_codes = 0.0;
        EXPECT_EQ(largest(Bench(config).sums({0})[1]), 0.0);
        const Bench bench(config);
        EXPECT_EQ(bench.sums({0})[0], bench.sums({0, 1, 2})[0]);
    }
}

// Resistances of rows and amplifiers act on a head whatever its place on the columns: what another head's rows would
// load them with is all that could differ.
TEST(ChipMapping, GatedHeadsBehindWiresAreThoseOfTilesOfTheirOwn) {
    ChipConfig config;
    config.device.g_min_siemens = 5e-6;
    config.read.wires.row_ohm_per_cell = 5.0;
    config.read.wires.driver_ohm = 100.0;
    config.read.wires.sense_ohm = 300.0;
    const std::vector<LaneMatrix> alone = Bench(config).sums({0, 1, 2});
    config.mapping.packing = Packing::row_gated;
    const std::vector<LaneMatrix> gated = Bench(config).sums({0, 1, 2});
    for (std::size_t head = 0; head < 3; ++head) {
        for (int output = 0; output < alone[head].channels(); ++output) {
            for (int lane = 0; lane < kLanes; ++lane) {
                EXPECT_NEAR(gated[head](output, lane), alone[head](output, lane), 1e-5F * largest(alone[head]));
            }
        }
    }
}

TEST(ChipMapping, ThermalNoiseOfAGatedHeadIsThatOfItsOwnRows) {
    ChipConfig config;
    config.mapping.packing = Packing::row_gated;
    config.device.g_min_siemens = 5e-6;
    config.read.thermal_noise = true;
    config.read.noise_bandwidth_hz = 1e12;
    const Bench bench(config);
    const std::vector<LaneMatrix> gated = bench.sums({});
    for (std::uint32_t head = 0; head < 3; ++head) {
        const QuantizedMatrix& array = bench.kernels[head].array;
        const Crossbar alone(array, config.mapping, config.device, config.read, 5, 3, "tile");
        LaneMatrix sums;
        alone.read(LaneMatrix(array.inputs(), kLanes), bench.ids, head, sums);
        EXPECT_GT(largest(sums), 0.0);
        EXPECT_EQ(gated[head], sums);
    }
}

TEST(ChipMapping, ReadsOfOneTileHaveNoiseOfTheirOwn) {
    ChipConfig config = noisy(Packing::row_gated);
    config.device.programming_sigma_siemens = 0.0;
    config.device.read_noise_relative = 0.0;
    const std::vector<LaneMatrix> sums = Bench(config).sums({});
    EXPECT_GT(largest(sums[0]), 0.0) << "converter noise of a head without input";
    const float gain_ratio = Bench(config).kernels[1].array.gain[0] / Bench(config).kernels[0].array.gain[0];
    for (int lane = 0; lane < kLanes; ++lane) {
        EXPECT_NE(sums[0](0, lane), sums[1](0, lane) * gain_ratio);
    }
}

TEST(ChipMapping, EachErrorIsOffAtZeroWhateverTheMapping) {
    for (const Packing packing : {Packing::one_head, Packing::diagonal, Packing::row_gated}) {
        for (const int slices : {1, 3}) {
            ChipConfig config;
            config.mapping.packing = packing;
            config.mapping.weight_slices = slices;
            const Bench bench(config);
            const std::vector<LaneMatrix> sums = bench.sums({0, 1, 2});
            const std::vector<LaneMatrix> plain = Bench(ChipConfig{}).sums({0, 1, 2});
            for (std::size_t head = 0; head < 3; ++head) {
                EXPECT_EQ(sums[head], plain[head]);
            }
        }
    }
}

TEST(ChipMapping, TilesThatTakeTurnsAtASiteShareItsConvertersAndDrivers) {
    ChipConfig config;
    config.adc.gain_sigma = 0.05;
    config.adc.offset_sigma_codes = 3.0;
    config.read.dac.gain_sigma = 0.05;
    const Bench bench(config);
    const std::vector<DeployedKernel> same(5, bench.kernels.front());
    const std::vector<TileGroup> groups = place_kernels(same, config.mapping, "kernel");
    ASSERT_EQ(groups.size(), 5U);
    std::vector<LaneMatrix> sums;
    for (std::uint32_t head = 0; head < 5; ++head) {
        KernelTiles tiles(groups[head], same, config, 5, {10, 10 + head, 3}, {"tile"});
        std::vector<HeadRead> reads(1);
        reads[0].inputs = LaneMatrix(same[0].array.inputs(), kLanes);
        for (int input = 0; input < same[0].array.inputs(); ++input) {
            std::fill_n(reads[0].inputs.row(input), kLanes, 20.0F);
        }
        reads[0].sums = LaneMatrix(same[0].array.outputs(), kLanes);
        tiles.read(reads, std::vector<std::uint64_t>(kLanes, 1), 0, nullptr);
        sums.push_back(reads[0].sums);
    }
    EXPECT_EQ(sums[0], sums[3]);
    EXPECT_EQ(sums[1], sums[4]);
    EXPECT_FALSE(sums[0] == sums[1]);
    EXPECT_FALSE(sums[1] == sums[2]);
}

TEST(ChipMapping, DenseTilesSideBySideHangOnTheSameDrivers) {
    ChipConfig config;
    config.read.dac.gain_sigma = 0.05;
    config.mapping.tile_columns = 8;  // four outputs a tile
    config.mapping.tile_rows = 12;    // six inputs a tile
    QuantizedMatrix matrix;
    matrix.codes = MatrixRM::Constant(12, 8, 50.0F);
    matrix.drive.assign(12, 1.0F);
    matrix.gain.assign(8, 0.001F);
    matrix.offset.assign(8, 0.0F);
    matrix.output_limit.assign(8, 127.0F);
    TiledProduct product(matrix, config, 5, 0, "dense");
    ASSERT_EQ(product.tiles(), 4);
    LaneMatrix inputs(12, 12);
    for (int input = 0; input < 12; ++input) {
        inputs(input, input) = 100.0F;
    }
    LaneMatrix sums(8, 12);
    product.read(inputs, std::vector<std::uint64_t>(12, 1), 0, sums);
    for (int output = 1; output < 8; ++output) {
        for (int lane = 0; lane < 12; ++lane) {
            EXPECT_EQ(sums(output, lane), sums(0, lane));
        }
    }
    EXPECT_NE(sums(0, 0), sums(0, 6));
}

TEST(ChipMapping, ProgrammedCodesOfAnIdealChipAreTheCodes) {
    for (const Packing packing : {Packing::one_head, Packing::diagonal, Packing::row_gated}) {
        ChipConfig config;
        config.mapping.packing = packing;
        config.mapping.weight_slices = 2;
        const Bench bench(config);
        for (const TileGroup& group : place_kernels(bench.kernels, config.mapping, "kernel")) {
            const KernelTiles tiles(group, bench.kernels, config, 5, {}, {"tile"});
            for (const int head : group.heads) {
                EXPECT_EQ(tiles.programmed_codes(head, bench.kernels),
                          Eigen::MatrixXd(bench.kernels[static_cast<std::size_t>(head)].array.codes.cast<double>()));
            }
        }
    }
}

TEST(ChipMapping, ProgrammedCodesOfASplitHeadAreTheSumsOfItsParts) {
    ChipConfig config;
    config.mapping.split_heads = true;
    config.mapping.tile_rows = 10;
    config.mapping.tile_columns = 8;
    const Bench bench(config);
    for (const TileGroup& group : place_kernels(bench.kernels, config.mapping, "kernel")) {
        const std::vector<std::string> names(group.tiles.size(), "tile");
        const KernelTiles tiles(group, bench.kernels, config, 5, {}, names);
        EXPECT_GT(tiles.tiles(), 1);
        for (const int head : group.heads) {
            EXPECT_EQ(tiles.programmed_codes(head, bench.kernels),
                      Eigen::MatrixXd(bench.kernels[static_cast<std::size_t>(head)].array.codes.cast<double>()));
        }
    }
}

TEST(ChipMapping, PoleCalibrationCountsTheRowsAndColumnsOfEveryTileOfASplitHead) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    kernel.feedthrough = Feedthrough::digital;
    const ModelConfig model = small_model();
    const DeployedNetwork network = small_network(model, kernel, 8);
    ChipConfig config;
    config.calibration.poles = PoleCalibration::exact_radius;
    config.calibration.reads_per_mode = 8;
    const int modes = model.states / 2;
    const double reads = static_cast<double>(model.layers) * model.heads * modes * 8;
    const ChipSystem unsplit(network, config, 7, "unsplit");
    const CalibrationSummary whole = unsplit.chip().calibration();
    EXPECT_EQ(whole.array_reads, reads);
    EXPECT_EQ(whole.dac_conversions, reads * (2 * modes + 1));
    EXPECT_EQ(whole.row_line_cells, whole.dac_conversions * 2 * config.mapping.tile_columns);
    EXPECT_EQ(whole.adc_conversions, reads * (2 * modes + 1));
    // Four cells a weight: six rows hold one mode and its row of u; y has a partial column on every tile.
    config.mapping.split_heads = true;
    config.mapping.tile_rows = 6;
    config.mapping.weight_slices = 2;
    const ChipSystem parts(network, config, 7, "parts");
    const CalibrationSummary split = parts.chip().calibration();
    EXPECT_EQ(split.array_reads, reads * modes);
    EXPECT_EQ(split.dac_conversions, reads * modes * (2 + 1));
    EXPECT_EQ(split.row_line_cells, split.dac_conversions * 2 * config.mapping.tile_columns);
    EXPECT_EQ(split.adc_conversions, reads * modes * (2 + 1) * 2);
    EXPECT_EQ(split.columns, 2.0 * split.adc_conversions);
}

TEST(ChipMapping, NoisyLanesOfPackedHeadsDoNotDependOnTheirNeighbours) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    const DeployedNetwork network = small_network(small_model(), kernel, 8);
    ChipConfig config = noisy(Packing::diagonal);
    config.mapping.weight_slices = 2;
    config.calibration.poles = PoleCalibration::exact_radius;
    const Sequences all(network, 20, 1);
    BatchInput alone;
    alone.values = {all.batch.values[17]};
    alone.sequence_ids = {all.batch.sequence_ids[17]};
    ChipSystem system(network, config, 7);
    const BatchResult together = system.run({all.batch}).front();
    const BatchResult single = system.run({alone}).front();
    for (int label = 0; label < 3; ++label) {
        EXPECT_EQ(single.logits(label, 0), together.logits(label, 17));
    }
}

}  // namespace
}  // namespace imssa::testing
