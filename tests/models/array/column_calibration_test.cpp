#include "models/array/column_calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/mapping/weight_slices.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;
using testing_support::sequences_from;

constexpr int kSamples = 64;

/// Converters of which all inputs together use a third of the range, and one alone a few codes.
QuantizedMatrix matrix_of(int inputs, int outputs, unsigned seed) {
    QuantizedMatrix matrix = random_matrix(inputs, outputs, 127, seed);
    for (std::size_t o = 0; o < matrix.gain.size(); ++o) {
        matrix.gain[o] = static_cast<float>(127.0 / (127.0 * 127.0 * std::sqrt(static_cast<double>(inputs))));
        matrix.offset[o] = 0.0F;
        matrix.output_limit[o] = 127.0F;
    }
    return matrix;
}

ReadConfig with_wires() {
    ReadConfig read;
    read.wires.row_ohm_per_cell = 5.0;
    read.wires.column_ohm_per_cell = 5.0;
    read.wires.driver_ohm = 100.0;
    return read;
}

Crossbar programmed(const QuantizedMatrix& matrix, const DeviceConfig& device, const ReadConfig& read) {
    return {matrix, MappingOptions{}, device, read, 3, 0, "tile"};
}

/// What an output senses of every input alone: inputs x outputs, in weight codes.
Eigen::MatrixXd sensed_weights(const Crossbar& array) {
    LaneMatrix inputs(array.inputs(), array.inputs());
    for (int input = 0; input < array.inputs(); ++input) {
        inputs(input, input) = 100.0F;
    }
    LaneMatrix sums;
    array.read(inputs, sequences_from(0, array.inputs()), 0, sums);
    Eigen::MatrixXd weights(array.inputs(), array.outputs());
    for (int input = 0; input < array.inputs(); ++input) {
        for (int output = 0; output < array.outputs(); ++output) {
            weights(input, output) = static_cast<double>(sums(output, input)) / 100.0;
        }
    }
    return weights;
}

/// The least-squares factors of exact weights.
std::vector<double> exact_factors(const Crossbar& array) {
    const Eigen::MatrixXd weights = sensed_weights(array);
    const Eigen::MatrixXd wanted = array.matrix().driven_codes().cast<double>();
    std::vector<double> factors;
    for (int output = 0; output < array.outputs(); ++output) {
        factors.push_back(weights.col(output).dot(wanted.col(output)) / weights.col(output).squaredNorm());
    }
    return factors;
}

ColumnCalibration samples_of(double trim_step) {
    ReadConfig read;
    read.gain_calibration = true;
    AdcConfig adc;
    adc.calibration_samples = kSamples;
    adc.calibration_step_codes = trim_step;
    return {read, adc};
}

std::vector<double> measured_factors(const Crossbar& array, const AdcConfig& adc, double trim_step) {
    return measure_columns(array, 0, AdcErrors(adc, array.matrix(), 1, 3, 0), 0, samples_of(trim_step)).factors;
}

TEST(ColumnCalibration, FindsTheLeastSquaresFactorsWithinWhatRoundingLeaves) {
    DeviceConfig device;
    device.programming_sigma_siemens = 3e-6;
    const Crossbar array = programmed(matrix_of(30, 20, 5), device, with_wires());
    const std::vector<double> expected = exact_factors(array);
    const std::vector<double> factors = measured_factors(array, AdcConfig{}, 0.0);
    double largest = 0.0;
    for (std::size_t o = 0; o < factors.size(); ++o) {
        // Thirty weights of 9 codes rms, each rounded by 0.29 of a code: 0.6 % of a factor.
        EXPECT_NEAR(factors[o], expected[o], 0.025) << o;
        largest = std::max(largest, expected[o]);
    }
    EXPECT_GT(largest, 1.05);
}

TEST(ColumnCalibration, SeesThroughNoiseAndOffsetsOfConverters) {
    const Crossbar array = programmed(matrix_of(30, 20, 6), DeviceConfig{}, with_wires());
    const std::vector<double> expected = exact_factors(array);
    AdcConfig adc;
    adc.input_noise_codes = 0.5;
    adc.offset_sigma_codes = 3.0;
    const std::vector<double> factors = measured_factors(array, adc, 0.0);
    for (std::size_t o = 0; o < factors.size(); ++o) {
        // Half a code of noise dithers the rounding: 0.58 codes over 8 a weight, over 9 x sqrt(30) codes of a column.
        EXPECT_NEAR(factors[o], expected[o], 5.0 * 0.58 / 8.0 / (9.0 * std::sqrt(30.0)) + 0.002) << o;
    }
}

