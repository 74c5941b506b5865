#pragma once

#include <string>
#include <vector>

#include "models/device/device_config.h"

namespace imssa {

/// Names that device_preset knows.
std::vector<std::string> device_preset_names();

/// A published device; throws UserError with the known names for another one.
///
/// `ideal`: 0-150 uS, no errors, programming free of charge.
///
/// `taox_imssa`: 1T1R TaOx of the IMSSA chip family (180 nm, 64 x 64 arrays).
///   window 0-150 uS, error of programming and static periphery mean +0.108 uS, sigma 3.894 uS (2.6 % of the window,
///   write-verify tolerance +-5 uS): He et al., Nat. Commun. 2026, doi 10.1038/s41467-026-69958-0. No drift was seen
///   over 1e5 s, so none is modelled.
///   read noise 1 % of the conductance: NeuRRAM, Wan et al., Nature 2022, as in aihwkit's ReRamWan2022NoiseModel.
///   stuck cells 0.1 % at g_min and 0.1 % at g_max: MNSIM 2.0 defaults; 0.2 % in all equals the yield of 99.8 % of
///   Li et al. 2018 (128 x 64 HfOx).
///   write-verify 8.5 pulses a cell (NeuRRAM: 8.52 pulses of 1 us), 17.5 pJ a pulse (1.75 V x 100 uA x 100 ns,
///   assumption), 1.1 us a pulse with its verify read (1 us + 0.1 us, assumption).
DeviceConfig device_preset(const std::string& name);

}  // namespace imssa
