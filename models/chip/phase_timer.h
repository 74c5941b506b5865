#pragma once

#include <systemc>

#include "models/chip/chip_context.h"

namespace imssa {

/// Simulated time of a unit: phases add up to one wait, or are waits of their own when phases are traced.
class PhaseTimer {
public:
    explicit PhaseTimer(const ChipContext& context) : context_(context) {}

    /// Spends cycles with the next finish().
    void add(int cycles) { pending_ += cycles; }
    /// Spends cycles now when phases are traced, with the next finish() otherwise.
    void spend(int cycles) {
        add(cycles);
        if (context_.phase_trace) {
            finish();
        }
    }
    void finish() {
        if (pending_ > 0) {
            sc_core::wait(pending_ * context_.period);
        }
        pending_ = 0;
    }

private:
    const ChipContext& context_;
    int pending_ = 0;
};

}  // namespace imssa
