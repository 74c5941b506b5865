#pragma once

namespace imssa {

/// One memristive cell. Conductances in siemens. Every effect that is zero is off.
struct DeviceConfig {
    double g_min_siemens = 0.0;
    double g_max_siemens = 150e-6;
    /// Write-verify residual with the periphery's static error, drawn once per cell and programmed chip (device to
    /// device), absolute: conductance = target + Normal(mean, sigma), clipped at zero.
    double programming_mean_siemens = 0.0;
    double programming_sigma_siemens = 0.0;
    /// Cycle-to-cycle read noise: standard deviation relative to the cell's own conductance, drawn at every read.
    double read_noise_relative = 0.0;
    /// Fractions of cells stuck at g_min and at g_max.
    double stuck_low_fraction = 0.0;
    double stuck_high_fraction = 0.0;
    /// Write-verify cost model: mean pulses per cell, energy and time of one pulse with its verify read.
    double programming_pulses_per_cell = 0.0;
    double programming_pulse_energy_j = 0.0;
    double programming_pulse_time_s = 0.0;

    void validate() const;
    bool is_ideal() const {
        return programming_mean_siemens == 0.0 && programming_sigma_siemens == 0.0 && read_noise_relative == 0.0 &&
               stuck_low_fraction == 0.0 && stuck_high_fraction == 0.0;
    }
};

template <class Visitor>
void visit_fields(Visitor& visit, DeviceConfig& config) {
    visit("g_min_siemens", config.g_min_siemens);
    visit("g_max_siemens", config.g_max_siemens);
    visit("programming_mean_siemens", config.programming_mean_siemens);
    visit("programming_sigma_siemens", config.programming_sigma_siemens);
    visit("read_noise_relative", config.read_noise_relative);
    visit("stuck_low_fraction", config.stuck_low_fraction);
    visit("stuck_high_fraction", config.stuck_high_fraction);
    visit("programming_pulses_per_cell", config.programming_pulses_per_cell);
    visit("programming_pulse_energy_j", config.programming_pulse_energy_j);
    visit("programming_pulse_time_s", config.programming_pulse_time_s);
}

}  // namespace imssa
