#include "models/chip/pooling_unit.h"

#include "models/chip/action_model.h"
#include "models/chip/pipeline_unit.h"
#include "models/chip/timing_model.h"

namespace imssa {

PoolingUnit::PoolingUnit(const sc_core::sc_module_name& module_name, ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      counts_(pooling_action_counts(context.network)),
      cycles_(pooling_cycles(context.config.timing)),
      timer_(context),
      unit_(context.units.add(name(), hardware(), ComponentGroup::layer_units)) {
    SC_THREAD(run);
}

ComponentCounts PoolingUnit::hardware() const {
    ComponentCounts hardware = sequencer_hardware();
    hardware[Component::register_bit] = context_.network.model.heads * pooling_register_bits(context_.network);
    hardware[Component::adder] = counts_.adders;
    hardware[Component::multiplier] = counts_.multipliers;
    return hardware;
}

void PoolingUnit::bind(TokenChannel& input, TokenChannel& output) {
    input_ = &input;
    output_ = &output;
    buffer_ = add_buffer(context_, output, context_.network.model.heads);
}

void PoolingUnit::run() {
    context_.guard([this] {
        for (;;) {
            const TokenPtr input = input_->read();
            busy_ = true;
            accumulate(*input);
            timer_.spend(cycles_);
            timer_.finish();
            if (input->last) {
                finish_sequence(input);
            }
            busy_ = false;
        }
    });
}

void PoolingUnit::accumulate(const Token& input) {
    const LaneMatrix& codes = input.codes;
    if (input.first) {
        pooling_.emplace(context_.network, sequence_lengths(context_.network, input.batch->lengths, codes.lanes()));
    }
    const int counted = pooling_->add(codes, input.step);
    const double lanes = codes.lanes();
    UnitTable& units = context_.units;
    units.publish(Action::control_cycle, unit_, cycles_ * lanes);
    if (counts_.step_adds > 0.0) {
        units.publish(Action::digital_add, unit_, counts_.step_adds * lanes);
        units.publish(Action::register_bit_read, unit_, counts_.step_bits * lanes);
        units.publish(Action::register_bit_write, unit_, counts_.step_bits * lanes);
    } else if (counted > 0) {
        units.publish(Action::register_bit_write, unit_, counts_.sequence_bits * counted);
    }
}

void PoolingUnit::finish_sequence(const TokenPtr& input) {
    const int heads = context_.network.model.heads;
    const std::shared_ptr<Token> output = pool_.take(heads, *input);
    pooling_->finish(output->codes);
    const double lanes = output->codes.lanes();
    UnitTable& units = context_.units;
    if (counts_.sequence_multiplies > 0.0) {
        units.publish(Action::digital_multiply, unit_, counts_.sequence_multiplies * lanes);
    } else {
        units.publish(Action::register_bit_read, unit_, counts_.sequence_bits * lanes);
    }
    publish_transfer(context_, buffer_, heads * lanes * context_.network.options.activation_bits);
    output_->write(output);
}

}  // namespace imssa
