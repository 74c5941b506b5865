#include "models/cost/technology.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "models/common/error.h"

namespace imssa {

namespace {

struct Node {
    double nm, a, b, c, area;  ///< E(V) = a V^2 + b V + c; area relative to 130 nm
};

constexpr std::array<Node, 10> kNodes = {{{130, 7.171, -6.709, 2.904, 1.0},
                                          {90, 4.762, -4.781, 2.092, 0.44},
                                          {65, 3.755, -4.398, 1.975, 0.23},
                                          {45, 1.103, -0.362, 0.2767, 0.16},
                                          {32, 0.9559, -0.7823, 0.471, 0.072},
                                          {20, 0.373, -0.1582, 0.04104, 0.033},
                                          {16, 0.2958, -0.1241, 0.03024, 0.03},
                                          {14, 0.2363, -0.09675, 0.02239, 0.027},
                                          {10, 0.2068, -0.09311, 0.02375, 0.016},
                                          {7, 0.1776, -0.09097, 0.02447, 0.0092}}};
constexpr double kLowestVolt = 0.5;
constexpr double kHighestVolt = 1.3;

double node_energy(const Node& node, double volt) {
    const double inside = std::clamp(volt, kLowestVolt, kHighestVolt);
    return (node.a * inside * inside + node.b * inside + node.c) * (volt / inside) * (volt / inside);
}

double interpolate(double nm, const Node& coarse, const Node& fine, double coarse_value, double fine_value) {
    const double share = std::log(nm / fine.nm) / std::log(coarse.nm / fine.nm);
    return fine_value * std::pow(coarse_value / fine_value, share);
}

std::size_t finer_node(double nm) {
    std::size_t index = 1;
    while (index + 1 < kNodes.size() && kNodes[index].nm > nm) {
        ++index;
    }
    return index;
}

double table_energy(Technology technology) {
    if (technology.nm > kNodes.front().nm || technology.nm < kNodes.back().nm) {
        const Node& end = technology.nm > kNodes.front().nm ? kNodes.front() : kNodes.back();
        return node_energy(end, technology.v_supply_volt) * technology.nm / end.nm;
    }
    const std::size_t fine = finer_node(technology.nm);
    return interpolate(technology.nm, kNodes[fine - 1], kNodes[fine],
                       node_energy(kNodes[fine - 1], technology.v_supply_volt),
                       node_energy(kNodes[fine], technology.v_supply_volt));
}

double table_area(double nm) {
    if (nm > kNodes.front().nm || nm < kNodes.back().nm) {
        const Node& end = nm > kNodes.front().nm ? kNodes.front() : kNodes.back();
        return end.area * (nm / end.nm) * (nm / end.nm);
    }
    const std::size_t fine = finer_node(nm);
    return interpolate(nm, kNodes[fine - 1], kNodes[fine], kNodes[fine - 1].area, kNodes[fine].area);
}

void check_within(double value, double low, double high, const std::string& key, const char* mend) {
    if (!(value >= low && value <= high)) {
        char text[32];
        std::snprintf(text, sizeof(text), "%.6g", value);
        throw UserError(key + " = " + text + " is out of range: " + mend);
    }
}

}  // namespace

double energy_ratio(Technology to, Technology from) {
    return table_energy(to) / table_energy(from);
}

double area_ratio(double to_nm, double from_nm) {
    return table_area(to_nm) / table_area(from_nm);
}

bool is_tabulated(Technology technology) {
    return technology.nm <= kNodes.front().nm && technology.nm >= kNodes.back().nm &&
           technology.v_supply_volt >= kLowestVolt && technology.v_supply_volt <= kHighestVolt;
}

const char* extrapolation_note(Technology technology) {
    return is_tabulated(technology) ? "" : ", extrapolated beyond the published 130 to 7 nm and 0.5 to 1.3 V";
}

void check_node_nm(double nm, const std::string& key) {
    check_within(nm, 1.0, 1000.0, key, "give the node in nanometres, 1 to 1000");
}

void check_supply_volt(double volt, const std::string& key) {
    check_within(volt, 0.1, 10.0, key, "give the supply in volts, 0.1 to 10");
}

}  // namespace imssa
