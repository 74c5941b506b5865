#include "trainer/parameterization.h"

#include <cmath>
#include <complex>

#include "models/network/deployed_kernel.h"

namespace imssa {

namespace {

using Complex = std::complex<double>;

constexpr double kSmallestPole = 1e-6;

/// Poles at the limit are pulled back by rounding in float too, which is not worth a word.
constexpr double kPoleRounding = 1e-6;

/// Abar inside the ring in which log(Abar) is a stable, finite pole.
Complex inside_circle(Complex abar) {
    const double magnitude = std::abs(abar);
    if (magnitude > kLargestPole) {
        return abar * (kLargestPole / magnitude);
    }
    return magnitude < kSmallestPole ? Complex(kSmallestPole) : abar;
}

}  // namespace

NetworkParameters to_discrete(const NetworkParameters& parameters) {
    NetworkParameters coordinates = parameters;
    for (std::size_t index = 0; index < parameters.layers.size(); ++index) {
        LayerParameters& to = coordinates.layers[index];
        for (int head = 0; head < to.im.rows(); ++head) {
            const DiscreteKernel kernel = discretize(parameters.layers[index], head);
            for (int mode = 0; mode < to.im.cols(); ++mode) {
                const std::size_t n = static_cast<std::size_t>(mode);
                to.log_neg_re(head, mode) = static_cast<float>(kernel.abar[n].real());
                to.im(head, mode) = static_cast<float>(kernel.abar[n].imag());
                const bool apart = to.trains_b();
                const Complex input = apart ? kernel.bbar[n] : kernel.c[n] * kernel.bbar[n];
                (apart ? to.b_re : to.c_re)(head, mode) = static_cast<float>(input.real());
                (apart ? to.b_im : to.c_im)(head, mode) = static_cast<float>(input.imag());
            }
        }
    }
    return coordinates;
}

NetworkParameters from_discrete(const NetworkParameters& coordinates, PulledPoles* pulled) {
    NetworkParameters parameters = coordinates;
    for (std::size_t index = 0; index < parameters.layers.size(); ++index) {
        LayerParameters& layer = parameters.layers[index];
        for (int head = 0; head < layer.im.rows(); ++head) {
            const double step = std::exp(static_cast<double>(layer.log_dt(head)));
            for (int mode = 0; mode < layer.im.cols(); ++mode) {
                const Complex moved(layer.log_neg_re(head, mode), layer.im(head, mode));
                const Complex abar = inside_circle(moved);
                const double magnitude = std::abs(moved);
                if (pulled != nullptr && magnitude > (1.0 + kPoleRounding) * kLargestPole && pulled->count++ == 0) {
                    pulled->layer = static_cast<int>(index);
                    pulled->head = head;
                    pulled->mode = mode;
                    pulled->magnitude = magnitude;
                }
                const Complex a = std::log(abar) / step;
                float& re = (layer.trains_b() ? layer.b_re : layer.c_re)(head, mode);
                float& im = (layer.trains_b() ? layer.b_im : layer.c_im)(head, mode);
                const Complex continuous = Complex(re, im) * a / (abar - 1.0);
                layer.log_neg_re(head, mode) = static_cast<float>(std::log(-a.real()));
                layer.im(head, mode) = static_cast<float>(a.imag());
                re = static_cast<float>(continuous.real());
                im = static_cast<float>(continuous.imag());
            }
        }
    }
    return parameters;
}

}  // namespace imssa
