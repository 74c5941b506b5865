#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "models/network/parameters.h"

namespace imssa {

/// Poles of one head in log-polar form (abar_log_polar): log(1 - |Abar|) and arg(Abar) as unsigned codes on even grids
/// over the ranges that the head's poles span ("logpolar" of the public study of Abar quantization on sMNIST,
/// gevorgyg/ssm-quantization-stability). |Abar| < 1 holds for every code.
struct LogPolarPoles {
    std::vector<std::int32_t> magnitude, phase;  ///< per mode, 0 .. 2^bits - 1
    double log_decay_low = 0.0, log_decay_step = 0.0;
    double phase_low = 0.0, phase_step = 0.0;

    /// Abar that the codes of a mode stand for: (1 - exp(log_decay)) e^{j phase}.
    std::complex<double> abar(int mode) const;
};

LogPolarPoles log_polar_poles(const std::vector<std::complex<double>>& abar, int magnitude_bits, int phase_bits);

/// Nearest value of an even symmetric grid with 2^bits + 1 levels over [-maximum, maximum]: max-scale quantizer of QS4D
/// (arXiv 2507.06079), 1 bit is ternary.
double max_scale_value(double value, double maximum, int bits);

/// a_continuous, as QS4D quantizes A: Re A, Im A and log dt, each with the max-scale quantizer over the layer, before
/// the exponential. Re A keeps at least one level of decay, which the published quantizer does not guard.
LayerParameters quantize_continuous(const LayerParameters& layer, int a_bits, int step_bits);

}  // namespace imssa
