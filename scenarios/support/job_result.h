#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "models/chip/chip.h"
#include "models/cost/ledger.h"
#include "scenarios/support/chip_job.h"

namespace imssa {

/// What a worker process hands back to its parent, piece by piece: each pair writes a structure and reads it again.
/// Between processes of one program only: not a format for files.
nlohmann::json counts_to_json(const ComparisonCounts& counts);
ComparisonCounts counts_from_json(const nlohmann::json& list);

/// Units with their parts and resolutions, and the counted actions.
nlohmann::json ledger_to_json(const EnergyLedger& ledger);
/// The units of a written ledger, nothing counted yet.
EnergyLedger empty_ledger(const nlohmann::json& stored);
/// Adds the counted actions of a written ledger with the same units.
void add_to_ledger(const nlohmann::json& stored, EnergyLedger& ledger);

nlohmann::json tiles_to_json(const Chip& chip);
std::vector<TileUse> tiles_from_json(const nlohmann::json& list);

nlohmann::json calibration_to_json(const CalibrationSummary& summary);
CalibrationSummary calibration_from_json(const nlohmann::json& list);

nlohmann::json programming_to_json(const ProgrammingSummary& summary);
ProgrammingSummary programming_from_json(const nlohmann::json& stored);

nlohmann::json conversions_to_json(const ConversionCounts& counts);
ConversionCounts conversions_from_json(const nlohmann::json& list);

nlohmann::json trajectory_to_json(const Trajectory& trajectory);
Trajectory trajectory_from_json(const nlohmann::json& stored);

}  // namespace imssa
