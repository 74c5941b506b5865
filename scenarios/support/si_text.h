#pragma once

#include <string>

namespace imssa {

/// A number with an SI prefix: 3 significant digits ("2.66 pJ").
std::string si(double value, const char* unit);

/// The fewest digits that read back as the same number.
std::string exact(double value);

}  // namespace imssa
