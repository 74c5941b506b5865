#pragma once

#include <cmath>

namespace imssa {

inline double power_of_two(int exponent) {
    return std::ldexp(1.0, exponent);
}

}  // namespace imssa