TEST(ColumnCalibration, TakesTheGainErrorOfTheConverterToo) {
    const QuantizedMatrix matrix = matrix_of(30, 20, 6);
    const Crossbar array = programmed(matrix, DeviceConfig{}, ReadConfig{});
    AdcConfig adc;
    adc.gain_sigma = 0.05;
    adc.input_noise_codes = 0.5;
    const AdcErrors converters(adc, matrix, 1, 3, 0);
    const std::vector<double> factors = measured_factors(array, adc, 0.0);
    for (int o = 0; o < 20; ++o) {
        EXPECT_NEAR(factors[static_cast<std::size_t>(o)], 1.0 / (1.0 + converters.gain_error(o)), 0.01) << o;
    }
}

TEST(ColumnCalibration, TrimsInSteps) {
    const Crossbar array = programmed(matrix_of(30, 20, 6), DeviceConfig{}, with_wires());
    for (const double factor : measured_factors(array, AdcConfig{}, 0.5)) {
        const double steps = factor / (0.5 / 127.0);
        EXPECT_NEAR(steps, std::round(steps), 1e-9);
        EXPECT_GT(factor, 1.0);
    }
}

TEST(ColumnCalibration, LeavesExactCellsAloneHoweverCoarseTheConverters) {
    for (const int bits : {0, 8, 4, 2}) {
        const Crossbar array = programmed(matrix_of(20, 17, 1), DeviceConfig{}, ReadConfig{});
        AdcConfig adc;
        adc.bits = bits;
        EXPECT_EQ(measured_factors(array, adc, 0.125), std::vector<double>(17, 1.0)) << bits;
    }
}

TEST(ColumnCalibration, DrivesLessWhereFullScaleWouldSaturate) {
    QuantizedMatrix matrix = matrix_of(30, 20, 7);
    for (float& gain : matrix.gain) {
        gain *= 20.0F;  // one input alone at full scale: five times the range
    }
    const Crossbar array = programmed(matrix, DeviceConfig{}, with_wires());
    const std::vector<double> expected = exact_factors(array);
    const std::vector<double> factors = measured_factors(array, AdcConfig{}, 0.0);
    for (std::size_t o = 0; o < factors.size(); ++o) {
        EXPECT_NEAR(factors[o], expected[o], 0.01) << o;
    }
}

TEST(ColumnCalibration, KeepsAColumnOfWhichNothingIsLeft) {
    QuantizedMatrix matrix = matrix_of(10, 3, 7);
    matrix.codes.col(1).setZero();
    DeviceConfig device;
    device.programming_sigma_siemens = 3e-6;
    EXPECT_EQ(measured_factors(programmed(matrix, device, ReadConfig{}), AdcConfig{}, 0.0)[1], 1.0);
}

TEST(ColumnCalibration, GivesEveryGatedBlockFactorsOfItsOwn) {
    QuantizedMatrix matrix = matrix_of(24, 5, 8);
    matrix.codes.bottomRows(12) = matrix.codes.topRows(12);
    Crossbar array(matrix, MappingOptions{}, DeviceConfig{}, with_wires(), 3, 0, "stack", 12);
    ASSERT_EQ(array.blocks(), 2);
    const auto factors_of = [&](int block) {
        return measure_columns(array, block, AdcErrors(AdcConfig{}, matrix, 1, 3, 0), 0, samples_of(0.0)).factors;
    };
    const std::vector<double> far = factors_of(0);
    const std::vector<double> near = factors_of(1);
    for (std::size_t o = 0; o < 5; ++o) {
        EXPECT_GT(far[o], near[o] + 0.01) << "more wire up to the converter";
    }
    LaneMatrix before, after;
    for (int block = 0; block < 2; ++block) {
        LaneMatrix one(24, 1);
        one(block == 0 ? 3 : 15, 0) = 100.0F;
        array.read(one, sequences_from(0, 1), 1, before, block);
        array.trim_outputs({1.0, 2.0, 0.5, 4.0, 1.0}, {}, block);
        array.read(one, sequences_from(0, 1), 1, after, block);
        EXPECT_NEAR(after(1, 0), 2.0F * before(1, 0), 1e-4F * std::abs(before(1, 0)));
        EXPECT_NEAR(after(3, 0), 4.0F * before(3, 0), 1e-4F * std::abs(before(3, 0)));
    }
}

