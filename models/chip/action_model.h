#pragma once

#include "models/network/deployed_network.h"

namespace imssa {

// How many actions units do, per lane. Pure: the SystemC units publish these counts, estimates multiply them.

/// One operation of one head's kernel.
struct KernelActionCounts {
    double dac_conversions = 0, columns = 0, adc_conversions = 0;
    double register_bits_read = 0, register_bits_written = 0;
    double decay_multiplies = 0, decay_adds = 0;    ///< digital decay with the folded input
    double output_multiplies = 0, output_adds = 0;  ///< digital feedthrough
    double accumulate_adds = 0;  ///< array increments into the registers, and before that those of two planes together
};
/// Width at which the digital direct term multiplies u: d_bits, or, where D is not quantized (d_bits = 0), the
/// significand of the float32 factor that the codes are computed with.
int feedthrough_bits(const KernelOptions& options);

KernelActionCounts kernel_action_counts(const DeployedKernel& kernel, int activation_bits);

/// Bits of the coefficients that one head's multipliers find in registers beside them.
struct KernelCoefficientBits {
    double decay = 0;        ///< Re and Im of Abar - 1, read every operation
    double products = 0;     ///< B and C outside cells, read every operation
    double gains = 0;        ///< of calibrated poles, read where the registers are written
    double feedthrough = 0;  ///< D, read with every output
    double stored() const { return decay + products + gains + feedthrough; }
};
/// `digital_products`: of one head, outside cells and decay; `gains`: its poles have digital gains.
KernelCoefficientBits kernel_coefficient_bits(const DeployedKernel& kernel, int digital_products, bool gains);

/// Bits of the weights of a matrix outside cells.
double stored_weight_bits(const QuantizedMatrix& matrix);

/// One read of a matrix that sits on one or more tiles.
struct ArrayActionCounts {
    double dac_conversions = 0, columns = 0, adc_conversions = 0;
    double partial_sums_added = 0;  ///< slices beyond the first
};
ArrayActionCounts array_action_counts(const QuantizedMatrix& matrix, int weight_slices = 1);

/// Digital additions of 8 bits (Action::digital_add) of one partial sum: 24 bits, as wide as exact sums can be.
constexpr double kPartialSumAdds = 3.0;

/// Bits of one weight's code.
double weight_code_bits(const QuantizedMatrix& matrix);

/// Bits of weight times bits of input of one product.
double product_bits(const QuantizedMatrix& matrix);

/// One token through the digital layer unit.
struct LayerUnitActionCounts {
    double table_lookups = 0, multiplies = 0, adds = 0, norm_elements = 0;
};
LayerUnitActionCounts layer_unit_action_counts(const LayerUnitParameters& unit, int heads);

/// Bits of one head's register in the pooling unit: an accumulator of all steps, or the code of the last one.
int pooling_register_bits(const DeployedNetwork& network);

/// The pooling unit. A mean adds at every step (beyond the length of a short sequence a zero) and multiplies once a
/// sequence; the last step is written into the register and read from it.
struct PoolingActionCounts {
    double adders = 0, multipliers = 0;   ///< parts
    double step_adds = 0, step_bits = 0;  ///< mean, a step: additions, bits read and bits written
    double sequence_multiplies = 0;       ///< mean, a sequence
    double sequence_bits = 0;             ///< last step, a sequence: bits written and bits read
};
PoolingActionCounts pooling_action_counts(const DeployedNetwork& network);

}  // namespace imssa
