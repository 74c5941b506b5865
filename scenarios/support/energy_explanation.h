#pragma once

#include <cstdio>

#include "models/cost/area.h"
#include "models/cost/breakdown.h"
#include "scenarios/support/run_report.h"

namespace imssa {

/// What the figures that divide energy by operations count.
struct EfficiencyFigures {
    double operations_per_sequence = 0.0;
    double tops_per_w = 0.0;    ///< operations / energy
    double tops_per_mm2 = 0.0;  ///< operations x throughput / area
};
EfficiencyFigures efficiency_of(const RunReport& report, const ModelConfig& model, int steps);

/// Rows with all digits, so that they add up to their sum to the last bit. Actions first, then leakage under headings
/// of its own: what it counts are instances x seconds, what one costs is a power.
void print_energy_rows(const std::vector<EnergyRow>& rows, std::FILE* out);
void print_area_rows(const std::vector<AreaRow>& rows, std::FILE* out);

/// What the columns of print_energy_rows say.
const char* explained_columns();

/// Every row of the energy of the run with count, unit cost, product, range and source; then the breakdown per
/// component, unit, layer and phase.
void explain_energy(const RunReport& report, const RunSetup& setup, std::FILE* out);

/// The same for the area.
void explain_area(const RunReport& report, std::FILE* out);

/// One line on what is priced at zero and so has no row; nothing where all is priced.
void print_priced_at_zero(const std::vector<std::string>& parts, std::FILE* out);

}  // namespace imssa
