#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace imssa {

/// What a component model may be asked with. A model names the ones that it needs.
enum class Parameter {
    bits,
    bits_b,
    rate_hz,
    technology_nm,
    v_supply_volt,
    v_nominal_volt,
    v_read_volt,
    full_scale_volt,
    cells,
    cell_farad,
    driver_farad,
    load_farad,
    gm_over_id_per_volt,
    settle_s,
    read_s,
    rows,
    columns,
    mean_conductance_siemens,
    mean_input,
    mean_square_input,
    activity,
    flip_flops,
    modes,
    capacity_byte,
    hops,
    distance_mm,
    reference,
    reference_nm,
    reference_volt,
    area_mm2,
    leakage_w_per_mm2,
    cell_f2,
    pulses,
    pulse_volt,
    pulse_ampere,
    pulse_s,
    temperature_kelvin,
    count_
};
constexpr int kParameterCount = static_cast<int>(Parameter::count_);

/// Names as in price tables and macros.
const std::array<std::pair<const char*, Parameter>, kParameterCount>& parameter_names();

/// Values that a user gives a model; what is not given is infinite.
struct ModelParameters {
    ModelParameters();
    std::array<double, kParameterCount> values;

    double operator[](Parameter parameter) const { return values[static_cast<std::size_t>(parameter)]; }
    double& operator[](Parameter parameter) { return values[static_cast<std::size_t>(parameter)]; }
    bool has(Parameter parameter) const;
    /// Values of `other` where this has none.
    ModelParameters with_defaults(const ModelParameters& other) const;
};

template <class Visitor>
void visit_fields(Visitor& visit, ModelParameters& parameters) {
    for (const auto& [name, parameter] : parameter_names()) {
        visit(name, parameters[parameter]);
    }
}

/// A value with its range.
struct Figure {
    double low = 0.0, nominal = 0.0, high = 0.0;
};
Figure times(const Figure& figure, double factor);
/// nominal / factor, nominal, nominal x factor.
Figure within_factor(double nominal, double factor);

enum class Quantity { energy_j, power_w, area_mm2 };
const char* to_string(Quantity quantity);

/// One model of one component: a pure function with its equation, range and source.
struct ComponentModel {
    const char* name;
    Quantity quantity;
    const char* what;      ///< what one unit of it is
    const char* equation;  ///< in the parameters' names
    const char* range;     ///< where it holds
    const char* source;
    const char* status;  ///< R, S, D, M, A as in Provenance
    std::vector<Parameter> needs;
    Figure (*evaluate)(const ModelParameters&);
    bool (*holds)(const ModelParameters&);  ///< whether the parameters are inside the range
    std::vector<Parameter> may_use = {};    ///< parameters that it takes where they are given

    bool uses(Parameter parameter) const;
};

/// "bits, technology_nm, and where given v_nominal_volt".
std::string names_of_used(const ComponentModel& model);

/// All models, and one by name (UserError listing the known ones).
const std::vector<ComponentModel>& component_models();
const ComponentModel& find_component_model(const std::string& name);

/// Evaluates; UserError when a needed parameter is missing or not positive. Outside of its range a model still gives
/// its extrapolation; `holds` tells.
Figure evaluate(const ComponentModel& model, const ModelParameters& parameters);

/// "adc_survey_sar(bits = 8, rate_hz = 1e+08, technology_nm = 28)", with ", extrapolated" behind it outside the range.
std::string describe(const ComponentModel& model, const ModelParameters& parameters);

// The models by family; component_models() joins them.
std::vector<ComponentModel> adc_models();
std::vector<ComponentModel> analog_models();
std::vector<ComponentModel> digital_models();
std::vector<ComponentModel> memory_models();
std::vector<ComponentModel> area_models();

}  // namespace imssa
