#pragma once

#include <systemc>

#include <vector>

#include "models/chip/batch_result.h"
#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/dense_array.h"
#include "models/chip/phase_timer.h"

namespace imssa {

/// Pooled codes of a sequence to logits.
class Classifier final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(Classifier);
    Classifier(const sc_core::sc_module_name& name, ChipContext& context);

    void bind(TokenChannel& input, Channel<ResultPtr>& output);
    const bool& busy() const { return busy_; }
    /// Logits of lane 0, for traces.
    const std::vector<int>& logit_signals() const { return logit_signals_; }

private:
    void run();
    void classify_batch(const TokenPtr& input);

    ChipContext& context_;
    DenseArray array_;
    int cycles_;
    PhaseTimer timer_;
    std::int32_t unit_;
    bool busy_ = false;
    std::vector<int> logit_signals_;
    TokenChannel* input_ = nullptr;
    Channel<ResultPtr>* output_ = nullptr;
};

}  // namespace imssa
