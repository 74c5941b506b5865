#include "models/cost/ledger.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "models/common/error.h"

namespace imssa {

namespace {

EnergyRow start_row(const CostUnit& unit, ComponentGroup group, std::string item, double count,
                    const Provenance& provenance) {
    EnergyRow row;
    row.unit = unit.name;
    row.group = group;
    row.item = std::move(item);
    row.count = count;
    row.source = provenance.source;
    row.status = provenance.status;
    row.calibrated = provenance.calibrated;
    return row;
}

EnergyRow action_row(const CostUnit& unit, Action action, double count, const EnergyPrice& price,
                     const PricingConditions& conditions) {
    if (price.power_high_w > 0.0 && !(conditions.read_time_s > 0.0)) {
        throw UserError(std::string("the price of ") + to_string(action) +
                        " is a power, but no read time is given: set read.t_read_s of the chip");
    }
    EnergyRow row = start_row(unit, group_of(action, unit.digital), to_string(action), count, price.provenance);
    const ConverterBits bits = bits_of(action, unit.adc_bits, unit.dac_bits);
    const ResolutionLaw law = price.law();
    const OperatingLaw speed = price.operating_law();
    const double factor = law.mean_factor(bits) * speed.factor(conditions);
    row.source = speed.note(conditions) + law.mean_note(bits) + row.source;
    row.unit_cost_j = factor * (price.energy_j + price.power_w * conditions.read_time_s);
    row.energy_j = count * row.unit_cost_j;
    row.energy_low_j = count * (factor * (price.energy_low_j + price.power_low_w * conditions.read_time_s));
    row.energy_high_j = count * (factor * (price.energy_high_j + price.power_high_w * conditions.read_time_s));
    return row;
}

EnergyRow array_row(const CostUnit& unit, double count, double device_j, double supply_j) {
    static const Provenance kComputed = {
        "computed from conductances and inputs: V_supply |V| G t from the supply; low: V^2 G t in cells", "D", false};
    EnergyRow row = start_row(unit, ComponentGroup::array, to_string(Action::array_read), count, kComputed);
    row.unit_cost_j = supply_j / count;
    row.energy_j = supply_j;
    row.energy_low_j = device_j;
    row.energy_high_j = supply_j;
    row.array_device_j = device_j;
    return row;
}

void add(EnergyTotal& total, const EnergyRow& row) {
    total.energy_j += row.energy_j;
    total.energy_low_j += row.energy_low_j;
    total.energy_high_j += row.energy_high_j;
}

}  // namespace

EnergyLedger::EnergyLedger(std::vector<CostUnit> units) : units_(std::move(units)), counts_(units_.size()) {}

void EnergyLedger::record(const ActionEvent& event) {
    if (event.unit < 0 || static_cast<std::size_t>(event.unit) >= counts_.size()) {
        throw std::out_of_range("the energy ledger has no unit " + std::to_string(event.unit) + " (action " +
                                to_string(event.action) + ")");
    }
    UnitCounts& unit = counts_[static_cast<std::size_t>(event.unit)];
    unit.actions[static_cast<std::size_t>(event.action)] += event.count;
    unit.device_j += event.array_device_j;
    unit.supply_j += event.array_supply_j;
}

void EnergyLedger::clear() {
    counts_.assign(units_.size(), UnitCounts{});
}

const EnergyLedger::UnitCounts& EnergyLedger::counts(std::int32_t unit) const {
    return counts_.at(static_cast<std::size_t>(unit));
}

double EnergyLedger::count(std::int32_t unit, Action action) const {
    return counts(unit).actions[static_cast<std::size_t>(action)];
}

double EnergyLedger::array_device_j(std::int32_t unit) const {
    return counts(unit).device_j;
}

double EnergyLedger::array_supply_j(std::int32_t unit) const {
    return counts(unit).supply_j;
}

std::vector<EnergyRow> EnergyLedger::price(const CostTable& table, const PricingConditions& conditions) const {
    std::vector<EnergyRow> rows;
    for (std::size_t index = 0; index < units_.size(); ++index) {
        const CostUnit& unit = units_[index];
        const UnitCounts& done = counts_[index];
        for (const auto& [name, action] : enum_names(Action{})) {
            const double count = done.actions[static_cast<std::size_t>(action)];
            if (count == 0.0) {
                continue;
            }
            rows.push_back(action == Action::array_read
                               ? array_row(unit, count, done.device_j, done.supply_j)
                               : action_row(unit, action, count, table.energy(action, unit.name), conditions));
        }
    }
    if (conditions.duration_s > 0.0) {
        for (const CostUnit& unit : units_) {
            for (const auto& [name, component] : enum_names(Component{})) {
                const double count = unit.parts[component] * conditions.duration_s;
                const LeakagePrice& price = table.leakage(component);
                if (count == 0.0 || price.power_high_w == 0.0) {
                    continue;
                }
                EnergyRow row = start_row(unit, ComponentGroup::leakage, std::string("leakage of ") + name, count,
                                          price.provenance);
                const ConverterBits bits = bits_of(component, unit.adc_bits, unit.dac_bits);
                const ResolutionLaw law = price.law();
                const double factor = law.widest_factor(bits);
                row.source = law.widest_note(bits) + row.source;
                row.unit_cost_j = factor * price.power_w;
                row.energy_j = count * row.unit_cost_j;
                row.energy_low_j = count * (factor * price.power_low_w);
                row.energy_high_j = count * (factor * price.power_high_w);
                rows.push_back(std::move(row));
            }
        }
    }
    return rows;
}

std::vector<std::string> priced_at_zero(const std::vector<CostUnit>& units, const CostTable& table) {
    std::vector<std::string> parts;
    for (const auto& [name, component] : enum_names(Component{})) {
        const Component wanted = component;
        const bool present = std::any_of(units.begin(), units.end(),
                                         [wanted](const CostUnit& unit) { return unit.parts[wanted] > 0.0; });
        const LeakagePrice& price = table.leakage(component);
        if (present && price.power_high_w == 0.0) {
            parts.push_back(std::string("leakage of ") + name + " (" + price.provenance.source + ")");
        }
    }
    return parts;
}

EnergyTotal total_energy(const std::vector<EnergyRow>& rows) {
    EnergyTotal total;
    for (const EnergyRow& row : rows) {
        add(total, row);
    }
    return total;
}

double total_array_device_j(const std::vector<EnergyRow>& rows) {
    double joules = 0.0;
    for (const EnergyRow& row : rows) {
        joules += row.array_device_j;
    }
    return joules;
}

std::array<EnergyTotal, kGroupCount> energy_by_group(const std::vector<EnergyRow>& rows) {
    std::array<EnergyTotal, kGroupCount> totals{};
    for (const EnergyRow& row : rows) {
        add(totals[static_cast<std::size_t>(row.group)], row);
    }
    return totals;
}

}  // namespace imssa
