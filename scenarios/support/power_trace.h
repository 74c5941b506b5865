#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
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
    /// All bins: what the sequence's actions take, and the leakage of the time that the bins cover. A report charges
    /// leakage for the shorter interval between sequences that stream back to back.
    double seconds() const { return bin_s * static_cast<double>(power_w.size()); }
    double actions_j() const;
    double leakage_j() const;
};

/// Simulates one sequence alone on an empty chip, in a process of its own. `bin_cycles` 0: as many as between two
/// steps.
PowerTrace trace_power(const RunSetup& setup, std::uint64_t seed, int sequence, int bin_cycles = 0);

/// time_s at the beginning of the bin, then watts by group and their sum.
std::string power_csv(const PowerTrace& trace);

/// The same as real variables of a waveform, nanoseconds.
std::string power_vcd(const PowerTrace& trace);

/// What the bins add up to, and how that differs from a report whose sequences stream back to back at this interval.
void print_power(const PowerTrace& trace, const std::vector<std::string>& files, int sequence, double interval_s,
                 std::FILE* out);

/// As FILE.vcd or, with any other ending, as CSV.
void write_power(const PowerTrace& trace, const std::string& path);

}  // namespace imssa
