#pragma once

#include "models/common/lane_matrix.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// A matrix whose weight codes are cut into digits, each on columns of its own: code = sum_k 2^(bits k) digit_k with
/// |digit| < 2^bits, bits = ceil(log2(code_limit + 1) / slices); a digit has the sign of its code. Output k x outputs
/// + o holds digit k of output o. With one slice it is the matrix itself.
QuantizedMatrix slice_matrix(const QuantizedMatrix& matrix, int slices);

/// Bits of one digit.
int slice_bits(int code_limit, int slices);

/// sums(o) = sum_k 2^(bits k) sliced(k outputs + o): the digital adder behind the converters of the slices. Exact for
/// the integers of ideal devices.
void recombine_slices(const LaneMatrix& sliced, int slices, int bits, LaneMatrix& sums);

}  // namespace imssa
