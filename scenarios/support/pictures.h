#pragma once

#include <Eigen/Core>
#include <complex>
#include <string>
#include <utility>
#include <vector>

namespace imssa {

/// Pictures made with gnuplot (PNG). Each writes its data beside the picture (.dat), so that users can plot it again.
/// They throw UserError when gnuplot is missing or fails.

/// counts[label][answer].
void confusion_picture(const std::string& path, const std::string& title, const std::vector<std::vector<int>>& counts);

struct EnergyBar {
    std::string component;
    double low_j = 0.0, nominal_j = 0.0, high_j = 0.0;
};
/// Bars of joules a sequence with their ranges.
void energy_picture(const std::string& path, const std::string& title, const std::vector<EnergyBar>& bars);

/// One state component over the steps of a sequence: chip against reference, in real units, and their difference.
void trajectory_picture(const std::string& path, const std::string& title, const std::vector<double>& chip,
                        const std::vector<double>& reference);

/// One pole before and after programming.
struct PolePair {
    int layer = 0, head = 0, mode = 0;
    std::complex<double> deployed, programmed;
};
/// Poles in the complex plane with the unit circle, and a close-up of the point 1 where slow modes are.
void pole_picture(const std::string& path, const std::string& title, const std::vector<PolePair>& poles);

/// Conductances of a tile in siemens (rows x columns) as colours.
void conductance_picture(const std::string& path, const std::string& title, const Eigen::MatrixXd& conductances);

}  // namespace imssa
