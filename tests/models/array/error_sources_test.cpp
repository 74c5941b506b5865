/// Every error source, alone and in random company: it changes what it should and nothing else, and no combination
/// makes a sum that is not a number.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "models/array/converters.h"
#include "models/array/crossbar.h"
#include "models/common/error.h"
#include "tests/models/array/random_matrix.h"

namespace imssa {
namespace {

using testing_support::random_codes;
using testing_support::random_matrix;
using testing_support::sequences_from;

constexpr int kInputs = 12;
constexpr int kOutputs = 9;
constexpr int kLanes = 5;

struct Errors {
    DeviceConfig device;
    ReadConfig read;
    AdcConfig adc;
};

/// What a source acts on: programmed cells, the sums of a read, one read like another, the converters.
struct Source {
    const char* name;
    bool cells, sums, per_read, converters;
    std::function<void(Errors&)> on;
};

std::vector<Source> sources() {
    return {
        {"programming error", true, true, false, true, [](Errors& s) { s.device.programming_sigma_siemens = 4e-6; }},
        {"relaxation", true, true, false, true,
         [](Errors& s) {
             s.device.relaxation_sigma_siemens = 2e-6;
             s.device.time_since_programming_s = 1e5;
         }},
        {"drift", true, true, false, true,
         [](Errors& s) {
             s.device.drift_exponent = 0.05;
             s.device.drift_exponent_sigma = 0.01;
             s.device.time_since_programming_s = 1e5;
         }},
        {"stuck cells", true, true, false, true, [](Errors& s) { s.device.stuck_high_fraction = 0.05; }},
        {"levels", true, true, false, true, [](Errors& s) { s.device.conductance_levels = 16; }},
        {"temperature", true, true, false, true,
         [](Errors& s) {
             s.device.temperature_coefficient_per_kelvin = 1e-3;
             s.device.temperature_kelvin = 350.0;
         }},
        {"read noise", false, true, true, true, [](Errors& s) { s.device.read_noise_relative = 0.05; }},
        {"thermal noise", false, true, true, true,
         [](Errors& s) {
             s.read.thermal_noise = true;
             s.read.noise_bandwidth_hz = 1e12;
         }},
        {"shot noise", false, true, true, true,
         [](Errors& s) {
             s.read.shot_noise = true;
             s.read.noise_bandwidth_hz = 1e12;
         }},
        {"wires", false, true, false, true,
         [](Errors& s) {
             s.read.wires.row_ohm_per_cell = 5.0;
             s.read.wires.sense_ohm = 20.0;
         }},
        {"input converters", false, true, false, true,
         [](Errors& s) {
             s.read.dac = {0.02, 0.05};
         }},
        {"non-linear cells", false, true, false, true, [](Errors& s) { s.read.iv_cubic_per_volt2 = 2.0; }},
        {"converter noise", false, false, true, true, [](Errors& s) { s.adc.input_noise_codes = 0.5; }},
        {"converter offset", false, false, false, true, [](Errors& s) { s.adc.offset_sigma_codes = 2.0; }},
        {"converter gain", false, false, false, true, [](Errors& s) { s.adc.gain_sigma = 0.05; }},
        {"converter levels", false, false, false, true, [](Errors& s) { s.adc.unit_mismatch_sigma = 0.1; }},
    };
}

/// Everything there is to see of one tile: its cells, its sums in two reads, and those behind its converters.
struct Seen {
    Eigen::MatrixXd cells;
    LaneMatrix first, second, first_converted, second_converted;
};

Seen look(const Errors& setup, std::uint32_t tile) {
    const QuantizedMatrix matrix = random_matrix(kInputs, kOutputs, 127, 3, true);
    const LaneMatrix inputs = random_codes(kInputs, kLanes, 127, 4);
    const std::vector<std::uint64_t> ids = sequences_from(7, kLanes);
    const Crossbar crossbar(matrix, MappingOptions{}, setup.device, setup.read, 1, tile, "tile");
    const AdcErrors errors(setup.adc, matrix, 4, 1, tile);
    Seen seen;
    seen.cells = crossbar.conductances();
    crossbar.read(inputs, ids, 0, seen.first);
    crossbar.read(inputs, ids, 1, seen.second);
    seen.first_converted = seen.first;
    seen.second_converted = seen.second;
    errors.apply(ids, 0, seen.first_converted);
    errors.apply(ids, 1, seen.second_converted);
    return seen;
}

bool equal(const LaneMatrix& a, const LaneMatrix& b) {
    for (int output = 0; output < a.channels(); ++output) {
        for (int lane = 0; lane < a.lanes(); ++lane) {
            if (a(output, lane) != b(output, lane)) {
                return false;
            }
        }
    }
    return true;
}

bool finite(const LaneMatrix& sums) {
    for (int output = 0; output < sums.channels(); ++output) {
        for (int lane = 0; lane < sums.lanes(); ++lane) {
            if (!std::isfinite(sums(output, lane))) {
                return false;
            }
        }
    }
    return true;
}

TEST(ErrorSources, EachAloneChangesOnlyWhatItShould) {
    const Seen ideal = look(Errors{}, 0);
    ASSERT_TRUE(equal(ideal.first, ideal.first_converted));
    for (const Source& source : sources()) {
        Errors setup;
        source.on(setup);
        const Seen seen = look(setup, 0);
        EXPECT_EQ(seen.cells != ideal.cells, source.cells) << source.name;
        EXPECT_EQ(!equal(seen.first, ideal.first), source.sums) << source.name;
        EXPECT_EQ(!equal(seen.first_converted, ideal.first), source.converters) << source.name;
        EXPECT_EQ(!equal(seen.first_converted, seen.second_converted), source.per_read) << source.name;
    }
}

// Forty random combinations of random strength: one more source never moves what is not its business, because it has
// draws of its own.
TEST(ErrorSources, OneMoreInAnyCombinationLeavesTheOthersDrawsAlone) {
    std::mt19937 engine(11);
    std::bernoulli_distribution coin(0.5);
    const std::vector<Source> all = sources();
    for (int trial = 0; trial < 40; ++trial) {
        const std::size_t added = static_cast<std::size_t>(trial) % all.size();
        Errors without;
        std::string names = std::string("added ") + all[added].name + " to";
        for (std::size_t at = 0; at < all.size(); ++at) {
            if (at != added && coin(engine)) {
                all[at].on(without);
                names += std::string(" ") + all[at].name + ",";
            }
        }
        without.read.gain_calibration = coin(engine);
        without.adc.calibrate = coin(engine);
        without.device.fault_remap = coin(engine) ? FaultRemap::compensate : FaultRemap::none;
        Errors with = without;
        all[added].on(with);
        const Seen before = look(without, static_cast<std::uint32_t>(trial));
        const Seen after = look(with, static_cast<std::uint32_t>(trial));
        for (const Seen* seen : {&before, &after}) {
            EXPECT_TRUE(seen->cells.allFinite() && (seen->cells.array() >= 0.0).all()) << names;
            EXPECT_TRUE(finite(seen->first_converted) && finite(seen->second_converted)) << names;
        }
        if (!all[added].cells) {
            EXPECT_EQ(before.cells, after.cells) << names;
        }
        if (!all[added].sums) {
            EXPECT_TRUE(equal(before.first, after.first)) << names;
        }
        EXPECT_FALSE(equal(before.first_converted, after.first_converted)) << names;
    }
}

// Strengths beyond any device: conductances stay at or above zero and sums finite.
TEST(ErrorSources, AbsurdStrengthsStayFinite) {
    for (const InputMode mode : {InputMode::amplitude, InputMode::pulse_width, InputMode::bit_serial}) {
        Errors setup;
        for (const Source& source : sources()) {
            source.on(setup);
        }
        setup.read.input = mode;
        setup.device.programming_sigma_siemens = 150e-6;
        setup.device.relaxation_sigma_siemens = 1e-3;
        setup.device.drift_exponent = 1.0;
        setup.device.drift_exponent_sigma = 1.0;
        setup.device.stuck_low_fraction = 0.5;
        setup.device.stuck_high_fraction = 0.5;
        setup.device.read_noise_relative = 1.0;
        setup.read.wires.row_ohm_per_cell = 1e6;
        setup.read.wires.column_ohm_per_cell = 1e6;
        setup.read.gain_calibration = true;
        setup.read.wires.driver_ohm = 1e12;
        setup.read.wires.sense_ohm = 1e-12;
        setup.adc.unit_mismatch_sigma = 3.0;
        setup.adc.gain_sigma = 2.0;
        setup.adc.calibrate = true;
        const Seen seen = look(setup, 5);
        EXPECT_TRUE((seen.cells.array() >= 0.0).all());
        EXPECT_TRUE(finite(seen.first_converted));
        EXPECT_TRUE(finite(seen.second_converted));
    }
}

void validate(const Errors& setup) {
    setup.device.validate();
    setup.device.write_verify.validate();
    setup.read.validate();
    setup.adc.validate();
}

// The largest strengths that are accepted, all at once, and one and all of them with the least resistances.
TEST(ErrorSources, TheLargestStrengthsAcceptedStayFinite) {
    for (const InputMode mode : {InputMode::amplitude, InputMode::pulse_width, InputMode::bit_serial}) {
        for (const AdcType type : {AdcType::sar, AdcType::ramp, AdcType::cco}) {
            Errors setup;
            for (const Source& source : sources()) {
                source.on(setup);
            }
            setup.read.input = mode;
            setup.device.programming_scale = 1e4;
            setup.device.programming_sigma_siemens = setup.device.g_max_siemens;
            setup.device.programming_sigma_relative = 10.0;
            setup.device.drift_scale = 100.0;
            setup.device.read_noise_scale = 100.0;
            setup.device.read_noise_relative = 1.0;
            setup.device.relaxation_sigma_siemens = setup.device.g_max_siemens;
            setup.device.temperature_kelvin = 1000.0;
            setup.read.noise_bandwidth_hz = 1e20;
            setup.read.dac.gain_sigma = 3.0;
            setup.read.dac.unit_mismatch_sigma = mode == InputMode::bit_serial ? 0.0 : 3.0;
            setup.adc.type = type;
            setup.adc.cco_stages = 1;
            setup.adc.unit_mismatch_sigma = 3.0;
            setup.adc.gain_sigma = 3.0;
            setup.adc.offset_sigma_codes = 1e6;
            setup.adc.input_noise_codes = 1e6;
            for (const double ohm : {0.0, 1e-6, 1e9}) {
                setup.read.wires.row_ohm_per_cell = ohm;
                setup.read.wires.column_ohm_per_cell = ohm == 0.0 ? 0.0 : 1e3 / ohm;
                setup.read.wires.sense_ohm = ohm;
                ASSERT_NO_THROW(validate(setup));
                const Seen seen = look(setup, 5);
                EXPECT_TRUE((seen.cells.array() >= 0.0).all() && seen.cells.allFinite());
                EXPECT_TRUE(finite(seen.first_converted));
                EXPECT_TRUE(finite(seen.second_converted));
            }
        }
    }
}

// Two hundred converters of one stage: half of the draws leave nothing of it.
TEST(ErrorSources, ElementsThatMismatchLeavesNothingOfKeepSumsFinite) {
    Errors setup;
    setup.adc.type = AdcType::cco;
    setup.adc.cco_stages = 1;
    setup.adc.unit_mismatch_sigma = 3.0;
    setup.read.dac.unit_mismatch_sigma = 3.0;
    for (std::uint32_t tile = 0; tile < 50; ++tile) {
        EXPECT_TRUE(finite(look(setup, tile).first_converted)) << tile;
    }
}

TEST(ErrorSources, StrengthsThatNoSumSurvivesAreRefusedWithTheirKey) {
    const std::vector<std::pair<const char*, std::function<void(Errors&)>>> absurd = {
        {"programming_scale", [](Errors& s) { s.device.programming_scale = 1e300; }},
        {"programming_sigma_relative", [](Errors& s) { s.device.programming_sigma_relative = 1e300; }},
        {"relaxation_sigma_siemens", [](Errors& s) { s.device.relaxation_sigma_siemens = 1e300; }},
        {"drift_scale", [](Errors& s) { s.device.drift_scale = 1e300; }},
        {"read_noise_scale", [](Errors& s) { s.device.read_noise_scale = 1e300; }},
        {"temperature_kelvin", [](Errors& s) { s.device.temperature_kelvin = 1e300; }},
        {"unit_mismatch_relative",
         [](Errors& s) {
             s.device.model = DeviceModelName::sram_capacitor;
             s.device.conductance_levels = 16;
             s.device.unit_mismatch_relative = 1e300;
         }},
        {"drift_exponent",
         [](Errors& s) {
             s.device.drift_exponent = -5.0;
             s.device.time_since_programming_s = 1e6;
         }},
        {"drift_exponent_sigma",
         [](Errors& s) {
             s.device.drift_exponent_sigma = 1.0;
             s.device.time_since_programming_s = 1e6;
         }},
        {"programming_pulse_energy_j", [](Errors& s) { s.device.programming_pulse_energy_j = 1e300; }},
        {"verify_sigma_siemens",
         [](Errors& s) {
             s.device.write_verify.enabled = true;
             s.device.write_verify.verify_sigma_siemens = 1e308;
         }},
        {"row_ohm_per_cell", [](Errors& s) { s.read.wires.row_ohm_per_cell = 1e-12; }},
        {"driver_ohm", [](Errors& s) { s.read.wires.driver_ohm = 1e12; }},
        {"v_read_volt", [](Errors& s) { s.read.v_read_volt = 1e-300; }},
        {"noise_bandwidth_hz", [](Errors& s) { s.read.noise_bandwidth_hz = 1e300; }},
        {"unit_mismatch_sigma", [](Errors& s) { s.read.dac.unit_mismatch_sigma = 30.0; }},
        {"unit_mismatch_sigma", [](Errors& s) { s.adc.unit_mismatch_sigma = 1e300; }},
        {"gain_sigma", [](Errors& s) { s.adc.gain_sigma = 1e300; }},
        {"offset_sigma_codes", [](Errors& s) { s.adc.offset_sigma_codes = 1e300; }},
        {"input_noise_codes", [](Errors& s) { s.adc.input_noise_codes = 1e300; }},
    };
    for (const auto& [key, change] : absurd) {
        Errors setup;
        change(setup);
        try {
            validate(setup);
            ADD_FAILURE() << key << " was accepted";
        } catch (const UserError& error) {
            EXPECT_EQ(std::string(error.what()).rfind(std::string(key) + " = ", 0), 0U) << error.what();
        }
    }
}

}  // namespace
}  // namespace imssa
