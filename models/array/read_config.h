#pragma once

#include <array>
#include <utility>

#include "models/array/wire_config.h"

namespace imssa {

/// How an input code becomes a signal on its row.
enum class InputMode {
    amplitude,    ///< a voltage for the read time
    pulse_width,  ///< full-scale voltage for a part of the read time
    bit_serial    ///< one full-scale pulse a bit of the magnitude; the charges are weighted and added ahead of the ADC
};
constexpr auto enum_names(InputMode) {
    return std::array{std::pair{"amplitude", InputMode::amplitude}, std::pair{"pulse_width", InputMode::pulse_width},
                      std::pair{"bit_serial", InputMode::bit_serial}};
}

/// Resolution of the digital-to-analog converters, one a row or row pair, and their static errors, drawn once per chip.
/// Zero is off.
struct DacConfig {
    double gain_sigma = 0.0;           ///< standard deviation of the relative gain error of a converter
    double unit_mismatch_sigma = 0.0;  ///< relative standard deviation of one of its binary-weighted unit elements
    /// 0: as wide as its codes. With fewer it rounds them to multiples of 2^(code bits - bits).
    int bits = 0;

    void validate() const;
    bool has_no_errors() const { return gain_sigma == 0.0 && unit_mismatch_sigma == 0.0; }
};

template <class Visitor>
void visit_fields(Visitor& visit, DacConfig& config) {
    visit("bits", config.bits);
    visit("gain_sigma", config.gain_sigma);
    visit("unit_mismatch_sigma", config.unit_mismatch_sigma);
}

/// Electrical conditions of a read.
struct ReadConfig {
    double v_read_volt = 0.2;  ///< full-scale input amplitude
    double t_read_s = 20e-9;   ///< time the inputs are driven; of one bit if bit-serial
    double v_supply_volt = 0.9;
    InputMode input = InputMode::amplitude;
    /// Current of a cell: G (V + quadratic V^2 + cubic V^3). Acts on amplitudes; with full-scale pulses the cubic part
    /// is a constant factor that the range calibration takes out.
    double iv_quadratic_per_volt = 0.0;
    double iv_cubic_per_volt2 = 0.0;
    /// Noise of the column currents: 4 k T sum(G) BW and 2 q sum|I| BW with BW = 1 / (2 t_read) unless it is given.
    bool thermal_noise = false;
    bool shot_noise = false;
    double noise_bandwidth_hz = 0.0;
    /// After programming, the chip reads each column with known inputs and trims the reference of its converter by the
    /// factor that fits its weights to the wanted ones best; it takes out what wires and mean errors take from all
    /// weights of a column.
    bool gain_calibration = false;
    WireConfig wires{};  ///< a table of its own in chip files: [wires]
    DacConfig dac{};     ///< [dac]

    void validate() const;
    double bandwidth_hz() const { return noise_bandwidth_hz > 0.0 ? noise_bandwidth_hz : 0.5 / t_read_s; }
    /// Duration of one array operation for inputs of this code range.
    double read_time_s(int input_limit) const;
    /// Lowest bits of the inputs' magnitude that converters with fewer bits do not have.
    int skipped_bits(int input_limit) const;
};

template <class Visitor>
void visit_fields(Visitor& visit, ReadConfig& config) {
    visit("v_read_volt", config.v_read_volt);
    visit("t_read_s", config.t_read_s);
    visit("v_supply_volt", config.v_supply_volt);
    visit("input", config.input);
    visit("iv_quadratic_per_volt", config.iv_quadratic_per_volt);
    visit("iv_cubic_per_volt2", config.iv_cubic_per_volt2);
    visit("thermal_noise", config.thermal_noise);
    visit("shot_noise", config.shot_noise);
    visit("noise_bandwidth_hz", config.noise_bandwidth_hz);
    visit("gain_calibration", config.gain_calibration);
}

}  // namespace imssa
