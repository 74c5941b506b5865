#pragma once

#include <string>
#include <vector>

#include "models/chip/chip_config.h"
#include "models/cost/ledger.h"
#include "models/network/deployed_network.h"

namespace imssa {

/// How much of its largest possible read energy an array takes on average, over all cells in used rows and columns:
/// supply: mean of (G / G_max) |v / v_read|, device: mean of (G / G_max) (v / v_read)^2.
struct ArrayActivity {
    double supply = 0.0, device = 0.0;

    void validate() const;
};

/// What depends on data in the energy of a chip: reads of arrays, nothing else. The defaults are means of the demo
/// networks (docs/energy-models.md).
struct ActivityStatistics {
    std::string source = "default: means of the demo networks";
    ArrayActivity encoder{0.46, 0.44};
    ArrayActivity kernel_fused{0.0202, 0.0151};
    ArrayActivity kernel_digital{0.0098, 0.0021};
    ArrayActivity mixing{0.0042, 0.0006};
    ArrayActivity classifier{0.022, 0.007};
};

template <class Visitor>
void visit_fields(Visitor& visit, ArrayActivity& activity) {
    visit("supply", activity.supply);
    visit("device", activity.device);
}

template <class Visitor>
void visit_fields(Visitor& visit, ActivityStatistics& statistics) {
    visit("source", statistics.source);
    visit.table("encoder", statistics.encoder);
    visit.table("kernel_fused", statistics.kernel_fused);
    visit.table("kernel_digital", statistics.kernel_digital);
    visit.table("mixing", statistics.mixing);
    visit.table("classifier", statistics.classifier);
}

/// The energy of a read of one matrix in which every cell is at G_max and every row at v_read: what activities are
/// relative to.
ReadEnergy full_scale_read(const QuantizedMatrix& matrix, const ChipConfig& config);

/// Statistics of a simulation: energies of the ledger's arrays over what full scale would have taken in its `sequences`
/// sequences. The kernel's other mapping keeps its default.
ActivityStatistics measured_activity(const EnergyLedger& ledger, const DeployedNetwork& network,
                                     const ChipConfig& config, int sequences);

/// Reads a TOML file; keys as above.
ActivityStatistics load_activity(const std::string& path);
std::string activity_toml(const ActivityStatistics& statistics);

}  // namespace imssa
