#include <gtest/gtest.h>

#include <cmath>

#include "models/array/crossbar.h"
#include "models/common/error.h"
#include "models/device/device_presets.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;
using testing_support::sequences_from;

ReadConfig driven_by(InputMode mode) {
    ReadConfig read;
    read.input = mode;
    return read;
}

MappingOptions cells(int per_weight) {
    MappingOptions mapping;
    mapping.cells_per_weight = per_weight;
    return mapping;
}

LaneMatrix sums_of(const Crossbar& tile, const LaneMatrix& inputs) {
    LaneMatrix sums;
    tile.read(inputs, sequences_from(0, inputs.lanes()), 0, sums);
    return sums;
}

/// Variance over lanes of each output, of one input repeated.
std::vector<double> variances(const Crossbar& tile, const LaneMatrix& one, int lanes) {
    LaneMatrix inputs(one.channels(), lanes);
    for (int i = 0; i < one.channels(); ++i) {
        std::fill_n(inputs.row(i), lanes, one(i, 0));
    }
    const LaneMatrix sums = sums_of(tile, inputs);
    std::vector<double> result;
    for (int o = 0; o < sums.channels(); ++o) {
        double mean = 0.0;
        for (int lane = 0; lane < lanes; ++lane) {
            mean += static_cast<double>(sums(o, lane)) / lanes;
        }
        double variance = 0.0;
        for (int lane = 0; lane < lanes; ++lane) {
            variance += std::pow(static_cast<double>(sums(o, lane)) - mean, 2) / lanes;
        }
        result.push_back(variance);
    }
    return result;
}

TEST(ReadModes, EveryModeIsExactWithIdealDevices) {
    const QuantizedMatrix matrix = random_matrix(20, 17, 127, 1, true);
    const LaneMatrix inputs = random_codes(20, 45, 127, 2);
    LaneMatrix expected(17, 45);
    exact_product(matrix.driven_codes(), inputs, expected);
    for (const InputMode mode : {InputMode::amplitude, InputMode::pulse_width, InputMode::bit_serial}) {
        const LaneMatrix sums =
            sums_of(Crossbar(matrix, cells(4), DeviceConfig{}, driven_by(mode), 1, 0, "tile"), inputs);
        for (int o = 0; o < 17; ++o) {
            for (int lane = 0; lane < 45; ++lane) {
                ASSERT_EQ(sums(o, lane), expected(o, lane));
            }
        }
    }
}

// One input with code 5 = 101b of 7 on 160 uS in all, 0.2 V, 20 ns, 0.9 V:
//   pulse width: 0.04 x 160 uW x 20 ns x 5/7 = 91.43 fJ, supply 0.9 x 0.2 x 160 uW x 20 ns x 5/7 = 411.4 fJ;
//   bit-serial: two pulses of 0.04 x 160 uW x 20 ns = 256 fJ together, supply 1152 fJ.
TEST(ReadModes, EnergiesByHand) {
    QuantizedMatrix matrix = random_matrix(1, 1, 3, 1);
    matrix.codes << 3.0F;
    matrix.drive = {1.0F};
    matrix.input_limit = 7;
    DeviceConfig device;
    device.g_min_siemens = 10e-6;
    device.g_max_siemens = 150e-6;
    LaneMatrix inputs(1, 1);
    inputs(0, 0) = -5.0F;
    const ReadEnergy pulse =
        Crossbar(matrix, cells(2), device, driven_by(InputMode::pulse_width), 1, 0, "tile").read_energy(inputs);
    EXPECT_NEAR(pulse.device_j, 0.04 * 160e-6 * 20e-9 * 5 / 7, 1e-19);
    EXPECT_NEAR(pulse.supply_j, 0.18 * 160e-6 * 20e-9 * 5 / 7, 1e-19);
    const ReadEnergy bits =
        Crossbar(matrix, cells(2), device, driven_by(InputMode::bit_serial), 1, 0, "tile").read_energy(inputs);
    EXPECT_NEAR(bits.device_j, 2 * 0.04 * 160e-6 * 20e-9, 1e-19);
    EXPECT_NEAR(bits.supply_j, 2 * 0.18 * 160e-6 * 20e-9, 1e-19);
    EXPECT_DOUBLE_EQ(driven_by(InputMode::bit_serial).read_time_s(127), 7 * 20e-9);
}

