#pragma once

namespace imssa {

/// Scaling of digital energy and area between technologies: Stillmaker and Baas, Integration 58 (2017), tables of
/// quadratics E(V) for 130 to 7 nm and of areas relative to 130 nm; in between interpolated in ln(nm).
///
/// Outside the tables (stated extrapolation): above 130 nm energy goes with nm x V^2 from 130 nm at 1.2 V and area with
/// nm^2; below 7 nm energy goes with nm and area with nm^2 from 7 nm. Supplies outside 0.5 V to 1.3 V: V^2 from the
/// nearer end.
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

}  // namespace imssa
