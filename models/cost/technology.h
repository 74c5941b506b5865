#pragma once

#include <string>

namespace imssa {

/// Scaling of digital energy and area between technologies: Stillmaker and Baas, Integration 58 (2017), tables of
/// quadratics E(V) for 130 to 7 nm and of areas relative to 130 nm; in between interpolated in ln(nm).
///
/// Outside the tables (stated extrapolation): energy goes with nm and area with nm^2 from the nearer node, 130 or 7 nm,
/// at the same supply. Supplies outside 0.5 V to 1.3 V: V^2 from the nearer end. Both are continuous at the edges.
struct Technology {
    double nm = 28.0;
    double v_supply_volt = 0.9;
};

/// Energy of a logic transition relative to another technology: the ratio of E(V) of the tables.
double energy_ratio(Technology to, Technology from);

/// Area relative to another technology.
double area_ratio(double to_nm, double from_nm);

/// Whether both scalings come from the tables.
bool is_tabulated(Technology technology);

/// ", extrapolated beyond ..." where they do not; else empty.
const char* extrapolation_note(Technology technology);

/// UserError where no node (1 to 1000 nm) or supply (0.1 to 10 V) is meant: a wrong unit. `key` is its name.
void check_node_nm(double nm, const std::string& key);
void check_supply_volt(double volt, const std::string& key);

}  // namespace imssa
