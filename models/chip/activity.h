#pragma once

#include <string>
#include <vector>

#include "models/array/crossbar.h"
#include "models/chip/chip_config.h"
#include "models/cost/ledger.h"
#include "models/mapping/kernel_placement.h"
#include "models/network/deployed_network.h"

namespace imssa {

/// How much of its largest possible read energy an array takes on average, over all cells in used rows and columns,
/// if its cells reach from zero to G_max without errors: supply: mean of (G / G_max) |v / v_read|, device: mean of (G /
/// G_max) (v / v_read)^2. Conductance that is there whatever the weight goes with the rows' mean |v / v_read| and (v /
/// v_read)^2 alone.
struct ArrayActivity {
    double supply = 0.0, device = 0.0;
    double drive = 0.0, drive_square = 0.0;

    void validate() const;
};

/// Of a kernel's array; output_share: share of `supply` and `device` that is in the column of y.
struct KernelActivity {
    ArrayActivity array;
    double output_share = 0.0;

    void validate() const;
};

/// What depends on data in the energy of a chip: reads of arrays, nothing else. The defaults are means of the demo
/// networks (docs/energy-models.md). Kernels by what their array holds.
struct ActivityStatistics {
    std::string source = "default: means of the demo networks";
    ArrayActivity encoder{0.459, 0.439, 0.918, 0.878};
    /// Abar, B, C in cells that spread by kFusedSpread: poles beyond the unit circle drive states to their limits.
    KernelActivity kernel_fused{{0.0187, 0.0148, 0.384, 0.27}, 0.167};
    KernelActivity kernel_fused_exact{{0.00787, 0.00292, 0.179, 0.0677}, 0.167};  ///< the same in cells without errors
    KernelActivity kernel_increments{{0.00816, 0.00306, 0.187, 0.0707}, 0.177};   ///< Abar - 1, B, C
    KernelActivity kernel_planes{{0.00560, 0.00220, 0.188, 0.0712}, 0.134};       ///< the same, a range a part
    KernelActivity kernel_digital{{0.00963, 0.00202, 0.0513, 0.0108}, 1.0};       ///< C
    KernelActivity kernel_digital_input{{0.00398, 0.00162, 0.0788, 0.0238}, 0.185};  ///< B, C
    ArrayActivity mixing{0.00385, 0.000535, 0.0260, 0.00327};
    ArrayActivity classifier{0.0239, 0.00765, 0.125, 0.0342};

    /// Of a kernel in cells of this spread (CellResponse); Abar in cells: between the two of `kernel_fused`, in
    /// proportion to the spread.
    KernelActivity of(const DeployedKernel& kernel, double cell_spread) const;
    /// Sets what `of` gives for every spread.
    void set(const DeployedKernel& kernel, const KernelActivity& activity);

    /// Standard deviation of cells, share of the window, for which `kernel_fused` was measured: programming error of
    /// 2.6 % and relaxation of a day.
    static constexpr double kFusedSpread = 0.028;
};

template <class Visitor>
void visit_fields(Visitor& visit, ArrayActivity& activity) {
    visit("supply", activity.supply);
    visit("device", activity.device);
    visit("drive", activity.drive);
    visit("drive_square", activity.drive_square);
}

template <class Visitor>
void visit_fields(Visitor& visit, KernelActivity& activity) {
    visit_fields(visit, activity.array);
    visit("output_share", activity.output_share);
}

template <class Visitor>
void visit_fields(Visitor& visit, ActivityStatistics& statistics) {
    visit("source", statistics.source);
    visit.table("encoder", statistics.encoder);
    visit.table("kernel_fused", statistics.kernel_fused);
    visit.table("kernel_fused_exact", statistics.kernel_fused_exact);
    visit.table("kernel_increments", statistics.kernel_increments);
    visit.table("kernel_planes", statistics.kernel_planes);
    visit.table("kernel_digital", statistics.kernel_digital);
    visit.table("kernel_digital_input", statistics.kernel_digital_input);
    visit.table("mixing", statistics.mixing);
    visit.table("classifier", statistics.classifier);
}

/// Conductance that cells reach, relative to G_max: the mean when asked for g_min, what is added for every part of the
/// window, and the standard deviation in the middle of the window.
struct CellResponse {
    double at_zero = 0.0;
    double slope = 1.0;
    double spread = 0.0;
};
/// Exact without errors; else from programmed cells (seeded), at g_min and in the middle of the window.
CellResponse cell_response(const DeviceConfig& device);

/// What of a matrix is read: input x output positions in cells, those of the whole matrix, and the share of its weights
/// that is in cells.
struct ReadShape {
    double positions = 0.0;  ///< all, with the zeros of packing
    double matrix_positions = 0.0;
    double weight_share = 1.0;
    double nonzero = 1.0;  ///< share of the matrix's positions that hold a weight at all
    int input_limit = 127;
    int code_limit = 127;
};
ReadShape dense_shape(const QuantizedMatrix& matrix);
/// Of one operation of all heads of a layer.
ReadShape kernel_shape(const DeployedKernel& kernel, int heads, const KernelTileCounts& tiles,
                       const KernelActivity& activity, const MappingOptions& mapping);

/// Mean energy of one read of everything in `shape`.
ReadEnergy mean_read(const ReadShape& shape, const ArrayActivity& activity, const CellResponse& response,
                     const ChipConfig& config);

/// Statistics of a simulation: those with which the estimate has the energies of the ledger's arrays over its
/// `sequences` sequences. What the network does not have keeps its default, and so do drives and shares.
ActivityStatistics measured_activity(const EnergyLedger& ledger, const DeployedNetwork& network,
                                     const ChipConfig& config, int sequences);

/// Reads a TOML file; keys as above.
ActivityStatistics load_activity(const std::string& path);
std::string activity_toml(const ActivityStatistics& statistics);

}  // namespace imssa
