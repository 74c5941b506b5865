#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/chip/activity.h"
#include "models/chip/paper_figures.h"
#include "models/cost/area.h"
#include "models/cost/ledger.h"
#include "models/cost/uncertainty.h"
#include "scenarios/support/accuracy.h"
#include "scenarios/support/baselines.h"
#include "scenarios/support/calibration_report.h"
#include "scenarios/support/chip_job.h"

namespace imssa {

/// Everything that a report of a chip run tells, in SI units, per sequence where it says so.
struct RunReport {
    std::uint64_t seed = 0;
    int sequences = 0, lanes = 0, workers = 0;
    AccuracySpread accuracy;
    std::vector<std::vector<float>> first_logits;  ///< codes of the first ten sequences on the first chip
    double accuracy_reference = 0.0;
    bool compared = false;
    ComparisonCounts codes;
    double clock_hz = 0.0;
    std::int64_t step_cycles = 0;  ///< between steps in the steady state: the slowest unit
    std::int64_t latency_cycles = 0, interval_cycles = 0;
    std::vector<std::pair<std::string, int>> stages;  ///< units of the pipeline and their cycles a step
    int input_interval_cycles = 0;                    ///< of the configured input rate; 0: as fast as the chip
    std::vector<EnergyRow> energy_rows;               ///< of all sequences of the first chip
    std::vector<AreaRow> area_rows;
    ProgrammingSummary programming;
    ConversionCounts conversions;
    StartupCalibrations calibrations;
    std::vector<TileUse> tiles;
    double utilisation = 0.0;  ///< mean over the tiles
    double wall_s = 0.0, cpu_s = 0.0, simulation_cpu_s = 0.0, peak_memory_mb = 0.0, array_operations = 0.0;
    std::string price_table;
    std::vector<std::string> price_warnings;  ///< prices beyond the speed for which they hold
    std::vector<std::string> priced_at_zero;  ///< what has no row, and why
    EnergyDistribution distribution;          ///< of the energy of a sequence
    std::vector<Baseline> baselines;
    PaperFigures paper;
    double cells_present = 0.0;                   ///< of all tiles; the weights are in paper.chip_weight_cells of them
    double adc_utilisation = 0.0;                 ///< time that the mean converter converts, of the time of a sequence
    double load_bits = 0.0, load_energy_j = 0.0;  ///< all parameters into the chip, once
    int steps = 0;                                ///< of a sequence
    std::string activity_source;                  ///< of an estimate without simulation; empty: simulated

    bool simulated() const { return activity_source.empty(); }

    double seconds(std::int64_t cycles) const { return static_cast<double>(cycles) / clock_hz; }
};

/// Prices the ledger and gathers the figures.
RunReport make_report(const RunSetup& setup, const ChipRunOptions& options, const ChipRunOutcome& outcome);

/// The same without a simulation, for one sequence: no accuracy, array energies from the activity statistics.
RunReport make_estimate(const RunSetup& setup, const ActivityStatistics& activity, std::uint64_t seed);

/// The result as JSON (format of the README).
nlohmann::ordered_json report_json(const RunReport& report, const RunSetup& setup);

/// Tables for a terminal.
void print_report(const RunReport& report, const RunSetup& setup, std::FILE* out);

}  // namespace imssa
