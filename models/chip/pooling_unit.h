#pragma once

#include <systemc>

#include <optional>

#include "models/chip/action_model.h"
#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/phase_timer.h"
#include "models/network/sequence_pooling.h"

namespace imssa {

/// Mean of the last layer's codes over the steps of each sequence, or the codes of its last step.
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
    PoolingActionCounts counts_;
    int cycles_;
    PhaseTimer timer_;
    std::int32_t unit_, buffer_ = 0;
    std::optional<SequencePooling> pooling_;  ///< of the batch in the unit
    TokenPool pool_;
    bool busy_ = false;
    TokenChannel* input_ = nullptr;
    TokenChannel* output_ = nullptr;
};

}  // namespace imssa
