#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/device/write_verify.h"

namespace imssa {

/// Kinds of cells; docs/devices.md has equations and sources.
enum class DeviceModelName {
    ideal,
    generic,  ///< a normal error, absolute or relative to the target
    taox,     ///< generic with the numbers of the IMSSA chip family
    reram_wan2022,
    rram_milo,
    cmo_hfox,       ///< write-verify within 2 % of the target
    cmo_hfox_fine,  ///< within 0.2 %
    pcm,
    hermes_one_device,
    hermes_two_devices,
    sram_capacitor,
    table  ///< a user's measured mean and sigma
};
constexpr auto enum_names(DeviceModelName) {
    using Name = DeviceModelName;
    return std::array{std::pair{"ideal", Name::ideal},
                      std::pair{"generic", Name::generic},
                      std::pair{"taox", Name::taox},
                      std::pair{"reram_wan2022", Name::reram_wan2022},
                      std::pair{"rram_milo", Name::rram_milo},
                      std::pair{"cmo_hfox", Name::cmo_hfox},
                      std::pair{"cmo_hfox_fine", Name::cmo_hfox_fine},
                      std::pair{"pcm", Name::pcm},
                      std::pair{"hermes_one_device", Name::hermes_one_device},
                      std::pair{"hermes_two_devices", Name::hermes_two_devices},
                      std::pair{"sram_capacitor", Name::sram_capacitor},
                      std::pair{"table", Name::table}};
}

/// What the mapper does about stuck cells that it knows of.
enum class FaultRemap {
    none,
    zero,        ///< a weight with a stuck cell becomes zero: its other cells are set to cancel the stuck one
    swap,        ///< the plus and minus columns of an output change places when that hurts less; undone digitally
    compensate,  ///< the healthy cells of a weight make up for its stuck ones as far as the window allows
};
constexpr auto enum_names(FaultRemap) {
    return std::array{std::pair{"none", FaultRemap::none}, std::pair{"zero", FaultRemap::zero},
                      std::pair{"swap", FaultRemap::swap}, std::pair{"compensate", FaultRemap::compensate}};
}

/// One memristive cell. Conductances in siemens. Every effect that is zero is off.
struct DeviceConfig {
    DeviceModelName model = DeviceModelName::generic;
    double g_min_siemens = 0.0;
    double g_max_siemens = 150e-6;
    /// Equidistant levels of the window that targets are rounded to; 0: continuous.
    int conductance_levels = 0;

    /// Write-verify residual with the periphery's static error, drawn once per cell and programmed chip (device to
    /// device), absolute: conductance = target + Normal(mean, sigma), clipped at zero. `generic` only.
    double programming_mean_siemens = 0.0;
    double programming_sigma_siemens = 0.0;
    /// The same relative to the target conductance; variances add. `generic` only.
    double programming_sigma_relative = 0.0;
    /// Drift since programming, g ((t + start) / start)^-exponent, with a normal exponent per cell. `generic` and
    /// `table` only.
    double drift_exponent = 0.0;
    double drift_exponent_sigma = 0.0;
    double drift_start_s = 20.0;
    /// Relaxation, a normal shift of each cell at any time after programming. `generic` and `table` only.
    double relaxation_sigma_siemens = 0.0;
    /// Relative mismatch of one unit capacitor. `sram_capacitor` only.
    double unit_mismatch_relative = 0.0;

    /// Cycle-to-cycle read noise: standard deviation relative to the cell's own conductance, drawn at every read. Adds
    /// (in variance) to the read noise of the model.
    double read_noise_relative = 0.0;
    /// When the chip is read, counted from the end of programming.
    double time_since_programming_s = 0.0;
    /// g (1 + coefficient (T - 300 K)) for every cell.
    double temperature_kelvin = 300.0;
    double temperature_coefficient_per_kelvin = 0.0;
    /// Factors on what the model says: 0 switches an effect off, 1 is as published.
    double programming_scale = 1.0;
    double drift_scale = 1.0;
    double read_noise_scale = 1.0;

    /// Fractions of cells stuck at g_min and at g_max.
    double stuck_low_fraction = 0.0;
    double stuck_high_fraction = 0.0;
    /// Part of the stuck cells that the test after programming finds, so that the mapper can act on them.
    double known_fault_fraction = 1.0;
    FaultRemap fault_remap = FaultRemap::none;
    /// Cells in parallel that together are one cell of the array. Each is programmed to the target, with errors of its
    /// own; their currents are averaged with `parallel_weights` (empty: equally).
    int parallel_cells = 1;
    std::vector<double> parallel_weights;

    /// Write-verify cost model: mean pulses per cell, energy and time of one pulse with its verify read.
    double programming_pulses_per_cell = 0.0;
    double programming_pulse_energy_j = 0.0;
    double programming_pulse_time_s = 0.0;
    WriteVerifyConfig write_verify;

    /// `table` only: a CSV file relative to the chip file, and what was read from it.
    std::string table_csv;
    std::vector<double> table_conductance_siemens;
    std::vector<double> table_mean_siemens;
    std::vector<double> table_sigma_siemens;

    void validate() const;
    /// No error of any kind at any time.
    bool is_ideal() const;
};

/// A model with its published window, read noise, faults and programming cost.
DeviceConfig device_defaults(DeviceModelName model);

/// Naming another model first sets the defaults of that model; the keys given beside it then change them.
template <class Visitor>
void visit_fields(Visitor& visit, DeviceConfig& config) {
    const DeviceModelName before = config.model;
    visit("model", config.model);
    if (config.model != before) {
        config = device_defaults(config.model);
    }
    visit("g_min_siemens", config.g_min_siemens);
    visit("g_max_siemens", config.g_max_siemens);
    visit("conductance_levels", config.conductance_levels);
    visit("programming_mean_siemens", config.programming_mean_siemens);
    visit("programming_sigma_siemens", config.programming_sigma_siemens);
    visit("programming_sigma_relative", config.programming_sigma_relative);
    visit("drift_exponent", config.drift_exponent);
    visit("drift_exponent_sigma", config.drift_exponent_sigma);
    visit("drift_start_s", config.drift_start_s);
    visit("relaxation_sigma_siemens", config.relaxation_sigma_siemens);
    visit("unit_mismatch_relative", config.unit_mismatch_relative);
    visit("read_noise_relative", config.read_noise_relative);
    visit("time_since_programming_s", config.time_since_programming_s);
    visit("temperature_kelvin", config.temperature_kelvin);
    visit("temperature_coefficient_per_kelvin", config.temperature_coefficient_per_kelvin);
    visit("programming_scale", config.programming_scale);
    visit("drift_scale", config.drift_scale);
    visit("read_noise_scale", config.read_noise_scale);
    visit("stuck_low_fraction", config.stuck_low_fraction);
    visit("stuck_high_fraction", config.stuck_high_fraction);
    visit("known_fault_fraction", config.known_fault_fraction);
    visit("fault_remap", config.fault_remap);
    visit("parallel_cells", config.parallel_cells);
    visit("parallel_weights", config.parallel_weights);
    visit("programming_pulses_per_cell", config.programming_pulses_per_cell);
    visit("programming_pulse_energy_j", config.programming_pulse_energy_j);
    visit("programming_pulse_time_s", config.programming_pulse_time_s);
    visit.table("write_verify", config.write_verify);
    visit("table_csv", config.table_csv);
    visit("table_conductance_siemens", config.table_conductance_siemens);
    visit("table_mean_siemens", config.table_mean_siemens);
    visit("table_sigma_siemens", config.table_sigma_siemens);
}

}  // namespace imssa
