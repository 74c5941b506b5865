#pragma once

#include <systemc>

#include "models/chip/adc_bank.h"
#include "models/chip/chip_context.h"
#include "models/chip/crossbar_tile.h"
#include "models/chip/dac_bank.h"
#include "models/chip/state_registers.h"

namespace imssa {

/// Values of one head on their way through an operation. All heads of a layer, one after another, use the same.
struct KernelScratch {
    LaneMatrix inputs, sums, codes;
};

/// One head: DAC bank, tile, ADC bank and state registers. It does one operation when the sequencer tells it to.
class KernelHead final : public sc_core::sc_module {
public:
    KernelHead(const sc_core::sc_module_name& name, int layer, int head, ChipContext& context);

    /// One array operation with its decay. u: input codes, null for the last operation of a delayed sequence, which
    /// leaves the registers alone. scratch.codes holds the conversions afterwards.
    void operate(const Batch& batch, int step, const float* u, KernelScratch& scratch);

    void clear(int lanes) { registers_.clear(lanes); }
    const DeployedKernel& kernel() const { return kernel_; }
    const StateRegisterFile& registers() const { return registers_.file(); }
    const CrossbarTile& tile() const { return tile_; }

private:
    const DeployedKernel& kernel_;
    DacBank dac_;
    CrossbarTile tile_;
    AdcBank adc_;
    StateRegisters registers_;
};

}  // namespace imssa
