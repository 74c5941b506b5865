#pragma once

#include "models/network/parameters.h"
#include "trainer/datasets/dataset.h"

namespace imssa {

/// Largest magnitudes of every quantity that gets a converter, over the first `sequences` sequences of a data set, in a
/// float forward pass. States are measured by their modulus, both driven by Bbar u and with B = 1.
CalibrationRanges calibrate(const ModelConfig& config, const NetworkParameters& parameters, const Dataset& data,
                            int sequences);

}  // namespace imssa
