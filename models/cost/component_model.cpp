#include "models/cost/component_model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "models/common/error.h"
#include "models/cost/technology.h"

namespace imssa {

const std::array<std::pair<const char*, Parameter>, kParameterCount>& parameter_names() {
    static const std::array<std::pair<const char*, Parameter>, kParameterCount> kNames = {
        {{"bits", Parameter::bits},
         {"bits_b", Parameter::bits_b},
         {"rate_hz", Parameter::rate_hz},
         {"technology_nm", Parameter::technology_nm},
         {"v_supply_volt", Parameter::v_supply_volt},
         {"v_nominal_volt", Parameter::v_nominal_volt},
         {"v_read_volt", Parameter::v_read_volt},
         {"full_scale_volt", Parameter::full_scale_volt},
         {"cells", Parameter::cells},
         {"cell_farad", Parameter::cell_farad},
         {"driver_farad", Parameter::driver_farad},
         {"load_farad", Parameter::load_farad},
         {"gm_over_id_per_volt", Parameter::gm_over_id_per_volt},
         {"settle_s", Parameter::settle_s},
         {"read_s", Parameter::read_s},
         {"rows", Parameter::rows},
         {"columns", Parameter::columns},
         {"mean_conductance_siemens", Parameter::mean_conductance_siemens},
         {"mean_input", Parameter::mean_input},
         {"mean_square_input", Parameter::mean_square_input},
         {"activity", Parameter::activity},
         {"flip_flops", Parameter::flip_flops},
         {"modes", Parameter::modes},
         {"capacity_byte", Parameter::capacity_byte},
         {"hops", Parameter::hops},
         {"distance_mm", Parameter::distance_mm},
         {"reference", Parameter::reference},
         {"reference_nm", Parameter::reference_nm},
         {"reference_volt", Parameter::reference_volt},
         {"area_mm2", Parameter::area_mm2},
         {"leakage_w_per_mm2", Parameter::leakage_w_per_mm2},
         {"cell_f2", Parameter::cell_f2},
         {"pulses", Parameter::pulses},
         {"pulse_volt", Parameter::pulse_volt},
         {"pulse_ampere", Parameter::pulse_ampere},
         {"pulse_s", Parameter::pulse_s},
         {"temperature_kelvin", Parameter::temperature_kelvin}}};
    return kNames;
}

namespace {

const char* name_of(Parameter parameter) {
    for (const auto& [name, candidate] : parameter_names()) {
        if (candidate == parameter) {
            return name;
        }
    }
    return "?";
}

bool may_be_zero(Parameter parameter) {
    switch (parameter) {
        case Parameter::mean_input:
        case Parameter::mean_square_input:
        case Parameter::activity:
        case Parameter::driver_farad:
        case Parameter::hops:
        case Parameter::distance_mm:
            return true;
        default:
            return false;
    }
}

/// Nodes and supplies that are none were given in another unit.
void check_scale(Parameter parameter, double value) {
    switch (parameter) {
        case Parameter::technology_nm:
        case Parameter::reference_nm:
            check_node_nm(value, name_of(parameter));
            break;
        case Parameter::v_supply_volt:
        case Parameter::v_nominal_volt:
        case Parameter::reference_volt:
            check_supply_volt(value, name_of(parameter));
            break;
        default:
            break;
    }
}

}  // namespace

ModelParameters::ModelParameters() {
    values.fill(std::numeric_limits<double>::infinity());
}

bool ModelParameters::has(Parameter parameter) const {
    return !std::isinf((*this)[parameter]);
}

ModelParameters ModelParameters::with_defaults(const ModelParameters& other) const {
    ModelParameters merged = *this;
    for (std::size_t index = 0; index < values.size(); ++index) {
        if (std::isinf(merged.values[index])) {
            merged.values[index] = other.values[index];
        }
    }
    return merged;
}

Figure times(const Figure& figure, double factor) {
    return {figure.low * factor, figure.nominal * factor, figure.high * factor};
}

Figure within_factor(double nominal, double factor) {
    return {nominal / factor, nominal, nominal * factor};
}

const char* to_string(Quantity quantity) {
    switch (quantity) {
        case Quantity::energy_j:
            return "energy_j";
        case Quantity::power_w:
            return "power_w";
        case Quantity::area_mm2:
            return "area_mm2";
    }
    return "?";
}

bool ComponentModel::uses(Parameter parameter) const {
    return std::find(needs.begin(), needs.end(), parameter) != needs.end() ||
           std::find(may_use.begin(), may_use.end(), parameter) != may_use.end();
}

std::string names_of_used(const ComponentModel& model) {
    std::string names;
    for (const Parameter parameter : model.needs) {
        names += (names.empty() ? "" : ", ") + std::string(name_of(parameter));
    }
    const char* join = names.empty() ? "where given " : ", and where given ";
    for (const Parameter parameter : model.may_use) {
        names += join + std::string(name_of(parameter));
        join = ", ";
    }
    return names.empty() ? "no parameters" : names;
}

const std::vector<ComponentModel>& component_models() {
    static const std::vector<ComponentModel> kModels = [] {
        std::vector<ComponentModel> all;
        for (const auto& family : {adc_models(), analog_models(), digital_models(), memory_models(), area_models()}) {
            all.insert(all.end(), family.begin(), family.end());
        }
        return all;
    }();
    return kModels;
}

const ComponentModel& find_component_model(const std::string& name) {
    std::string known;
    for (const ComponentModel& model : component_models()) {
        if (model.name == name) {
            return model;
        }
        known += known.empty() ? model.name : std::string(", ") + model.name;
    }
    throw UserError("there is no component model '" + name + "': choose one of " + known);
}

Figure evaluate(const ComponentModel& model, const ModelParameters& parameters) {
    for (const Parameter parameter : model.needs) {
        const std::string key = name_of(parameter);
        if (!parameters.has(parameter)) {
            throw UserError(std::string("the model '") + model.name + "' needs " + key + ": give parameters." + key);
        }
        const double value = parameters[parameter];
        const bool driver_alone = parameter == Parameter::cells && model.uses(Parameter::driver_farad) &&
                                  parameters[Parameter::driver_farad] > 0.0;
        if (!std::isfinite(value) || value < 0.0 || (value == 0.0 && !may_be_zero(parameter) && !driver_alone)) {
            throw UserError(std::string("the model '") + model.name + "' was given " + key + " = " +
                            std::to_string(value) + ": set a finite number above zero");
        }
        check_scale(parameter, value);
    }
    for (const Parameter parameter : model.may_use) {
        if (parameters.has(parameter)) {
            check_scale(parameter, parameters[parameter]);
        }
    }
    const Figure figure = model.evaluate(parameters);
    if (!std::isfinite(figure.high) || figure.low < 0.0 || figure.low > figure.nominal ||
        figure.nominal > figure.high) {
        throw NumericalError(std::string("the model '") + model.name +
                             "' gives no sensible figure for its parameters: check " + describe(model, parameters));
    }
    return figure;
}

std::string describe(const ComponentModel& model, const ModelParameters& parameters) {
    std::string text = std::string(model.name) + "(";
    bool first = true;
    for (const Parameter parameter : model.needs) {
        char value[48];
        std::snprintf(value, sizeof(value), "%s%s = %.6g", first ? "" : ", ", name_of(parameter),
                      parameters[parameter]);
        text += value;
        first = false;
    }
    const bool all_given = std::all_of(model.may_use.begin(), model.may_use.end(),
                                       [&parameters](Parameter parameter) { return parameters.has(parameter); });
    for (const Parameter parameter : model.may_use) {  // they act together
        char value[48];
        std::snprintf(value, sizeof(value), ", %s = %.6g", name_of(parameter), parameters[parameter]);
        text += all_given ? value : "";
    }
    return text + ")" + (model.holds(parameters) ? "" : ", extrapolated");
}

}  // namespace imssa
