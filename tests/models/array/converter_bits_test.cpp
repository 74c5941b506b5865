// Converters with fewer bits than the codes, against rounding written out.
#include "models/array/converter_bits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "models/array/converters.h"
#include "models/array/crossbar.h"
#include "models/common/error.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::sequences_from;

QuantizedMatrix random_matrix(int inputs, int outputs, unsigned seed) {
    std::mt19937 engine(seed);
    std::uniform_int_distribution<int> code(-127, 127);
    std::uniform_real_distribution<float> gain(0.0005F, 0.01F);
    QuantizedMatrix matrix;
    matrix.codes.resize(inputs, outputs);
    for (int i = 0; i < inputs; ++i) {
        for (int o = 0; o < outputs; ++o) {
            matrix.codes(i, o) = static_cast<float>(code(engine));
        }
        matrix.drive.push_back(i % 3 == 1 ? 0.25F : 1.0F);
    }
    for (int o = 0; o < outputs; ++o) {
        matrix.gain.push_back(o % 4 == 3 ? -gain(engine) : gain(engine));
        matrix.offset.push_back(o % 2 == 0 ? 0.0F : 5.25F);
        matrix.output_limit.push_back(o % 5 == 4 ? 31.0F : 127.0F);
    }
    return matrix;
}

/// Multiples of 2^(code bits - bits), half to even, as many levels on either side as the bits have.
double rounded(double code, int code_bits, int bits) {
    const double step = bits > 0 && bits < code_bits ? std::pow(2.0, code_bits - bits) : 1.0;
    const double levels = std::pow(2.0, (step > 1.0 ? bits : code_bits) - 1) - 1.0;
    return step * std::min(levels, std::max(-levels, std::nearbyint(code / step)));
}

TEST(ConverterBits, AGridHasTheSameFullScaleInFewerCodes) {
    EXPECT_EQ(bits_of_limit(127), 8);
    EXPECT_EQ(bits_of_limit(128), 9);
    EXPECT_EQ(bits_of_limit(1), 2);
    for (const int bits : {0, 8, 11}) {
        EXPECT_EQ(code_grid(127, bits).step, 1.0F) << bits;
        EXPECT_EQ(code_grid(127, bits).limit, 127.0F) << bits;
    }
    EXPECT_EQ(code_grid(127, 6).step, 4.0F);
    EXPECT_EQ(code_grid(127, 6).limit, 31.0F);
    EXPECT_EQ(code_grid(127, 2).step, 64.0F);
    EXPECT_EQ(code_grid(127, 2).limit, 1.0F);
    for (const int bits : {-1, 1, 25}) {
        AdcConfig adc;
        adc.bits = bits;
        EXPECT_THROW(adc.validate(), UserError) << bits;
        DacConfig dac;
        dac.bits = bits;
        EXPECT_THROW(dac.validate(), UserError) << bits;
    }
}

TEST(ConverterBits, OutputCodesAreMultiplesWithinTheRangeOfTheConverter) {
    for (const int bits : {0, 2, 4, 6, 7, 8}) {
        const QuantizedMatrix matrix = random_matrix(6, 11, 1);
        QuantizedMatrix own = matrix;
        std::vector<float> steps;
        for (const float limit : matrix.output_limit) {
            steps.push_back(code_grid(static_cast<double>(limit), bits).step);
        }
        const CoarseOutputs coarse(own, steps);
        EXPECT_EQ(any_coarse(steps), bits > 0 && bits < 8) << bits;
        const LaneMatrix sums = random_codes(11, 300, 60000, 2);
        LaneMatrix codes(11, 300);
        convert_all(own, sums, codes);
        coarse.expand(codes);
        for (int o = 0; o < 11; ++o) {
            const std::size_t at = static_cast<std::size_t>(o);
            for (int lane = 0; lane < 300; ++lane) {
                const float code = sums(o, lane) * matrix.gain[at] + matrix.offset[at];
                ASSERT_EQ(codes(o, lane), rounded(static_cast<double>(code), o % 5 == 4 ? 6 : 8, bits))
                    << bits << " bits of output " << o;
            }
        }
    }
}

