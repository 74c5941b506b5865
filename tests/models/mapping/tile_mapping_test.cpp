#include "models/mapping/tile_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "models/common/error.h"

namespace imssa {
namespace {

QuantizedMatrix random_matrix(int inputs, int outputs, int code_limit, unsigned seed) {
    std::mt19937 engine(seed);
    std::uniform_int_distribution<int> code(-code_limit, code_limit);
    QuantizedMatrix matrix;
    matrix.code_limit = code_limit;
    matrix.codes.resize(inputs, outputs);
    for (Eigen::Index at = 0; at < matrix.codes.size(); ++at) {
        matrix.codes.data()[at] = static_cast<float>(code(engine));
    }
    matrix.drive.assign(static_cast<std::size_t>(inputs), 1.0F);
    matrix.gain.assign(static_cast<std::size_t>(outputs), 1.0F);
    matrix.offset.assign(static_cast<std::size_t>(outputs), 0.0F);
    matrix.output_limit.assign(static_cast<std::size_t>(outputs), 127.0F);
    return matrix;
}

TEST(TileMapping, CodesSurviveTheRoundTripThroughConductancesExactly) {
    DeviceConfig device;
    device.g_max_siemens = 147.3e-6;
    for (const double g_min : {0.0, 1.7e-6, 60e-6}) {
        device.g_min_siemens = g_min;
        for (const int cells : {2, 4}) {
            for (const int limit : {1, 2, 7, 127, 2047, 32767}) {
                MappingOptions options;
                options.cells_per_weight = cells;
                const QuantizedMatrix matrix = random_matrix(29, 31, limit, static_cast<unsigned>(limit + cells));
                const Eigen::MatrixXd g = target_conductances(matrix, options, device);
                EXPECT_EQ(g.rows(), 64);
                EXPECT_EQ(g.cols(), 64);
                EXPECT_GE(g.minCoeff(), device.g_min_siemens);
                EXPECT_LE(g.maxCoeff(), device.g_max_siemens * (1.0 + 1e-15));
                const Eigen::MatrixXd weights = effective_weights(g, matrix, options, device);
                EXPECT_EQ(weights, Eigen::MatrixXd(matrix.codes.cast<double>()))
                    << "limit " << limit << ", cells " << cells << ", g_min " << g_min;
            }
        }
    }
}

TEST(TileMapping, PlacesFourCellsOfAWeightAsASignedBlock) {
    QuantizedMatrix matrix = random_matrix(2, 2, 2, 1);
    matrix.codes << 2.0F, -1.0F, 0.0F, 1.0F;
    MappingOptions options;
    options.tile_rows = 6;
    options.tile_columns = 5;
    DeviceConfig device;
    device.g_min_siemens = 10e-6;
    device.g_max_siemens = 110e-6;
    Eigen::MatrixXd expected(6, 5);
    expected << 110, 10, 10, 60, 10,  //
        10, 110, 60, 10, 10,          //
        10, 10, 60, 10, 10,           //
        10, 10, 10, 60, 10,           //
        10, 10, 10, 10, 10,           //
        10, 10, 10, 10, 10;
    EXPECT_TRUE(target_conductances(matrix, options, device).isApprox(expected * 1e-6, 1e-12));

    options.cells_per_weight = 2;
    Eigen::MatrixXd two_cells(6, 5);
    two_cells << 110, 10, 10, 60, 10,  //
        10, 10, 60, 10, 10,            //
        10, 10, 10, 10, 10,            //
        10, 10, 10, 10, 10,            //
        10, 10, 10, 10, 10,            //
        10, 10, 10, 10, 10;
    EXPECT_TRUE(target_conductances(matrix, options, device).isApprox(two_cells * 1e-6, 1e-12));
}

TEST(TileMapping, AConductanceErrorCommonToAPairOfColumnsCancels) {
    const QuantizedMatrix matrix = random_matrix(5, 6, 7, 9);
    const DeviceConfig device;
    for (const int cells : {2, 4}) {
        MappingOptions options;
        options.cells_per_weight = cells;
        const Eigen::MatrixXd shifted = (target_conductances(matrix, options, device).array() + 0.108e-6).matrix();
        EXPECT_EQ(effective_weights(shifted, matrix, options, device), Eigen::MatrixXd(matrix.codes.cast<double>()));
    }
}

TEST(TileMapping, FootprintCountsRowsColumnsAndUsedCells) {
    QuantizedMatrix matrix = random_matrix(30, 30, 7, 2);
    matrix.codes.setZero();
    matrix.codes(0, 0) = 1.0F;
    matrix.codes(29, 29) = -7.0F;
    MappingOptions options;
    TileFootprint four = footprint(matrix, options, "kernel");
    EXPECT_EQ(four.rows, 60);
    EXPECT_EQ(four.columns, 60);
    EXPECT_DOUBLE_EQ(four.utilisation, 4.0 / 4096.0);
    options.cells_per_weight = 2;
    TileFootprint two = footprint(matrix, options, "kernel");
    EXPECT_EQ(two.rows, 30);
    EXPECT_EQ(two.columns, 60);
    EXPECT_DOUBLE_EQ(two.utilisation, 2.0 / 4096.0);
}

TEST(TileMapping, AMatrixTooLargeForATileIsOneLineWithItsNameAndBothSizes) {
    const QuantizedMatrix matrix = random_matrix(33, 30, 7, 3);
    try {
        footprint(matrix, MappingOptions{}, "layers.0.mixing");
        FAIL() << "no error";
    } catch (const UserError& error) {
        const std::string message = error.what();
        EXPECT_THAT(message, testing::HasSubstr("layers.0.mixing needs 66 x 60 cells"));
        EXPECT_THAT(message, testing::HasSubstr("33 inputs x 30 outputs"));
        EXPECT_THAT(message, testing::HasSubstr("a tile has 64 x 64"));
        EXPECT_EQ(message.find('\n'), std::string::npos);
    }
}

TEST(MappingOptions, RejectsOtherCellCountsAndEmptyTiles) {
    MappingOptions options;
    EXPECT_NO_THROW(options.validate());
    options.cells_per_weight = 3;
    EXPECT_THROW(options.validate(), UserError);
    options = MappingOptions{};
    options.tile_columns = 0;
    EXPECT_THROW(options.validate(), UserError);
}

}  // namespace
}  // namespace imssa
