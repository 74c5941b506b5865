#pragma once

#include <systemc>

#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/phase_timer.h"

namespace imssa {

/// Mean of the last layer's codes over all steps of a sequence.
class PoolingUnit final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(PoolingUnit);
    PoolingUnit(const sc_core::sc_module_name& name, ChipContext& context);

    void bind(TokenChannel& input, TokenChannel& output);
    const bool& busy() const { return busy_; }

private:
    ComponentCounts hardware() const;
    void run();
    void accumulate(const Token& input);
    void finish_sequence(const TokenPtr& input);

    ChipContext& context_;
    int cycles_;
    PhaseTimer timer_;
    std::int32_t unit_, buffer_ = 0;
    LaneMatrix sums_;
    TokenPool pool_;
    bool busy_ = false;
    TokenChannel* input_ = nullptr;
    TokenChannel* output_ = nullptr;
};

}  // namespace imssa
