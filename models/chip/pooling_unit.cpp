#include "models/chip/pooling_unit.h"

#include "models/chip/action_model.h"
#include "models/chip/pipeline_unit.h"
#include "models/chip/timing_model.h"

namespace imssa {

PoolingUnit::PoolingUnit(const sc_core::sc_module_name& module_name, ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      cycles_(pooling_cycles(context.config.timing)),
      timer_(context),
      unit_(context.units.add(name(), hardware(), ComponentGroup::layer_units)) {
    SC_THREAD(run);
}

ComponentCounts PoolingUnit::hardware() const {
    ComponentCounts hardware = sequencer_hardware();
    hardware[Component::register_bit] = context_.network.model.heads * pooling_register_bits(context_.network);
    hardware[Component::adder] = hardware[Component::register_bit] / 8;
    hardware[Component::multiplier] = 1;
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
        sums_ = LaneMatrix(codes.channels(), codes.lanes());
    }
    float* sums = sums_.row(0);
    const float* add = codes.row(0);
    for (int index = 0; index < codes.channels() * codes.stride(); ++index) {
        sums[index] += add[index];
    }
    const double elements = static_cast<double>(codes.channels()) * codes.lanes();
    const double bits = elements * pooling_register_bits(context_.network);
    context_.units.publish(Action::control_cycle, unit_, static_cast<double>(cycles_) * codes.lanes());
    context_.units.publish(Action::digital_add, unit_, bits / 8.0);
    context_.units.publish(Action::register_bit_read, unit_, bits);
    context_.units.publish(Action::register_bit_write, unit_, bits);
}

void PoolingUnit::finish_sequence(const TokenPtr& input) {
    const int heads = sums_.channels();
    const std::shared_ptr<Token> output = pool_.take(heads, *input);
    for (int head = 0; head < heads; ++head) {
        pool_codes(context_.network.pooling_gain, context_.network.activation_limit(), sums_.row(head),
                   output->codes.row(head), sums_.lanes());
    }
    const double elements = static_cast<double>(heads) * sums_.lanes();
    context_.units.publish(Action::digital_multiply, unit_, elements);
    publish_transfer(context_, buffer_, elements * context_.network.options.activation_bits);
    output_->write(output);
}

}  // namespace imssa
