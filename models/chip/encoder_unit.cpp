#include "models/chip/encoder_unit.h"

#include <algorithm>

#include "models/chip/pipeline_unit.h"
#include "models/chip/timing_model.h"

namespace imssa {

EncoderUnit::EncoderUnit(const sc_core::sc_module_name& module_name, ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      array_("array", context.network.encoder, context.config.mapping.encoder, context),
      cycles_(
          encoder_cycles(context.network, context.config.timing, context.config.read, context.config.mapping).total()),
      timer_(context),
      unit_(context.units.add(name(), sequencer_hardware())) {
    SC_THREAD(run);
}

void EncoderUnit::bind(TokenChannel& input, TokenChannel& output) {
    input_ = &input;
    output_ = &output;
    buffer_ = add_buffer(context_, output, context_.network.model.heads);
}

void EncoderUnit::run() {
    context_.guard([this] {
        for (;;) {
            const TokenPtr input = input_->read();
            wait_for_input_rate();
            busy_ = true;
            step(input);
            busy_ = false;
        }
    });
}

void EncoderUnit::wait_for_input_rate() {
    const std::int64_t now = context_.now_cycles();
    const std::int64_t idle = std::max<std::int64_t>(0, next_input_cycle_ - now);
    if (idle > 0) {
        sc_core::wait(static_cast<double>(idle) * context_.period);
    }
    next_input_cycle_ = now + idle + context_.config.timing.input_interval_cycles;
}

void EncoderUnit::step(const TokenPtr& input) {
    const std::shared_ptr<Token> output = pool_.take(context_.network.model.heads, *input);
    if (input->first) {
        input->batch->start_cycle = context_.now_cycles();
    }
    array_.read(input->codes, *input->batch, input->step, output->codes);
    timer_.spend(cycles_);
    timer_.finish();
    publish_token(context_, unit_, cycles_, buffer_, output->codes);
    context_.units.publish(
        Action::off_chip_bit, unit_,
        static_cast<double>(input->codes.channels()) * input->codes.lanes() * context_.network.options.input_bits);
    if (context_.probe != nullptr) {
        context_.probe->on_encoder(*input->batch, input->step, output->codes);
    }
    output_->write(output);
}

}  // namespace imssa