TEST(ColumnCalibration, TrimmedOutputsAreScaledWithTheirNoiseUntilTheCellsAreProgrammedAnew) {
    const QuantizedMatrix matrix = matrix_of(20, 5, 8);
    DeviceConfig device;
    device.read_noise_relative = 0.05;
    Crossbar array = programmed(matrix, device, ReadConfig{});
    const LaneMatrix inputs = random_codes(20, 40, 127, 2);
    LaneMatrix before, after, again;
    array.read(inputs, sequences_from(0, 40), 1, before);
    array.trim_outputs({1.0, 2.0, 0.5, 4.0, 1.0}, {1e-12, 3e-12});
    array.read(inputs, sequences_from(0, 40), 1, after);
    EXPECT_EQ(array.trim_energy().supply_j, 3e-12);
    const float factors[] = {1.0F, 2.0F, 0.5F, 4.0F, 1.0F};
    for (int o = 0; o < 5; ++o) {
        for (int lane = 0; lane < 40; ++lane) {
            EXPECT_NEAR(after(o, lane), factors[o] * before(o, lane), 1e-5F * std::abs(before(o, lane)) + 0.01F);
        }
    }
    array.reprogram(matrix.codes);
    array.read(inputs, sequences_from(0, 40), 1, again);
    EXPECT_EQ(again, before);
    EXPECT_EQ(array.trim_energy().supply_j, 0.0);
}

TEST(SharedHardware, TilesOfOneSiteHaveTheSameConvertersAndNoiseOfTheirOwn) {
    const QuantizedMatrix matrix = matrix_of(10, 6, 9);
    AdcConfig adc;
    adc.gain_sigma = 0.05;
    adc.offset_sigma_codes = 2.0;
    adc.unit_mismatch_sigma = 0.1;
    LaneMatrix sums[3];
    const AdcErrors tiles[] = {{adc, matrix, 2, 3, 7}, {adc, matrix, 2, 3, 8, {}, 7}, {adc, matrix, 2, 3, 8}};
    for (int k = 0; k < 3; ++k) {
        sums[k] = random_codes(6, 16, 5000, 1);
        tiles[k].apply(sequences_from(0, 16), 0, sums[k]);
    }
    EXPECT_EQ(sums[0], sums[1]);
    EXPECT_FALSE(sums[0] == sums[2]);
    adc = {};
    adc.input_noise_codes = 0.5;
    LaneMatrix first = random_codes(6, 16, 5000, 1);
    LaneMatrix second = first;
    AdcErrors(adc, matrix, 2, 3, 7).apply(sequences_from(0, 16), 0, first);
    AdcErrors(adc, matrix, 2, 3, 8, {}, 7).apply(sequences_from(0, 16), 0, second);
    EXPECT_FALSE(first == second);
}

TEST(SharedHardware, TilesOfOneSiteAndGatedBlocksHaveTheSameDrivers) {
    QuantizedMatrix matrix = matrix_of(8, 3, 9);
    matrix.codes.setConstant(50.0F);
    ReadConfig read;
    read.dac.gain_sigma = 0.05;
    const auto sums_of = [&](const Crossbar& array) {
        LaneMatrix sums;
        LaneMatrix inputs(8, 8);
        for (int input = 0; input < 8; ++input) {
            inputs(input, input) = 100.0F;
        }
        array.read(inputs, sequences_from(0, 8), 0, sums);
        return sums;
    };
    const LaneMatrix own = sums_of({matrix, {}, {}, read, 3, 4, "tile"});
    EXPECT_EQ(sums_of({matrix, {}, {}, read, 3, 5, "tile", 0, 4U}), own);
    EXPECT_FALSE(sums_of({matrix, {}, {}, read, 3, 5, "tile"}) == own);
    const LaneMatrix gated = sums_of({matrix, {}, {}, read, 3, 4, "tile", 4});
    for (int input = 0; input < 8; ++input) {
        EXPECT_EQ(gated(0, input), own(0, input % 4)) << input;
    }
}

TEST(SharedHardware, AConverterOfSevenColumnsServesTheSevenDigitsOfOneOutput) {
    const int slices = 7;
    const QuantizedMatrix sliced = slice_matrix(matrix_of(10, 7, 9), slices);
    AdcConfig adc;
    adc.gain_sigma = 0.05;
    const AdcErrors converters(adc, sliced, slices, 3, 0);
    for (int output = 0; output < 7; ++output) {
        for (int slice = 0; slice < slices; ++slice) {
            EXPECT_EQ(converters.gain_error(slice_column(output, slice, slices)),
                      converters.gain_error(slice_column(output, 0, slices)));
        }
        for (int other = 0; other < output; ++other) {
            EXPECT_NE(converters.gain_error(slice_column(output, 0, slices)),
                      converters.gain_error(slice_column(other, 0, slices)));
        }
    }
}

}  // namespace
}  // namespace imssa
