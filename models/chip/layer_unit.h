#pragma once

#include <systemc>

#include "models/chip/action_model.h"
#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/phase_timer.h"

namespace imssa {

/// Digital end of a layer: gated linear unit, residual, norm, requantization.
class LayerUnit final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(LayerUnit);
    LayerUnit(const sc_core::sc_module_name& name, int layer, ChipContext& context);

    void bind(TokenChannel& input, TokenChannel& output);
    const bool& busy() const { return busy_; }

private:
    ComponentCounts hardware() const;
    void run();
    void step(const TokenPtr& input);
    void publish(const LaneMatrix& output);

    ChipContext& context_;
    int layer_;
    const LayerUnitParameters& parameters_;
    LayerUnitActionCounts counts_;
    int cycles_;
    PhaseTimer timer_;
    std::int32_t unit_, buffer_ = 0;
    TokenPool pool_;
    bool busy_ = false;
    TokenChannel* input_ = nullptr;
    TokenChannel* output_ = nullptr;
};

}  // namespace imssa
