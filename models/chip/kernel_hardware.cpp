#include "models/chip/kernel_hardware.h"

#include <algorithm>
#include <cmath>

#include "models/array/converter_bits.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

/// Bits of converters of codes up to this limit; `most`: what the chip file gives them, 0 without a limit.
int converter_bits(double limit, int most) {
    const int bits = bits_of_limit(limit);
    return most > 0 ? std::min(most, bits) : bits;
}

/// Codes of states, and a share of others.
ConverterBits state_converters(int state_bits, int other_bits, double others, double all) {
    if (!(all > 0.0) || others >= all) {
        return {all > 0.0 ? other_bits : 0, 0, 0.0};
    }
    return {state_bits, other_bits, other_bits == state_bits ? 0.0 : others / all};
}

/// Tiles side by side that the outputs of a matrix take.
int dense_tiles_across(const QuantizedMatrix& matrix, const MappingOptions& mapping) {
    const int columns =
        std::max(1, (mapping.tile_columns - mapping.spare_columns) / MappingOptions::columns_per_output());
    return (matrix.outputs() * mapping.weight_slices + columns - 1) / columns;
}

}  // namespace

KernelHardware kernel_hardware(const DeployedKernel& kernel, int heads, const KernelTileCounts& tiles,
                               const KernelStepCycles& cycles, const ChipConfig& config) {
    const TimingConfig& timing = config.timing;
    const KernelActionCounts counts = kernel_action_counts(kernel, 8);  // areas are those of 8-bit activations
    KernelHardware hardware;
    hardware.shared = cycles.banks > 1;
    const double share = hardware.shared ? static_cast<double>(timing.kernel_sites) / tiles.tiles : 1.0;
    hardware.sequencer[Component::sequencer] = 1;
    hardware.dac[Component::dac] = share * tiles.dacs;
    hardware.tile[Component::cell] = tiles.tiles * cells_per_tile(config.mapping) * config.device.parallel_cells;
    hardware.adc[Component::transimpedance] = share * tiles.outputs_of_tiles * MappingOptions::columns_per_output();
    hardware.adc[Component::sample_hold] =
        hardware.adc[Component::transimpedance] * (timing.double_buffering ? 2.0 : 1.0);
    for (const KernelTileCounts::Width& width : tiles.widths) {
        hardware.adc[Component::adc] += share * width.tiles * adc_count(width.outputs, timing);
    }
    if (tiles.partial_sums_added > 0.0) {
        hardware.adc[Component::adder] = kPartialSumAdds * hardware.adc[Component::adc];
    }
    // u and y are codes of activations.
    const double activations = static_cast<double>(kernel.array.output_limit.back());
    const double states = code_limit(kernel.options.state_bits);
    const auto bits_of = [&](int most, double others, double all) {
        return state_converters(converter_bits(states, most), converter_bits(activations, most), others, all);
    };
    hardware.adc_bits = bits_of(config.adc.bits, tiles.output_conversions, tiles.adc_conversions);
    hardware.dac_bits = bits_of(config.read.dac.bits, tiles.input_conversions, tiles.dac_conversions);
    const double register_bits = kernel.options.effective_register_bits();
    const double state_bits = heads * kernel.state_components() * register_bits;
    hardware.registers[Component::register_bit] = share * state_bits;
    hardware.registers[Component::adder] = share * heads * counts.accumulate_adds;
    const double wide = register_bits / 8.0;
    const double multipliers = share * heads * timing.decay_multipliers;
    const bool multiplies =
        kernel.options.mapping == KernelMapping::digital_decay || cycles.digital > 0 || cycles.gain > 0;
    hardware.decay[Component::multiplier] = multiplies ? multipliers * wide * kernel.options.decay_bits() / 8.0 : 0.0;
    hardware.decay[Component::adder] = multiplies ? multipliers * wide : 0.0;
    hardware.output[Component::multiplier] = heads * counts.output_multiplies;
    hardware.output[Component::adder] = heads * counts.output_adds;
    // Shared multipliers serve several heads, whose coefficients all stay on the chip.
    hardware.coefficients[Component::register_bit] =
        heads * kernel_coefficient_bits(kernel, tiles.digital_products_of_head, cycles.gain > 0).stored();
    hardware.state_buffer[Component::buffer_bit] = hardware.shared ? state_bits : 0.0;
    return hardware;
}

DenseHardware dense_hardware(const QuantizedMatrix& matrix, MatrixPlace place, int tiles, const ChipConfig& config) {
    DenseHardware hardware;
    if (place == MatrixPlace::digital) {
        const double multipliers = config.timing.dense_multipliers;
        hardware.digital[Component::multiplier] = multipliers * product_bits(matrix) / 64.0;
        hardware.digital[Component::adder] = 3.0 * multipliers;  // 24-bit sums
        hardware.coefficients[Component::buffer_bit] = stored_weight_bits(matrix);
        return hardware;
    }
    const ArrayActionCounts counts = array_action_counts(matrix, config.mapping.weight_slices);
    hardware.dac[Component::dac] = matrix.inputs();
    hardware.tile[Component::cell] = tiles * cells_per_tile(config.mapping) * config.device.parallel_cells;
    hardware.adc[Component::transimpedance] = counts.columns;
    hardware.adc[Component::sample_hold] = counts.columns;
    hardware.adc_bits = {converter_bits(static_cast<double>(matrix.output_limit.back()), config.adc.bits), 0, 0.0};
    hardware.dac_bits = {converter_bits(matrix.input_limit, config.read.dac.bits), 0, 0.0};
    hardware.adc[Component::adc] = adc_count(matrix.outputs() * config.mapping.weight_slices, config.timing);
    if (counts.partial_sums_added > 0.0) {
        hardware.adc[Component::adder] = kPartialSumAdds * hardware.adc[Component::adc];
    }
    return hardware;
}

int dense_tiles(const QuantizedMatrix& matrix, const MappingOptions& mapping) {
    const int rows = std::max(1, mapping.tile_inputs());
    return ((matrix.inputs() + rows - 1) / rows) * dense_tiles_across(matrix, mapping);
}

double dense_driven_inputs(const QuantizedMatrix& matrix, const MappingOptions& mapping) {
    return static_cast<double>(matrix.inputs()) * dense_tiles_across(matrix, mapping);
}

double row_line_cells(double driven_inputs, int input_limit, const ChipConfig& config) {
    const MappingOptions& mapping = config.mapping;
    const double cells_of_line = static_cast<double>(mapping.tile_columns) * config.device.parallel_cells;
    const double pulses = std::round(config.read.read_time_s(input_limit) / config.read.t_read_s);
    return driven_inputs * mapping.rows_per_input() * cells_of_line * pulses;
}

}  // namespace imssa
