#include "models/device/device_presets.h"

#include "models/common/error.h"

namespace imssa {

namespace {

DeviceConfig taox_imssa() {
    DeviceConfig device;
    device.g_min_siemens = 0.0;
    device.g_max_siemens = 150e-6;
    device.programming_mean_siemens = 0.108e-6;
    device.programming_sigma_siemens = 3.894e-6;
    device.read_noise_relative = 0.01;
    device.stuck_low_fraction = 0.001;
    device.stuck_high_fraction = 0.001;
    device.programming_pulses_per_cell = 8.5;
    device.programming_pulse_energy_j = 17.5e-12;
    device.programming_pulse_time_s = 1.1e-6;
    return device;
}

}  // namespace

std::vector<std::string> device_preset_names() {
    return {"ideal", "taox_imssa"};
}

DeviceConfig device_preset(const std::string& name) {
    if (name == "ideal") {
        return DeviceConfig{};
    }
    if (name == "taox_imssa") {
        return taox_imssa();
    }
    std::string known;
    for (const std::string& candidate : device_preset_names()) {
        known += (known.empty() ? "" : ", ") + candidate;
    }
    throw UserError("there is no device preset '" + name + "': choose one of " + known);
}

}  // namespace imssa
