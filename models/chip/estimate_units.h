#pragma once

#include <string>

#include "models/chip/action_model.h"
#include "models/chip/activity.h"
#include "models/chip/timing_model.h"

// The units of a chip with their parts and what they do in one sequence, in the order of the simulated chip. A sink
// gets
//     begin(prefix, layer, name, digital group)    layer -1: prefix and name alone
//     part(component, count), action(action, count), read(count, ReadEnergy)
// for every unit. Tests compare it with the chip, unit by unit.
namespace imssa {

template <class Sink>
class UnitWalk {
public:
    UnitWalk(const DeployedNetwork& network, const ChipConfig& config, const ActivityStatistics& activity, Sink& sink)
        : network_(network),
          config_(config),
          activity_(activity),
          sink_(sink),
          heads_(network.model.heads),
          steps_(network.steps),
          code_bits_(network.options.activation_bits) {}

    void walk() {
        const int layers = static_cast<int>(network_.layers.size());
        dense(-1, "encoder.array", network_.encoder, activity_.encoder, steps_);
        sequencer(-1, "encoder", encoder_cycles(network_, config_.timing, config_.read).total() * steps_);
        for (int layer = 0; layer < layers; ++layer) {
            kernel(layer);
            mixing(layer);
            layer_unit(layer);
            buffer(layer, "mixing_output", network_.layers[static_cast<std::size_t>(layer)].mixing.outputs(), steps_);
        }
        pooling();
        dense(-1, "classifier.array", network_.decoder, activity_.classifier, 1.0);
        sequencer(-1, "classifier", classifier_cycles(network_, config_.timing, config_.read).total());
        buffer(layers > 0 ? 0 : -1, "_input", heads_, steps_);
        for (int layer = 0; layer < layers; ++layer) {
            buffer(layer, "kernel_output", heads_, steps_);
            if (layer + 1 < layers) {
                buffer(layer + 1, "_input", heads_, steps_);
            } else {
                buffer(-1, "pooling_input", heads_, steps_);
            }
        }
        buffer(-1, "classifier_input", heads_, 1.0);
    }

private:
    void begin(int layer, const char* group, const char* name, ComponentGroup digital = ComponentGroup::digital) {
        sink_.begin(layer, group, name, digital);
    }
    void part(Component component, double count) { sink_.part(component, count); }
    void act(Action action, double count) { sink_.action(action, count); }

    int tiles(const QuantizedMatrix& matrix) const {
        const MappingOptions& mapping = config_.mapping;
        const int rows = std::max(1, mapping.tile_rows / mapping.rows_per_input());
        const int columns = std::max(1, mapping.tile_columns / MappingOptions::columns_per_output());
        return ((matrix.inputs() + rows - 1) / rows) * ((matrix.outputs() + columns - 1) / columns);
    }

    double cells_per_tile() const {
        return static_cast<double>(config_.mapping.tile_rows) * config_.mapping.tile_columns;
    }

    ReadEnergy read_energy(const QuantizedMatrix& matrix, const ArrayActivity& activity, double reads) const {
        const ReadEnergy full = full_scale_read(matrix, config_);
        return {full.device_j * activity.device * reads, full.supply_j * activity.supply * reads};
    }

    void converters(double copies, double columns, int outputs, double reads) {
        part(Component::transimpedance, copies * columns);
        part(Component::sample_hold, copies * columns);
        part(Component::adc, copies * adc_count(outputs, config_.timing));
        act(Action::transimpedance, reads * columns);
        act(Action::sample_hold, reads * columns);
        act(Action::adc_conversion, reads * outputs);
    }

    void dense(int layer, const char* group, const QuantizedMatrix& matrix, const ArrayActivity& activity,
               double reads) {
        const ArrayActionCounts counts = array_action_counts(matrix);
        begin(layer, group, ".dac");
        part(Component::dac, matrix.inputs());
        act(Action::dac_conversion, reads * counts.dac_conversions);
        begin(layer, group, ".tile");
        part(Component::cell, tiles(matrix) * cells_per_tile() * config_.device.parallel_cells);
        sink_.read(reads * tiles(matrix), read_energy(matrix, activity, reads));
        begin(layer, group, ".adc");
        converters(1.0, counts.columns, matrix.outputs(), reads);
    }

    void sequencer(int layer, const char* group, double cycles) {
        begin(layer, group, "");
        part(Component::sequencer, 1.0);
        act(Action::control_cycle, cycles);
    }

    void buffer(int layer, const char* name, int channels, double tokens) {
        begin(layer, name, "");
        part(Component::buffer_bit, static_cast<double>(config_.timing.channel_capacity) * channels * code_bits_);
        act(Action::buffer_bit, 2.0 * channels * code_bits_ * tokens);
    }

