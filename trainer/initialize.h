#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/network/parameters.h"

namespace imssa {

/// Initial poles (S4D, Gu et al., arXiv 2206.11893). Re A = -1/2 but for s4d_real.
/// s4d_lin:  Im A_n = pi n.
/// s4d_inv:  Im A_n = N / pi (N / (2 n + 1) - 1).
/// s4d_legs: the eigenvalues of the normal part of HiPPO-LegS; the magnitudes of its B, seen from the eigenvectors,
///           are B where B is a parameter, else multiplied into C (B = 1).
/// s4d_real: A_n = -(n + 1), no imaginary part.
enum class Initialization { s4d_lin, s4d_inv, s4d_legs, s4d_real };

constexpr std::array<std::pair<const char*, Initialization>, 4> enum_names(Initialization) {
    return {{{"s4d_lin", Initialization::s4d_lin},
             {"s4d_inv", Initialization::s4d_inv},
             {"s4d_legs", Initialization::s4d_legs},
             {"s4d_real", Initialization::s4d_real}}};
}

struct InitialModes {
    std::vector<double> re, im;  ///< of A, per mode
    std::vector<double> b;       ///< |B| per mode
};

/// Poles of N/2 conjugate pairs, N = 2 modes.
InitialModes initial_modes(Initialization initialization, int modes);

/// Initial parameters: poles as `initialization` says, step sizes log-uniform in [dt_min, dt_max], B = 1 but for
/// s4d_legs, C complex normal, D normal, matrices as in PyTorch's Linear. Every tensor draws from a stream of its own,
/// keyed by the seed.
NetworkParameters initialize_parameters(const ModelConfig& config, std::uint64_t seed,
                                        Initialization initialization = Initialization::s4d_lin);

}  // namespace imssa
