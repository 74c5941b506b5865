#pragma once

#include <array>
#include <string>
#include <vector>

#include "models/cost/action.h"
#include "models/cost/component.h"
#include "models/cost/cost_table.h"
#include "models/cost/operating_law.h"

namespace imssa {

/// One line of the energy report: energy_j = count x unit_cost_j.
struct EnergyRow {
    std::string unit;
    ComponentGroup group = ComponentGroup::control;
    std::string item;          ///< name of the action, or "leakage of <component>"
    double count = 0.0;        ///< actions; instance seconds for leakage
    double unit_cost_j = 0.0;  ///< joules per action; watts (joules per instance second) for leakage
    double energy_j = 0.0, energy_low_j = 0.0, energy_high_j = 0.0;
    double array_device_j = 0.0;  ///< of array reads: what cells and wires dissipate of energy_j, no further energy
    std::string source;
    std::string status;
    bool calibrated = false;
};

/// Low and high add up all lows and all highs: errors taken as fully correlated, the widest range.
struct EnergyTotal {
    double energy_j = 0.0, energy_low_j = 0.0, energy_high_j = 0.0;
};

/// Counts what units do and prices it afterwards. Joules of array reads: the nominal and high value is what is taken
/// from the supply (V_supply sum |V| G t, linear row drivers), the low value what cells and wires dissipate
/// (sum V^2 G t, ideal drivers).
class EnergyLedger {
public:
    explicit EnergyLedger(std::vector<CostUnit> units);

    void record(const ActionEvent& event);
    void clear();

    const std::vector<CostUnit>& units() const { return units_; }
    double count(std::int32_t unit, Action action) const;
    double array_device_j(std::int32_t unit) const;
    double array_supply_j(std::int32_t unit) const;

    /// One row per unit and action that happened, units in order, then their leakage. Throws UserError naming an
    /// action without a price, and when a price needs the read time and none is given.
    std::vector<EnergyRow> price(const CostTable& table, const PricingConditions& conditions) const;

private:
    struct UnitCounts {
        std::array<double, kActionCount> actions{};
        double device_j = 0.0;
        double supply_j = 0.0;
    };

    const UnitCounts& counts(std::int32_t unit) const;

    std::vector<CostUnit> units_;
    std::vector<UnitCounts> counts_;
};

/// Sums in the order of the rows: the total is exactly what a reader of the rows adds up.
/// What the units have and the table prices at zero, with the table's reason: it has no row.
std::vector<std::string> priced_at_zero(const std::vector<CostUnit>& units, const CostTable& table);

EnergyTotal total_energy(const std::vector<EnergyRow>& rows);

/// What cells and wires dissipate in array reads; within the total, which counts what the supply gives for them.
double total_array_device_j(const std::vector<EnergyRow>& rows);

/// Sums by group, indexed with ComponentGroup.
std::array<EnergyTotal, kGroupCount> energy_by_group(const std::vector<EnergyRow>& rows);

}  // namespace imssa
