#pragma once

#include <systemc>

#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/dense_array.h"
#include "models/chip/phase_timer.h"
#include "models/chip/timing_model.h"

namespace imssa {

/// Activation table of the kernels' outputs, then the mixing matrix of one layer.
class MixingUnit final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(MixingUnit);
    MixingUnit(const sc_core::sc_module_name& name, int layer, ChipContext& context);

    void bind(TokenChannel& input, TokenChannel& output);
    const bool& busy() const { return busy_; }

private:
    void run();
    void step(const TokenPtr& input);

    ChipContext& context_;
    const DeployedLayer& layer_;
    DenseArray array_;
    MixingCycles cycles_;
    PhaseTimer timer_;
    std::int32_t unit_, table_, buffer_ = 0;
    LaneMatrix activated_;
    TokenPool pool_;
    bool busy_ = false;
    TokenChannel* input_ = nullptr;
    TokenChannel* output_ = nullptr;
};

}  // namespace imssa
