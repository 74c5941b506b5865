#include "models/cost/macro.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/common/config.h"
#include "models/common/error.h"
#include "models/cost/technology.h"

namespace imssa {

namespace {

/// Powers of components are multiplied with their read_s.
void check_component(const ModelUse& use, const std::string& what) {
    ModelUse without_time = use;
    if (use.given() && find_component_model(use.model).quantity == Quantity::power_w) {
        without_time.parameters[Parameter::read_s] = ModelParameters{}[Parameter::read_s];
    }
    without_time.check({Quantity::energy_j, Quantity::power_w}, what);
}

/// A component's own parameters would silently win over those of a point, and a parameter that no model asks for would
/// do nothing.
void check_point_parameters(const Macro& macro, const MacroPoint& point) {
    for (const auto& [key, parameter] : parameter_names()) {
        if (!point.parameters.has(parameter)) {
            continue;
        }
        bool used = false;
        for (const MacroComponent& component : macro.components) {
            if (component.use.parameters.has(parameter)) {
                throw UserError("macro " + macro.name + ", point " + point.name + ": parameters." + key +
                                " is given by the component " + component.name + " too: keep one of them");
            }
            const ComponentModel& model = find_component_model(component.use.model);
            used = used || model.uses(parameter) ||
                   (parameter == Parameter::read_s && model.quantity == Quantity::power_w);
        }
        if (!used) {
            throw UserError("macro " + macro.name + ", point " + point.name +
                            ": no component's model uses parameters." + key + ": remove it");
        }
    }
}

void check_simulation(const Macro& macro) {
    const CoreSimulation& core = macro.simulation;
    if (!core.given()) {
        return;
    }
    const auto in_range = [](int bits) { return bits >= 1 && bits <= 16; };
    if (core.inputs < 1 || core.outputs < 1 ||
        !(core.clock_hz > 0.0 && core.integration_s > 0.0 && core.step_s > 0.0) ||
        core.input_bits.size() != macro.points.size() || core.output_bits.size() != macro.points.size() ||
        !std::all_of(core.input_bits.begin(), core.input_bits.end(), in_range) ||
        !std::all_of(core.output_bits.begin(), core.output_bits.end(), in_range)) {
        throw UserError("macro " + macro.name + ": [simulation] needs inputs, outputs, clock_hz, integration_s and " +
                        "step_s above zero, and input_bits and output_bits of 1 to 16 for each of the " +
                        std::to_string(macro.points.size()) + " points");
    }
}

/// A part's own parameters, then those of the point, then the macro's.
ModelParameters all_parameters(const Macro& macro, const ModelUse& use, const ModelParameters& point) {
    ModelParameters defaults;
    defaults[Parameter::technology_nm] = macro.technology_nm;
    defaults[Parameter::v_supply_volt] = macro.v_supply_volt;
    if (macro.v_nominal_volt > 0.0) {
        defaults[Parameter::v_nominal_volt] = macro.v_nominal_volt;
    }
    return use.parameters.with_defaults(point).with_defaults(defaults);
}

bool model_holds(const Macro& macro, const ModelUse& use, const ModelParameters& point) {
    return find_component_model(use.model).holds(all_parameters(macro, use, point));
}

/// `part` names the entry in errors.
Figure evaluated(const Macro& macro, const std::string& part, const ModelUse& use, const ModelParameters& point,
                 bool calibrated, std::string* source) {
    const ModelParameters parameters = all_parameters(macro, use, point);
    try {
        const ComponentModel& model = find_component_model(use.model);
        if (source != nullptr) {
            *source = describe(model, parameters);
        }
        Figure figure = evaluate(model, parameters);
        if (model.quantity == Quantity::power_w) {
            if (!parameters.has(Parameter::read_s)) {
                throw UserError("the model '" + use.model + "' gives a power: give parameters.read_s");
            }
            if (model.uses(Parameter::settle_s) && parameters[Parameter::read_s] < parameters[Parameter::settle_s]) {
                throw UserError(
                    "parameters.read_s is shorter than parameters.settle_s: amplifiers that must settle "
                    "in less take more power; lower settle_s");
            }
            figure = times(figure, parameters[Parameter::read_s]);
        }
        return times(figure, calibrated ? use.calibration : 1.0);
    } catch (const UserError& error) {
        throw UserError("macro " + macro.name + ", " + part + ": " + error.what());
    }
}

constexpr double kMostCount = 1e18;

void check_measured(double value, const std::string& what) {
    if (!(value >= 0.0) || !std::isfinite(value)) {
        throw UserError(what + " must be finite and at least 0; leave it out where nothing is published");
    }
}

void check_finite(const Figure& figure, const std::string& what) {
    if (!std::isfinite(figure.high)) {
        throw UserError(what + " is beyond all numbers: lower counts or parameters");
    }
}

void add(Figure& sum, const Figure& figure) {
    sum.low += figure.low;
    sum.nominal += figure.nominal;
    sum.high += figure.high;
}

}  // namespace

void MacroComponent::validate() const {
    check_component(use, "component " + name);
    const auto& actions = enum_names(Action{});
    const bool known =
        std::any_of(actions.begin(), actions.end(), [this](const auto& one) { return action == one.first; });
    if (!action.empty() && !known) {
        throw UserError("component " + name + ": action '" + action + "' is not one of the chip's");
    }
    if (use.calibration != 1.0 && calibration_reason.empty()) {
        throw UserError("component " + name + ": a calibration needs a calibration_reason");
    }
}

void MacroArea::validate() const {
    use.check({Quantity::area_mm2}, "area " + name);
    if (!(count > 0.0 && count <= kMostCount)) {
        throw UserError("area " + name + ": count must be above zero and at most 1e18");
    }
    check_measured(measured_mm2, "area " + name + ": measured_mm2");
    if (use.calibration != 1.0 && calibration_reason.empty()) {
        throw UserError("area " + name + ": a calibration needs a calibration_reason");
    }
}

void MacroPoint::validate() const {
    for (const std::vector<double>* list : {&counts, &measured_j, &phase_s}) {
        if (!std::all_of(list->begin(), list->end(),
                         [](double value) { return value >= 0.0 && std::isfinite(value); })) {
            throw UserError("point " + name + ": counts, measured_j and phase_s must be finite and at least 0");
        }
    }
    if (std::any_of(counts.begin(), counts.end(), [](double count) { return count > kMostCount; })) {
        throw UserError("point " + name + ": a count is above 1e18: counts are those of one run");
    }
    if (std::all_of(counts.begin(), counts.end(), [](double count) { return count == 0.0; })) {
        throw UserError("point " + name + ": no component acts: give counts, one above zero at least");
    }
    for (const double value : {measured_total_j, measured_s, operations}) {
        if (!(value >= 0.0) || !std::isfinite(value)) {
            throw UserError("point " + name +
                            ": measured_total_j, measured_s and operations must be finite and at least 0");
        }
    }
}

std::vector<std::string> Macro::groups() const {
    std::vector<std::string> names;
    for (const MacroComponent& component : components) {
        if (std::find(names.begin(), names.end(), component.group_name()) == names.end()) {
            names.push_back(component.group_name());
        }
    }
    return names;
}

void Macro::validate() const {
    if (!(technology_nm > 0.0 && v_supply_volt > 0.0) || components.empty() || points.empty()) {
        throw UserError("macro " + name + ": technology_nm, v_supply_volt, [[component]] and [[point]] are needed");
    }
    check_node_nm(technology_nm, "macro " + name + ": technology_nm");
    check_supply_volt(v_supply_volt, "macro " + name + ": v_supply_volt");
    if (source.empty()) {
        throw UserError("macro " + name + ": no source is given: set source");
    }
    if (!(operations >= 0.0) || !std::isfinite(operations)) {
        throw UserError("macro " + name + ": operations must be finite and at least 0");
    }
    check_measured(measured_area_mm2, "macro " + name + ": measured_area_mm2");
    for (const MacroPoint& point : points) {
        if (point.counts.size() != components.size() ||
            (!point.measured_j.empty() && point.measured_j.size() != groups().size())) {
            throw UserError("macro " + name + ", point " + point.name + ": counts need one entry for each of the " +
                            std::to_string(components.size()) + " components, measured_j one for each of the " +
                            std::to_string(groups().size()) + " groups");
        }
        check_point_parameters(*this, point);
    }
    check_simulation(*this);
}

Macro load_macro(const std::string& path, const std::vector<std::string>& overrides) {
    Macro macro;
    ConfigReader reader = ConfigReader::from_file(path, overrides);
    reader.read(macro);
    reader.reject_unknown_keys();
    return macro;
}

MacroEstimate estimate_point(const Macro& macro, const MacroPoint& point, bool calibrated) {
    MacroEstimate estimate;
    const std::vector<std::string> groups = macro.groups();
    estimate.groups_j.resize(groups.size());
    for (std::size_t index = 0; index < macro.components.size(); ++index) {
        std::string source;
        const Figure unit = evaluated(macro, "component " + macro.components[index].name, macro.components[index].use,
                                      point.parameters, calibrated, &source);
        estimate.components_j.push_back(times(unit, point.counts[index]));
        estimate.extrapolated.push_back(!model_holds(macro, macro.components[index].use, point.parameters));
        estimate.sources.push_back(source);
        const auto at = std::find(groups.begin(), groups.end(), macro.components[index].group_name());
        Figure& group = estimate.groups_j[static_cast<std::size_t>(at - groups.begin())];
        add(group, estimate.components_j.back());
        add(estimate.total_j, estimate.components_j.back());
    }
    check_finite(estimate.total_j, "macro " + macro.name + ", point " + point.name + ": its energy");
    estimate.time_s = std::accumulate(point.phase_s.begin(), point.phase_s.end(), 0.0);
    return estimate;
}

Figure estimate_area(const Macro& macro, const MacroArea& area, bool calibrated, std::string* source) {
    return times(evaluated(macro, "area " + area.name, area.use, {}, calibrated, source), area.count);
}

double MacroAreaGroup::factor() const {
    return measured_mm2 > 0.0 ? std::max(plain.nominal / measured_mm2, measured_mm2 / plain.nominal) : 0.0;
}

std::vector<MacroAreaGroup> area_groups(const Macro& macro) {
    std::vector<MacroAreaGroup> groups;
    for (const MacroArea& area : macro.areas) {
        auto at = std::find_if(groups.begin(), groups.end(),
                               [&area](const MacroAreaGroup& group) { return group.name == area.group_name(); });
        if (at == groups.end()) {
            groups.push_back({area.group_name(), 0.0, {}, {}, 0});
            at = groups.end() - 1;
        }
        at->measured_mm2 += area.measured_mm2;
        add(at->plain, estimate_area(macro, area, false));
        add(at->calibrated, estimate_area(macro, area, true));
        ++at->parts;
    }
    return groups;
}

MacroErrors macro_errors(const Macro& macro, bool calibrated) {
    MacroErrors errors;
    std::vector<double> magnitudes;
    for (const MacroPoint& point : macro.points) {
        const MacroEstimate estimate = estimate_point(macro, point, calibrated);
        if (point.in_total && point.measured_total_j > 0.0) {
            const double ratio = estimate.total_j.nominal / point.measured_total_j;
            errors.energy.push_back(ratio - 1.0);
            magnitudes.push_back(std::abs(ratio - 1.0));
            errors.worst_factor = std::max({errors.worst_factor, ratio, 1.0 / ratio});
        }
        if (point.measured_s > 0.0 && estimate.time_s > 0.0) {
            errors.time.push_back(estimate.time_s / point.measured_s - 1.0);
            errors.worst_time = std::max(errors.worst_time, std::abs(errors.time.back()));
        }
    }
    if (!magnitudes.empty()) {
        std::sort(magnitudes.begin(), magnitudes.end());
        const std::size_t half = magnitudes.size() / 2;
        errors.median_energy =
            magnitudes.size() % 2 == 1 ? magnitudes[half] : 0.5 * (magnitudes[half - 1] + magnitudes[half]);
        errors.mean_energy =
            std::accumulate(magnitudes.begin(), magnitudes.end(), 0.0) / static_cast<double>(magnitudes.size());
        errors.worst_energy = magnitudes.back();
    }
    return errors;
}

MeasuredWithinRange measured_within_range(const Macro& macro) {
    MeasuredWithinRange result;
    for (const MacroPoint& point : macro.points) {
        if (point.in_total && point.measured_total_j > 0.0) {
            const Figure total = estimate_point(macro, point, false).total_j;
            result.inside += total.low <= point.measured_total_j && point.measured_total_j <= total.high ? 1 : 0;
            ++result.points;
        }
    }
    return result;
}

}  // namespace imssa
