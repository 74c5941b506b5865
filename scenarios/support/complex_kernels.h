#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "models/chip/chip_config.h"
#include "models/mapping/complex_kernel.h"

namespace imssa {

/// A kernel of complex input and output from a file, and the cells that the file gives it.
struct NamedComplexKernel {
    std::string name;
    ComplexKernel kernel;
    Eigen::MatrixXd cells;  ///< as parts of the window; empty when the file has none
};

/// Reads a JSON file (docs/formats.md). Throws UserError naming the file and the kernel.
std::vector<NamedComplexKernel> load_complex_kernels(const std::string& path);

/// The array of the kernel on the chip's cells: weights are levels of the device, or codes of the weight bits when it
/// has none.
QuantizedMatrix array_on_chip(const ComplexKernel& kernel, const ChipConfig& config);

/// Cells of a kernel on a tile, counted against those of the file.
struct ComplexKernelCells {
    TileFootprint footprint;
    Eigen::MatrixXd conductances;     ///< targets in siemens, all of the tile
    int as_in_file = 0;               ///< used cells equal to the file's within 1e-9 of the window
    double largest_difference = 0.0;  ///< of the window
};
ComplexKernelCells map_complex_kernel(const NamedComplexKernel& kernel, const ChipConfig& config);

}  // namespace imssa
