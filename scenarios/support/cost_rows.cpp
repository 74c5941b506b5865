#include "scenarios/support/cost_rows.h"

#include "models/common/error.h"

namespace imssa {

namespace {

ComponentGroup group_named(const std::string& name) {
    for (int group = 0; group < kGroupCount; ++group) {
        if (name == to_string(static_cast<ComponentGroup>(group))) {
            return static_cast<ComponentGroup>(group);
        }
    }
    throw UserError("there is no component '" + name + "'");
}

Component component_named(const std::string& name) {
    for (const auto& [candidate, component] : enum_names(Component{})) {
        if (name == candidate) {
            return component;
        }
    }
    throw UserError("there is no component '" + name + "'");
}

EnergyRow energy_row(const nlohmann::ordered_json& stored) {
    EnergyRow row;
    stored.at("unit").get_to(row.unit);
    row.group = group_named(stored.at("component"));
    stored.at("item").get_to(row.item);
    const bool leaks = row.group == ComponentGroup::leakage;
    stored.at(leaks ? "count_instance_s" : "count_per_sequence").get_to(row.count);
    stored.at(leaks ? "unit_power_w" : "unit_cost_j").get_to(row.unit_cost_j);
    stored.at("energy_per_sequence_j").get_to(row.energy_j);
    stored.at("low_j").get_to(row.energy_low_j);
    stored.at("high_j").get_to(row.energy_high_j);
    row.array_device_j = stored.value("dissipated_in_cells_j", 0.0);
    stored.at("source").get_to(row.source);
    stored.at("status").get_to(row.status);
    stored.at("calibrated").get_to(row.calibrated);
    return row;
}

AreaRow area_row(const nlohmann::ordered_json& stored) {
    AreaRow row;
    stored.at("unit").get_to(row.unit);
    row.component = component_named(stored.at("component"));
    stored.at("count").get_to(row.count);
    stored.at("unit_area_mm2").get_to(row.unit_area_mm2);
    stored.at("area_mm2").get_to(row.area_mm2);
    stored.at("low_mm2").get_to(row.area_low_mm2);
    stored.at("high_mm2").get_to(row.area_high_mm2);
    stored.at("source").get_to(row.source);
    stored.at("status").get_to(row.status);
    stored.at("calibrated").get_to(row.calibrated);
    return row;
}

template <class Row>
std::vector<Row> rows_from(const nlohmann::ordered_json& list, const std::string& path, const char* table,
                           Row (*read)(const nlohmann::ordered_json&)) {
    std::vector<Row> rows;
    for (const nlohmann::ordered_json& stored : list) {
        try {
            rows.push_back(read(stored));
        } catch (const std::exception& error) {
            throw UserError("the result '" + path + "' is not of this version: " + table + ".rows[" +
                            std::to_string(rows.size()) + "]: " + error.what() + "; make it again with infer");
        }
    }
    return rows;
}

}  // namespace

nlohmann::ordered_json energy_rows_json(const std::vector<EnergyRow>& sequence_rows) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const EnergyRow& row : sequence_rows) {
        const bool leaks = row.group == ComponentGroup::leakage;
        nlohmann::ordered_json one = {{"unit", row.unit},
                                      {"component", to_string(row.group)},
                                      {"item", row.item},
                                      {leaks ? "count_instance_s" : "count_per_sequence", row.count},
                                      {leaks ? "unit_power_w" : "unit_cost_j", row.unit_cost_j},
                                      {"energy_per_sequence_j", row.energy_j},
                                      {"low_j", row.energy_low_j},
                                      {"high_j", row.energy_high_j},
                                      {"source", row.source},
                                      {"status", row.status},
                                      {"calibrated", row.calibrated}};
        if (row.item == to_string(Action::array_read)) {
            one["dissipated_in_cells_j"] = row.array_device_j;
        }
        list.push_back(std::move(one));
    }
    return list;
}

nlohmann::ordered_json area_rows_json(const std::vector<AreaRow>& rows) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const AreaRow& row : rows) {
        list.push_back({{"unit", row.unit},
                        {"component", to_string(row.component)},
                        {"count", row.count},
                        {"unit_area_mm2", row.unit_area_mm2},
                        {"area_mm2", row.area_mm2},
                        {"low_mm2", row.area_low_mm2},
                        {"high_mm2", row.area_high_mm2},
                        {"source", row.source},
                        {"status", row.status},
                        {"calibrated", row.calibrated}});
    }
    return list;
}

std::vector<EnergyRow> energy_rows_from_json(const nlohmann::ordered_json& list, const std::string& path) {
    return rows_from<EnergyRow>(list, path, "energy_j", energy_row);
}

std::vector<AreaRow> area_rows_from_json(const nlohmann::ordered_json& list, const std::string& path) {
    return rows_from<AreaRow>(list, path, "area_mm2", area_row);
}

}  // namespace imssa
