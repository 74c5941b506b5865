#pragma once

#include <Eigen/Core>

#include "models/network/deployed_kernel.h"

namespace imssa {

/// Array of one head in real units of "output code per input code", before weights become codes.
struct ArrayTargets {
    Eigen::MatrixXd weights;  ///< inputs x outputs
    int state_row = -1, output_row = -1, output_column = 0;
    double least_range = 0.0;  ///< of the weights, when all columns share a range
};

/// Weights to codes, drives and gains of kernel.array; poles in cells stay inside the unit circle. Options, modes and
/// increment shifts of the kernel are set already.
void quantize_array(const ArrayTargets& targets, int activation_bits, DeployedKernel& kernel);

}  // namespace imssa
