#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "models/device/device_config.h"

namespace imssa {

/// Cells of a tile that a matrix uses: those of the top left corner, or of the lines named.
struct UsedCells {
    int rows = 0;
    int columns = 0;
    std::vector<int> row_places = {};     ///< line of the tile of each row; empty: in order
    std::vector<int> column_places = {};  ///< of each column

    int row_place(int row) const { return row_places.empty() ? row : row_places[static_cast<std::size_t>(row)]; }
    int column_place(int column) const {
        return column_places.empty() ? column : column_places[static_cast<std::size_t>(column)];
    }
};

/// What one programming of one tile did.
struct ProgrammingSummary {
    std::int64_t cells = 0;  ///< programmed cells (the footprint; unused cells are left alone)
    double pulses = 0.0;
    double energy_j = 0.0;
    double time_s = 0.0;  ///< cells one after another
    std::int64_t stuck_cells = 0;
    std::int64_t failed_cells = 0;  ///< not within the tolerance of write-verify, or stuck when it is not simulated

    /// Cells were written, but a pulse of the device, or how many a cell takes, has no figure.
    bool energy_is_priced() const { return cells == 0 || energy_j > 0.0; }
    bool time_is_priced() const { return cells == 0 || time_s > 0.0; }

    double yield() const {
        return cells > 0 ? 1.0 - static_cast<double>(failed_cells) / static_cast<double>(cells) : 1.0;
    }
    ProgrammingSummary& operator+=(const ProgrammingSummary& other) {
        cells += other.cells;
        pulses += other.pulses;
        energy_j += other.energy_j;
        time_s += other.time_s;
        stuck_cells += other.stuck_cells;
        failed_cells += other.failed_cells;
        return *this;
    }
};

/// Faults of the used cells, drawn with the purpose `faults`: 0 healthy, -1 stuck at g_min, 1 stuck at g_max.
Eigen::MatrixXi stuck_cells(const UsedCells& used, const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile,
                            int parallel_cell = 0);

/// Those of the stuck cells that the mapper knows: each with a probability of `known_fault_fraction`.
Eigen::MatrixXi known_stuck_cells(const UsedCells& used, const DeviceConfig& device, std::uint64_t seed,
                                  std::uint32_t tile);

/// Cells as they are read.
struct ProgrammedCells {
    Eigen::MatrixXd conductances;  ///< siemens, rows x columns of the tile; of parallel cells their weighted mean
    Eigen::MatrixXd read_sigma;    ///< siemens, of one read of a used cell; empty without read noise
    ProgrammingSummary summary;
};

/// Programs `targets` (rows x columns of a tile, siemens) and lets time_since_programming_s pass. In this order, for
/// every used cell and each of its parallel cells:
///   1. the target is rounded to a level of the window,
///   2. a programming error (purpose `programming`) or the write-verify loop (purpose `write_verify`), clipped at zero,
///   3. drift and relaxation (purposes `drift`, `relaxation`), clipped at zero,
///   4. a stuck cell is at g_min or at g_max whatever was asked of it,
///   5. temperature.
/// A cell's draws depend on (seed, tile, row, column, parallel cell) only, with the lines of the tile that it lies on.
/// Cells outside `used` are left alone and stay at their targets.
ProgrammedCells program_cells(const Eigen::MatrixXd& targets, const UsedCells& used, const DeviceConfig& device,
                              std::uint64_t seed, std::uint32_t tile);

/// Conductances of 1024 sample cells with one target: those of program_cells for a tile 0 of 32 x 32 cells and seed 1,
/// column by column. Draws are made once for all targets and devices, but for write-verify and beyond four parallel
/// cells.
Eigen::ArrayXd sample_conductances(double target, const DeviceConfig& device);

}  // namespace imssa
