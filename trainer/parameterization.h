#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "models/network/parameters.h"

namespace imssa {

/// What the optimiser moves (Zhao et al., arXiv 2506.12480, section on parameterizations).
/// continuous: log(-Re A), Im A, log dt and C; Abar = exp(dt A) follows.
/// discrete:   Abar and C Bbar themselves (Abar, Bbar and C where B is a parameter); the step sizes stay, and A, B and
///             C follow from them.
/// frozen:     A and the step sizes stay as they are; B, C and everything else is trained.
enum class Parameterization { continuous, discrete, frozen };

constexpr std::array<std::pair<const char*, Parameterization>, 3> enum_names(Parameterization) {
    return {{{"continuous", Parameterization::continuous},
             {"discrete", Parameterization::discrete},
             {"frozen", Parameterization::frozen}}};
}

/// Largest modulus that an update may leave in Abar.
constexpr double kLargestPole = 0.9999;

/// Coordinates of the discrete parameterization, in the places of the continuous ones: Re and Im of Abar in log_neg_re
/// and im, those of C Bbar in c_re and c_im. Where B is a parameter, those of Bbar in b_re and b_im, and C stays.
NetworkParameters to_discrete(const NetworkParameters& parameters);

/// Poles that were pulled to kLargestPole, and the first of them.
struct PulledPoles {
    std::int64_t count = 0;
    int layer = 0, head = 0, mode = 0;
    double magnitude = 0.0;  ///< |Abar| before
};

/// The inverse, with the step sizes of `coordinates`: A = log(Abar) / dt, and A / (Abar - 1) times C Bbar is C, or
/// times Bbar is B. Abar is first pulled to kLargestPole where it lies outside, and away from zero to 1e-6. `pulled`
/// may be null.
NetworkParameters from_discrete(const NetworkParameters& coordinates, PulledPoles* pulled = nullptr);

}  // namespace imssa
