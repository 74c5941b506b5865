#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "models/device/device_config.h"
#include "models/device/programming.h"
#include "models/mapping/tile_mapping.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// The lines of a tile that a matrix is programmed into. Spare lines lie at the end of the tile. One after another, the
/// input or output whose weights gain most moves to a free spare line, as long as one gains: the sum over its weights
/// of the error |sum of signed conductances - wanted| that known stuck cells make falls. `targets` in siemens, as from
/// target_conductances.
UsedCells place_lines(const Eigen::MatrixXd& targets, const QuantizedMatrix& matrix, const MappingOptions& mapping,
                      const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile);

}  // namespace imssa
