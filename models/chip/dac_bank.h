#pragma once

#include <systemc>

#include "models/network/deployed_kernel.h"

namespace imssa {

/// Digital-to-analog converters of one head's array inputs: register codes and u.
class DacBank final : public sc_core::sc_module {
public:
    DacBank(const sc_core::sc_module_name& name, const DeployedKernel& kernel)
        : sc_core::sc_module(name), kernel_(kernel) {}

    /// Codes on all inputs; u is null for the operation that only reads the last output.
    void convert(const StateRegisterFile& registers, const float* u, LaneMatrix& inputs) const {
        load_array_inputs(kernel_, registers, u, inputs);
    }

private:
    const DeployedKernel& kernel_;
};

}  // namespace imssa
