#pragma once

#include <string>
#include <vector>

#include "models/cost/action.h"
#include "models/cost/component.h"
#include "models/cost/component_model.h"
#include "models/cost/model_use.h"
#include "models/cost/operating_law.h"
#include "models/cost/resolution.h"

namespace imssa {

/// A figure with its uncertainty, and where it comes from. Status of the nominal value: R read in the source, S second
/// hand, D derived from sourced numbers, M from memory, A assumption.
struct Provenance {
    std::string source;
    std::string status;
    bool calibrated = false;  ///< fitted to silicon of this kind (otherwise the low-high range applies)

    void validate(const std::string& what) const;
};

/// Energy of one action in joules: either energy_j, or (amplifiers that burn a bias current while a read lasts) power_w
/// times the read time of the chip.
struct EnergyPrice {
    Action action = Action::dac_conversion;
    std::string unit;  ///< only in units whose name ends so ("state_buffer"); empty: everywhere else
    std::string per;   ///< what one action is, in words
    double energy_j = 0.0, energy_low_j = 0.0, energy_high_j = 0.0;
    double power_w = 0.0, power_low_w = 0.0, power_high_w = 0.0;
    double settle_s = 0.0;  ///< settling time for which power_w holds; shorter reads take more power
    double rate_hz = 0.0;   ///< of converters: the rate up to which the price holds; 0: its model's, or any
    Provenance provenance;
    ModelUse use{};
    Resolution resolution{};

    void validate() const;
    ResolutionLaw law() const;
    OperatingLaw operating_law() const;
};

/// Area of one instance in mm^2.
struct AreaPrice {
    Component component = Component::cell;
    double area_mm2 = 0.0, area_low_mm2 = 0.0, area_high_mm2 = 0.0;
    Provenance provenance;
    ModelUse use{};
    Resolution resolution{};

    void validate() const;
    ResolutionLaw law() const;
};

/// Leakage power of one instance in watts, drawn all the time.
struct LeakagePrice {
    Component component = Component::cell;
    double power_w = 0.0, power_low_w = 0.0, power_high_w = 0.0;
    Provenance provenance;
    ModelUse use{};
    Resolution resolution{};

    void validate() const;
    ResolutionLaw law() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, EnergyPrice& price) {
    visit("action", price.action);
    visit("unit", price.unit);
    visit("per", price.per);
    visit("energy_j", price.energy_j);
    visit("energy_low_j", price.energy_low_j);
    visit("energy_high_j", price.energy_high_j);
    visit("power_w", price.power_w);
    visit("power_low_w", price.power_low_w);
    visit("power_high_w", price.power_high_w);
    visit("settle_s", price.settle_s);
    visit("rate_hz", price.rate_hz);
    visit("source", price.provenance.source);
    visit("status", price.provenance.status);
    visit("calibrated", price.provenance.calibrated);
    visit_model(visit, price.use);
    visit_resolution(visit, price.resolution);
}

template <class Visitor>
void visit_fields(Visitor& visit, AreaPrice& price) {
    visit("component", price.component);
    visit("area_mm2", price.area_mm2);
    visit("area_low_mm2", price.area_low_mm2);
    visit("area_high_mm2", price.area_high_mm2);
    visit("source", price.provenance.source);
    visit("status", price.provenance.status);
    visit("calibrated", price.provenance.calibrated);
    visit_model(visit, price.use);
    visit_resolution(visit, price.resolution);
}

template <class Visitor>
void visit_fields(Visitor& visit, LeakagePrice& price) {
    visit("component", price.component);
    visit("power_w", price.power_w);
    visit("power_low_w", price.power_low_w);
    visit("power_high_w", price.power_high_w);
    visit("source", price.provenance.source);
    visit("status", price.provenance.status);
    visit("calibrated", price.provenance.calibrated);
    visit_model(visit, price.use);
    visit_resolution(visit, price.resolution);
}

/// Unit costs of one technology. Every action but array_read has one [[energy]] entry (array_read brings its joules
/// along, computed from conductances and inputs), and may have more for single units; every component has one [[area]]
/// and one [[leakage]] entry.
struct CostTable {
    std::string name;
    double technology_nm = 0.0;
    double v_supply_volt = 0.0;  ///< for which the digital and converter energies hold
    std::vector<EnergyPrice> energies;
    std::vector<AreaPrice> areas;
    std::vector<LeakagePrice> leakages;

    /// Evaluates the models that entries name; UserError names the entry, also where a model gives zero.
    void resolve_models();
    /// Throws UserError naming the first action or component without a price, or with two.
    void validate() const;

    /// UserError when an entry's `unit` is the end of no unit's name, here or of a chip with another mapping.
    void check_units(const std::vector<CostUnit>& units) const;

    const EnergyPrice& energy(Action action) const;
    /// The price in one unit: its own, where there is an entry with such a `unit`.
    const EnergyPrice& energy(Action action, const std::string& unit) const;
    const AreaPrice& area(Component component) const;
    const LeakagePrice& leakage(Component component) const;
};

/// The keys of a price table; Table is CostTable, or what its file is read into unchecked.
template <class Visitor, class Table>
void visit_price_table(Visitor& visit, Table& table) {
    visit("name", table.name);
    visit("technology_nm", table.technology_nm);
    visit("v_supply_volt", table.v_supply_volt);
    visit.tables("energy", table.energies);
    visit.tables("area", table.areas);
    visit.tables("leakage", table.leakages);
}

template <class Visitor>
void visit_fields(Visitor& visit, CostTable& table) {
    visit_price_table(visit, table);
}

/// Reads, validates and resolves a TOML file; unknown keys are errors. Overrides as for every configuration
/// ("energy.4.energy_j=1e-12").
CostTable load_cost_table(const std::string& path, const std::vector<std::string>& overrides = {});

}  // namespace imssa
