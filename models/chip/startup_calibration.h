#pragma once

#include "models/chip/chip.h"

namespace imssa {

/// What measuring the gains of all columns (`read.gain_calibration`) takes; all zero where it is off. The fit needs
/// every weight of a column, so every input of a tile is driven alone (measure_columns), the others' converters at
/// zero, and all columns (slices and planes have their own) are converted, `adc.calibration_samples` times. `cycles`:
/// one tile after another, as programming; columns that share a converter one after another.
CalibrationSummary gain_calibration(const Chip& chip);

/// What calibrating the output converters (`adc.calibrate`) takes; all zero where it is off. Every converter that
/// exists, shared by columns or tiles or not, measures its offset and its gain on references,
/// `adc.calibration_samples` conversions each; no array is read. `cycles`: all converters side by side.
CalibrationSummary converter_calibration(const Chip& chip);

}  // namespace imssa
