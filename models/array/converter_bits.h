#pragma once

#include <string>
#include <vector>

#include "models/common/lane_matrix.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// Bits of symmetric codes -limit ... limit.
int bits_of_limit(double limit);

/// Throws UserError naming `key` unless bits is 0 (as wide as the codes) or 2 to 24.
void check_converter_bits(int bits, const char* key);

/// What a converter of some bits does to codes of `limit`: it has levels -coarse limit ... coarse limit, each `step`
/// codes. Full scale is the same: step x 2^(bits - 1) = 2^(code bits - 1).
struct CodeGrid {
    float step = 1.0F;   ///< 2^(code bits - bits); 1 where the converter has no fewer bits, or bits is 0
    float limit = 0.0F;  ///< 2^(bits - 1) - 1
};
CodeGrid code_grid(double code_limit, int bits);

/// The outputs of a matrix behind converters with fewer bits than the codes: conversion into the converters' own codes
/// is that of the network with other gains, so that dither counts in their steps.
class CoarseOutputs {
public:
    /// steps: of every output, 1 where the converter is as wide as the codes or there is none.
    CoarseOutputs(QuantizedMatrix& matrix, std::vector<float> steps);

    /// From the converters' own codes to those of the network, in place.
    void expand(LaneMatrix& codes) const;
    const std::vector<float>& steps() const { return steps_; }

private:
    std::vector<float> steps_;
};

/// Whether any converter has fewer bits than its codes.
bool any_coarse(const std::vector<float>& steps);

}  // namespace imssa
