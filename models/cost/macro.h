#pragma once

#include <string>
#include <vector>

#include "models/cost/component_model.h"
#include "models/cost/cost_table.h"

namespace imssa {

/// One kind of part of a macro: what one of its actions costs.
struct MacroComponent {
    std::string name;
    std::string group;   ///< what the publication measured it with; empty: alone, under its own name
    std::string action;  ///< the chip's action that it stands for, or "" when the chip has none
    ModelUse use;        ///< model, parameters; `calibration` only in the calibrated estimate
    std::string calibration_reason;

    const std::string& group_name() const { return group.empty() ? name : group; }
    void validate() const;
};

/// Area of the instances of one part.
struct MacroArea {
    std::string name;
    std::string group;  ///< what the publication measured it with; empty: alone, under its own name
    double count = 0.0;
    ModelUse use;  ///< `calibration` only in the calibrated estimate
    std::string calibration_reason;
    double measured_mm2 = 0.0;  ///< of all instances, of a group: with its first part; 0: not published

    const std::string& group_name() const { return group.empty() ? name : group; }

    void validate() const;
};

/// One measured operating point: how often each component acts in one run (in the order of the components), and what
/// was measured. Zero: not published.
struct MacroPoint {
    std::string name;
    ModelParameters parameters;  ///< of all components that do not give them themselves
    std::vector<double> counts;
    std::vector<double> measured_j;  ///< by group, in the order of their first components; empty: only the total
    double measured_total_j = 0.0;
    std::vector<double> phase_s;  ///< durations of the phases of one run, from cycles and clock
    double measured_s = 0.0;
    double operations = 0.0;  ///< of this run; 0: the macro's
    bool in_total = true;     ///< counts for the macro's errors
    std::string note;

    void validate() const;
};

/// The macro's core as the encoder of a simulated chip (scenarios/support/simulated_core.h): differential weights, bit-
/// serial inputs that columns integrate, a search of one step an output bit.
struct CoreSimulation {
    int inputs = 0, outputs = 0;  ///< 0: not simulated
    double clock_hz = 1e8;
    double integration_s = 0.0;                ///< of one pulse
    double step_s = 0.0;                       ///< of the search; each phase has one more
    std::vector<int> input_bits, output_bits;  ///< of the points, in their order

    bool given() const { return inputs > 0 || outputs > 0; }
};

template <class Visitor>
void visit_fields(Visitor& visit, CoreSimulation& simulation) {
    visit("inputs", simulation.inputs);
    visit("outputs", simulation.outputs);
    visit("clock_hz", simulation.clock_hz);
    visit("integration_s", simulation.integration_s);
    visit("step_s", simulation.step_s);
    visit("input_bits", simulation.input_bits);
    visit("output_bits", simulation.output_bits);
}

/// A published macro, described with the components of our chip.
struct Macro {
    std::string name, title, source, note;
    bool independent = true;  ///< false: model parameters were themselves fitted to this macro, or it is a design
    double technology_nm = 0.0, v_supply_volt = 0.0, v_nominal_volt = 0.0;
    double operations = 0.0;        ///< of one run, as the publication counts them; 0: no TOPS/W
    std::string time_law;           ///< where phase_s are from, if they are no prediction and no input either
    bool times_are_inputs = false;  ///< phase_s are the published durations themselves: their errors say nothing
    std::vector<MacroComponent> components;
    std::vector<MacroArea> areas;
    std::vector<MacroPoint> points;
    CoreSimulation simulation;
    double measured_area_mm2 = 0.0;  ///< of the macro; 0: not published

    const std::string& shown_name() const { return title.empty() ? name : title; }
    std::vector<std::string> groups() const;
    double operations_of(const MacroPoint& point) const {
        return point.operations > 0.0 ? point.operations : operations;
    }
    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, MacroComponent& component) {
    visit("name", component.name);
    visit("group", component.group);
    visit("action", component.action);
    visit_model(visit, component.use);
    visit("calibration_reason", component.calibration_reason);
}

template <class Visitor>
void visit_fields(Visitor& visit, MacroArea& area) {
    visit("name", area.name);
    visit("group", area.group);
    visit("count", area.count);
    visit_model(visit, area.use);
    visit("calibration_reason", area.calibration_reason);
    visit("measured_mm2", area.measured_mm2);
}

template <class Visitor>
void visit_fields(Visitor& visit, MacroPoint& point) {
    visit("name", point.name);
    visit.table("parameters", point.parameters);
    visit("counts", point.counts);
    visit("measured_j", point.measured_j);
    visit("measured_total_j", point.measured_total_j);
    visit("phase_s", point.phase_s);
    visit("measured_s", point.measured_s);
    visit("operations", point.operations);
    visit("in_total", point.in_total);
    visit("note", point.note);
}

template <class Visitor>
void visit_fields(Visitor& visit, Macro& macro) {
    visit("name", macro.name);
    visit("title", macro.title);
    visit("source", macro.source);
    visit("note", macro.note);
    visit("independent", macro.independent);
    visit("technology_nm", macro.technology_nm);
    visit("v_supply_volt", macro.v_supply_volt);
    visit("v_nominal_volt", macro.v_nominal_volt);
    visit("operations", macro.operations);
    visit("time_law", macro.time_law);
    visit("times_are_inputs", macro.times_are_inputs);
    visit("measured_area_mm2", macro.measured_area_mm2);
    visit.tables("component", macro.components);
    visit.tables("area", macro.areas);
    visit.tables("point", macro.points);
    visit.table("simulation", macro.simulation);
}

Macro load_macro(const std::string& path, const std::vector<std::string>& overrides = {});

/// What the models say about one point.
struct MacroEstimate {
    std::vector<Figure> components_j;  ///< count x unit energy
    std::vector<Figure> groups_j;      ///< in the order of groups()
    Figure total_j;
    double time_s = 0.0;
    std::vector<std::string> sources;  ///< model and parameters by component
    std::vector<bool> extrapolated;    ///< by component: parameters outside of its model's range
};
MacroEstimate estimate_point(const Macro& macro, const MacroPoint& point, bool calibrated);
/// `source`, where given: model and parameters.
Figure estimate_area(const Macro& macro, const MacroArea& area, bool calibrated, std::string* source = nullptr);

/// Area of the parts that were measured together.
struct MacroAreaGroup {
    std::string name;
    double measured_mm2 = 0.0;  ///< 0: not published
    Figure plain, calibrated;
    int parts = 0;
    double factor() const;  ///< of the uncalibrated estimate, above 1 either way; 0 without a measurement
};
std::vector<MacroAreaGroup> area_groups(const Macro& macro);

/// Relative errors of the totals of all points that count.
struct MacroErrors {
    std::vector<double> energy, time;
    double median_energy = 0.0, mean_energy = 0.0, worst_energy = 0.0;  ///< of magnitudes
    double worst_factor = 1.0;  ///< largest of estimate / measurement and measurement / estimate
    double worst_time = 0.0;
};
MacroErrors macro_errors(const Macro& macro, bool calibrated);

/// How many of the measured totals lie within low and high of the uncalibrated estimate.
struct MeasuredWithinRange {
    int inside = 0, points = 0;
};
MeasuredWithinRange measured_within_range(const Macro& macro);

}  // namespace imssa
