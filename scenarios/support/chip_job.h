#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/chip/chip_config.h"
#include "models/chip/pole_calibration.h"
#include "models/chip/vcd_selection.h"
#include "models/cost/ledger.h"
#include "scenarios/support/code_comparison.h"
#include "scenarios/support/run_setup.h"

namespace imssa {

/// How a run is spread over programmed chips, lanes and worker processes.
struct ChipRunOptions {
    std::uint64_t seed = 1;
    int chips = 1;        ///< programmed chips, seeds seed, seed + 1, ...
    int lanes = 64;       ///< sequences side by side in one simulated chip
    int workers = 1;      ///< processes; results do not depend on it
    bool compare = true;  ///< run the reference beside the chip and compare every code
};

/// What one programmed chip did with all sequences.
struct ChipOutcome {
    std::uint64_t seed = 0;
    std::vector<std::vector<float>> logits;            ///< by sequence: codes of the classes
    std::vector<std::vector<float>> reference_logits;  ///< empty without comparison
    ComparisonCounts codes;
};

/// One tile of the first chip and how much of it holds weights.
struct TileUse {
    std::string name;
    int rows = 0, columns = 0;  ///< in use
    double utilisation = 0.0;   ///< cells above g_min, of all cells of the tile
};

/// The run of all chips. Costs are those of the first chip.
struct ChipRunOutcome {
    std::vector<ChipOutcome> chips;
    EnergyLedger ledger{{}};  ///< of the first chip, all sequences
    ProgrammingSummary programming;
    ConversionCounts conversions;    ///< of all chips and sequences
    CalibrationSummary calibration;  ///< of poles
    CalibrationSummary gain_calibration, converter_calibration;
    std::vector<TileUse> tiles;
    std::int64_t latency_cycles = 0;   ///< first token in to logits
    std::int64_t interval_cycles = 0;  ///< between sequences that stream back to back
    Trajectory trajectory;             ///< first sequence on the first chip
    double cpu_s = 0.0, wall_s = 0.0, peak_memory_mb = 0.0;
    double simulation_cpu_s = 0.0;  ///< of the workers while chips ran
    double array_operations = 0.0;  ///< of all chips
};

/// Simulates all sequences of the setup on every chip. The work is cut into jobs that do not depend on the number of
/// workers, and merged in their order. `on_progress(sequences done)`.
ChipRunOutcome run_chips(const RunSetup& setup, const ChipRunOptions& options,
                         const std::function<void(int)>& on_progress);

/// Simulates one sequence alone with a waveform of lane 0; returns its logit codes. Runs in a process of its own.
std::vector<float> run_with_waveform(const RunSetup& setup, std::uint64_t seed, int sequence, const std::string& path,
                                     const VcdSelection& selection);

/// Logit codes of the exact reference inference for all sequences.
std::vector<std::vector<float>> run_reference(const RunSetup& setup, const ChipRunOptions& options,
                                              const std::function<void(int)>& on_progress);

}  // namespace imssa
