#include "models/chip/mixing_unit.h"

#include "models/chip/pipeline_unit.h"

namespace imssa {

namespace {

ComponentCounts table_hardware(int heads) {
    ComponentCounts hardware;
    hardware[Component::table] = heads;
    return hardware;
}

}  // namespace

MixingUnit::MixingUnit(const sc_core::sc_module_name& module_name, int layer, ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      layer_(context.network.layers[static_cast<std::size_t>(layer)]),
      array_("array", layer_.mixing, context.config.mapping.mixing_matrix, context),
      cycles_(mixing_cycles(layer_, context.config.timing, context.config.read, context.config.mapping)),
      timer_(context),
      unit_(context.units.add(name(), sequencer_hardware())),
      table_(context.units.add(std::string(name()) + ".table", table_hardware(layer_.mixing.inputs()))) {
    SC_THREAD(run);
}

void MixingUnit::bind(TokenChannel& input, TokenChannel& output) {
    input_ = &input;
    output_ = &output;
    buffer_ = add_buffer(context_, output, layer_.mixing.outputs());
}

void MixingUnit::run() {
    context_.guard([this] {
        for (;;) {
            const TokenPtr input = input_->read();
            busy_ = true;
            step(input);
            busy_ = false;
        }
    });
}

void MixingUnit::step(const TokenPtr& input) {
    const int heads = input->codes.channels();
    const int lanes = input->codes.lanes();
    reshape(activated_, heads, lanes);
    for (int head = 0; head < heads; ++head) {
        apply_table(layer_.activation_table, context_.network.activation_limit(), input->codes.row(head),
                    activated_.row(head), lanes);
    }
    const std::shared_ptr<Token> output = pool_.take(layer_.mixing.outputs(), *input);
    output->residual = input->residual;
    array_.read(activated_, *input->batch, input->step, output->codes);
    timer_.spend(cycles_.total());
    timer_.finish();
    context_.units.publish(Action::table_lookup, table_, static_cast<double>(heads) * lanes);
    publish_token(context_, unit_, cycles_.total(), buffer_, output->codes);
    output_->write(output);
}

}  // namespace imssa
