#pragma once

#include <systemc>

#include <utility>
#include <vector>

#include "models/chip/pole_calibration.h"
#include "models/network/deployed_kernel.h"

namespace imssa {

/// State registers of one head with their digital decay and accumulators.
class StateRegisters final : public sc_core::sc_module {
public:
    StateRegisters(const sc_core::sc_module_name& name, const DeployedKernel& kernel)
        : sc_core::sc_module(name), kernel_(kernel), file_(kernel.state_components(), 1) {}

    /// A sequence starts.
    void clear(int lanes) {
        if (file_.lanes() != lanes) {
            file_ = StateRegisterFile(kernel_.state_components(), lanes);
        }
        file_.clear();
    }
    void decay(const float* u) { apply_digital_decay(kernel_, u, file_); }
    void write_back(const LaneMatrix& codes) {
        update_registers(kernel_, codes, file_);
        if (!gains_.empty()) {
            apply_gains(kernel_, gains_, file_);
        }
    }
    /// Digital gains of calibrated poles, by mode.
    void set_gains(std::vector<ModeGain> gains) { gains_ = std::move(gains); }

    const StateRegisterFile& file() const { return file_; }

private:
    const DeployedKernel& kernel_;
    StateRegisterFile file_;
    std::vector<ModeGain> gains_;
};

}  // namespace imssa
