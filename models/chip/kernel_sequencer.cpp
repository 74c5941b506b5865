#include "models/chip/kernel_sequencer.h"

#include <algorithm>
#include <string>

namespace imssa {

KernelSequencer::KernelSequencer(const sc_core::sc_module_name& name, int layer, ChipContext& context)
    : sc_core::sc_module(name),
      context_(context),
      layer_(layer),
      cycles_(kernel_step_cycles(context.network.layers[static_cast<std::size_t>(layer)].kernels.front(),
                                 context.config.timing, context.config.read)),
      timer_(context) {
    for (int head = 0; head < context.network.model.heads; ++head) {
        heads_.push_back(std::make_unique<KernelHead>(("head" + std::to_string(head)).c_str(), layer, head, context));
        register_files_.push_back(&heads_.back()->registers());
    }
    counts_ = kernel_action_counts(heads_.front()->kernel(), context.network.options.activation_bits);
    add_units();
    SC_THREAD(run);
}

void KernelSequencer::add_units() {
    const std::string prefix = std::string(name()) + ".";
    const int heads = head_count();
    const DeployedKernel& kernel = heads_.front()->kernel();
    ComponentCounts sequencer, dac, tile, adc, registers, decay, output;
    sequencer[Component::sequencer] = 1;
    dac[Component::dac] = heads * kernel.array.inputs();
    tile[Component::cell] = heads * cells_per_tile(context_.config.mapping) * context_.config.device.parallel_cells;
    adc[Component::transimpedance] = heads * counts_.columns;
    adc[Component::sample_hold] = heads * counts_.columns;
    adc[Component::adc] = heads * adc_count(kernel.array.outputs(), context_.config.timing);
    registers[Component::register_bit] = heads * kernel.state_components() * kernel.options.effective_register_bits();
    registers[Component::adder] = heads * counts_.accumulate_adds;
    if (kernel.options.mapping == KernelMapping::digital_decay) {
        const double wide = kernel.options.effective_register_bits() / 8.0;
        const int multipliers = heads * context_.config.timing.decay_multipliers;
        decay[Component::multiplier] = multipliers * wide * kernel.options.a_bits / 8.0;
        decay[Component::adder] = multipliers * wide;
    }
    output[Component::multiplier] = kernel.digital_feedthrough() ? heads : 0;
    output[Component::adder] = output[Component::multiplier];
    units_.sequencer = context_.units.add(prefix + "sequencer", sequencer);
    units_.dac = context_.units.add(prefix + "dac", dac);
    units_.tile = context_.units.add(prefix + "tile", tile);
    units_.adc = context_.units.add(prefix + "adc", adc);
    units_.registers = context_.units.add(prefix + "registers", registers);
    units_.decay = context_.units.add(prefix + "decay", decay);
    units_.output = context_.units.add(prefix + "output", output);
}

void KernelSequencer::bind(TokenChannel& input, TokenChannel& output) {
    input_ = &input;
    output_ = &output;
    ComponentCounts buffer;
    buffer[Component::buffer_bit] = output.space() * head_count() * context_.network.options.activation_bits;
    units_.buffer = context_.units.add(output.name(), buffer);
}

void KernelSequencer::trace_heads(const std::vector<int>& heads) {
    for (const int head : heads) {
        signals_.add_head(head, heads_[static_cast<std::size_t>(head)]->kernel());
    }
}

void KernelSequencer::run() {
    const bool delayed = heads_.front()->kernel().options.form == OutputForm::delayed;
    context_.guard([this, delayed] {
        for (;;) {
            const TokenPtr input = input_->read();
            signals_.busy = true;
            if (input->first) {
                for (const std::unique_ptr<KernelHead>& head : heads_) {
                    head->clear(input->batch->lanes());
                }
                signals_.show_cleared();
            }
            if (delayed) {
                delayed_step(input);
            } else {
                immediate_step(input);
            }
            signals_.busy = false;
        }
    });
}

void KernelSequencer::immediate_step(const TokenPtr& input) {
    const std::shared_ptr<Token> output = pool_.take(head_count(), *input);
    operate(*input->batch, input->step, &input->codes, output->codes);
    emit(output, input);
}

void KernelSequencer::delayed_step(const TokenPtr& input) {
    if (input->first) {
        previous_.reset();
    }
    // The first operation's output column has nothing to read: its token goes nowhere.
    std::shared_ptr<Token> output = pool_.take(head_count(), previous_ != nullptr ? *previous_ : *input);
    operate(*input->batch, input->step, &input->codes, output->codes);
    if (previous_ != nullptr) {
        emit(output, previous_);
    }
    previous_ = input;
    if (input->last) {
        output = pool_.take(head_count(), *input);
        operate(*input->batch, input->step + 1, nullptr, output->codes);
        emit(output, input);
        previous_.reset();
    }
}

void KernelSequencer::operate(const Batch& batch, int step, const LaneMatrix* input, LaneMatrix& output) {
    signals_.step = step;
    compute(batch, step, input, output);
    if (context_.probe != nullptr && input != nullptr) {
        context_.probe->on_state(batch, layer_, step, register_files_);
    }
    spend_phases();
}

void KernelSequencer::compute(const Batch& batch, int step, const LaneMatrix* input, LaneMatrix& output) {
    const QuantizedMatrix& array = heads_.front()->kernel().array;
    const int lanes = batch.lanes();
    reshape(scratch_.inputs, array.inputs(), lanes);
    reshape(scratch_.sums, array.outputs(), lanes);
    reshape(scratch_.codes, array.outputs(), lanes);
    ReadEnergy energy;
    for (int index = 0; index < head_count(); ++index) {
        KernelHead& head = *heads_[static_cast<std::size_t>(index)];
        head.operate(batch, step, input == nullptr ? nullptr : input->row(index), scratch_);
        const float* y = scratch_.codes.row(head.kernel().output_column());
        std::copy(y, y + scratch_.codes.stride(), output.row(index));
        if (context_.units.observed()) {
            const ReadEnergy read = head.tile().crossbar().read_energy(scratch_.inputs);
            energy.device_j += read.device_j;
            energy.supply_j += read.supply_j;
        }
        if (context_.phase_trace) {
            signals_.capture(index, scratch_, head.registers());
        }
    }
    publish(lanes, energy, input != nullptr);
}

void KernelSequencer::phase(KernelPhase value, int cycles) {
    signals_.phase = static_cast<int>(value);
    timer_.spend(cycles);
}

void KernelSequencer::spend_phases() {
    const ArrayReadCycles& array = cycles_.array;
    const bool decay_first = cycles_.decay_before_drive() > 0;
    phase(KernelPhase::load, array.load);
    if (decay_first) {
        phase(KernelPhase::decay, cycles_.decay_before_drive());
        signals_.show_registers();
    }
    signals_.show_dac();
    phase(KernelPhase::drive, array.drive);
    phase(KernelPhase::settle, array.settle);
    phase(KernelPhase::sample, array.sample);
    for (int round = 0; round < array.rounds; ++round) {
        signals_.round = round + 1;
        phase(KernelPhase::convert, array.cycles_per_round);
        signals_.show_round(round, array);
    }
    signals_.round = 0;
    if (cycles_.decay_after_conversion() > 0) {
        phase(KernelPhase::decay, cycles_.decay_after_conversion());
    }
    phase(KernelPhase::write_back, array.write_back);
    timer_.finish();
    signals_.show_registers();
    signals_.phase = static_cast<int>(KernelPhase::idle);
}

void KernelSequencer::publish(int lanes, const ReadEnergy& energy, bool writes_registers) {
    UnitTable& units = context_.units;
    if (!units.observed()) {
        return;
    }
    const double heads = static_cast<double>(head_count()) * lanes;
    units.publish(Action::control_cycle, units_.sequencer, static_cast<double>(cycles_.total()) * lanes);
    units.publish(Action::dac_conversion, units_.dac, heads * counts_.dac_conversions);
    units.publish_read(units_.tile, heads, energy);
    units.publish(Action::transimpedance, units_.adc, heads * counts_.columns);
    units.publish(Action::sample_hold, units_.adc, heads * counts_.columns);
    units.publish(Action::adc_conversion, units_.adc, heads * counts_.adc_conversions);
    units.publish(Action::register_bit_read, units_.registers, heads * counts_.register_bits_read);
    if (writes_registers) {
        units.publish(Action::register_bit_write, units_.registers, heads * counts_.register_bits_written);
    }
    if (writes_registers && counts_.accumulate_adds > 0.0) {
        units.publish(Action::digital_add, units_.registers, heads * counts_.accumulate_adds);
    }
    if (counts_.decay_multiplies > 0.0) {
        units.publish(Action::digital_multiply, units_.decay, heads * counts_.decay_multiplies);
        units.publish(Action::digital_add, units_.decay, heads * counts_.decay_adds);
    }
}

void KernelSequencer::emit(const std::shared_ptr<Token>& output, const TokenPtr& source) {
    const int lanes = source->batch->lanes();
    const double heads = static_cast<double>(head_count()) * lanes;
    if (counts_.output_multiplies > 0.0) {
        for (int index = 0; index < head_count(); ++index) {
            add_feedthrough(heads_[static_cast<std::size_t>(index)]->kernel(), source->codes.row(index),
                            context_.network.activation_limit(), output->codes.row(index), lanes);
        }
        context_.units.publish(Action::digital_multiply, units_.output, heads * counts_.output_multiplies);
        context_.units.publish(Action::digital_add, units_.output, heads * counts_.output_adds);
    }
    context_.units.publish(Action::buffer_bit, units_.buffer, 2.0 * heads * context_.network.options.activation_bits);
    if (context_.probe != nullptr) {
        context_.probe->on_kernel_output(*source->batch, layer_, source->step, output->codes);
    }
    output->residual = source;
    output_->write(output);
}

}  // namespace imssa
