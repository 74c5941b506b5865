#include <algorithm>

#include "models/chip/converter_check.h"
#include "models/chip/operation_count.h"
#include "models/common/config.h"
#include "models/cost/breakdown.h"
#include "scenarios/support/cost_rows.h"
#include "scenarios/support/energy_explanation.h"
#include "scenarios/support/paper_report.h"
#include "scenarios/support/run_report.h"

namespace imssa {

namespace {

nlohmann::ordered_json codes_json(const CodeCounts& counts) {
    return {{"compared", counts.compared}, {"mismatched", counts.mismatched}};
}

nlohmann::ordered_json energy_json(const RunReport& report, double operations_per_sequence) {
    const std::vector<EnergyRow> rows = rows_per_sequence(report.energy_rows, report.sequences);
    const EnergyTotal total = total_energy(rows);
    const std::array<EnergyTotal, kGroupCount> groups = energy_by_group(rows);
    nlohmann::ordered_json json;
    json["sequence"] = total.energy_j;
    json["sequence_low"] = total.energy_low_j;
    json["sequence_high"] = total.energy_high_j;
    json["step"] = total.energy_j / report.steps;
    json["operation"] = total.energy_j / operations_per_sequence;
    json["prices"] = report.price_table;
    json["warnings"] = report.price_warnings;
    json["priced_at_zero"] = report.priced_at_zero;
    const EnergyDistribution& distribution = report.distribution;
    json["monte_carlo"] = {{"draws", distribution.draws},
                           {"seed", distribution.seed},
                           {"mean_j", distribution.mean_j},
                           {"standard_deviation_j", distribution.standard_deviation_j},
                           {"quantile_05_j", distribution.quantile_05_j},
                           {"median_j", distribution.median_j},
                           {"quantile_95_j", distribution.quantile_95_j}};
    json["sensitivity"] = nlohmann::ordered_json::array();
    for (const Sensitivity& one : distribution.sensitivities) {
        json["sensitivity"].push_back({{"price", one.name},
                                       {"sequence_at_low_j", one.at_low_j},
                                       {"sequence_at_high_j", one.at_high_j},
                                       {"variance_share", one.variance_share}});
    }
    for (int group = 0; group < kGroupCount; ++group) {
        json["by_component"][to_string(static_cast<ComponentGroup>(group))] =
            groups[static_cast<std::size_t>(group)].energy_j;
    }
    json["array_reads"] = {{"from_supply_j", groups[static_cast<std::size_t>(ComponentGroup::array)].energy_j},
                           {"dissipated_in_cells_j", total_array_device_j(rows)}};
    for (const EnergyShare& share : energy_by_layer(rows)) {
        json["by_layer"][share.name] = share.total.energy_j;
    }
    for (const EnergyShare& share : energy_by_unit(rows)) {
        json["by_unit"][share.name] = share.total.energy_j;
    }
    for (const EnergyShare& share : energy_by_phase(rows)) {
        json["by_phase"][share.name] = share.total.energy_j;
    }
    json["rows"] = energy_rows_json(rows);
    return json;
}

nlohmann::ordered_json area_json(const RunReport& report) {
    nlohmann::ordered_json json;
    const AreaTotal total = total_area(report.area_rows);
    json["total"] = total.area_mm2;
    json["total_low"] = total.area_low_mm2;
    json["total_high"] = total.area_high_mm2;
    const std::array<AreaTotal, kGroupCount> groups = area_by_group(report.area_rows);
    for (int group = 0; group < kGroupCount; ++group) {
        if (groups[static_cast<std::size_t>(group)].area_mm2 > 0.0) {
            json["by_component"][to_string(static_cast<ComponentGroup>(group))] =
                groups[static_cast<std::size_t>(group)].area_mm2;
        }
    }
    json["utilisation"] = {
        {"cells_present", report.cells_present},
        {"cells_with_weights", report.paper.chip_weight_cells},
        {"cells", report.cells_present > 0.0 ? report.paper.chip_weight_cells / report.cells_present : 0.0},
        {"adc_busy_time", report.adc_utilisation}};
    json["rows"] = area_rows_json(report.area_rows);
    return json;
}

}  // namespace

nlohmann::ordered_json report_json(const RunReport& report, const RunSetup& setup) {
    nlohmann::ordered_json json;
    json["format"] = "imssa-infer";
    json["version"] = IMSSA_VERSION;
    json["engine"] = report.simulated() ? "chip" : "estimate";
    json["seed"] = report.seed;
    json["config"] = {{"chip", config_to_json(setup.chip)},
                      {"deployment", config_to_json(setup.network.options)},
                      {"model", config_to_json(setup.network.model)},
                      {"data", setup.dataset.name},
                      {"steps", setup.network.steps}};
    json["kernels"] = {{"trained", setup.kernels.kernels},
                       {"on_chip", setup.kernels.kept_kernels},
                       {"modes_trained", setup.kernels.modes},
                       {"modes_on_chip", setup.kernels.kept_modes}};
    json["sequences"] = report.sequences;
    if (report.simulated()) {
        json["accuracy"] = report.accuracy.mean;
        json["first_logits"] = nlohmann::ordered_json::array();
        for (const std::vector<float>& codes : report.first_logits) {
            json["first_logits"].push_back(std::vector<int>(codes.begin(), codes.end()));
        }
        json["accuracy_chips"] = {{"values", report.accuracy.chips},
                                  {"lowest", report.accuracy.lowest},
                                  {"highest", report.accuracy.highest},
                                  {"standard_deviation", report.accuracy.standard_deviation}};
    } else {
        json["activity"] = report.activity_source;
    }
    if (report.compared) {
        json["accuracy_reference"] = report.accuracy_reference;
        json["mismatched_codes"] = report.codes.mismatched();
        json["compared_codes"] = report.codes.compared();
        json["codes"] = {{"encoder", codes_json(report.codes.encoder)},
                         {"state", codes_json(report.codes.state)},
                         {"kernel_output", codes_json(report.codes.kernel_output)},
                         {"layer_output", codes_json(report.codes.layer_output)},
                         {"pooled", codes_json(report.codes.pooled)},
                         {"logits", codes_json(report.codes.logits)}};
    }
    json["latency_s"] = {{"step", report.seconds(report.step_cycles)},
                         {"sequence", report.seconds(report.latency_cycles)}};
    for (const auto& [name, cycles] : report.stages) {
        json["latency_s"]["units"][name] = report.seconds(cycles);
        json["busy"][name] = static_cast<double>(cycles) / static_cast<double>(report.step_cycles);
    }
    json["throughput_sequences_per_s"] = 1.0 / report.seconds(report.interval_cycles);
    const EfficiencyFigures figures = efficiency_of(report, setup.network.model, setup.network.steps);
    json["energy_j"] = energy_json(report, figures.operations_per_sequence);
    json["area_mm2"] = area_json(report);
    json["efficiency"] = {{"operations_per_sequence", figures.operations_per_sequence},
                          {"operations_counted", operation_definition()},
                          {"tops_per_w", figures.tops_per_w},
                          {"tops_per_mm2", figures.tops_per_mm2}};
    json["paper_metrics"] = paper_metrics_json(report);
    json["baselines"] = baselines_json(report.baselines);
    if (!report.simulated()) {
        return json;
    }
    const auto if_priced = [](bool priced, double value) {
        return priced ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
    };
    const ProgrammingSummary& programming = report.programming;
    json["programming"] = {{"cells", programming.cells},
                           {"energy_j", if_priced(programming.energy_is_priced(), programming.energy_j)},
                           {"time_s", if_priced(programming.time_is_priced(), programming.time_s)},
                           {"pulses", report.programming.pulses},
                           {"stuck_cells", report.programming.stuck_cells},
                           {"yield", report.programming.yield()}};
    json["programming"]["load"] = {{"bits", report.load_bits}, {"energy_j", report.load_energy_j}};
    json["adc"] = {{"conversions", report.conversions.conversions},
                   {"saturated", report.conversions.saturated},
                   {"partial_sum_bits", partial_sum_bits(setup.network, setup.chip)}};
    json["programming"].update(calibrations_json(report.calibrations));
    json["tiles"] = {{"count", report.tiles.size()}, {"utilisation", report.utilisation}};
    json["tiles"]["list"] = nlohmann::ordered_json::array();
    for (const TileUse& tile : report.tiles) {
        json["tiles"]["list"].push_back(
            {{"name", tile.name}, {"rows", tile.rows}, {"columns", tile.columns}, {"utilisation", tile.utilisation}});
    }
    json["simulation"] = {{"wall_s", report.wall_s},
                          {"cpu_s", report.cpu_s},
                          {"array_ops", report.array_operations},
                          {"array_ops_per_cpu_s", report.array_operations / std::max(report.simulation_cpu_s, 1e-9)},
                          {"lanes", report.lanes},
                          {"threads", report.workers},
                          {"peak_memory_mb", report.peak_memory_mb}};
    return json;
}

}  // namespace imssa