TEST(ConverterBits, RowsSeeRoundedInputCodesInEveryWayOfDrivingThem) {
    const QuantizedMatrix matrix = random_matrix(9, 5, 3);
    const LaneMatrix codes = random_codes(9, 40, 127, 4);
    const std::vector<std::uint64_t> ids = sequences_from(0, 40);
    for (const InputMode mode : {InputMode::amplitude, InputMode::pulse_width, InputMode::bit_serial}) {
        for (const int bits : {2, 5, 7, 8}) {
            ReadConfig read;
            read.input = mode;
            const Crossbar plain(matrix, {}, {}, read, 1, 0, "tile");
            read.dac.bits = bits;
            const Crossbar coarse(matrix, {}, {}, read, 1, 0, "tile");
            LaneMatrix driven(9, 40);
            for (int i = 0; i < 9; ++i) {
                for (int lane = 0; lane < 40; ++lane) {
                    driven(i, lane) = static_cast<float>(rounded(static_cast<double>(codes(i, lane)), 8, bits));
                }
            }
            LaneMatrix expected(5, 40);
            LaneMatrix sums(5, 40);
            plain.read(driven, ids, 0, expected);
            coarse.read(codes, ids, 0, sums);
            EXPECT_EQ(sums, expected) << bits;
            EXPECT_EQ(coarse.read_energy(codes).device_j, plain.read_energy(driven).device_j) << bits;
            EXPECT_EQ(coarse.read_energy(codes).supply_j, plain.read_energy(driven).supply_j) << bits;
            EXPECT_DOUBLE_EQ(read.read_time_s(127), read.t_read_s * (mode == InputMode::bit_serial ? bits - 1 : 1));
        }
    }
}

TEST(ConverterBits, InputConvertersOfFewerBitsHaveAsManyElements) {
    // Elements 1, 2, 4, 8 of a 5-bit converter: its error at full scale is none, and its levels are 15.
    const QuantizedMatrix matrix = random_matrix(200, 1, 5);
    ReadConfig read;
    read.dac.bits = 5;
    read.dac.unit_mismatch_sigma = 0.05;
    const InputStage stage(read, matrix, 3, 0);
    LaneMatrix codes(200, 16);
    for (int i = 0; i < 200; ++i) {
        for (int lane = 0; lane < 16; ++lane) {
            codes(i, lane) = static_cast<float>(8 * lane);
        }
    }
    LaneMatrix driven;
    LaneMatrix values;
    stage.driven_codes(codes, driven);
    stage.values(driven, values);
    double square = 0.0;
    for (int i = 0; i < 200; ++i) {
        EXPECT_NEAR(values(i, 15), 120.0, 1e-4) << "full scale";
        square += std::pow(static_cast<double>(values(i, 8)) - 64.0, 2) / 200;
    }
    // Level 8 of 15: element 8 has sigma 0.05 sqrt(8); of the sum of all, which is scaled back to 15, 8/15 leave it.
    // variance = 8 (1 - 8/15) 0.05^2 units^2, a unit is 8 codes; 200 converters, five standard errors.
    const double variance = 64.0 * 8.0 * (1.0 - 8.0 / 15.0) * 0.05 * 0.05;
    EXPECT_NEAR(square / variance, 1.0, 5.0 * std::sqrt(2.0 / 200));
}

TEST(ConverterBits, OutputConvertersHaveTheElementsOfTheirOwnBits) {
    AdcConfig config;
    config.bits = 6;
    config.unit_mismatch_sigma = 0.2;
    QuantizedMatrix matrix;
    matrix.gain = {0.5F};
    matrix.offset = {3.0F};
    matrix.output_limit = {127.0F};
    LaneMatrix sums(1, 2000);
    for (int lane = 0; lane < 2000; ++lane) {
        sums(0, lane) = 0.25F * static_cast<float>(lane) - 250.0F;
    }
    const LaneMatrix before = sums;
    AdcErrors(config, matrix, 1, 7, 3).apply(sequences_from(0, 2000), 0, sums);
    const AdcLevels levels(config, 31, 7, 3, 0);
    for (int lane = 0; lane < 2000; ++lane) {
        const float own = (before(0, lane) * 0.5F + 3.0F) / 4.0F;
        EXPECT_NEAR((sums(0, lane) * 0.5F + 3.0F) / 4.0F, levels.distorted(own), 1e-3);
    }
}

