#pragma once

#include <systemc>

#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/dense_array.h"
#include "models/chip/phase_timer.h"

namespace imssa {

/// Input codes (channels) to codes of all heads.
class EncoderUnit final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(EncoderUnit);
    EncoderUnit(const sc_core::sc_module_name& name, ChipContext& context);

    void bind(TokenChannel& input, TokenChannel& output);
    const bool& busy() const { return busy_; }

private:
    void run();
    void step(const TokenPtr& input);
    /// Inputs come no faster than the configured interval.
    void wait_for_input_rate();

    ChipContext& context_;
    DenseArray array_;
    int cycles_;
    PhaseTimer timer_;
    std::int32_t unit_, buffer_ = 0;
    std::int64_t next_input_cycle_ = 0;
    TokenPool pool_;
    bool busy_ = false;
    TokenChannel* input_ = nullptr;
    TokenChannel* output_ = nullptr;
};

}  // namespace imssa
