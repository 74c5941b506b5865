#include "scenarios/support/si_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace imssa {

std::string si(double value, const char* unit) {
    constexpr const char* kPrefixes[] = {"a", "f", "p", "n", "u", "m", "", "k", "M", "G"};
    if (value == 0.0) {
        return std::string("0 ") + unit;
    }
    const int group = std::clamp(static_cast<int>(std::floor(std::log10(std::abs(value)) / 3.0)), -6, 3);
    char text[64];
    std::snprintf(text, sizeof(text), "%.3g %s%s", value / std::pow(10.0, 3 * group), kPrefixes[group + 6], unit);
    return text;
}

std::string exact(double value) {
    char text[40];
    const std::to_chars_result end = std::to_chars(text, text + sizeof(text), value);
    return std::string(text, end.ptr);
}

}  // namespace imssa
