#include "models/array/read_config.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "models/array/converter_bits.h"
#include "models/array/unit_elements.h"
#include "models/common/error.h"

namespace imssa {

namespace {

// Far above any array, far below where times and energies stop to be numbers.
constexpr double kMostVolt = 100.0;
constexpr double kLongestReadS = 1e-3;
// Far below any array, far above where noise per volt and second stops to be a number.
constexpr double kLeastVolt = 1e-6;
constexpr double kShortestReadS = 1e-15;
constexpr double kMostBandwidthHz = 1e20;

std::string short_number(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

void check_range(double value, const char* key, double least, double most) {
    if (!(value >= least) || !(value <= most)) {
        throw UserError(std::string(key) + " = " + short_number(value) + " is out of range: set a number from " +
                        short_number(least) + " to " + short_number(most));
    }
}

}  // namespace

void DacConfig::validate() const {
    check_converter_bits(bits, "bits");
    check_range(gain_sigma, "gain_sigma", 0.0, kMostConverterSigma);
    check_range(unit_mismatch_sigma, "unit_mismatch_sigma", 0.0, kMostConverterSigma);
}

void ReadConfig::validate() const {
    check_range(v_read_volt, "v_read_volt", kLeastVolt, kMostVolt);
    check_range(t_read_s, "t_read_s", kShortestReadS, kLongestReadS);
    check_range(v_supply_volt, "v_supply_volt", kLeastVolt, kMostVolt);
    if (v_supply_volt < v_read_volt) {
        throw UserError("v_supply_volt = " + short_number(v_supply_volt) + " is below v_read_volt = " +
                        short_number(v_read_volt) + ": rows are driven from the supply; raise it or lower v_read_volt");
    }
    check_range(noise_bandwidth_hz, "noise_bandwidth_hz", 0.0, kMostBandwidthHz);
    // The current must rise with the voltage over the whole range of inputs.
    const double quadratic = 2.0 * std::abs(iv_quadratic_per_volt) * v_read_volt;
    const double cubic = 3.0 * iv_cubic_per_volt2 * v_read_volt * v_read_volt;
    if (!(1.0 - quadratic + std::min(0.0, cubic) > 0.0)) {
        throw UserError("iv_quadratic_per_volt = " + std::to_string(iv_quadratic_per_volt) +
                        " and iv_cubic_per_volt2 = " + std::to_string(iv_cubic_per_volt2) +
                        " make the current fall with the voltage within v_read_volt: set smaller magnitudes");
    }
    wires.validate();
    dac.validate();
    if (input == InputMode::bit_serial && dac.unit_mismatch_sigma != 0.0) {
        throw UserError("dac.unit_mismatch_sigma = " + short_number(dac.unit_mismatch_sigma) +
                        " has no elements to act on with read.input = 'bit_serial', whose drivers have one bit: set it "
                        "to 0, or another input");
    }
}

int ReadConfig::skipped_bits(int input_limit) const {
    return std::ilogb(code_grid(input_limit, dac.bits).step);
}

double ReadConfig::read_time_s(int input_limit) const {
    if (input != InputMode::bit_serial) {
        return t_read_s;
    }
    int bits = 0;
    while ((1 << bits) - 1 < input_limit) {
        ++bits;
    }
    return t_read_s * (bits - skipped_bits(input_limit));
}

}  // namespace imssa
