#pragma once

#include <vector>

#include "models/cost/macro.h"

namespace imssa {

/// One point of a macro, run on a simulated chip whose encoder is the macro's core.
struct SimulatedPoint {
    Figure plain_j, calibrated_j;  ///< what the ledger makes of the published actions, with the macro's components
    double time_s = 0.0;           ///< the encoder's busy cycles
};

/// Runs every point of a macro that has a `simulation`: a chip a point in SystemC, one operation each. What one of the
/// chip's actions is in the macro's follows from the bits of the operation, not from the point's counts. Once a process
/// (SystemC elaborates once).
std::vector<SimulatedPoint> simulate_points(const Macro& macro);

}  // namespace imssa
