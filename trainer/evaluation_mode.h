#pragma once

#include <array>
#include <utility>

namespace imssa {

/// How a phase computes its kernels. recurrent: the scan x_t = Abar x_{t-1} + Bbar u_t, as on the chip, in which states
/// are rounded at every step. convolution: the impulse response k_m = 2 Re sum C Abar^m Bbar is materialised for the
/// whole sequence and y = k * u; there are no states, and their quantization is the indirect one of QS4D.
enum class EvaluationMode { recurrent, convolution };

constexpr std::array<std::pair<const char*, EvaluationMode>, 2> enum_names(EvaluationMode) {
    return {{{"recurrent", EvaluationMode::recurrent}, {"convolution", EvaluationMode::convolution}}};
}

}  // namespace imssa
