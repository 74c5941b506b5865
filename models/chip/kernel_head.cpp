#include "models/chip/kernel_head.h"

#include <string>

#include "models/chip/timing_model.h"

namespace imssa {

namespace {

const DeployedKernel& kernel_of(const ChipContext& context, int layer, int head) {
    return context.network.layers[static_cast<std::size_t>(layer)].kernels[static_cast<std::size_t>(head)];
}

std::uint32_t first_dither_unit(const ChipContext& context, int layer, int head) {
    const ModelConfig& model = context.network.model;
    const int channel = context.network.layers[static_cast<std::size_t>(layer)].channel_of(head);
    return static_cast<std::uint32_t>((layer * model.heads + channel) * model.modes());
}

}  // namespace

KernelHead::KernelHead(const sc_core::sc_module_name& name, int layer, int head, KernelTiles* tiles,
                       ChipContext& context)
    : sc_core::sc_module(name),
      kernel_(kernel_of(context, layer, head)),
      dac_("dac", kernel_),
      adc_("adc", kernel_, first_dither_unit(context, layer, head)),
      registers_("registers", kernel_) {
    for (int index = 0; tiles != nullptr && index < tiles->tiles(); ++index) {
        const std::string tile = "tile" + (tiles->tiles() > 1 ? std::to_string(index) : "");
        Crossbar& array = tiles->tile(index);
        const TileLines lines{array.inputs(), conversion_rounds(array.outputs(), context.config.timing)};
        tiles_.push_back(std::make_unique<CrossbarTile>(tile.c_str(), array, lines,
                                                        [tiles, index] { tiles->calibrate_columns(index); }));
        context.tiles.push_back(tiles_.back().get());
    }
}

void KernelHead::load(const float* u, HeadRead& read) {
    if (kernel_.options.mapping == KernelMapping::digital_decay && kernel_.options.form == OutputForm::current) {
        registers_.decay(u);
    }
    dac_.convert(registers_.file(), u, read.inputs);
}

void KernelHead::finish(const Batch& batch, int step, const float* u, HeadRead& read, LaneMatrix& codes) {
    adc_.convert(batch, step, read.sums, codes);
    if (kernel_.options.mapping == KernelMapping::digital_decay && kernel_.options.form != OutputForm::current) {
        registers_.decay(u);
    }
    if (kernel_.array_makes_state && u != nullptr) {
        registers_.write_back(codes);
    }
}

void KernelHead::set_calibration(HeadCalibration calibration) {
    calibration_ = std::move(calibration);
    if (!kernel_.array_replaces_state) {
        registers_.set_gains(calibration_.gains);
        return;
    }
    std::vector<float> gains;
    for (const ModeGain& gain : calibration_.gains) {
        gains.push_back(static_cast<float>(gain.factor));
    }
    adc_.set_reference_gains(std::move(gains));
}

}  // namespace imssa
