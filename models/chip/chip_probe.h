#pragma once

#include <vector>

#include "models/chip/token.h"
#include "models/network/deployed_kernel.h"

namespace imssa {

/// Hooks that see every code of a running chip, in the order in which the units finish. Overrides need only what they
/// look at. Codes are channels x lanes.
class ChipProbe {
public:
    virtual ~ChipProbe() = default;

    virtual void on_encoder(const Batch& /*batch*/, int /*step*/, const LaneMatrix& /*codes*/) {}
    /// State registers of all heads of a layer after step `step`.
    virtual void on_state(const Batch& /*batch*/, int /*layer*/, int /*step*/,
                          const std::vector<const StateRegisterFile*>& /*heads*/) {}
    /// y codes of all heads, with D u.
    virtual void on_kernel_output(const Batch& /*batch*/, int /*layer*/, int /*step*/, const LaneMatrix& /*codes*/) {}
    virtual void on_layer_output(const Batch& /*batch*/, int /*layer*/, int /*step*/, const LaneMatrix& /*codes*/) {}
    virtual void on_logits(const Batch& /*batch*/, const LaneMatrix& /*pooled*/, const LaneMatrix& /*logits*/) {}
};

}  // namespace imssa