    void kernel(int layer) {
        const DeployedKernel& one = network_.layers[static_cast<std::size_t>(layer)].kernels.front();
        const KernelActionCounts counts = kernel_action_counts(one, code_bits_);
        const bool digital = one.options.mapping == KernelMapping::digital_decay;
        const double operations = steps_ + (one.options.form == OutputForm::delayed ? 1 : 0);
        const double reads = operations * heads_;
        const double updates = static_cast<double>(steps_) * heads_;
        begin(layer, "kernel", ".sequencer");
        part(Component::sequencer, 1.0);
        act(Action::control_cycle, operations * kernel_step_cycles(one, config_.timing, config_.read).total());
        begin(layer, "kernel", ".dac");
        part(Component::dac, heads_ * one.array.inputs());
        act(Action::dac_conversion, reads * counts.dac_conversions);
        begin(layer, "kernel", ".tile");
        part(Component::cell, heads_ * cells_per_tile() * config_.device.parallel_cells);
        sink_.read(reads, read_energy(one.array, digital ? activity_.kernel_digital : activity_.kernel_fused, reads));
        begin(layer, "kernel", ".adc");
        converters(heads_, counts.columns, one.array.outputs(), reads);
        begin(layer, "kernel", ".registers");
        part(Component::register_bit, heads_ * one.state_components() * one.options.effective_register_bits());
        part(Component::adder, heads_ * counts.accumulate_adds);
        act(Action::register_bit_read, reads * counts.register_bits_read);
        act(Action::register_bit_write, updates * counts.register_bits_written);
        act(Action::digital_add, updates * counts.accumulate_adds);
        begin(layer, "kernel", ".decay");
        if (digital) {
            const double wide = one.options.effective_register_bits() / 8.0;
            const double multipliers = heads_ * config_.timing.decay_multipliers;
            part(Component::multiplier, multipliers * wide * one.options.decay_bits() / 8.0);
            part(Component::adder, multipliers * wide);
            act(Action::digital_multiply, reads * counts.decay_multiplies);
            act(Action::digital_add, reads * counts.decay_adds);
        }
        begin(layer, "kernel", ".output");
        if (one.digital_feedthrough()) {
            part(Component::multiplier, heads_);
            part(Component::adder, heads_);
            act(Action::digital_multiply, updates * counts.output_multiplies);
            act(Action::digital_add, updates * counts.output_adds);
        }
    }

    void mixing(int layer) {
        const DeployedLayer& deployed = network_.layers[static_cast<std::size_t>(layer)];
        dense(layer, "mixing.array", deployed.mixing, activity_.mixing, steps_);
        sequencer(layer, "mixing",
                  static_cast<double>(steps_) * mixing_cycles(deployed, config_.timing, config_.read).total());
        begin(layer, "mixing", ".table");
        part(Component::table, heads_);
        act(Action::table_lookup, static_cast<double>(steps_) * heads_);
    }

    void layer_unit(int layer) {
        const LayerUnitParameters& unit = network_.layers[static_cast<std::size_t>(layer)].unit;
        const LayerUnitActionCounts counts = layer_unit_action_counts(unit, heads_);
        const int width = config_.timing.layer_unit_elements_per_cycle;
        begin(layer, "unit", "", ComponentGroup::layer_units);
        part(Component::sequencer, 1.0);
        part(Component::multiplier, (1 + (unit.glu ? 1 : 0) + (unit.residual ? 1 : 0)) * width);
        part(Component::adder, (1 + (unit.residual ? 1 : 0)) * width);
        part(Component::table, unit.glu ? width : 0);
        part(Component::norm_element, unit.norm == Norm::layer ? width : 0);
        act(Action::control_cycle, static_cast<double>(steps_) * layer_unit_cycles(unit, heads_, config_.timing));
        act(Action::digital_multiply, steps_ * counts.multiplies);
        act(Action::digital_add, steps_ * counts.adds);
        act(Action::table_lookup, steps_ * counts.table_lookups);
        act(Action::norm_element, steps_ * counts.norm_elements);
    }

    void pooling() {
        const int register_bits = pooling_register_bits(network_);
        const double bits = static_cast<double>(steps_) * heads_ * register_bits;
        begin(-1, "pooling", "", ComponentGroup::layer_units);
        part(Component::sequencer, 1.0);
        part(Component::register_bit, heads_ * register_bits);
        part(Component::adder, heads_ * register_bits / 8.0);
        part(Component::multiplier, 1.0);
        act(Action::control_cycle, static_cast<double>(steps_) * pooling_cycles(config_.timing));
        act(Action::digital_add, bits / 8.0);
        act(Action::register_bit_read, bits);
        act(Action::register_bit_write, bits);
        act(Action::digital_multiply, heads_);
    }

    const DeployedNetwork& network_;
    const ChipConfig& config_;
    const ActivityStatistics& activity_;
    Sink& sink_;
    int heads_, steps_, code_bits_;
};

}  // namespace imssa
