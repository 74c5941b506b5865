#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>

#include "scenarios/support/chip_job.h"
#include "scenarios/support/run_setup.h"

namespace imssa {

/// A calibration with what it costs.
struct PricedCalibration {
    CalibrationSummary counts;
    double energy_j = 0.0, time_s = 0.0;
};

/// What a chip measures once, after it has been programmed and before its first sequence.
struct StartupCalibrations {
    PricedCalibration poles, gains, converters;
};
/// At the prices of the run.
StartupCalibrations price_calibrations(const RunSetup& setup, const ChipRunOutcome& outcome);

/// Keys `calibration` (of poles), `gain_calibration` and `converter_calibration`; those that are off are left out.
nlohmann::ordered_json calibrations_json(const StartupCalibrations& calibrations);

/// A line for each that is on.
void print_calibrations(const StartupCalibrations& calibrations, std::FILE* out);

}  // namespace imssa
