#pragma once

#include <array>
#include <string>
#include <utility>

#include "models/common/error.h"

namespace imssa {

/// What the chip does with the poles that it measures after programming. stability: modes whose radius came out larger
/// than asked get a digital gain that takes it back. exact_radius: every mode gets the gain that restores its radius.
enum class PoleCalibration { none, stability, exact_radius };

constexpr std::array<std::pair<const char*, PoleCalibration>, 3> enum_names(PoleCalibration) {
    return {{{"none", PoleCalibration::none},
             {"stability", PoleCalibration::stability},
             {"exact_radius", PoleCalibration::exact_radius}}};
}

/// Calibration at start-up, after programming.
struct CalibrationConfig {
    PoleCalibration poles = PoleCalibration::none;
    int reads_per_mode = 256;  ///< reads of the array with different amplitudes on a mode's two inputs

    void validate() const {
        if (reads_per_mode < 8 || reads_per_mode > 65536) {
            throw UserError("reads_per_mode = " + std::to_string(reads_per_mode) +
                            " is out of range: set between 8 and 65536");
        }
    }
};

template <class Visitor>
void visit_fields(Visitor& visit, CalibrationConfig& config) {
    visit("poles", config.poles);
    visit("reads_per_mode", config.reads_per_mode);
}

}  // namespace imssa
