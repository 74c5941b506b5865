#include "models/chip/layer_unit.h"

#include "models/chip/pipeline_unit.h"
#include "models/chip/timing_model.h"

namespace imssa {

LayerUnit::LayerUnit(const sc_core::sc_module_name& module_name, int layer, ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      layer_(layer),
      parameters_(context.network.layers[static_cast<std::size_t>(layer)].unit),
      counts_(layer_unit_action_counts(parameters_, context.network.model.heads)),
      cycles_(layer_unit_cycles(parameters_, context.network.model.heads, context.config.timing)),
      timer_(context),
      unit_(context.units.add(name(), hardware(), ComponentGroup::layer_units)) {
    SC_THREAD(run);
}

ComponentCounts LayerUnit::hardware() const {
    const int width = context_.config.timing.layer_unit_elements_per_cycle;
    ComponentCounts hardware = sequencer_hardware();
    hardware[Component::multiplier] = (1 + (parameters_.glu ? 1 : 0) + (parameters_.residual ? 1 : 0)) * width;
    hardware[Component::adder] = (1 + (parameters_.residual ? 1 : 0)) * width;
    hardware[Component::table] = parameters_.glu ? width : 0;
    hardware[Component::norm_element] = parameters_.norm == Norm::layer ? width : 0;
    return hardware;
}

void LayerUnit::bind(TokenChannel& input, TokenChannel& output) {
    input_ = &input;
    output_ = &output;
    buffer_ = add_buffer(context_, output, context_.network.model.heads);
}

void LayerUnit::run() {
    context_.guard([this] {
        for (;;) {
            const TokenPtr input = input_->read();
            busy_ = true;
            step(input);
            busy_ = false;
        }
    });
}

void LayerUnit::step(const TokenPtr& input) {
    const int heads = context_.network.model.heads;
    const LaneMatrix& mixing = input->codes;
    const std::shared_ptr<Token> output = pool_.take(heads, *input);
    layer_unit(parameters_, mixing.row(0), input->residual->codes.row(0), output->codes.row(0), heads, mixing.stride(),
               mixing.lanes());
    timer_.spend(cycles_);
    timer_.finish();
    publish(output->codes);
    if (context_.probe != nullptr) {
        context_.probe->on_layer_output(*input->batch, layer_, input->step, output->codes);
    }
    output_->write(output);
}

void LayerUnit::publish(const LaneMatrix& output) {
    const double lanes = output.lanes();
    UnitTable& units = context_.units;
    publish_token(context_, unit_, cycles_, buffer_, output);
    units.publish(Action::digital_multiply, unit_, lanes * counts_.multiplies);
    units.publish(Action::digital_add, unit_, lanes * counts_.adds);
    if (counts_.table_lookups > 0.0) {
        units.publish(Action::table_lookup, unit_, lanes * counts_.table_lookups);
    }
    if (counts_.norm_elements > 0.0) {
        units.publish(Action::norm_element, unit_, lanes * counts_.norm_elements);
    }
}

}  // namespace imssa
