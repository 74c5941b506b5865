#include "models/chip/kernel_head.h"

namespace imssa {

namespace {

const DeployedKernel& kernel_of(const ChipContext& context, int layer, int head) {
    return context.network.layers[static_cast<std::size_t>(layer)].kernels[static_cast<std::size_t>(head)];
}

std::uint32_t first_dither_unit(const ChipContext& context, int layer, int head) {
    return static_cast<std::uint32_t>((layer * context.network.model.heads + head) * context.network.model.modes());
}

}  // namespace

KernelHead::KernelHead(const sc_core::sc_module_name& name, int layer, int head, ChipContext& context)
    : sc_core::sc_module(name),
      kernel_(kernel_of(context, layer, head)),
      dac_("dac", kernel_),
      tile_("tile", kernel_, context),
      adc_("adc", kernel_, first_dither_unit(context, layer, head), tile_.index(), context),
      registers_("registers", kernel_) {}

void KernelHead::operate(const Batch& batch, int step, const float* u, KernelScratch& scratch) {
    const bool digital = kernel_.options.mapping == KernelMapping::digital_decay;
    const bool updates = u != nullptr;
    if (digital && kernel_.options.form == OutputForm::current) {
        registers_.decay(u);
    }
    dac_.convert(registers_.file(), u, scratch.inputs);
    tile_.crossbar().read(scratch.inputs, batch.sequence_ids, static_cast<std::uint32_t>(step), scratch.sums);
    adc_.convert(batch, step, scratch.sums, scratch.codes);
    if (digital && kernel_.options.form != OutputForm::current) {
        registers_.decay(u);
    }
    if (kernel_.array_makes_state && updates) {
        registers_.write_back(scratch.codes);
    }
}

}  // namespace imssa
