#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "models/device/device_config.h"
#include "models/device/programming.h"
#include "models/mapping/tile_mapping.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// A matrix in the cells of one tile.
struct ProgrammedMatrix {
    UsedCells used;
    ProgrammedCells cells;
    std::vector<bool> swapped;  ///< per output: plus and minus columns have changed places; empty: none has
};

/// Programs a matrix that fits the tile: target conductances, on spare lines and remapped around known faults, with the
/// errors, faults and ageing that (seed, tile) draw.
ProgrammedMatrix program_matrix(const QuantizedMatrix& matrix, const MappingOptions& mapping,
                                const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile);

/// Weights of cells, inputs x outputs in weight codes, from their conductances (or what of them a column senses).
Eigen::MatrixXd codes_of_cells(const Eigen::MatrixXd& conductances, const std::vector<bool>& swapped,
                               const QuantizedMatrix& matrix, const MappingOptions& mapping,
                               const DeviceConfig& device);

/// The weights that these cells hold, inputs x outputs in weight codes. With an ideal device they are matrix.codes.
Eigen::MatrixXd programmed_codes(const QuantizedMatrix& matrix, const MappingOptions& mapping,
                                 const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile);

}  // namespace imssa
