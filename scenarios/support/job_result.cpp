#include "scenarios/support/job_result.h"

#include <utility>

namespace imssa {

using nlohmann::json;

namespace {

json bits_to_json(const ConverterBits& bits) {
    return {bits.bits, bits.other_bits, bits.other_share};
}

ConverterBits bits_from_json(const json& list) {
    return {list.at(0).get<int>(), list.at(1).get<int>(), list.at(2).get<double>()};
}

}  // namespace

json counts_to_json(const ComparisonCounts& counts) {
    json list = json::array();
    for (const CodeCounts* kind : {&counts.encoder, &counts.state, &counts.kernel_output, &counts.layer_output,
                                   &counts.pooled, &counts.logits}) {
        list.push_back({kind->compared, kind->mismatched});
    }
    return list;
}

ComparisonCounts counts_from_json(const json& list) {
    ComparisonCounts counts;
    std::size_t at = 0;
    for (CodeCounts* kind : {&counts.encoder, &counts.state, &counts.kernel_output, &counts.layer_output,
                             &counts.pooled, &counts.logits}) {
        kind->compared = list.at(at).at(0).get<std::int64_t>();
        kind->mismatched = list.at(at++).at(1).get<std::int64_t>();
    }
    return counts;
}

json ledger_to_json(const EnergyLedger& ledger) {
    json events = json::array();
    for (std::size_t unit = 0; unit < ledger.units().size(); ++unit) {
        const std::int32_t index = static_cast<std::int32_t>(unit);
        for (int action = 0; action < kActionCount; ++action) {
            const double count = ledger.count(index, static_cast<Action>(action));
            if (count > 0.0) {
                const bool read = static_cast<Action>(action) == Action::array_read;
                events.push_back({unit, action, count, read ? ledger.array_device_j(index) : 0.0,
                                  read ? ledger.array_supply_j(index) : 0.0});
            }
        }
    }
    json units = json::array();
    for (const CostUnit& unit : ledger.units()) {
        units.push_back({{"name", unit.name},
                         {"digital", static_cast<int>(unit.digital)},
                         {"parts", unit.parts.counts},
                         {"adc_bits", bits_to_json(unit.adc_bits)},
                         {"dac_bits", bits_to_json(unit.dac_bits)}});
    }
    return {{"units", units}, {"events", events}};
}

EnergyLedger empty_ledger(const json& stored) {
    std::vector<CostUnit> units;
    for (const json& unit : stored.at("units")) {
        CostUnit entry;
        entry.name = unit.at("name").get<std::string>();
        entry.digital = static_cast<ComponentGroup>(unit.at("digital").get<int>());
        entry.parts.counts = unit.at("parts").get<decltype(entry.parts.counts)>();
        entry.adc_bits = bits_from_json(unit.at("adc_bits"));
        entry.dac_bits = bits_from_json(unit.at("dac_bits"));
        units.push_back(std::move(entry));
    }
    return EnergyLedger(std::move(units));
}

void add_to_ledger(const json& stored, EnergyLedger& ledger) {
    for (const json& event : stored.at("events")) {
        ledger.record({static_cast<Action>(event.at(1).get<int>()), event.at(0).get<std::int32_t>(),
                       event.at(2).get<double>(), event.at(3).get<double>(), event.at(4).get<double>()});
    }
}

json tiles_to_json(const Chip& chip) {
    json list = json::array();
    for (const CrossbarTile* tile : chip.tiles()) {
        const TileFootprint& use = tile->array().footprint();
        list.push_back({tile->name(), use.rows, use.columns, use.utilisation});
    }
    return list;
}

std::vector<TileUse> tiles_from_json(const json& list) {
    std::vector<TileUse> tiles;
    for (const json& tile : list) {
        tiles.push_back(
            {tile.at(0).get<std::string>(), tile.at(1).get<int>(), tile.at(2).get<int>(), tile.at(3).get<double>()});
    }
    return tiles;
}

json calibration_to_json(const CalibrationSummary& summary) {
    return {summary.poles,   summary.corrected_poles, summary.array_reads, summary.dac_conversions,
            summary.columns, summary.adc_conversions, summary.device_j,    summary.supply_j,
            summary.cycles,  summary.row_line_cells};
}

CalibrationSummary calibration_from_json(const json& list) {
    CalibrationSummary summary;
    summary.poles = list.at(0).get<int>();
    summary.corrected_poles = list.at(1).get<int>();
    summary.array_reads = list.at(2).get<double>();
    summary.dac_conversions = list.at(3).get<double>();
    summary.columns = list.at(4).get<double>();
    summary.adc_conversions = list.at(5).get<double>();
    summary.device_j = list.at(6).get<double>();
    summary.supply_j = list.at(7).get<double>();
    summary.cycles = list.at(8).get<std::int64_t>();
    summary.row_line_cells = list.at(9).get<double>();
    return summary;
}

json programming_to_json(const ProgrammingSummary& summary) {
    return {summary.cells, summary.pulses, summary.energy_j, summary.time_s, summary.stuck_cells, summary.failed_cells};
}

ProgrammingSummary programming_from_json(const json& stored) {
    ProgrammingSummary summary;
    summary.cells = stored.at(0).get<std::int64_t>();
    summary.pulses = stored.at(1).get<double>();
    summary.energy_j = stored.at(2).get<double>();
    summary.time_s = stored.at(3).get<double>();
    summary.stuck_cells = stored.at(4).get<std::int64_t>();
    summary.failed_cells = stored.at(5).get<std::int64_t>();
    return summary;
}

json conversions_to_json(const ConversionCounts& counts) {
    return {counts.conversions, counts.saturated};
}

ConversionCounts conversions_from_json(const json& list) {
    return {list.at(0).get<std::int64_t>(), list.at(1).get<std::int64_t>()};
}

json trajectory_to_json(const Trajectory& trajectory) {
    return {{"mode", trajectory.mode}, {"chip", trajectory.chip}, {"reference", trajectory.reference}};
}

Trajectory trajectory_from_json(const json& stored) {
    Trajectory trajectory;
    trajectory.mode = stored.at("mode").get<int>();
    trajectory.chip = stored.at("chip").get<std::vector<double>>();
    trajectory.reference = stored.at("reference").get<std::vector<double>>();
    return trajectory;
}

}  // namespace imssa
