#include "models/chip/chip_layer.h"

namespace imssa {

ChipLayer::ChipLayer(const sc_core::sc_module_name& name, int layer, ChipContext& context)
    : sc_core::sc_module(name),
      kernel_output_("kernel_output", context.config.timing.channel_capacity),
      mixing_output_("mixing_output", context.config.timing.channel_capacity),
      kernel_("kernel", layer, context),
      mixing_("mixing", layer, context),
      unit_("unit", layer, context) {
    mixing_.bind(kernel_output_, mixing_output_);
}

void ChipLayer::bind(TokenChannel& input, TokenChannel& output) {
    kernel_.bind(input, kernel_output_);
    unit_.bind(mixing_output_, output);
}

}  // namespace imssa
