// What start-up calibration takes, against counts worked out by hand.
#include "models/chip/startup_calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/models/chip/chip_bench.h"
#include "tests/models/chip/hand_worked.h"

namespace imssa::testing {
namespace {

constexpr int kSamples = 3;

/// The hand-worked chip with both calibrations on. Encoder 1 input x 2 outputs, mixing and decoder 2 x 2; a converter
/// serves two columns, a conversion takes 2 cycles, what comes before it 5 (load 1, drive 1, settle 2, sample 1).
ChipConfig calibrated_chip() {
    ChipConfig config = hand_worked_chip();
    config.read.gain_calibration = true;
    config.adc.calibrate = true;
    config.adc.calibration_samples = kSamples;
    return config;
}

KernelOptions fused_kernel() {
    KernelOptions kernel = fused(OutputForm::immediate);
    kernel.feedthrough = Feedthrough::digital;
    return kernel;
}

struct Expected {
    double array_reads, dac_conversions, adc_conversions, cycles, converter_conversions;
};

/// All but the last per sample; the last: converters.
void expect_counts(const KernelOptions& kernel, const ChipConfig& config, const Expected& expected, const char* what) {
    const DeployedNetwork network = small_network(hand_worked_model(), kernel, kHandWorkedSteps);
    const ChipSystem system(network, config, 1, what);
    const CalibrationSummary gains = gain_calibration(system.chip());
    EXPECT_EQ(gains.array_reads, kSamples * expected.array_reads) << what;
    EXPECT_EQ(gains.dac_conversions, kSamples * expected.dac_conversions) << what;
    EXPECT_EQ(gains.row_line_cells,
              gains.dac_conversions * config.mapping.rows_per_input() * config.mapping.tile_columns)
        << what;
    EXPECT_EQ(gains.adc_conversions, kSamples * expected.adc_conversions) << what;
    EXPECT_EQ(gains.columns, 2 * gains.adc_conversions) << what;
    EXPECT_EQ(static_cast<double>(gains.cycles), kSamples * expected.cycles) << what;
    const CalibrationSummary converters = converter_calibration(system.chip());
    EXPECT_DOUBLE_EQ(converters.adc_conversions, 2 * kSamples * expected.converter_conversions) << what;
    EXPECT_EQ(converters.cycles, 2 * kSamples * 2) << what;
    EXPECT_EQ(converters.array_reads + converters.dac_conversions + converters.columns, 0.0) << what;
}

TEST(StartupCalibration, IsNothingWhereItIsOff) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const ChipSystem system(network, hand_worked_chip(), 1);
    for (const CalibrationSummary& summary : {gain_calibration(system.chip()), converter_calibration(system.chip())}) {
        EXPECT_EQ(summary.array_reads + summary.adc_conversions + summary.dac_conversions, 0.0);
        EXPECT_EQ(summary.supply_j + summary.device_j, 0.0);
        EXPECT_EQ(summary.cycles, 0);
    }
}

TEST(StartupCalibration, DrivesEveryInputAloneAndConvertsEveryColumn) {
    // Kernels 2 x (4 inputs x 1 output: 7 cycles); the dense arrays take 9.
    expect_counts(KernelOptions{}, calibrated_chip(),
                  {1 + 2 * 4 + 2 + 2, 1 + 2 * 16 + 4 + 4, 2 + 2 * 4 + 4 + 4, 9 + 8 * 7 + 2 * 9 + 2 * 9, 1 + 2 + 1 + 1},
                  "plain");
}

TEST(StartupCalibration, MeasuresEverySliceOfAWeight) {
    ChipConfig config = calibrated_chip();
    config.mapping.weight_slices = 2;
    expect_counts(
        KernelOptions{}, config,
        {1 + 2 * 4 + 2 + 2, 1 + 2 * 16 + 4 + 4, 2 * (2 + 2 * 4 + 4 + 4), 9 + 8 * 9 + 2 * 9 + 2 * 9, 2 + 2 + 2 + 2},
        "slices");
}

TEST(StartupCalibration, MeasuresEveryTileOfASplitHead) {
    // Six rows hold a mode and the row of u; every tile has its own column of y: two heads of two tiles of 3 x 3.
    ChipConfig config = calibrated_chip();
    config.mapping.split_heads = true;
    config.mapping.tile_rows = 6;
    expect_counts(
        fused_kernel(), config,
        {1 + 4 * 3 + 2 + 2, 1 + 4 * 9 + 4 + 4, 2 + 4 * 9 + 4 + 4, 9 + 12 * 9 + 2 * 9 + 2 * 9, 1 + 4 * 2 + 1 + 1},
        "split");
}

TEST(StartupCalibration, MeasuresBothPlanesOfAWeight) {
    // Four columns a mode and one of y behind five converters, two rounds: 5 x 9.
    KernelOptions kernel = fused_kernel();
    kernel.representation = StateRepresentation::abar_delta;
    kernel.registers = RegisterUpdate::accumulate;
    kernel.state_range = StateRange::planes;
    expect_counts(
        kernel, calibrated_chip(),
        {1 + 2 * 5 + 2 + 2, 1 + 2 * 25 + 4 + 4, 2 + 2 * 45 + 4 + 4, 9 + 10 * 9 + 2 * 9 + 2 * 9, 1 + 2 * 5 + 1 + 1},
        "planes");
}

TEST(StartupCalibration, MeasuresTheZerosBetweenHeadsOnOneTileAndDrivesOneGatedHead) {
    ChipConfig config = calibrated_chip();
    config.mapping.packing = Packing::diagonal;  // 8 inputs x 2 outputs
    expect_counts(KernelOptions{}, config,
                  {1 + 8 + 2 + 2, 1 + 64 + 4 + 4, 2 + 16 + 4 + 4, 9 + 8 * 9 + 2 * 9 + 2 * 9, 1 + 1 + 1 + 1},
                  "diagonal");
    config.mapping.packing = Packing::row_gated;  // 2 x 4 inputs x 1 output
    expect_counts(KernelOptions{}, config,
                  {1 + 8 + 2 + 2, 1 + 8 * 4 + 4 + 4, 2 + 8 + 4 + 4, 9 + 8 * 7 + 2 * 9 + 2 * 9, 1 + 1 + 1 + 1}, "gated");
}

TEST(StartupCalibration, CalibratesConvertersThatServeSeveralTilesOnce) {
    ChipConfig config = calibrated_chip();
    config.timing.kernel_sites = 1;  // two tiles, one converter
    expect_counts(KernelOptions{}, config,
                  {1 + 2 * 4 + 2 + 2, 1 + 2 * 16 + 4 + 4, 2 + 2 * 4 + 4 + 4, 9 + 8 * 7 + 2 * 9 + 2 * 9, 1 + 1 + 1 + 1},
                  "sites");
}

TEST(StartupCalibration, AColumnOnASmallTileTakesNoLongerThanItsConverterHasColumns) {
    // Three outputs on tiles of two: two converters of up to two columns, so the tile of one column takes one round.
    ModelConfig model = hand_worked_model();
    model.classes = 3;
    const DeployedNetwork network = small_network(model, KernelOptions{}, kHandWorkedSteps);
    ChipConfig config = calibrated_chip();
    config.mapping.tile_columns = 4;
    const ChipSystem system(network, config, 1);
    EXPECT_EQ(gain_calibration(system.chip()).cycles, kSamples * (9 + 8 * 7 + 2 * 9 + 2 * 9 + 2 * 7));
}

TEST(StartupCalibration, TakesTheEnergyOfTheReadsOfEveryInputAlone) {
    ChipConfig config = calibrated_chip();
    config.device.programming_sigma_siemens = 2e-6;
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const ChipSystem system(network, config, 1);
    ReadEnergy expected;
    for (const CrossbarTile* tile : system.chip().tiles()) {
        const Crossbar& array = tile->array();
        for (int input = 0; input < array.inputs(); ++input) {
            LaneMatrix codes(array.inputs(), kSamples);
            // At full scale, or what leaves the widest output within nine tenths of its converter's range.
            double amplitude = 127.0;
            const QuantizedMatrix& matrix = array.matrix();
            for (std::size_t o = 0; o < matrix.gain.size(); ++o) {
                const double range = static_cast<double>(matrix.output_limit[o] - std::abs(matrix.offset[o]));
                const double codes_per_input = std::abs(
                    static_cast<double>(matrix.driven_codes()(input, static_cast<Eigen::Index>(o)) * matrix.gain[o]));
                amplitude = codes_per_input > 0.0 ? std::min(amplitude, 0.9 * range / codes_per_input) : amplitude;
            }
            for (int lane = 0; lane < kSamples; ++lane) {
                codes(input, lane) = static_cast<float>(std::max(1.0, std::floor(amplitude)));
            }
            const ReadEnergy energy = array.read_energy(codes);
            expected.device_j += energy.device_j;
            expected.supply_j += energy.supply_j;
        }
    }
    const CalibrationSummary gains = gain_calibration(system.chip());
    EXPECT_GT(gains.supply_j, 0.0);
    EXPECT_NEAR(gains.device_j, expected.device_j, 1e-12 * expected.device_j);
    EXPECT_NEAR(gains.supply_j, expected.supply_j, 1e-12 * expected.supply_j);
}

}  // namespace
}  // namespace imssa::testing
