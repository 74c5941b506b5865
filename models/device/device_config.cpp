#include "models/device/device_config.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "models/common/error.h"

namespace imssa {

namespace {

void require(bool holds, const char* key, double value, const char* demand) {
    if (!holds || !std::isfinite(value)) {
        std::ostringstream number;
        number << value;
        throw UserError(std::string(key) + " = " + number.str() + " is out of range: " + demand);
    }
}

void require_not_negative(double value, const char* key) {
    require(value >= 0.0, key, value, "set at least 0");
}

bool is_generic(DeviceModelName model) {
    return model == DeviceModelName::ideal || model == DeviceModelName::generic || model == DeviceModelName::taox;
}

void require_generic(bool generic, double value, const char* key) {
    if (!generic && value != 0.0) {
        throw UserError(std::string(key) +
                        " belongs to device.model = \"generic\": the chosen model has a formula of its own; scale it "
                        "with programming_scale, drift_scale and read_noise_scale");
    }
}

/// Nothing is known of how rram_milo cells age; the other models have formulas.
void require_own_ageing(const DeviceConfig& device, double value, const char* key) {
    if (value != 0.0 && !is_generic(device.model) && device.model != DeviceModelName::table) {
        throw UserError(std::string(key) +
                        " belongs to device.model = \"generic\" and \"table\": the chosen model has an ageing of its "
                        "own or none; scale it with drift_scale");
    }
}

// Far beyond any device, and small enough that sums of cells and their squares stay numbers in single precision.
constexpr double kMostRelativeSigma = 10.0;
constexpr double kMostProgrammingScale = 1e4;
constexpr double kMostScale = 100.0;
constexpr double kMostGrowth = 1e4;
constexpr double kMostKelvin = 2000.0;
constexpr double kMostPulses = 1e9;
constexpr double kMostPulseEnergyJ = 1.0;
constexpr double kMostPulseTimeS = 1e6;

void require_up_to(double most, double value, const char* key, const char* demand) {
    require(value >= 0.0 && value <= most, key, value, demand);
}

void check_scales(const DeviceConfig& device) {
    require_up_to(kMostProgrammingScale, device.programming_scale, "programming_scale", "set a factor from 0 to 1e4");
    require_up_to(kMostScale, device.drift_scale, "drift_scale", "set a factor from 0 to 100");
    require_up_to(kMostScale, device.read_noise_scale, "read_noise_scale", "set a factor from 0 to 100");
}

/// Cells whose drawn exponent is far below zero grow.
void check_drift(const DeviceConfig& device) {
    constexpr double kSigmas = 6.0;
    require(std::isfinite(device.drift_exponent), "drift_exponent", device.drift_exponent, "set a finite number");
    require_not_negative(device.drift_exponent_sigma, "drift_exponent_sigma");
    require(device.drift_start_s > 0.0, "drift_start_s", device.drift_start_s, "set a positive time");
    require_not_negative(device.time_since_programming_s, "time_since_programming_s");
    const double spread = kSigmas * device.drift_exponent_sigma;
    const double growth = std::max(0.0, spread - device.drift_exponent) *
                          std::log1p(device.time_since_programming_s / device.drift_start_s);
    const bool by_spread = spread > -device.drift_exponent;
    require(growth <= std::log(kMostGrowth), by_spread ? "drift_exponent_sigma" : "drift_exponent",
            by_spread ? device.drift_exponent_sigma : device.drift_exponent,
            "by time_since_programming_s, cells six standard deviations off would grow more than 10,000-fold");
}

void check_own_fields(const DeviceConfig& device) {
    const bool generic = is_generic(device.model);
    require_generic(generic, device.programming_mean_siemens, "programming_mean_siemens");
    require_generic(generic, device.programming_sigma_siemens, "programming_sigma_siemens");
    require_generic(generic, device.programming_sigma_relative, "programming_sigma_relative");
    require_own_ageing(device, device.drift_exponent, "drift_exponent");
    require_own_ageing(device, device.drift_exponent_sigma, "drift_exponent_sigma");
    require_own_ageing(device, device.relaxation_sigma_siemens, "relaxation_sigma_siemens");
    if (device.model == DeviceModelName::sram_capacitor) {
        require(device.conductance_levels >= 2, "conductance_levels", device.conductance_levels,
                "a capacitor cell has at least 2 levels");
    } else {
        require(device.unit_mismatch_relative == 0.0, "unit_mismatch_relative", device.unit_mismatch_relative,
                "only device.model = \"sram_capacitor\" has unit capacitors");
    }
    const std::size_t rows = device.table_conductance_siemens.size();
    if (rows != device.table_mean_siemens.size() || rows != device.table_sigma_siemens.size()) {
        throw UserError("table_conductance_siemens, table_mean_siemens and table_sigma_siemens must be equally long");
    }
    if (device.model == DeviceModelName::table && rows == 0 && device.table_csv.empty()) {
        throw UserError("device.model = \"table\" needs a table: set device.table_csv");
    }
}

void check_parallel_cells(const DeviceConfig& device) {
    require(device.parallel_cells >= 1 && device.parallel_cells <= 256, "parallel_cells", device.parallel_cells,
            "set 1 to 256 cells");
    const std::vector<double>& weights = device.parallel_weights;
    if (!weights.empty() && static_cast<int>(weights.size()) != device.parallel_cells) {
        throw UserError("parallel_weights has " + std::to_string(weights.size()) +
                        " entries: give one for each of the parallel_cells, or none");
    }
    for (const double weight : weights) {
        require(weight > 0.0, "parallel_weights", weight, "set positive weights");
    }
    if (device.fault_remap != FaultRemap::none && device.parallel_cells > 1) {
        throw UserError("fault_remap works on single cells: set parallel_cells = 1 or fault_remap = \"none\"");
    }
}

}  // namespace

void WriteVerifyConfig::validate() const {
    require(tolerance_siemens > 0.0, "tolerance_siemens", tolerance_siemens, "set a positive conductance");
    require(max_pulses >= 1 && max_pulses <= 10000, "max_pulses", max_pulses, "set 1 to 10000");
    require(step_gain > 0.0 && step_gain <= 1.0, "step_gain", step_gain, "set a fraction above 0 and up to 1");
    require(step_sigma_siemens >= 0.0 && step_sigma_siemens <= 1.0, "step_sigma_siemens", step_sigma_siemens,
            "set 0 to 1 (the unit is siemens)");
    require(verify_sigma_siemens >= 0.0 && verify_sigma_siemens <= 1.0, "verify_sigma_siemens", verify_sigma_siemens,
            "set 0 to 1 (the unit is siemens)");
}

void DeviceConfig::validate() const {
    require(g_min_siemens >= 0.0, "g_min_siemens", g_min_siemens, "set a conductance of at least 0");
    require(g_max_siemens > g_min_siemens && g_max_siemens <= 1.0, "g_max_siemens", g_max_siemens,
            "set it above g_min_siemens and to at most 1 (the unit is siemens: 150e-6 is 150 uS)");
    require(conductance_levels == 0 || (conductance_levels >= 2 && conductance_levels <= 65536), "conductance_levels",
            conductance_levels, "set 0 (continuous) or 2 to 65536");
    require(std::abs(programming_mean_siemens) <= g_max_siemens, "programming_mean_siemens", programming_mean_siemens,
            "its magnitude must not exceed g_max_siemens");
    require(programming_sigma_siemens >= 0.0 && programming_sigma_siemens <= g_max_siemens, "programming_sigma_siemens",
            programming_sigma_siemens, "set it between 0 and g_max_siemens");
    require_up_to(kMostRelativeSigma, programming_sigma_relative, "programming_sigma_relative",
                  "set a fraction from 0 to 10 (0.01 is 1 %)");
    check_drift(*this);
    require_up_to(g_max_siemens, relaxation_sigma_siemens, "relaxation_sigma_siemens",
                  "set it between 0 and g_max_siemens");
    require_up_to(kMostRelativeSigma, unit_mismatch_relative, "unit_mismatch_relative",
                  "set a fraction from 0 to 10 (0.01 is 1 %)");
    require(read_noise_relative >= 0.0 && read_noise_relative <= 1.0, "read_noise_relative", read_noise_relative,
            "set a fraction between 0 and 1 (0.01 is 1 %)");
    require(temperature_kelvin > 0.0 && temperature_kelvin <= kMostKelvin, "temperature_kelvin", temperature_kelvin,
            "set a temperature above 0 and up to 2000 K");
    require(1.0 + temperature_coefficient_per_kelvin * (temperature_kelvin - 300.0) > 0.0,
            "temperature_coefficient_per_kelvin", temperature_coefficient_per_kelvin,
            "conductances would not be positive at temperature_kelvin");
    check_scales(*this);
    require(stuck_low_fraction >= 0.0 && stuck_low_fraction <= 1.0, "stuck_low_fraction", stuck_low_fraction,
            "set a fraction between 0 and 1");
    require(stuck_high_fraction >= 0.0 && stuck_low_fraction + stuck_high_fraction <= 1.0, "stuck_high_fraction",
            stuck_high_fraction, "set a fraction of at least 0 that adds up with stuck_low_fraction to at most 1");
    require(known_fault_fraction >= 0.0 && known_fault_fraction <= 1.0, "known_fault_fraction", known_fault_fraction,
            "set a fraction between 0 and 1");
    require_up_to(kMostPulses, programming_pulses_per_cell, "programming_pulses_per_cell",
                  "set a number from 0 to 1e9");
    require_up_to(kMostPulseEnergyJ, programming_pulse_energy_j, "programming_pulse_energy_j",
                  "set an energy from 0 to 1 J");
    require_up_to(kMostPulseTimeS, programming_pulse_time_s, "programming_pulse_time_s", "set a time from 0 to 1e6 s");
    check_own_fields(*this);
    check_parallel_cells(*this);
}

bool DeviceConfig::is_ideal() const {
    return is_generic(model) && conductance_levels == 0 && programming_mean_siemens == 0.0 &&
           programming_sigma_siemens == 0.0 && programming_sigma_relative == 0.0 && drift_exponent == 0.0 &&
           drift_exponent_sigma == 0.0 && relaxation_sigma_siemens == 0.0 && read_noise_relative == 0.0 &&
           temperature_coefficient_per_kelvin == 0.0 && stuck_low_fraction == 0.0 && stuck_high_fraction == 0.0 &&
           !write_verify.enabled;
}

}  // namespace imssa
