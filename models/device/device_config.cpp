#include "models/device/device_config.h"

#include <cmath>
#include <string>

#include "models/common/error.h"

namespace imssa {

namespace {

void require(bool holds, const char* key, double value, const char* demand) {
    if (!holds || !std::isfinite(value)) {
        throw UserError(std::string(key) + " = " + std::to_string(value) + " is out of range: " + demand);
    }
}

}  // namespace

void DeviceConfig::validate() const {
    require(g_min_siemens >= 0.0, "g_min_siemens", g_min_siemens, "set a conductance of at least 0");
    require(g_max_siemens > g_min_siemens && g_max_siemens <= 1.0, "g_max_siemens", g_max_siemens,
            "set it above g_min_siemens and to at most 1 (the unit is siemens: 150e-6 is 150 uS)");
    require(std::abs(programming_mean_siemens) <= g_max_siemens, "programming_mean_siemens", programming_mean_siemens,
            "its magnitude must not exceed g_max_siemens");
    require(programming_sigma_siemens >= 0.0 && programming_sigma_siemens <= g_max_siemens, "programming_sigma_siemens",
            programming_sigma_siemens, "set it between 0 and g_max_siemens");
    require(read_noise_relative >= 0.0 && read_noise_relative <= 1.0, "read_noise_relative", read_noise_relative,
            "set a fraction between 0 and 1 (0.01 is 1 %)");
    require(stuck_low_fraction >= 0.0 && stuck_low_fraction <= 1.0, "stuck_low_fraction", stuck_low_fraction,
            "set a fraction between 0 and 1");
    require(stuck_high_fraction >= 0.0 && stuck_low_fraction + stuck_high_fraction <= 1.0, "stuck_high_fraction",
            stuck_high_fraction, "set a fraction of at least 0 that adds up with stuck_low_fraction to at most 1");
    require(programming_pulses_per_cell >= 0.0, "programming_pulses_per_cell", programming_pulses_per_cell,
            "set a number of at least 0");
    require(programming_pulse_energy_j >= 0.0, "programming_pulse_energy_j", programming_pulse_energy_j,
            "set an energy of at least 0");
    require(programming_pulse_time_s >= 0.0, "programming_pulse_time_s", programming_pulse_time_s,
            "set a time of at least 0");
}

}  // namespace imssa
