#include "models/cost/area.h"

#include <utility>

namespace imssa {

namespace {

void add(AreaTotal& total, const AreaRow& row) {
    total.area_mm2 += row.area_mm2;
    total.area_low_mm2 += row.area_low_mm2;
    total.area_high_mm2 += row.area_high_mm2;
}

}  // namespace

std::vector<AreaRow> area_rows(const std::vector<CostUnit>& units, const CostTable& table) {
    std::vector<AreaRow> rows;
    for (const CostUnit& unit : units) {
        for (const auto& [name, component] : enum_names(Component{})) {
            const double count = unit.parts[component];
            if (count == 0.0) {
                continue;
            }
            const AreaPrice& price = table.area(component);
            AreaRow row;
            row.unit = unit.name;
            row.group = group_of(component, unit.digital);
            row.component = component;
            row.count = count;
            const ConverterBits bits = bits_of(component, unit.adc_bits, unit.dac_bits);
            const ResolutionLaw law = price.law();
            const double factor = law.widest_factor(bits);
            row.unit_area_mm2 = factor * price.area_mm2;
            row.area_mm2 = count * row.unit_area_mm2;
            row.area_low_mm2 = count * (factor * price.area_low_mm2);
            row.area_high_mm2 = count * (factor * price.area_high_mm2);
            row.source = law.widest_note(bits) + price.provenance.source;
            row.status = price.provenance.status;
            row.calibrated = price.provenance.calibrated;
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

AreaTotal total_area(const std::vector<AreaRow>& rows) {
    AreaTotal total;
    for (const AreaRow& row : rows) {
        add(total, row);
    }
    return total;
}

std::array<AreaTotal, kGroupCount> area_by_group(const std::vector<AreaRow>& rows) {
    std::array<AreaTotal, kGroupCount> totals{};
    for (const AreaRow& row : rows) {
        add(totals[static_cast<std::size_t>(row.group)], row);
    }
    return totals;
}

}  // namespace imssa
