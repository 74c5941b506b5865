#include "models/chip/classifier.h"

#include "models/chip/pipeline_unit.h"
#include "models/chip/timing_model.h"

namespace imssa {

Classifier::Classifier(const sc_core::sc_module_name& module_name, ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      array_("array", context.network.decoder, context.config.mapping.decoder, context),
      cycles_(classifier_cycles(context.network, context.config.timing, context.config.read, context.config.mapping)
                  .total()),
      timer_(context),
      unit_(context.units.add(name(), sequencer_hardware())),
      logit_signals_(static_cast<std::size_t>(context.network.decoder.outputs()), 0) {
    SC_THREAD(run);
}

void Classifier::bind(TokenChannel& input, Channel<ResultPtr>& output) {
    input_ = &input;
    output_ = &output;
}

void Classifier::run() {
    context_.guard([this] {
        for (;;) {
            const TokenPtr input = input_->read();
            busy_ = true;
            classify_batch(input);
            busy_ = false;
        }
    });
}

void Classifier::classify_batch(const TokenPtr& input) {
    const Batch& batch = *input->batch;
    const std::shared_ptr<BatchResult> result = std::make_shared<BatchResult>();
    result->batch = batch.index;
    result->sequence_ids = batch.sequence_ids;
    result->pooled = input->codes;
    result->logits = LaneMatrix(context_.network.decoder.outputs(), batch.lanes());
    array_.read(input->codes, batch, input->step, result->logits);
    timer_.spend(cycles_);
    timer_.finish();
    context_.units.publish(Action::control_cycle, unit_, static_cast<double>(cycles_) * batch.lanes());
    context_.units.publish(
        Action::off_chip_bit, unit_,
        static_cast<double>(result->logits.channels()) * batch.lanes() * context_.network.options.logit_bits);
    result->start_cycle = batch.start_cycle;
    result->finish_cycle = context_.now_cycles();
    for (std::size_t label = 0; label < logit_signals_.size(); ++label) {
        logit_signals_[label] = static_cast<int>(result->logits(static_cast<int>(label), 0));
    }
    if (context_.probe != nullptr) {
        context_.probe->on_logits(batch, result->pooled, result->logits);
    }
    output_->write(result);
}

}  // namespace imssa
