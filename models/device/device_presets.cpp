#include "models/device/device_presets.h"

#include "models/common/error.h"

namespace imssa {

namespace {

/// Write-verify cost where nothing better is known: 8.5 pulses (CiMLoop's NeuRRAM cell: 8.52) of 1 us with a verify
/// read of 0.1 us, 17.5 pJ each (1.75 V x 100 uA x 100 ns), both assumptions.
void set_programming_cost(DeviceConfig& device) {
    device.programming_pulses_per_cell = 8.5;
    device.programming_pulse_energy_j = 17.5e-12;
    device.programming_pulse_time_s = 1.1e-6;
}

/// 0.1 % + 0.1 %: MNSIM 2.0 defaults; together the yield of 99.8 % of Li et al. 2018 (128 x 64 HfOx).
void set_faults(DeviceConfig& device) {
    device.stuck_low_fraction = 0.001;
    device.stuck_high_fraction = 0.001;
}

DeviceConfig resistive(double g_min, double g_max) {
    DeviceConfig device;
    device.g_min_siemens = g_min;
    device.g_max_siemens = g_max;
    device.read_noise_relative = 0.01;  // short-term read noise of ReRAM, as in aihwkit
    set_faults(device);
    set_programming_cost(device);
    return device;
}

DeviceConfig taox() {
    DeviceConfig device = resistive(0.0, 150e-6);
    device.programming_mean_siemens = 0.108e-6;
    device.programming_sigma_siemens = 3.894e-6;
    return device;
}

DeviceConfig phase_change(double g_max) {
    DeviceConfig device;
    device.g_max_siemens = g_max;
    set_programming_cost(device);
    return device;
}

/// 8-bit weights as 127 unit capacitors of 2 fF (Jia et al. JSSC 2020, Wang et al. VLSI 2022); unit mismatch of 1 % is
/// an assumption. The equivalent conductance is C / t at the 6.9 ns read of Wang et al.: 127 x 2 fF / 6.9 ns. A weight
/// is written in one cycle as seven bits of 0.19 pJ: C V^2 of a bit line of 512 cells of 0.363 fF at 1 V, an
/// assumption.
DeviceConfig capacitors() {
    DeviceConfig device;
    device.g_max_siemens = 36.8e-6;
    device.conductance_levels = 128;
    device.unit_mismatch_relative = 0.01;
    device.programming_pulses_per_cell = 1.0;
    device.programming_pulse_energy_j = 7 * 0.19e-12;
    device.programming_pulse_time_s = 6.9e-9;
    return device;
}

}  // namespace

DeviceConfig device_defaults(DeviceModelName model) {
    DeviceConfig device;
    switch (model) {
        case DeviceModelName::ideal:
        case DeviceModelName::generic:
        case DeviceModelName::table:
            break;
        case DeviceModelName::taox:
            device = taox();
            break;
        case DeviceModelName::reram_wan2022:
            device = resistive(1e-6, 40e-6);  // NeuRRAM: 1-40 uS
            break;
        case DeviceModelName::rram_milo:
            device = resistive(50e-6, 225e-6);  // range of the fit in CrossSim
            break;
        case DeviceModelName::cmo_hfox:
        case DeviceModelName::cmo_hfox_fine:
            device = resistive(9e-6, 88.2e-6);  // Falcone et al., arXiv 2502.04524
            device.read_noise_relative = 0.0;   // the model has a formula of its own
            break;
        case DeviceModelName::pcm:
            device = phase_change(25e-6);
            break;
        case DeviceModelName::hermes_one_device:
            device = phase_change(10.35e-6);
            break;
        case DeviceModelName::hermes_two_devices:
            device = phase_change(20.7e-6);
            break;
        case DeviceModelName::sram_capacitor:
            device = capacitors();
            break;
    }
    device.model = model;
    return device;
}

std::vector<std::string> device_preset_names() {
    std::vector<std::string> names = {"ideal", "taox_imssa"};
    for (const auto& [name, model] : enum_names(DeviceModelName{})) {
        if (model != DeviceModelName::ideal && model != DeviceModelName::table) {
            names.emplace_back(name);
        }
    }
    return names;
}

DeviceConfig device_preset(const std::string& name) {
    for (const auto& [known, model] : enum_names(DeviceModelName{})) {
        if (name == known && model != DeviceModelName::table) {
            return device_defaults(model);
        }
    }
    if (name == "taox_imssa") {
        DeviceConfig device = taox();
        device.model = DeviceModelName::taox;
        return device;
    }
    std::string known;
    for (const std::string& candidate : device_preset_names()) {
        known += (known.empty() ? "" : ", ") + candidate;
    }
    throw UserError("there is no device preset '" + name + "': choose one of " + known);
}

}  // namespace imssa
