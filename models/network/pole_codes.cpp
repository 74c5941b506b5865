#include "models/network/pole_codes.h"

#include <algorithm>
#include <cmath>

namespace imssa {

namespace {

/// Smallest range of a max-scale quantizer (QS4D).
constexpr double kSmallestRange = 1e-5;

/// Codes of values on an even grid of 2^bits levels over the range that they span.
std::vector<std::int32_t> span_codes(const std::vector<double>& values, int bits, double& low, double& step) {
    low = *std::min_element(values.begin(), values.end());
    step = (*std::max_element(values.begin(), values.end()) - low) / (std::ldexp(1.0, bits) - 1.0);
    std::vector<std::int32_t> codes;
    for (const double value : values) {
        codes.push_back(step > 0.0 ? static_cast<std::int32_t>(std::nearbyint((value - low) / step)) : 0);
    }
    return codes;
}

}  // namespace

std::complex<double> LogPolarPoles::abar(int mode) const {
    const std::size_t at = static_cast<std::size_t>(mode);
    return std::polar(1.0 - std::exp(log_decay_low + magnitude[at] * log_decay_step),
                      phase_low + phase[at] * phase_step);
}

LogPolarPoles log_polar_poles(const std::vector<std::complex<double>>& abar, int magnitude_bits, int phase_bits) {
    std::vector<double> log_decay, phase;
    for (const std::complex<double>& pole : abar) {
        log_decay.push_back(std::log(1.0 - std::abs(pole)));
        phase.push_back(std::arg(pole));
    }
    LogPolarPoles poles;
    poles.magnitude = span_codes(log_decay, magnitude_bits, poles.log_decay_low, poles.log_decay_step);
    poles.phase = span_codes(phase, phase_bits, poles.phase_low, poles.phase_step);
    return poles;
}

double max_scale_value(double value, double maximum, int bits) {
    const double half = 0.5 * std::ldexp(1.0, bits);
    const double scale = half / std::max(maximum, kSmallestRange);
    return std::clamp(std::nearbyint(value * scale), std::floor(-half), std::floor(half)) / scale;
}

LayerParameters quantize_continuous(const LayerParameters& layer, int a_bits, int step_bits) {
    LayerParameters result = layer;
    const double re_maximum = std::exp(static_cast<double>(layer.log_neg_re.maxCoeff()));
    const double im_maximum = layer.im.cwiseAbs().maxCoeff();
    const double step_maximum = layer.log_dt.cwiseAbs().maxCoeff();
    const double level = std::max(re_maximum, kSmallestRange) / (0.5 * std::ldexp(1.0, a_bits));
    for (Eigen::Index index = 0; index < layer.im.size(); ++index) {
        const double decay = std::exp(static_cast<double>(layer.log_neg_re.data()[index]));
        result.log_neg_re.data()[index] =
            static_cast<float>(std::log(std::max(max_scale_value(decay, re_maximum, a_bits), level)));
        result.im.data()[index] = static_cast<float>(max_scale_value(layer.im.data()[index], im_maximum, a_bits));
    }
    for (Eigen::Index head = 0; head < layer.log_dt.size(); ++head) {
        result.log_dt(head) = static_cast<float>(max_scale_value(layer.log_dt(head), step_maximum, step_bits));
    }
    return result;
}

}  // namespace imssa
