#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/cost/area.h"
#include "models/cost/ledger.h"

namespace imssa {

/// One line of a breakdown.
struct EnergyShare {
    std::string name;
    EnergyTotal total;
};

/// The kernel step's phase in which an action falls (docs/timing.md), or what else it belongs to: "TRANSFER" between
/// units, "INPUT_OUTPUT" into and out of the chip, "SEQUENCING" all the time that a unit is busy, "LAYER_UNIT",
/// "POOLING", "TABLE", "LEAKAGE".
std::string phase_of(const EnergyRow& row);

/// The part of the chip that a unit belongs to: "encoder", "layer0", ..., "pooling", "classifier". A buffer belongs to
/// the unit that reads it.
std::string layer_of(const std::string& unit);

/// Sums by a key of the rows, in the order in which the keys appear. The sums of all lines are the total up to the
/// rounding of additions in another order.
std::vector<EnergyShare> energy_by(const std::vector<EnergyRow>& rows,
                                   const std::function<std::string(const EnergyRow&)>& key);

std::vector<EnergyShare> energy_by_unit(const std::vector<EnergyRow>& rows);
std::vector<EnergyShare> energy_by_layer(const std::vector<EnergyRow>& rows);
std::vector<EnergyShare> energy_by_phase(const std::vector<EnergyRow>& rows);

/// Counts and energies of rows of several sequences, divided by their number row by row. Their total is the energy of
/// one sequence; dividing the total of all sequences would differ from it in the last bits.
std::vector<EnergyRow> rows_per_sequence(const std::vector<EnergyRow>& rows, double sequences);

/// Throws NumericalError naming the first row with a figure that is negative, not finite, or has low > nominal or
/// nominal > high, or a unit cost of zero without a range (an action that happened must cost something; leakage and
/// reads without inputs may be free).
void check_rows(const std::vector<EnergyRow>& rows);

}  // namespace imssa
