#pragma once

#include <algorithm>

namespace imssa {

/// Largest relative standard deviation that a converter's gain and its unit elements may have. Beyond it most elements
/// would be of no size at all: that is no converter any more.
constexpr double kMostConverterSigma = 3.0;

/// Size of an element of `count` units whose mismatch is `error` units. None vanishes, so that full scale is never
/// nothing.
inline double element_size(double count, double error) {
    constexpr double kLeastPart = 1e-6;
    return std::max(kLeastPart * count, count + error);
}

}  // namespace imssa
