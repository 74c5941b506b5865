#pragma once

#include <vector>

#include "models/array/converters.h"
#include "models/array/crossbar.h"

namespace imssa {

/// How the columns are measured at start-up (`read.gain_calibration`, `[adc]`).
struct ColumnCalibration {
    int samples = 0;               ///< reads of every input; 0: columns are not calibrated
    double trim_step_codes = 0.0;  ///< step of a trimmed reference, at full scale; 0: any factor

    ColumnCalibration(const ReadConfig& read, const AdcConfig& adc)
        : samples(read.gain_calibration ? adc.calibration_samples : 0), trim_step_codes(adc.calibration_step_codes) {}
};

/// What a calibration found.
struct ColumnTrim {
    std::vector<double> factors;  ///< by output
    ReadEnergy energy;            ///< of the reads that it took
};

/// Start-up calibration of the columns of one array, or of one gated block, whose references are set anew for every
/// read: every input is driven alone, with both signs in turn, at full scale or with what keeps the wanted sums of all
/// columns within nine tenths of the converters' range, and all columns are converted by their own converters, errors
/// and noise included. The mean conversions are estimates w of the weights; the reference of a column's converter is to
/// be trimmed by the factor sum w q / sum w^2 that fits them to the wanted weights q in the least-squares sense. It is
/// one where a column converts to the codes of exact cells, whatever rounding makes of its weights, and where nothing
/// of the wanted weights is left. Output o of the array is output first_output + o of `converters`, which may serve
/// more.
ColumnTrim measure_columns(const Crossbar& array, int block, const AdcErrors& converters, int first_output,
                           const ColumnCalibration& calibration);

/// Measures the columns of a block and trims them. Does nothing with 0 samples.
void calibrate_columns(Crossbar& array, int block, const AdcErrors& converters, int first_output,
                       const ColumnCalibration& calibration);

}  // namespace imssa
