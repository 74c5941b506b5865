#pragma once

#include "models/common/lanes.h"

namespace imssa {

/// exp(x) for 16 values, relative error below 2e-7 for -87 <= x <= 88; outside it stays at the ends of that range.
/// x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite), exp(r) by its Taylor polynomial of degree 7, times 2^n by
/// bits.
inline Lanes exp_lanes(Lanes x) {
    x = clamp(x, broadcast(-87.0F), broadcast(88.0F));
    const Lanes n = round_half_even(x * 1.44269504F);
    Lanes r = multiply_add(n, broadcast(-0.693359375F), x);
    r = multiply_add(n, broadcast(2.12194440e-4F), r);
    Lanes p = broadcast(1.0F / 5040.0F);
    p = multiply_add(p, r, broadcast(1.0F / 720.0F));
    p = multiply_add(p, r, broadcast(1.0F / 120.0F));
    p = multiply_add(p, r, broadcast(1.0F / 24.0F));
    p = multiply_add(p, r, broadcast(1.0F / 6.0F));
    p = multiply_add(p, r, broadcast(0.5F));
    p = multiply_add(p, r, broadcast(1.0F));
    p = multiply_add(p, r, broadcast(1.0F));
    const LanesInt exponent = (to_int(n) + 127) << 23;
    Lanes scale;
    static_assert(sizeof(scale) == sizeof(exponent), "a float and its bits");
    std::memcpy(&scale, &exponent, sizeof(scale));
    return p * scale;
}

/// 1 / (1 + exp(-x)).
inline Lanes sigmoid_lanes(Lanes x) {
    return 1.0F / (1.0F + exp_lanes(-x));
}

struct ValueAndSlope {
    Lanes value, slope;
};

/// GELU in its exact form x Phi(x), with the slope Phi(x) + x phi(x). The error function is formula 7.1.26 of
/// Abramowitz and Stegun (absolute error 1.5e-7), whose exp(-x^2/2) the slope needs as well.
inline ValueAndSlope gelu_lanes(Lanes x) {
    const Lanes magnitude = x < 0.0F ? -x : x;
    const Lanes gauss = exp_lanes(x * x * -0.5F);
    const Lanes t = 1.0F / multiply_add(magnitude, broadcast(0.3275911F * 0.70710678F), broadcast(1.0F));
    Lanes p = broadcast(1.061405429F);
    p = multiply_add(p, t, broadcast(-1.453152027F));
    p = multiply_add(p, t, broadcast(1.421413741F));
    p = multiply_add(p, t, broadcast(-0.284496736F));
    p = multiply_add(p, t, broadcast(0.254829592F));
    const Lanes tail = p * t * gauss * 0.5F;  // Phi(-|x|)
    const Lanes phi = x < 0.0F ? tail : 1.0F - tail;
    return {x * phi, multiply_add(x * gauss, broadcast(0.39894228F), phi)};
}

}  // namespace imssa
