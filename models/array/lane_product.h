#pragma once

#include "models/common/lane_matrix.h"
#include "models/network/parameters.h"

namespace imssa {

/// sums(o, lane) = sum_i weights(i, o) inputs(i, lane). weights: inputs x outputs. Terms are added in the order of i,
/// one fused multiply-add each, so a lane depends neither on the other lanes nor on their number, and sums of
/// integers within 2^24 are exact. `sums` has the right shape already.
void lane_product(const MatrixRM& weights, const LaneMatrix& inputs, LaneMatrix& sums);

/// The same with squared inputs: sums(o, lane) = sum_i weights(i, o) inputs(i, lane)^2.
void lane_product_of_squares(const MatrixRM& weights, const LaneMatrix& inputs, LaneMatrix& sums);

}  // namespace imssa
