#pragma once

#include <Eigen/Core>
#include <complex>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/chip/calibration_config.h"
#include "models/network/deployed_kernel.h"

namespace imssa {

/// A digital gain close to one behind a state register: x += round_half_up(x * excess / 2^shift).
struct ModeGain {
    std::int32_t excess = 0;
    int shift = 0;
    double factor = 1.0;
};

/// What start-up calibration found for one head, mode by mode.
struct HeadCalibration {
    std::vector<double> asked_radius;     ///< |Abar| of the deployed codes
    std::vector<double> measured_radius;  ///< of the programmed 2x2 block, through DAC and ADC
    std::vector<double> deviation;        ///< standard deviation of the measurement
    std::vector<double> tolerance;        ///< a smaller difference of radii is not told from rounding and noise
    std::vector<ModeGain> gains;
    Eigen::MatrixXd state_matrix;  ///< measured: x_t = state_matrix x_t-1, all modes with their cross-talk
};

/// What start-up calibration did: counts for pricing.
struct CalibrationSummary {
    int poles = 0, corrected_poles = 0;
    double array_reads = 0, dac_conversions = 0, row_line_cells = 0, columns = 0, adc_conversions = 0;
    double device_j = 0, supply_j = 0;  ///< of the array reads
    std::int64_t cycles = 0;            ///< tiles of a layer side by side, layers one after another
};

/// Sums of one head's array for given input codes, with all analog errors.
using ArrayRead = std::function<void(const LaneMatrix& inputs, const std::vector<std::uint64_t>& sequence_ids,
                                     std::uint32_t step, LaneMatrix& sums)>;

/// Measures the state matrix of a fused kernel: for every mode `reads_per_mode` reads with pseudo-random amplitudes on
/// its two inputs and zero elsewhere, converted by the head's own ADCs; least squares over the codes. Gains restore
/// the asked radius where the measured one differs by more than the tolerance, and keep the spectral radius of the
/// whole array, cross-talk included, at that of its slowest mode. An array that converts to the codes of exact cells
/// keeps gains of one. `code_step`: codes that a code of the converters stands for.
HeadCalibration calibrate_poles(const DeployedKernel& kernel, const CalibrationConfig& config, const ArrayRead& read,
                                double code_step = 1.0);

/// Eigenvalues of one mode's 2x2 block of an array of weights (codes, without drives): its poles as programmed, times
/// `gain`.
std::vector<std::complex<double>> programmed_poles(const DeployedKernel& kernel, const Eigen::MatrixXd& weights,
                                                   int mode, double gain);

/// Applies the gains to registers that accumulate.
void apply_gains(const DeployedKernel& kernel, const std::vector<ModeGain>& gains, StateRegisterFile& registers);

/// The gain as the integers that fit the head's registers.
ModeGain mode_gain(double factor, int register_bits);

}  // namespace imssa
