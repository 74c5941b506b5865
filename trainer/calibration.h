#pragma once

#include "models/network/parameters.h"
#include "trainer/datasets/dataset.h"
#include "trainer/range_config.h"

namespace imssa {

/// Ranges of every quantity that gets a converter, over the first `sequences` sequences of a data set in a float
/// forward pass: the largest magnitudes or a percentile of all magnitudes, or the fixed ones of `options`. States are
/// measured by their modulus, both driven by Bbar u and with B = 1.
CalibrationRanges calibrate(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data,
                            int sequences, const RangeConfig& options = {});

}  // namespace imssa
