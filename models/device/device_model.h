#pragma once

#include <memory>

#include "models/device/device_config.h"

namespace imssa {

/// One cell on its way through time. Conductances in siemens; normals are standard normal draws of this cell, made once
/// per programmed chip (device to device).
struct CellState {
    double target = 0.0;
    double programmed = 0.0;          ///< right after programming
    double aged = 0.0;                ///< at the time of reading
    double programming_normal = 0.0;  ///< of the programming error
    double relaxation_normal = 0.0;   ///< of what the cell forgets
    double drift_normal = 0.0;        ///< of the cell's drift exponent
};

/// Statistics of one kind of cell, as formulas; docs/devices.md spells them out with sources.
class DeviceModel {
public:
    virtual ~DeviceModel() = default;

    /// Standard deviation of the programming error at a target.
    virtual double programming_sigma(double target) const = 0;
    virtual double programming_mean(double /*target*/) const { return 0.0; }
    /// Conductance `time_s` after programming.
    virtual double aged(const CellState& cell, double time_s) const = 0;
    /// Standard deviation of one read (cycle to cycle), besides `read_noise_relative`.
    virtual double read_sigma(const CellState& /*cell*/, double /*time_s*/) const { return 0.0; }
};

/// The model that `config.model` names.
std::unique_ptr<const DeviceModel> make_device_model(const DeviceConfig& config);

}  // namespace imssa
