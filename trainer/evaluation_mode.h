#pragma once

#include <array>
#include <utility>

namespace imssa {

/// How a phase computes its kernels. recurrent: the scan x_t = Abar x_{t-1} + Bbar u_t, as on the chip, in which states
/// are rounded at every step. convolution: the impulse response k_m = 2 Re sum C Abar^m Bbar is materialised for the
/// whole sequence and y = k * u; there are no states, and their quantization is the indirect one of QS4D. automatic:
/// the faster of the two, see definite_mode.
enum class EvaluationMode { recurrent, convolution, automatic };

constexpr std::array<std::pair<const char*, EvaluationMode>, 3> enum_names(EvaluationMode) {
    return {{{"recurrent", EvaluationMode::recurrent},
             {"convolution", EvaluationMode::convolution},
             {"automatic", EvaluationMode::automatic}}};
}

/// What `automatic` stands for with N `states` a head and sequences of `steps` steps: convolution where its L / 2
/// multiply-adds a step cost less than the 4.5 + 4.5 N / 2 of the block scan, as measured for whole training steps
/// (docs/results/training-speed.md): up to L = 5 N - 20. The same on every machine, so that results are.
constexpr EvaluationMode definite_mode(EvaluationMode mode, int states, int steps) {
    if (mode != EvaluationMode::automatic) {
        return mode;
    }
    return steps <= 5 * states - 20 ? EvaluationMode::convolution : EvaluationMode::recurrent;
}

}  // namespace imssa
