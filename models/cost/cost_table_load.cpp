#include "models/common/config.h"
#include "models/common/error.h"
#include "models/cost/cost_table.h"
#include "models/cost/technology.h"

// Reading a price table: unknown keys first, then the entries' own checks, then their models.

namespace imssa {

namespace {

Figure evaluated(const ModelUse& use, const std::string& what, Provenance& provenance) {
    try {
        const ComponentModel& model = find_component_model(use.model);
        const Figure figure = times(evaluate(model, use.parameters), use.calibration);
        if (figure.nominal == 0.0) {
            throw UserError("the model '" + use.model + "' gives " + to_string(model.quantity) +
                            " = 0: give parameters for which it is above zero");
        }
        const std::string factor = use.calibration == 1.0 ? "" : " x " + std::to_string(use.calibration);
        const std::string remark = provenance.source.empty() ? "" : "; " + provenance.source;
        provenance.source = describe(model, use.parameters) + factor + ": " + model.source + remark;
        provenance.status = model.status;
        provenance.calibrated = provenance.calibrated || use.calibration != 1.0;
        return figure;
    } catch (const UserError& error) {
        throw UserError(what + ": " + error.what());
    }
}

/// An entry as it is read, but not checked: so that an unknown key is named before what its absence makes wrong.
template <class Entry>
struct Unchecked : Entry {
    void validate() const = delete;
};

struct UncheckedTable {
    std::string name;
    double technology_nm = 0.0, v_supply_volt = 0.0;
    std::vector<Unchecked<EnergyPrice>> energies;
    std::vector<Unchecked<AreaPrice>> areas;
    std::vector<Unchecked<LeakagePrice>> leakages;
};

template <class Visitor>
void visit_fields(Visitor& visit, UncheckedTable& table) {
    visit_price_table(visit, table);
}

}  // namespace

void CostTable::resolve_models() {
    ModelParameters defaults;
    defaults[Parameter::technology_nm] = technology_nm;
    defaults[Parameter::v_supply_volt] = v_supply_volt;
    const auto complete = [&defaults](auto& prices) {
        for (auto& price : prices) {
            if (price.use.given()) {
                price.use.parameters = price.use.parameters.with_defaults(defaults);
            }
        }
    };
    complete(energies);
    complete(areas);
    complete(leakages);
    for (EnergyPrice& price : energies) {
        if (!price.use.given()) {
            continue;
        }
        const std::string what = std::string("energy of ") + to_string(price.action);
        const Figure figure = evaluated(price.use, what, price.provenance);
        if (find_component_model(price.use.model).quantity == Quantity::power_w) {
            // amplifiers: power times the read time of the chip
            price.power_low_w = figure.low;
            price.power_w = figure.nominal;
            price.power_high_w = figure.high;
        } else {
            price.energy_low_j = figure.low;
            price.energy_j = figure.nominal;
            price.energy_high_j = figure.high;
        }
        if (price.per.empty()) {
            price.per = find_component_model(price.use.model).what;
        }
    }
    for (AreaPrice& price : areas) {
        if (price.use.given()) {
            const Figure figure =
                evaluated(price.use, std::string("area of ") + to_string(price.component), price.provenance);
            price.area_low_mm2 = figure.low;
            price.area_mm2 = figure.nominal;
            price.area_high_mm2 = figure.high;
        }
    }
    for (LeakagePrice& price : leakages) {
        if (price.use.given()) {
            const Figure figure =
                evaluated(price.use, std::string("leakage of ") + to_string(price.component), price.provenance);
            price.power_low_w = figure.low;
            price.power_w = figure.nominal;
            price.power_high_w = figure.high;
        }
    }
}

CostTable load_cost_table(const std::string& path, const std::vector<std::string>& overrides) {
    CostTable table;
    ConfigReader reader = ConfigReader::from_file(path, overrides);
    UncheckedTable keys;
    reader.read(keys);
    reader.reject_unknown_keys();
    reader.read(table);
    try {
        check_node_nm(table.technology_nm, "technology_nm");
        check_supply_volt(table.v_supply_volt, "v_supply_volt");
        table.resolve_models();
    } catch (const UserError& error) {
        throw UserError(path + ": " + error.what());
    }
    return table;
}

}  // namespace imssa
