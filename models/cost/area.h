#pragma once

#include <array>
#include <string>
#include <vector>

#include "models/cost/component.h"
#include "models/cost/cost_table.h"

namespace imssa {

/// One line of the area report: area_mm2 = count x unit_area_mm2.
struct AreaRow {
    std::string unit;
    ComponentGroup group = ComponentGroup::control;
    Component component = Component::cell;
    double count = 0.0;
    double unit_area_mm2 = 0.0;
    double area_mm2 = 0.0, area_low_mm2 = 0.0, area_high_mm2 = 0.0;
    std::string source;
    std::string status;
    bool calibrated = false;
};

/// Low and high add up all lows and all highs.
struct AreaTotal {
    double area_mm2 = 0.0, area_low_mm2 = 0.0, area_high_mm2 = 0.0;
};

/// One row per unit and component that it has. Sums of parts: wires of links by their repeaters, no wiring inside
/// units, no white space, no pads.
std::vector<AreaRow> area_rows(const std::vector<CostUnit>& units, const CostTable& table);

/// Sums in the order of the rows.
AreaTotal total_area(const std::vector<AreaRow>& rows);

/// Sums by group, indexed with ComponentGroup.
std::array<AreaTotal, kGroupCount> area_by_group(const std::vector<AreaRow>& rows);

}  // namespace imssa
