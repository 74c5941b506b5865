#pragma once

#include <string>
#include <unordered_map>

#include "models/chip/estimate.h"

namespace imssa {

/// Estimates many designs with one price table. The response of cells with errors takes longer than all the rest of an
/// estimate; it is worked out once for each description of a cell and kept. One thread at a time.
class DesignEstimator {
public:
    /// Throws UserError as CompiledPrices.
    explicit DesignEstimator(const CostTable& table) : prices_(table) {}

    /// The same figures as `estimate_design`, to the bit.
    DesignEstimate estimate(const ModelConfig& model, const DeploymentOptions& options, const ChipConfig& config,
                            int steps, const ActivityStatistics& activity);

    /// Descriptions of cells whose response is kept.
    std::size_t cells() const { return responses_.size(); }

private:
    const CellResponse& response_of(const DeviceConfig& device);

    CompiledPrices prices_;
    std::unordered_map<std::string, CellResponse> responses_;  ///< by all fields of the device
};

}  // namespace imssa