// Bits are read with independent noise: code 5 = 101b has 4^2 + 4^0 = 17 instead of 25 units. 40 000 reads, 5 errors.
TEST(ReadModes, BitSerialReadNoiseAddsBitByBit) {
    DeviceConfig device;
    device.read_noise_relative = 0.05;
    const QuantizedMatrix matrix = random_matrix(1, 4, 15, 3);
    LaneMatrix one(1, 1);
    one(0, 0) = 5.0F;
    const int lanes = 40000;
    const Crossbar amplitude(matrix, cells(4), device, ReadConfig{}, 1, 0, "tile");
    const Crossbar serial(matrix, cells(4), device, driven_by(InputMode::bit_serial), 1, 0, "tile");
    const std::vector<double> a = variances(amplitude, one, lanes);
    const std::vector<double> b = variances(serial, one, lanes);
    for (int o = 0; o < 4; ++o) {
        if (matrix.codes(0, o) != 0.0F) {
            EXPECT_NEAR(b[static_cast<std::size_t>(o)] / a[static_cast<std::size_t>(o)], 17.0 / 25.0,
                        0.001);  // same draws
        }
    }
}

// Currents of cells G (V + q V^2 + c V^3), cell by cell.
TEST(ReadModes, NonlinearCellsGiveTheSumsOfTheirCurrents) {
    DeviceConfig device = device_preset("taox");
    device.read_noise_relative = 0.0;
    ReadConfig read;
    read.iv_quadratic_per_volt = 0.8;
    read.iv_cubic_per_volt2 = 1.7;
    for (const int per_weight : {2, 4}) {
        const int rows = per_weight / 2;
        const QuantizedMatrix matrix = random_matrix(9, 5, 15, 3, true);
        const Crossbar tile(matrix, cells(per_weight), device, read, 1, 4, "tile");
        const LaneMatrix inputs = random_codes(9, 20, 127, 4);
        const LaneMatrix sums = sums_of(tile, inputs);
        for (int o = 0; o < 5; ++o) {
            for (int lane = 0; lane < 20; ++lane) {
                double ampere = 0.0;
                for (int row = 0; row < 9 * rows; ++row) {
                    const int i = row / rows;
                    const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
                    double v = 0.2 * drive * static_cast<double>(inputs(i, lane)) / 127.0;
                    v = row % rows == 1 ? -v : v;
                    const double g = tile.conductances()(row, 2 * o) - tile.conductances()(row, 2 * o + 1);
                    ampere += g * (v + 0.8 * v * v + 1.7 * v * v * v);
                }
                const double expected = ampere / rows * 15.0 / 150e-6 * 127.0 / 0.2;
                ASSERT_NEAR(static_cast<double>(sums(o, lane)), expected, 0.02);
            }
        }
    }
}

// 4 k T G BW + 2 q I BW, in weight-code x input-code units; 40 000 reads, bounds of five standard errors.
TEST(ReadModes, ThermalAndShotNoiseHaveTheirSpectralDensities) {
    DeviceConfig device;
    device.g_min_siemens = 5e-6;
    ReadConfig read;
    read.noise_bandwidth_hz = 1e12;  // far above any read, so that float sums resolve the noise
    const QuantizedMatrix matrix = random_matrix(8, 3, 15, 3, true);
    const LaneMatrix one = random_codes(8, 1, 127, 4);
    const int lanes = 40000;
    for (const bool shot : {false, true}) {
        read.thermal_noise = !shot;
        read.shot_noise = shot;
        const Crossbar tile(matrix, cells(4), device, read, 1, 0, "tile");
        const std::vector<double> measured = variances(tile, one, lanes);
        for (int o = 0; o < 3; ++o) {
            double ampere2 = 0.0;
            for (int row = 0; row < 16; ++row) {
                const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(row / 2)]);
                const double volt = 0.2 * drive * std::abs(static_cast<double>(one(row / 2, 0))) / 127.0;
                const double g = tile.conductances()(row, 2 * o) + tile.conductances()(row, 2 * o + 1);
                ampere2 += (shot ? 2.0 * 1.602176634e-19 * volt * g : 4.0 * 1.380649e-23 * 300.0 * g) * 1e12;
            }
            const double scale = 15.0 / 145e-6 * 127.0 / 0.2 / 2.0;
            EXPECT_NEAR(measured[static_cast<std::size_t>(o)] / (ampere2 * scale * scale), 1.0,
                        5.0 * std::sqrt(2.0 / lanes));
        }
    }
}

// Gain errors of 2 %: 2000 converters, five standard errors.
TEST(ReadModes, InputConvertersHaveTheirGainErrors) {
    ReadConfig read;
    read.dac.gain_sigma = 0.02;
    const int inputs = 2000;
    QuantizedMatrix matrix = random_matrix(inputs, 1, 1, 1);
    MappingOptions mapping = cells(2);
    mapping.tile_rows = inputs;
    matrix.codes.setOnes();
    LaneMatrix codes(inputs, inputs);
    for (int i = 0; i < inputs; ++i) {
        codes(i, i) = 100.0F;
    }
    const LaneMatrix sums = sums_of(Crossbar(matrix, mapping, DeviceConfig{}, read, 1, 0, "tile"), codes);
    double squares = 0.0;
    for (int i = 0; i < inputs; ++i) {
        const double error = static_cast<double>(sums(0, i)) / 100.0 - 1.0;
        squares += error * error / inputs;
    }
    EXPECT_NEAR(squares / 4e-4, 1.0, 5.0 * std::sqrt(2.0 / inputs));
}