TEST(ConverterBits, NoiseOffsetAndGainErrorKeepTheirSizeInCodesOfTheNetwork) {
    AdcConfig config;
    config.input_noise_codes = 0.7;
    config.offset_sigma_codes = 2.0;
    config.gain_sigma = 0.02;
    const QuantizedMatrix matrix = random_matrix(4, 7, 6);
    LaneMatrix fine = random_codes(7, 50, 10000, 7);
    LaneMatrix coarse = fine;
    AdcErrors(config, matrix, 2, 1, 1).apply(sequences_from(0, 50), 0, fine);
    config.bits = 4;
    AdcErrors(config, matrix, 2, 1, 1).apply(sequences_from(0, 50), 0, coarse);
    EXPECT_EQ(coarse, fine);
}

TEST(ConverterBits, PartialSumsAreRoundedInTheRangeOfTheirOutput) {
    const QuantizedMatrix matrix = random_matrix(6, 5, 8);
    const std::vector<bool> partial = {true, true, false, true, true};
    const LaneMatrix exact = random_codes(5, 200, 60000, 9);
    for (const int bits : {3, 6, 8}) {
        AdcConfig config;
        config.bits = bits;
        LaneMatrix sums = exact;
        const AdcErrors errors(config, matrix, 1, 1, 1, partial);
        const ConversionCounts counts = errors.apply(sequences_from(0, 200), 0, sums);
        int saturated = 0;
        for (int o = 0; o < 5; ++o) {
            const std::size_t at = static_cast<std::size_t>(o);
            const int code_bits = o == 4 ? 6 : 8;
            const double step = std::pow(2.0, std::max(0, code_bits - bits));
            for (int lane = 0; lane < 200; ++lane) {
                // Offsets of partial sums come later, once.
                const double code =
                    static_cast<double>(exact(o, lane) * matrix.gain[at] + (partial[at] ? 0.0F : matrix.offset[at]));
                saturated += std::abs(code) > step * (std::pow(2.0, std::min(bits, code_bits) - 1) - 0.5) ? 1 : 0;
                const double sum = static_cast<double>(sums(o, lane));
                if (!partial[at]) {
                    ASSERT_EQ(sums(o, lane), exact(o, lane));
                    continue;
                }
                ASSERT_NEAR(sum * static_cast<double>(matrix.gain[at]), rounded(code, code_bits, bits), 1e-4)
                    << bits << " bits of output " << o;
            }
        }
        EXPECT_GT(saturated, 0);
        EXPECT_EQ(counts.saturated, saturated);
        EXPECT_EQ(counts.conversions, 1000);
    }
    LaneMatrix sums = exact;
    AdcErrors(AdcConfig{}, matrix, 1, 1, 1, partial).apply(sequences_from(0, 200), 0, sums);
    EXPECT_EQ(sums, exact) << "as wide as the sum unless bits are given";
}

TEST(ConverterBits, SaturationIsThatOfTheFewerBits) {
    QuantizedMatrix matrix;
    matrix.gain = {1.0F};
    matrix.offset = {0.0F};
    matrix.output_limit = {127.0F};
    LaneMatrix sums(1, 4);
    const float inputs[] = {125.9F, 126.1F, -126.1F, 0.0F};  // 31 x 4, and half a code of 4
    std::copy_n(inputs, 4, sums.row(0));
    AdcConfig config;
    config.bits = 6;
    EXPECT_EQ(AdcErrors(config, matrix, 1, 1, 1).count(sums).saturated, 2);
    config.bits = 8;
    EXPECT_EQ(AdcErrors(config, matrix, 1, 1, 1).count(sums).saturated, 0);
}

}  // namespace
}  // namespace imssa
