#pragma once

#include <complex>

#include "models/network/deployed_kernel.h"

namespace imssa {

/// Digital coefficients of one mode: Re and Im of Abar - 1 with their own binary points, aligned to the finer one as
/// far as 32-bit accumulation allows. The decay is at least one code, and the pole lies inside the unit circle.
/// Throws UserError when no coefficients of this width hold it.
DigitalPole digital_pole(const std::complex<double>& abar, const DeployedKernel& kernel, int activation_bits);

}  // namespace imssa
