#pragma once

#include <systemc>

#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/kernel_sequencer.h"
#include "models/chip/layer_unit.h"
#include "models/chip/mixing_unit.h"

namespace imssa {

/// One layer: kernels, mixing and layer unit with the channels between them.
class ChipLayer final : public sc_core::sc_module {
public:
    ChipLayer(const sc_core::sc_module_name& name, int layer, ChipContext& context);

    void bind(TokenChannel& input, TokenChannel& output);

    KernelSequencer& kernel() { return kernel_; }
    const KernelSequencer& kernel() const { return kernel_; }
    const MixingUnit& mixing() const { return mixing_; }
    const LayerUnit& unit() const { return unit_; }
    const TokenChannel& kernel_output() const { return kernel_output_; }
    const TokenChannel& mixing_output() const { return mixing_output_; }

private:
    TokenChannel kernel_output_, mixing_output_;
    KernelSequencer kernel_;
    MixingUnit mixing_;
    LayerUnit unit_;
};

}  // namespace imssa
