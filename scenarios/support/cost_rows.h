#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/cost/area.h"
#include "models/cost/ledger.h"

namespace imssa {

// The rows of a result (docs/formats.md), written and read.

/// Rows of one sequence. Actions have `count_per_sequence` and `unit_cost_j`, leakage `count_instance_s` and
/// `unit_power_w`.
nlohmann::ordered_json energy_rows_json(const std::vector<EnergyRow>& sequence_rows);

nlohmann::ordered_json area_rows_json(const std::vector<AreaRow>& rows);

/// UserError naming `path`, the row and the key that is missing or of another kind.
std::vector<EnergyRow> energy_rows_from_json(const nlohmann::ordered_json& list, const std::string& path);
std::vector<AreaRow> area_rows_from_json(const nlohmann::ordered_json& list, const std::string& path);

}  // namespace imssa
