#pragma once

#include "models/common/lane_matrix.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// A matrix whose weight codes are cut into digits, each on columns of its own: code = sum_k 2^(bits k) digit_k with
/// |digit| < 2^bits, bits = ceil(log2(code_limit + 1) / slices); a digit has the sign of its code. The digits of an
/// output are neighbours (slice_column), so that a converter that neighbours share serves few outputs. With one slice
/// it is the matrix itself.
QuantizedMatrix slice_matrix(const QuantizedMatrix& matrix, int slices);

/// Output of the sliced matrix that holds digit `slice` of `output`.
constexpr int slice_column(int output, int slice, int slices) {
    return output * slices + slice;
}

/// Bits of one digit.
int slice_bits(int code_limit, int slices);

/// sums(o) = sum_k 2^(bits k) sliced(slice_column(o, k)): the digital adder behind the converters of the slices. Exact
/// for the integers of ideal devices.
void recombine_slices(const LaneMatrix& sliced, int slices, int bits, LaneMatrix& sums);

}  // namespace imssa
