#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/cost/component.h"
#include "scenarios/support/run_setup.h"

namespace imssa {

/// Power of one sequence over time, by group of components. Units publish the energy of a token when they work on it,
/// so that a bin should not be shorter than a step.
struct PowerTrace {
    double bin_s = 0.0;
    std::vector<std::array<double, kGroupCount>> power_w;  ///< by bin and group; leakage is constant

    double total_w(std::size_t bin) const;
};

/// Simulates one sequence alone on an empty chip, in a process of its own. `bin_cycles` 0: as many as between two
/// steps.
PowerTrace trace_power(const RunSetup& setup, std::uint64_t seed, int sequence, int bin_cycles = 0);

/// time_s at the beginning of the bin, then watts by group and their sum.
std::string power_csv(const PowerTrace& trace);

/// The same as real variables of a waveform, nanoseconds.
std::string power_vcd(const PowerTrace& trace);

/// As FILE.vcd or, with any other ending, as CSV.
void write_power(const PowerTrace& trace, const std::string& path);

}  // namespace imssa
