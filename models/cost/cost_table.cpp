#include "models/cost/cost_table.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "models/common/error.h"

namespace imssa {

namespace {

/// `what` names the entry, `key` the nominal field.
void check_range(double low, double nominal, double high, const std::string& what, const std::string& key) {
    if (!(low >= 0.0 && low <= nominal && nominal <= high) || !std::isfinite(high)) {
        throw UserError(what + ": the range of " + key +
                        " is out of order: give low <= nominal <= high, all at least 0");
    }
}

template <class Key>
std::string no_entry(Key key, const char* list) {
    return std::string("there is no [[") + list + "]] entry for '" + to_string(key) +
           "' in the cost table: add one with its value, low, high, source and status";
}

template <class Prices, class Key, class Member>
auto find_price(const Prices& prices, Key key, Member member, const char* list) -> decltype(prices.front()) {
    for (const auto& price : prices) {
        if (price.*member == key) {
            return price;
        }
    }
    throw UserError(no_entry(key, list));
}

template <class Prices, class Key, class Member>
void check_listed_once(const Prices& prices, Key key, Member member, const char* list) {
    find_price(prices, key, member, list);
    int entries = 0;
    for (const auto& price : prices) {
        entries += price.*member == key ? 1 : 0;
    }
    if (entries > 1) {
        throw UserError(std::string("there are ") + std::to_string(entries) + " [[" + list + "]] entries for '" +
                        to_string(key) + "' in the cost table: keep one");
    }
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// One entry for all units, and at most one for a unit.
void check_energies(const std::vector<EnergyPrice>& energies, Action action) {
    std::vector<EnergyPrice> general;
    for (const EnergyPrice& price : energies) {
        if (price.action == action && price.unit.empty()) {
            general.push_back(price);
        }
        for (const EnergyPrice& other : energies) {
            if (&other != &price && price.action == action && other.action == action && !price.unit.empty() &&
                other.unit == price.unit) {
                throw UserError(std::string("there are several [[energy]] entries for '") + to_string(action) +
                                "' in the unit '" + price.unit + "' in the cost table: keep one");
            }
        }
    }
    check_listed_once(general, action, &EnergyPrice::action, "energy");
}

/// What happens must cost something: a zero would vanish from every sum without a word.
void check_above_zero(double nominal, const std::string& what, const std::string& key) {
    if (nominal == 0.0) {
        throw UserError(what + ": " + key + " is 0: give a nominal value above zero");
    }
}

}  // namespace

void Provenance::validate(const std::string& what) const {
    if (source.empty()) {
        throw UserError(what + ": no source is given: set source");
    }
    if (status.size() != 1 || std::string("RSDMA").find(status) == std::string::npos) {
        throw UserError(what + ": status = \"" + status +
                        "\" is not known: set R (read), S (second hand), D (derived), M (memory) or A (assumption)");
    }
}

void EnergyPrice::validate() const {
    const std::string what = std::string("energy of ") + to_string(action);
    if (action == Action::array_read) {
        throw UserError(what +
                        ": array reads have no price, their energy is computed from the conductances: "
                        "remove the entry");
    }
    resolution.validate(what, usual_bits_model(action));
    check_model_or_numbers(use,
                           {{"energy_j", energy_j},
                            {"energy_low_j", energy_low_j},
                            {"energy_high_j", energy_high_j},
                            {"power_w", power_w},
                            {"power_low_w", power_low_w},
                            {"power_high_w", power_high_w},
                            {"settle_s", settle_s}},
                           what);
    if (!(rate_hz >= 0.0) || !std::isfinite(rate_hz) || (rate_hz > 0.0 && action != Action::adc_conversion)) {
        throw UserError(what + ": rate_hz is the rate up to which a price of adc_conversion holds: " +
                        "set it there, finite and at least 0, or remove it");
    }
    if (use.given()) {
        use.check({Quantity::energy_j, Quantity::power_w}, what);
        return;
    }
    check_range(energy_low_j, energy_j, energy_high_j, what, "energy_j");
    check_range(power_low_w, power_w, power_high_w, what, "power_w");
    if (energy_high_j > 0.0 && power_high_w > 0.0) {
        throw UserError(what + ": both energy_j and power_w are given: keep one");
    }
    check_above_zero(energy_j + power_w, what, power_high_w > 0.0 ? "power_w" : "energy_j");
    if (!(settle_s >= 0.0) || !std::isfinite(settle_s) || (settle_s > 0.0) != (power_w > 0.0)) {
        throw UserError(what + ": power_w goes with settle_s, the settling time for which it holds: " +
                        (power_w > 0.0 ? "set settle_s above zero" : "remove settle_s"));
    }
    if (energy_j > 1e-6) {
        throw UserError(what + ": energy_j = " + std::to_string(energy_j) +
                        " is above a microjoule: the unit is joule (2.66e-12 is 2.66 pJ)");
    }
    provenance.validate(what);
}

void AreaPrice::validate() const {
    const std::string what = std::string("area of ") + to_string(component);
    resolution.validate(what, usual_bits_model(component));
    check_model_or_numbers(
        use, {{"area_mm2", area_mm2}, {"area_low_mm2", area_low_mm2}, {"area_high_mm2", area_high_mm2}}, what);
    if (use.given()) {
        use.check({Quantity::area_mm2}, what);
        return;
    }
    check_range(area_low_mm2, area_mm2, area_high_mm2, what, "area_mm2");
    check_above_zero(area_mm2, what, "area_mm2");
    if (area_mm2 > 10.0) {
        throw UserError(what + ": area_mm2 = " + std::to_string(area_mm2) +
                        " is above 10 mm^2: the unit is mm^2 (3000 um^2 is 3000e-6)");
    }
    provenance.validate(what);
}

void LeakagePrice::validate() const {
    const std::string what = std::string("leakage of ") + to_string(component);
    resolution.validate(what, usual_bits_model(component));
    check_model_or_numbers(use, {{"power_w", power_w}, {"power_low_w", power_low_w}, {"power_high_w", power_high_w}},
                           what);
    if (use.given()) {
        use.check({Quantity::power_w}, what);
        return;
    }
    check_range(power_low_w, power_w, power_high_w, what, "power_w");
    if (component != Component::cell || power_high_w > 0.0) {  // cells without a voltage leak nothing
        check_above_zero(power_w, what, "power_w");
    }
    provenance.validate(what);
}

ResolutionLaw EnergyPrice::law() const {
    return {resolution, usual_bits_model(action), use.model, use.parameters};
}

OperatingLaw EnergyPrice::operating_law() const {
    return {settle_s, rate_hz, use};
}

ResolutionLaw AreaPrice::law() const {
    return {resolution, usual_bits_model(component), use.model, use.parameters};
}

ResolutionLaw LeakagePrice::law() const {
    return {resolution, usual_bits_model(component), use.model, use.parameters};
}

void CostTable::validate() const {
    for (const auto& [action_name, action] : enum_names(Action{})) {
        if (action != Action::array_read) {
            check_energies(energies, action);
        }
    }
    for (const auto& [component_name, component] : enum_names(Component{})) {
        check_listed_once(areas, component, &AreaPrice::component, "area");
        check_listed_once(leakages, component, &LeakagePrice::component, "leakage");
    }
}

void CostTable::check_units(const std::vector<CostUnit>& units) const {
    // Units that only some mappings have: a table may serve chips without them.
    static constexpr std::array<const char*, 5> kOfSomeMappings = {"state_buffer", "digital", "dac", "tile", "adc"};
    for (const EnergyPrice& price : energies) {
        const bool here = price.unit.empty() || std::any_of(units.begin(), units.end(), [&price](const CostUnit& unit) {
                              return ends_with(unit.name, price.unit);
                          });
        if (here || std::find(kOfSomeMappings.begin(), kOfSomeMappings.end(), price.unit) != kOfSomeMappings.end()) {
            continue;
        }
        std::string ends;
        for (const CostUnit& unit : units) {
            const std::string end = unit.name.substr(unit.name.rfind('.') + 1);
            if ((", " + ends + ",").find(", " + end + ",") == std::string::npos) {
                ends += (ends.empty() ? "" : ", ") + end;
            }
        }
        throw UserError(std::string("energy of ") + to_string(price.action) + ": no unit's name ends with unit = '" +
                        price.unit + "': the chip's end with " + ends);
    }
}

const EnergyPrice& CostTable::energy(Action action) const {
    for (const EnergyPrice& price : energies) {
        if (price.action == action && price.unit.empty()) {
            return price;
        }
    }
    throw UserError(no_entry(action, "energy"));
}

const EnergyPrice& CostTable::energy(Action action, const std::string& unit) const {
    for (const EnergyPrice& price : energies) {
        if (price.action == action && !price.unit.empty() && ends_with(unit, price.unit)) {
            return price;
        }
    }
    return energy(action);
}

const AreaPrice& CostTable::area(Component component) const {
    return find_price(areas, component, &AreaPrice::component, "area");
}

const LeakagePrice& CostTable::leakage(Component component) const {
    return find_price(leakages, component, &LeakagePrice::component, "leakage");
}

}  // namespace imssa
