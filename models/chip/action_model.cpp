#include "models/chip/action_model.h"

#include <cmath>
#include <limits>

#include "models/mapping/tile_mapping.h"

namespace imssa {

int feedthrough_bits(const KernelOptions& options) {
    return options.d_bits > 0 ? options.d_bits : std::numeric_limits<float>::digits;
}

KernelActionCounts kernel_action_counts(const DeployedKernel& kernel, int activation_bits) {
    const KernelOptions& options = kernel.options;
    const double register_bits = options.effective_register_bits();
    const double register_adds = register_bits / 8.0;
    const int components = kernel.state_components();
    const ArrayActionCounts array = array_action_counts(kernel.array);
    KernelActionCounts counts;
    counts.dac_conversions = array.dac_conversions;
    counts.columns = array.columns;
    counts.adc_conversions = array.adc_conversions;
    counts.register_bits_read = components * register_bits;
    counts.register_bits_written = components * register_bits;
    if (options.mapping == KernelMapping::digital_decay) {
        counts.decay_multiplies = 4.0 * kernel.modes * options.decay_bits() * register_bits / 64.0;
        // Per mode: two sums of two products, two additions to the register, the folded input onto the real part.
        counts.decay_adds =
            (4.0 + (options.input_matrix == InputMatrix::folded ? 1.0 : 0.0)) * kernel.modes * register_adds;
    }
    if (kernel.array_makes_state && !kernel.array_replaces_state) {
        counts.accumulate_adds = components * register_adds;
        if (kernel.planes()) {
            counts.accumulate_adds += components * options.state_bits / 8.0;
        }
    }
    if (kernel.digital_feedthrough()) {
        counts.output_multiplies = activation_bits * feedthrough_bits(options) / 64.0;
        counts.output_adds = activation_bits / 8.0;
    }
    return counts;
}

KernelCoefficientBits kernel_coefficient_bits(const DeployedKernel& kernel, int digital_products, bool gains) {
    constexpr double kExponentBits = 5.0;  // shifts of 0 to 24
    constexpr double kGainBits = 16.0;     // as wide as they are multiplied
    constexpr double kFloatBits = 32.0;
    const KernelOptions& options = kernel.options;
    KernelCoefficientBits bits;
    if (options.mapping == KernelMapping::digital_decay) {
        bits.decay = 2.0 * kernel.modes * (options.decay_bits() + kExponentBits);
    }
    bits.products = digital_products * weight_code_bits(kernel.array);
    bits.gains = gains ? kernel.modes * (kGainBits + kExponentBits) : 0.0;
    if (kernel.digital_feedthrough()) {
        bits.feedthrough = options.d_bits > 0 ? options.d_bits : kFloatBits;
    }
    return bits;
}

double stored_weight_bits(const QuantizedMatrix& matrix) {
    return weight_code_bits(matrix) * matrix.inputs() * matrix.outputs();
}

ArrayActionCounts array_action_counts(const QuantizedMatrix& matrix, int weight_slices) {
    ArrayActionCounts counts;
    counts.dac_conversions = matrix.inputs();
    counts.columns = static_cast<double>(matrix.outputs()) * weight_slices * MappingOptions::columns_per_output();
    counts.adc_conversions = static_cast<double>(matrix.outputs()) * weight_slices;
    counts.partial_sums_added = static_cast<double>(matrix.outputs()) * (weight_slices - 1);
    return counts;
}

double weight_code_bits(const QuantizedMatrix& matrix) {
    return std::log2(matrix.code_limit + 1.0) + 1.0;
}

double product_bits(const QuantizedMatrix& matrix) {
    return weight_code_bits(matrix) * (std::log2(matrix.input_limit + 1.0) + 1.0);
}

LayerUnitActionCounts layer_unit_action_counts(const LayerUnitParameters& unit, int heads) {
    LayerUnitActionCounts counts;
    counts.multiplies = heads;  // requantization
    counts.adds = heads;
    if (unit.glu) {
        counts.table_lookups += heads;
        counts.multiplies += heads;
    }
    if (unit.residual) {
        counts.multiplies += heads;
        counts.adds += heads;
    }
    counts.norm_elements = unit.norm == Norm::layer ? heads : 0.0;
    return counts;
}

int pooling_register_bits(const DeployedNetwork& network) {
    if (network.model.pooling == Pooling::last) {
        return network.options.activation_bits;
    }
    return network.options.activation_bits +
           static_cast<int>(std::ceil(std::log2(static_cast<double>(network.steps) + 1.0)));
}

PoolingActionCounts pooling_action_counts(const DeployedNetwork& network) {
    PoolingActionCounts counts;
    const double bits = static_cast<double>(network.model.heads) * pooling_register_bits(network);
    if (network.model.pooling == Pooling::last) {
        counts.sequence_bits = bits;
        return counts;
    }
    counts.adders = bits / 8.0;
    counts.multipliers = 1;
    counts.step_adds = bits / 8.0;
    counts.step_bits = bits;
    counts.sequence_multiplies = network.model.heads;
    return counts;
}

}  // namespace imssa
