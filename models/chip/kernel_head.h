#pragma once

#include <systemc>

#include <memory>
#include <vector>

#include "models/chip/adc_bank.h"
#include "models/chip/chip_context.h"
#include "models/chip/dac_bank.h"
#include "models/chip/kernel_tiles.h"
#include "models/chip/pole_calibration.h"
#include "models/chip/state_registers.h"

namespace imssa {

/// One head: DAC bank, ADC bank and state registers around its tiles, or around its part of a shared one. It does its
/// share of an operation when the sequencer tells it to.
class KernelHead final : public sc_core::sc_module {
public:
    /// `tiles`: those that hold this head alone; null where heads share tiles.
    KernelHead(const sc_core::sc_module_name& name, int layer, int head, KernelTiles* tiles, ChipContext& context);

    /// Ahead of the array's read: the digital decay of the form `current`, and the codes on the array's inputs. u:
    /// input codes, null for the last operation of a delayed sequence, which leaves the registers alone.
    void load(const float* u, HeadRead& read);
    /// Behind it: conversions into codes, and into the registers.
    void finish(const Batch& batch, int step, const float* u, HeadRead& read, LaneMatrix& codes);

    void set_code_steps(const std::vector<float>& steps) { adc_.set_code_steps(steps); }
    const AdcBank& adc() const { return adc_; }

    /// Takes the gains of a calibration.
    void set_calibration(HeadCalibration calibration);
    /// Empty gains: not calibrated.
    const HeadCalibration& calibration() const { return calibration_; }

    void clear(int lanes) { registers_.clear(lanes); }
    const DeployedKernel& kernel() const { return kernel_; }
    const StateRegisterFile& registers() const { return registers_.file(); }

private:
    const DeployedKernel& kernel_;
    DacBank dac_;
    AdcBank adc_;
    StateRegisters registers_;
    std::vector<std::unique_ptr<CrossbarTile>> tiles_;
    HeadCalibration calibration_;
};

}  // namespace imssa
