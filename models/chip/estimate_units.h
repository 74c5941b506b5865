#pragma once

#include <string>

#include "models/chip/action_model.h"
#include "models/chip/activity.h"
#include "models/chip/kernel_hardware.h"
#include "models/chip/timing_model.h"

// The units of a chip with their parts and what they do in one sequence, in the order of the simulated chip. A sink
// gets
//     begin(prefix, layer, name, digital group)    layer -1: prefix and name alone
//     resolution(adc_bits, dac_bits)               of a unit of converters, right after begin
//     part(component, count), parts(counts), action(action, count), read(count, ReadEnergy)
// for every unit. Tests compare it with the chip, unit by unit.
namespace imssa {

template <class Sink>
class UnitWalk {
public:
    UnitWalk(const DeployedNetwork& network, const ChipConfig& config, const ActivityStatistics& activity,
             const CellResponse& response, Sink& sink)
        : network_(network),
          config_(config),
          activity_(activity),
          response_(response),
          sink_(sink),
          heads_(network.model.heads),
          steps_(network.steps),
          code_bits_(network.options.activation_bits) {}

    void walk() {
        const int layers = static_cast<int>(network_.layers.size());
        const MappingOptions& mapping = config_.mapping;
        const TimingConfig& timing = config_.timing;
        dense(-1, "encoder.array", network_.encoder, mapping.encoder, activity_.encoder, steps_);
        sequencer(-1, "encoder", encoder_cycles(network_, timing, config_.read, mapping).total() * steps_);
        act(Action::off_chip_bit,
            static_cast<double>(network_.encoder.inputs()) * steps_ * network_.options.input_bits);
        for (int layer = 0; layer < layers; ++layer) {
            kernel(layer);
            mixing(layer);
            layer_unit(layer);
            buffer(layer, "mixing_output", network_.layers[static_cast<std::size_t>(layer)].mixing.outputs(), steps_);
        }
        pooling();
        dense(-1, "classifier.array", network_.decoder, mapping.decoder, activity_.classifier, 1.0);
        sequencer(-1, "classifier", classifier_cycles(network_, timing, config_.read, mapping).total());
        act(Action::off_chip_bit, static_cast<double>(network_.decoder.outputs()) * network_.options.logit_bits);
        buffer(layers > 0 ? 0 : -1, "_input", heads_, steps_);
        for (int layer = 0; layer < layers; ++layer) {
            buffer(layer, "kernel_output", kernels(layer), steps_);
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
    void parts(const ComponentCounts& counts) { sink_.parts(counts); }
    void act(Action action, double count) { sink_.action(action, count); }

    /// Kernels of a layer: the inputs of its mixing matrix.
    int kernels(int layer) const { return network_.layers[static_cast<std::size_t>(layer)].mixing.inputs(); }

    void read(double count, const ReadShape& shape, const ArrayActivity& activity, double operations) {
        const ReadEnergy one = mean_read(shape, activity, response_, config_);
        sink_.read(count, {one.device_j * operations, one.supply_j * operations});
    }

    void dense(int layer, const char* group, const QuantizedMatrix& matrix, MatrixPlace place,
               const ArrayActivity& activity, double reads) {
        const int tiles = dense_tiles(matrix, config_.mapping);
        const DenseHardware hardware = dense_hardware(matrix, place, tiles, config_);
        if (place == MatrixPlace::digital) {
            const double products = reads * matrix.inputs() * matrix.outputs();
            begin(layer, group, ".digital");
            parts(hardware.digital);
            act(Action::digital_multiply, products * product_bits(matrix) / 64.0);
            act(Action::digital_add, 3.0 * products);
            begin(layer, group, ".coefficients", ComponentGroup::coefficients);
            parts(hardware.coefficients);
            act(Action::buffer_bit, reads * stored_weight_bits(matrix));
            return;
        }
        const ArrayActionCounts counts = array_action_counts(matrix, config_.mapping.weight_slices);
        begin(layer, group, ".dac");
        sink_.resolution({}, hardware.dac_bits);
        parts(hardware.dac);
        act(Action::dac_conversion, reads * counts.dac_conversions);
        const double driven = dense_driven_inputs(matrix, config_.mapping);
        act(Action::row_line_cell, reads * row_line_cells(driven, matrix.input_limit, config_));
        begin(layer, group, ".tile");
        parts(hardware.tile);
        read(reads * tiles, dense_shape(matrix), activity, reads);
        begin(layer, group, ".adc");
        sink_.resolution(hardware.adc_bits, {});
        parts(hardware.adc);
        converters(reads * counts.columns, reads * counts.adc_conversions, reads * counts.partial_sums_added);
    }

    void converters(double columns, double conversions, double partial_sums_added) {
        act(Action::transimpedance, columns);
        act(Action::sample_hold, columns);
        act(Action::adc_conversion, conversions);
        act(Action::digital_add, kPartialSumAdds * partial_sums_added);
    }

    void sequencer(int layer, const char* group, double cycles) {
        begin(layer, group, "");
        part(Component::sequencer, 1.0);
        act(Action::control_cycle, cycles);
    }

    void buffer(int layer, const char* name, int channels, double tokens) {
        begin(layer, name, "");
        part(Component::buffer_bit, static_cast<double>(config_.timing.channel_capacity) * channels * code_bits_);
        part(Component::link_bit, 1.0 * channels * code_bits_);
        act(Action::buffer_bit, 2.0 * channels * code_bits_ * tokens);
        act(Action::network_bit, 1.0 * channels * code_bits_ * tokens);
    }

    void kernel(int layer) {
        const int heads = kernels(layer);
        const DeployedKernel& one = network_.layers[static_cast<std::size_t>(layer)].kernels.front();
        const KernelTileCounts tiles = count_kernel_tiles(one, heads, config_.mapping, "the kernel");
        const KernelStepCycles cycles = kernel_step_cycles(one, tiles, config_);
        const KernelActionCounts counts = kernel_action_counts(one, code_bits_);
        const KernelHardware hardware = kernel_hardware(one, heads, tiles, cycles, config_);
        const double operations = steps_ + (one.options.form == OutputForm::delayed ? 1 : 0);
        const double updates = static_cast<double>(steps_) * heads;
        begin(layer, "kernel", ".sequencer");
        parts(hardware.sequencer);
        act(Action::control_cycle, operations * cycles.total());
        begin(layer, "kernel", ".dac");
        sink_.resolution({}, hardware.dac_bits);
        parts(hardware.dac);
        act(Action::dac_conversion, operations * tiles.dac_conversions);
        act(Action::row_line_cell, operations * row_line_cells(tiles.dac_conversions, one.array.input_limit, config_));
        begin(layer, "kernel", ".tile");
        parts(hardware.tile);
        const KernelActivity activity = activity_.of(one, response_.spread);
        read(operations * tiles.reads_per_step, kernel_shape(one, heads, tiles, activity, config_.mapping),
             activity.array, operations);
        begin(layer, "kernel", ".adc");
        sink_.resolution(hardware.adc_bits, {});
        parts(hardware.adc);
        converters(operations * tiles.adc_conversions * MappingOptions::columns_per_output(),
                   operations * tiles.adc_conversions, operations * tiles.partial_sums_added);
        begin(layer, "kernel", ".registers");
        parts(hardware.registers);
        act(Action::register_bit_read, operations * heads * counts.register_bits_read);
        act(Action::register_bit_write, updates * counts.register_bits_written);
        act(Action::digital_add, updates * counts.accumulate_adds);
        begin(layer, "kernel", ".decay");
        parts(hardware.decay);
        decay(one, heads, tiles, cycles, counts, operations, updates);
        begin(layer, "kernel", ".output");
        parts(hardware.output);
        act(Action::digital_multiply, updates * counts.output_multiplies);
        act(Action::digital_add, updates * counts.output_adds);
        const KernelCoefficientBits bits =
            kernel_coefficient_bits(one, tiles.digital_products_of_head, cycles.gain > 0);
        begin(layer, "kernel", ".coefficients", ComponentGroup::coefficients);
        parts(hardware.coefficients);
        act(Action::register_bit_read,
            operations * heads * (bits.decay + bits.products) + updates * (bits.gains + bits.feedthrough));
        if (hardware.shared) {
            begin(layer, "kernel", ".state_buffer");
            parts(hardware.state_buffer);
            act(Action::buffer_bit, operations * heads * 2.0 * counts.register_bits_read);
        }
    }

    void decay(const DeployedKernel& one, int heads, const KernelTileCounts& tiles, const KernelStepCycles& cycles,
               const KernelActionCounts& counts, double operations, double updates) {
        const double products = operations * tiles.digital_products;
        const double gains = cycles.gain > 0 ? updates * one.state_components() : 0.0;
        const double bytes = one.options.effective_register_bits() / 8.0;
        act(Action::digital_multiply, operations * heads * counts.decay_multiplies +
                                          products * product_bits(one.array) / 64.0 + gains * 2.0 * bytes);
        act(Action::digital_add, operations * heads * counts.decay_adds + 3.0 * products + gains * bytes);
    }

    void mixing(int layer) {
        const int heads = kernels(layer);
        const DeployedLayer& deployed = network_.layers[static_cast<std::size_t>(layer)];
        dense(layer, "mixing.array", deployed.mixing, config_.mapping.mixing_matrix, activity_.mixing, steps_);
        const int cycles = mixing_cycles(deployed, config_.timing, config_.read, config_.mapping).total();
        sequencer(layer, "mixing", static_cast<double>(steps_) * cycles);
        begin(layer, "mixing", ".table");
        part(Component::table, heads);
        act(Action::table_lookup, static_cast<double>(steps_) * heads);
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
        const PoolingActionCounts counts = pooling_action_counts(network_);
        const double bits = steps_ * counts.step_bits + counts.sequence_bits;
        begin(-1, "pooling", "", ComponentGroup::layer_units);
        part(Component::sequencer, 1.0);
        part(Component::register_bit, heads_ * pooling_register_bits(network_));
        part(Component::adder, counts.adders);
        part(Component::multiplier, counts.multipliers);
        act(Action::control_cycle, static_cast<double>(steps_) * pooling_cycles(config_.timing));
        act(Action::digital_add, steps_ * counts.step_adds);
        act(Action::register_bit_read, bits);
        act(Action::register_bit_write, bits);
        act(Action::digital_multiply, counts.sequence_multiplies);
    }

    const DeployedNetwork& network_;
    const ChipConfig& config_;
    const ActivityStatistics& activity_;
    const CellResponse& response_;
    Sink& sink_;
    int heads_, steps_, code_bits_;
};

}  // namespace imssa
