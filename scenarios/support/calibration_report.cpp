#include "scenarios/support/calibration_report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "models/chip/estimate.h"
#include "models/cost/cost_table.h"
#include "models/cost/ledger.h"
#include "scenarios/support/si_text.h"

namespace imssa {

namespace {

bool happened(const PricedCalibration& calibration) {
    return calibration.counts.adc_conversions > 0.0;
}

/// Calibrations are priced in one unit, at the widest converters of the chip.
CostUnit calibration_unit(const std::vector<CostUnit>& units) {
    CostUnit calibration;
    calibration.name = "calibration";
    for (const CostUnit& unit : units) {
        calibration.adc_bits.bits = std::max(calibration.adc_bits.bits, unit.adc_bits.widest());
        calibration.dac_bits.bits = std::max(calibration.dac_bits.bits, unit.dac_bits.widest());
    }
    return calibration;
}

double energy_j(const CalibrationSummary& counts, const CostUnit& unit, const CostTable& table,
                const PricingConditions& conditions) {
    EnergyLedger ledger({unit});
    ledger.record({Action::dac_conversion, 0, counts.dac_conversions, 0.0, 0.0});
    ledger.record({Action::row_line_cell, 0, counts.row_line_cells, 0.0, 0.0});
    ledger.record({Action::array_read, 0, counts.array_reads, counts.device_j, counts.supply_j});
    ledger.record({Action::transimpedance, 0, counts.columns, 0.0, 0.0});
    ledger.record({Action::sample_hold, 0, counts.columns, 0.0, 0.0});
    ledger.record({Action::adc_conversion, 0, counts.adc_conversions, 0.0, 0.0});
    return total_energy(ledger.price(table, conditions)).energy_j;
}

nlohmann::ordered_json costs_json(const PricedCalibration& calibration) {
    return {{"array_reads", calibration.counts.array_reads},
            {"adc_conversions", calibration.counts.adc_conversions},
            {"energy_j", calibration.energy_j},
            {"time_s", calibration.time_s}};
}

std::string costs_text(const PricedCalibration& calibration) {
    return si(calibration.energy_j, "J") + ", " + si(calibration.time_s, "s");
}

}  // namespace

StartupCalibrations price_calibrations(const RunSetup& setup, const ChipRunOutcome& outcome) {
    const CostTable table = load_cost_table(setup.cost_table);
    const PricingConditions conditions = operating_conditions(setup.chip, setup.network.encoder.input_limit);
    const CostUnit unit = calibration_unit(outcome.ledger.units());
    const auto priced = [&](const CalibrationSummary& counts) {
        PricedCalibration calibration;
        calibration.counts = counts;
        if (happened(calibration)) {
            calibration.energy_j = energy_j(counts, unit, table, conditions);
            calibration.time_s = static_cast<double>(counts.cycles) / setup.chip.timing.clock_hz;
        }
        return calibration;
    };
    return {priced(outcome.calibration), priced(outcome.gain_calibration), priced(outcome.converter_calibration)};
}

nlohmann::ordered_json calibrations_json(const StartupCalibrations& calibrations) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (happened(calibrations.poles)) {
        json["calibration"] = {{"poles", calibrations.poles.counts.poles},
                               {"corrected_poles", calibrations.poles.counts.corrected_poles}};
        json["calibration"].update(costs_json(calibrations.poles));
    }
    if (happened(calibrations.gains)) {
        json["gain_calibration"] = costs_json(calibrations.gains);
    }
    if (happened(calibrations.converters)) {
        json["converter_calibration"] = costs_json(calibrations.converters);
    }
    return json;
}

void print_calibrations(const StartupCalibrations& calibrations, std::FILE* out) {
    const auto& [poles, gains, converters] = calibrations;
    if (happened(poles)) {
        std::fprintf(out, "pole calibration        %d poles measured, %d corrected, %s, %.4g array reads\n",
                     poles.counts.poles, poles.counts.corrected_poles, costs_text(poles).c_str(),
                     poles.counts.array_reads);
    }
    if (happened(gains)) {
        std::fprintf(out, "column calibration      %s, %.4g array reads, %.4g conversions\n", costs_text(gains).c_str(),
                     gains.counts.array_reads, gains.counts.adc_conversions);
    }
    if (happened(converters)) {
        std::fprintf(out, "converter calibration   %s, %.4g conversions\n", costs_text(converters).c_str(),
                     converters.counts.adc_conversions);
    }
}

}  // namespace imssa
