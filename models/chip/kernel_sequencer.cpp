#include "models/chip/kernel_sequencer.h"

#include <algorithm>
#include <string>

#include "models/chip/kernel_hardware.h"
#include "models/chip/pipeline_unit.h"

namespace imssa {

KernelSequencer::KernelSequencer(const sc_core::sc_module_name& module_name, int layer, ChipContext& context)
    : sc_core::sc_module(module_name), context_(context), layer_(layer), timer_(context) {
    const DeployedLayer& deployed = context.network.layers[static_cast<std::size_t>(layer)];
    const std::vector<TileGroup> groups = place_kernels(deployed.kernels, context.config.mapping, name());
    cycles_ = kernel_step_cycles(deployed, context.config);
    tile_counts_ = count_kernel_tiles(groups, deployed.kernels, context.config.mapping);
    program_tiles(groups);
    add_heads();
    if (context.config.calibration.poles != PoleCalibration::none) {
        calibrate();
    }
    counts_ = kernel_action_counts(heads_.front()->kernel(), context.network.options.activation_bits);
    coefficient_bits_ =
        kernel_coefficient_bits(heads_.front()->kernel(), tile_counts_.digital_products_of_head, cycles_.gain > 0);
    add_units();
    SC_THREAD(run);
}

void KernelSequencer::bind(TokenChannel& input, TokenChannel& output) {
    input_ = &input;
    output_ = &output;
    units_.buffer = add_buffer(context_, output, head_count());
}

void KernelSequencer::trace_heads(const std::vector<int>& heads) {
    for (const int head : heads) {
        signals_.add_head(head, heads_[static_cast<std::size_t>(head)]->kernel(), place_of(head));
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
    const DeployedLayer& deployed = context_.network.layers[static_cast<std::size_t>(layer_)];
    const QuantizedMatrix& array = heads_.front()->kernel().array;
    const int lanes = batch.lanes();
    for (HeadRead& read : reads_) {
        reshape(read.inputs, array.inputs(), lanes);
        reshape(read.sums, array.outputs(), lanes);
    }
    reshape(codes_, array.outputs(), lanes);
    ReadEnergy energy;
    for (const std::unique_ptr<KernelTiles>& tiles : tiles_) {
        const std::vector<int>& members = tiles->heads();
        for (std::size_t k = 0; k < members.size(); ++k) {
            const float* u = input == nullptr ? nullptr : input->row(deployed.channel_of(members[k]));
            heads_[static_cast<std::size_t>(members[k])]->load(u, reads_[k]);
        }
        tiles->read(reads_, batch.sequence_ids, static_cast<std::uint32_t>(step),
                    context_.units.observed() ? &energy : nullptr);
        context_.conversions += tiles->take_conversions();
        for (std::size_t k = 0; k < members.size(); ++k) {
            KernelHead& head = *heads_[static_cast<std::size_t>(members[k])];
            const float* u = input == nullptr ? nullptr : input->row(deployed.channel_of(members[k]));
            head.finish(batch, step, u, reads_[k], codes_);
            const float* y = codes_.row(head.kernel().output_column());
            std::copy(y, y + codes_.stride(), output.row(members[k]));
            if (context_.phase_trace) {
                signals_.capture(members[k], reads_[k].inputs, codes_, head.registers());
            }
        }
    }
    publish(lanes, energy, input != nullptr);
}

void KernelSequencer::phase(KernelPhase value, int cycles) {
    if (!signals_.in_window()) {
        timer_.add(cycles);
        return;
    }
    signals_.phase = static_cast<int>(value);
    timer_.spend(cycles);
}

void KernelSequencer::spend_phases() {
    phase(KernelPhase::load, cycles_.array.load);
    for (int bank = 0; bank < cycles_.banks; ++bank) {
        spend_bank(bank);
    }
    timer_.finish();
    signals_.show_registers(-1);
    signals_.phase = static_cast<int>(KernelPhase::idle);
}

void KernelSequencer::spend_bank(int bank) {
    if (cycles_.swap > 0) {
        phase(KernelPhase::swap, cycles_.swap);
    }
    if (cycles_.decay_before_drive() > 0) {
        phase(KernelPhase::decay, cycles_.decay_before_drive());
        signals_.show_registers(bank);
    }
    for (int read = 0; read < cycles_.reads; ++read) {
        spend_read(bank, read);
    }
    signals_.round = 0;
    const int digital = cycles_.decay_after_conversion() + cycles_.digital + cycles_.gain;
    if (digital > 0) {
        phase(KernelPhase::decay, digital);
    }
    phase(KernelPhase::write_back, cycles_.array.write_back);
    if (cycles_.banks > 1) {
        timer_.finish();
        signals_.show_registers(bank);
    }
}

void KernelSequencer::spend_read(int bank, int read) {
    const ArrayReadCycles& array = cycles_.array;
    signals_.show_dac(bank, read);
    // Double buffered, the next read's front runs beside the conversions: only what is longer than them shows.
    if (read == 0 || !cycles_.double_buffered) {
        phase(KernelPhase::drive, array.drive);
        phase(KernelPhase::settle, array.settle);
        phase(KernelPhase::sample, array.sample);
    } else {
        phase(KernelPhase::settle, cycles_.read_interval() - array.conversions());
    }
    for (int round = 0; round < array.rounds; ++round) {
        signals_.round = signals_.in_window() ? round + 1 : 0;
        phase(KernelPhase::convert, array.cycles_per_round);
        signals_.show_round(round, array, bank, read);
    }
}

void KernelSequencer::publish(int lanes, const ReadEnergy& energy, bool writes_registers) {
    UnitTable& units = context_.units;
    if (!units.observed()) {
        return;
    }
    const double heads = static_cast<double>(head_count()) * lanes;
    units.publish(Action::control_cycle, units_.sequencer, static_cast<double>(cycles_.total()) * lanes);
    if (tile_counts_.tiles > 0) {
        const double columns = tile_counts_.adc_conversions * MappingOptions::columns_per_output();
        units.publish(Action::dac_conversion, units_.dac, lanes * tile_counts_.dac_conversions);
        units.publish(Action::row_line_cell, units_.dac,
                      lanes * row_line_cells(tile_counts_.dac_conversions, heads_.front()->kernel().array.input_limit,
                                             context_.config));
        units.publish_read(units_.tile, static_cast<double>(lanes) * tile_counts_.reads_per_step, energy);
        units.publish(Action::transimpedance, units_.adc, lanes * columns);
        units.publish(Action::sample_hold, units_.adc, lanes * columns);
        units.publish(Action::adc_conversion, units_.adc, lanes * tile_counts_.adc_conversions);
        if (tile_counts_.partial_sums_added > 0.0) {
            units.publish(Action::digital_add, units_.adc, lanes * kPartialSumAdds * tile_counts_.partial_sums_added);
        }
    }
    if (tile_counts_.digital_products > 0.0) {
        const double products = lanes * tile_counts_.digital_products;
        units.publish(Action::digital_multiply, units_.decay,
                      products * product_bits(heads_.front()->kernel().array) / 64.0);
        units.publish(Action::digital_add, units_.decay, 3.0 * products);
    }
    if (cycles_.gain > 0 && writes_registers) {
        const DeployedKernel& kernel = heads_.front()->kernel();
        const double gains = heads * kernel.state_components();
        const double bytes = kernel.options.effective_register_bits() / 8.0;
        units.publish(Action::digital_multiply, units_.decay, gains * 2.0 * bytes);  // 16-bit gains
        units.publish(Action::digital_add, units_.decay, gains * bytes);
    }
    const double coefficient_bits =
        coefficient_bits_.decay + coefficient_bits_.products + (writes_registers ? coefficient_bits_.gains : 0.0);
    if (coefficient_bits > 0.0) {
        units.publish(Action::register_bit_read, units_.coefficients, heads * coefficient_bits);
    }
    if (cycles_.banks > 1) {
        units.publish(Action::buffer_bit, units_.state_buffer, heads * 2.0 * counts_.register_bits_read);
    }
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
        const DeployedLayer& deployed = context_.network.layers[static_cast<std::size_t>(layer_)];
        for (int index = 0; index < head_count(); ++index) {
            add_feedthrough(heads_[static_cast<std::size_t>(index)]->kernel(),
                            source->codes.row(deployed.channel_of(index)), context_.network.activation_limit(),
                            output->codes.row(index), lanes);
        }
        context_.units.publish(Action::digital_multiply, units_.output, heads * counts_.output_multiplies);
        context_.units.publish(Action::digital_add, units_.output, heads * counts_.output_adds);
        context_.units.publish(Action::register_bit_read, units_.coefficients, heads * coefficient_bits_.feedthrough);
    }
    publish_transfer(context_, units_.buffer, heads * context_.network.options.activation_bits);
    if (context_.probe != nullptr) {
        context_.probe->on_kernel_output(*source->batch, layer_, source->step, output->codes);
    }
    output->residual = source;
    output_->write(output);
}

}  // namespace imssa
