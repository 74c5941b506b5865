#include "models/array/converter_bits.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/common/error.h"
#include "models/network/quantizer.h"

namespace imssa {

int bits_of_limit(double limit) {
    int bits = 2;
    while (code_limit(bits) < limit) {
        ++bits;
    }
    return bits;
}

void check_converter_bits(int bits, const char* key) {
    constexpr int kMost = 24;
    if (bits != 0 && (bits < 2 || bits > kMost)) {
        throw UserError(std::string(key) + " = " + std::to_string(bits) +
                        " is out of range: set 0 (as wide as the codes) or 2 to " + std::to_string(kMost));
    }
}

CodeGrid code_grid(double limit, int bits) {
    const int code_bits = bits_of_limit(limit);
    if (bits == 0 || bits >= code_bits) {
        return {1.0F, static_cast<float>(limit)};
    }
    return {std::ldexp(1.0F, code_bits - bits), static_cast<float>(code_limit(bits))};
}

CoarseOutputs::CoarseOutputs(QuantizedMatrix& matrix, std::vector<float> steps) : steps_(std::move(steps)) {
    for (std::size_t output = 0; output < steps_.size(); ++output) {
        const float step = steps_[output];  // a power of two: the quotients are exact
        matrix.gain[output] /= step;
        matrix.offset[output] /= step;
        if (step > 1.0F) {
            const int bits = bits_of_limit(static_cast<double>(matrix.output_limit[output])) - std::ilogb(step);
            matrix.output_limit[output] = static_cast<float>(code_limit(bits));
        }
    }
}

void CoarseOutputs::expand(LaneMatrix& codes) const {
    for (std::size_t output = 0; output < steps_.size(); ++output) {
        if (steps_[output] > 1.0F) {
            float* row = codes.row(static_cast<int>(output));
            std::transform(row, row + codes.stride(), row, [step = steps_[output]](float code) { return step * code; });
        }
    }
}

bool any_coarse(const std::vector<float>& steps) {
    return std::any_of(steps.begin(), steps.end(), [](float step) { return step > 1.0F; });
}

}  // namespace imssa
