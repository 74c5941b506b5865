#include "models/array/read_config.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "models/array/converter_bits.h"
#include "models/common/error.h"

namespace imssa {

namespace {

// Far above any array, far below where times and energies stop to be numbers.
constexpr double kMostVolt = 100.0;
constexpr double kLongestReadS = 1e-3;

std::string short_number(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

void check_positive(double value, const char* key, double most) {
    if (!(value > 0.0) || !(value <= most)) {
        throw UserError(std::string(key) + " = " + short_number(value) +
                        " is out of range: set a number above 0 and up to " + short_number(most));
    }
}

void check_not_negative(double value, const char* key) {
    if (!(value >= 0.0) || !std::isfinite(value)) {
        throw UserError(std::string(key) + " = " + short_number(value) + " is out of range: set at least 0");
    }
}

}  // namespace

void DacConfig::validate() const {
    check_converter_bits(bits, "bits");
    check_not_negative(gain_sigma, "gain_sigma");
    check_not_negative(unit_mismatch_sigma, "unit_mismatch_sigma");
}

void ReadConfig::validate() const {
    check_positive(v_read_volt, "v_read_volt", kMostVolt);
    check_positive(t_read_s, "t_read_s", kLongestReadS);
    check_positive(v_supply_volt, "v_supply_volt", kMostVolt);
    if (v_supply_volt < v_read_volt) {
        throw UserError("v_supply_volt = " + short_number(v_supply_volt) + " is below v_read_volt = " +
                        short_number(v_read_volt) + ": rows are driven from the supply; raise it or lower v_read_volt");
    }
    check_not_negative(noise_bandwidth_hz, "noise_bandwidth_hz");
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
