#pragma once

#include <vector>

#include "models/array/converters.h"
#include "models/array/crossbar.h"

namespace imssa {

/// Start-up calibration of the columns of one array (`read.gain_calibration`): every input is driven alone, with both
/// signs in turn, and all columns are converted by their own converters, errors and noise included. The mean
/// conversions are estimates w of the weights; the reference of a column's converter is trimmed by the factor
/// sum w q / sum w^2 that fits them to the wanted weights q in the least-squares sense.
class ColumnCalibration {
public:
    /// Of gated blocks each has factors of its own: the reference is set anew for every read.
    explicit ColumnCalibration(const Crossbar& array, int block = 0);

    /// Drives every input of the block `samples` times: at full scale, or with what keeps the wanted sums of all
    /// columns within nine tenths of the converters' range. Output o of the array is output first_output + o of
    /// `converters`, which may serve more.
    void measure(const AdcErrors& converters, int first_output, int samples);

    /// By output, in steps of `trim_step` codes at full scale (0: any factor). One where a column converts to the codes
    /// of exact cells, whatever rounding makes of its weights, and where nothing of the wanted weights is left.
    std::vector<double> factors(double trim_step) const;

    /// Of all reads so far.
    const ReadEnergy& energy() const { return energy_; }

private:
    const Crossbar& array_;
    int block_;
    MatrixRM wanted_;            ///< inputs of the block x outputs
    Eigen::MatrixXd measured_;   ///< the same
    std::vector<bool> differs_;  ///< by output: a conversion was not that of exact cells
    ReadEnergy energy_;
};

}  // namespace imssa
