#pragma once

#include "models/chip/action_model.h"
#include "models/chip/timing_model.h"
#include "models/cost/component.h"

namespace imssa {

/// Parts of the kernels of one layer, by unit: the simulated chip and the estimate take them from here.
struct KernelHardware {
    ComponentCounts sequencer, dac, tile, adc, registers, decay, output, coefficients, state_buffer;
    ConverterBits adc_bits, dac_bits;
    bool shared = false;  ///< fewer sites than tiles: drivers, converters, registers, multipliers exist once a site
};
KernelHardware kernel_hardware(const DeployedKernel& kernel, int heads, const KernelTileCounts& tiles,
                               const KernelStepCycles& cycles, const ChipConfig& config);

/// Of a matrix outside the kernels, in cells on `tiles` tiles, or digital.
struct DenseHardware {
    ComponentCounts dac, tile, adc, digital, coefficients;
    ConverterBits adc_bits, dac_bits;
};
DenseHardware dense_hardware(const QuantizedMatrix& matrix, MatrixPlace place, int tiles, const ChipConfig& config);

/// Tiles of a matrix that is cut into blocks of outputs and inputs.
int dense_tiles(const QuantizedMatrix& matrix, const MappingOptions& mapping);

/// Inputs that the tiles of a matrix drive in one read: each on every tile across its outputs.
double dense_driven_inputs(const QuantizedMatrix& matrix, const MappingOptions& mapping);

/// Cells on the row lines that `driven_inputs` inputs charge in one read: whole rows of their tiles, used or not, once
/// a pulse where inputs are bit-serial.
double row_line_cells(double driven_inputs, int input_limit, const ChipConfig& config);

inline double cells_per_tile(const MappingOptions& mapping) {
    return static_cast<double>(mapping.tile_rows) * mapping.tile_columns;
}

}  // namespace imssa
