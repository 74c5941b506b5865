#include "scenarios/support/run_report.h"

#include <algorithm>

#include "models/chip/estimate.h"
#include "models/chip/timing_model.h"
#include "models/cost/breakdown.h"
#include "models/cost/cost_table.h"

namespace imssa {

namespace {

constexpr int kMonteCarloDraws = 10000;

/// Cells and converters that exist against those at work.
void add_utilisation(const RunSetup& setup, const EnergyLedger& ledger, RunReport& report) {
    double converters = 0.0;
    double conversions = 0.0;
    for (std::size_t index = 0; index < ledger.units().size(); ++index) {
        report.cells_present += ledger.units()[index].parts[Component::cell];
        converters += ledger.units()[index].parts[Component::adc];
        conversions += ledger.count(static_cast<std::int32_t>(index), Action::adc_conversion) / report.sequences;
    }
    const double cycles = converters * static_cast<double>(report.interval_cycles);
    report.adc_utilisation = cycles > 0.0 ? conversions * setup.chip.timing.adc_cycles_per_conversion / cycles : 0.0;
}

/// Prices that were extrapolated to the chip's speed.
std::vector<std::string> speed_warnings(const CostTable& table, const PricingConditions& conditions) {
    std::vector<std::string> warnings;
    for (const EnergyPrice& price : table.energies) {
        const std::string note = price.operating_law().note(conditions);
        if (!note.empty()) {
            warnings.push_back(std::string("price of ") + to_string(price.action) +
                               (price.unit.empty() ? "" : " in " + price.unit) + " " + note.substr(0, note.size() - 2) +
                               "; areas and leakage are not extrapolated");
        }
    }
    return warnings;
}

/// Everything that follows from the counts of the ledger and the cycles of a sequence.
void add_costs(const RunSetup& setup, const EnergyLedger& ledger, RunReport& report) {
    const Pipeline pipeline = pipeline_of(setup.network, setup.chip);
    report.paper = paper_figures(setup.network, setup.chip);
    report.steps = setup.network.steps;
    report.clock_hz = setup.chip.timing.clock_hz;
    report.step_cycles = steady_state_interval_cycles(pipeline);
    for (const PipelineStage& stage : pipeline.stages) {
        report.stages.emplace_back(stage.name, stage.cycles);
    }
    const CostTable table = load_cost_table(setup.cost_table);
    table.check_units(ledger.units());
    PricingConditions conditions = operating_conditions(setup.chip, setup.network.encoder.input_limit);
    // The chip is on for one interval a sequence when sequences stream back to back.
    conditions.duration_s = report.seconds(report.interval_cycles) * report.sequences;
    report.energy_rows = ledger.price(table, conditions);
    check_rows(report.energy_rows);
    report.price_warnings = speed_warnings(table, conditions);
    report.priced_at_zero = priced_at_zero(ledger.units(), table);
    report.area_rows = area_rows(ledger.units(), table);
    report.price_table = table.name;
    add_utilisation(setup, ledger, report);
    report.load_bits = report.paper.memory.parameters;
    report.load_energy_j = report.load_bits * table.energy(Action::off_chip_bit).energy_j;
    report.distribution =
        sample_energy(rows_per_sequence(report.energy_rows, report.sequences), kMonteCarloDraws, report.seed);
    report.baselines = digital_baselines(setup.network.model, setup.network.steps,
                                         setup.network.options.kernel.effective_register_bits(), table);
}

}  // namespace

RunReport make_report(const RunSetup& setup, const ChipRunOptions& options, const ChipRunOutcome& outcome) {
    RunReport report;
    report.seed = options.seed;
    report.sequences = setup.dataset.count();
    report.lanes = options.lanes;
    report.workers = options.workers;
    std::vector<double> accuracies;
    for (const ChipOutcome& chip : outcome.chips) {
        accuracies.push_back(accuracy_of(chip.logits, setup.dataset.labels));
        report.codes += chip.codes;
    }
    report.accuracy = spread_of(accuracies);
    constexpr std::size_t kShownLogits = 10;
    const std::vector<std::vector<float>>& logits = outcome.chips.front().logits;
    report.first_logits.assign(logits.begin(),
                               logits.begin() + static_cast<std::ptrdiff_t>(std::min(kShownLogits, logits.size())));
    report.compared = options.compare;
    if (options.compare) {
        report.accuracy_reference = accuracy_of(outcome.chips.front().reference_logits, setup.dataset.labels);
    }
    report.latency_cycles = outcome.latency_cycles;
    report.interval_cycles = outcome.interval_cycles;
    add_costs(setup, outcome.ledger, report);
    report.programming = outcome.programming;
    report.conversions = outcome.conversions;
    report.input_interval_cycles = setup.chip.timing.input_interval_cycles;
    report.calibrations = price_calibrations(setup, outcome);
    report.tiles = outcome.tiles;
    for (const TileUse& tile : outcome.tiles) {
        report.utilisation += tile.utilisation / static_cast<double>(outcome.tiles.size());
    }
    report.wall_s = outcome.wall_s;
    report.cpu_s = outcome.cpu_s;
    report.simulation_cpu_s = outcome.simulation_cpu_s;
    report.peak_memory_mb = outcome.peak_memory_mb;
    report.array_operations = outcome.array_operations;
    return report;
}

RunReport make_estimate(const RunSetup& setup, const ActivityStatistics& activity, std::uint64_t seed) {
    RunReport report;
    report.seed = seed;
    report.sequences = 1;
    report.activity_source = activity.source;
    const Pipeline pipeline = pipeline_of(setup.network, setup.chip);
    report.latency_cycles = closed_latency_cycles(pipeline, setup.network.steps);
    report.interval_cycles = sequence_interval_cycles(pipeline, setup.network.steps);
    report.clock_hz = setup.chip.timing.clock_hz;
    const DeployedNetwork& shape = setup.network;
    add_costs(setup, estimated_ledger(shape, setup.chip, activity, 1), report);
    return report;
}

}  // namespace imssa