TEST(ReadModes, MismatchOfInputConvertersLeavesZeroAndFullScaleAlone) {
    ReadConfig read;
    read.dac.unit_mismatch_sigma = 0.1;
    QuantizedMatrix matrix = random_matrix(1, 1, 1, 1);
    matrix.codes << 1.0F;
    LaneMatrix codes(1, 4);
    const float values[] = {0.0F, 127.0F, -127.0F, 64.0F};
    std::copy_n(values, 4, codes.row(0));
    const LaneMatrix sums = sums_of(Crossbar(matrix, cells(2), DeviceConfig{}, read, 1, 0, "tile"), codes);
    EXPECT_EQ(sums(0, 0), 0.0F);
    EXPECT_NEAR(sums(0, 1), 127.0F, 1e-4);
    EXPECT_NEAR(sums(0, 2), -127.0F, 1e-4);
    EXPECT_GT(std::abs(sums(0, 3) - 64.0F), 1e-3F);
}

// A driver of one bit scales every code of its row alike: no row has a bent curve of its own.
TEST(ReadModes, OneBitDriversHaveGainErrorsAndNoElements) {
    ReadConfig read = driven_by(InputMode::bit_serial);
    read.dac.gain_sigma = 0.05;
    EXPECT_NO_THROW(read.validate());
    QuantizedMatrix matrix = random_matrix(1, 1, 1, 1);
    matrix.codes << 1.0F;
    LaneMatrix codes(1, 127);
    for (int code = 1; code <= 127; ++code) {
        codes(0, code - 1) = static_cast<float>(code);
    }
    const LaneMatrix sums = sums_of(Crossbar(matrix, cells(2), DeviceConfig{}, read, 1, 0, "tile"), codes);
    EXPECT_GT(std::abs(sums(0, 126) - 127.0F), 0.1F);
    for (int code = 1; code <= 127; ++code) {
        EXPECT_NEAR(sums(0, code - 1) * 127.0F, sums(0, 126) * static_cast<float>(code), 0.01F) << code;
    }
    read.dac.unit_mismatch_sigma = 0.01;
    EXPECT_THROW(read.validate(), UserError);
    read.input = InputMode::pulse_width;
    EXPECT_NO_THROW(read.validate());
}

// One input: what wires take from a column is a factor, and calibration gives it back.
TEST(ReadModes, ALaneHasTheSameBitsHoweverManyLanesRunBesideItWithEveryError) {
    DeviceConfig device = device_preset("pcm");
    device.time_since_programming_s = 1000.0;
    device.parallel_cells = 2;
    for (const InputMode mode : {InputMode::amplitude, InputMode::pulse_width, InputMode::bit_serial}) {
        ReadConfig read = driven_by(mode);
        read.thermal_noise = true;
        read.shot_noise = true;
        read.iv_quadratic_per_volt = 0.1;
        read.iv_cubic_per_volt2 = 0.5;
        read.dac = {0.01, 0.02};
        read.wires.row_ohm_per_cell = 1.0;
        read.wires.column_ohm_per_cell = 1.0;
        const QuantizedMatrix matrix = random_matrix(20, 11, 127, 5, true);
        const Crossbar tile(matrix, cells(4), device, read, 9, 2, "tile");
        const LaneMatrix all = sums_of(tile, random_codes(20, 100, 127, 6));
        for (const int lanes : {1, 7, 48}) {
            const LaneMatrix sums = sums_of(tile, random_codes(20, lanes, 127, 6));
            for (int o = 0; o < 11; ++o) {
                for (int lane = 0; lane < lanes; ++lane) {
                    ASSERT_EQ(sums(o, lane), all(o, lane));
                    ASSERT_TRUE(std::isfinite(sums(o, lane)));
                }
            }
        }
    }
}

TEST(ReadConfig, RejectsZeroVoltagesAndFallingCurrents) {
    ReadConfig read;
    EXPECT_NO_THROW(read.validate());
    read.iv_cubic_per_volt2 = -10.0;
    EXPECT_THROW(read.validate(), UserError);
    read = ReadConfig{};
    read.v_supply_volt = 0.1;
    try {
        read.validate();
        ADD_FAILURE() << "a supply below the read voltage is accepted";
    } catch (const UserError& error) {
        EXPECT_STREQ(error.what(),
                     "v_supply_volt = 0.1 is below v_read_volt = 0.2: rows are driven from the supply; "
                     "raise it or lower v_read_volt");
    }
    read.v_supply_volt = 0.9;
    read.v_read_volt = 0.0;
    EXPECT_THROW(read.validate(), UserError);
}

}  // namespace
}  // namespace imssa
