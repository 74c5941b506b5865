#pragma once

#include <systemc>

#include <string>
#include <vector>

#include "models/chip/chip.h"

namespace imssa {

/// What a waveform shows besides phases, steps, channel occupancy, busy flags and logits.
struct VcdSelection {
    std::vector<int> layers;  ///< empty: all
    std::vector<int> heads = {0};
    std::vector<int> modes;  ///< of the state registers; empty: all
    int first_step = 0;      ///< codes of heads are shown from this step
    int last_step = -1;      ///< to this one; -1: the last of the sequence
};

/// Writes a VCD of lane 0. Construct it before the simulation starts; the file is complete after destruction, which
/// must come before the chip's. Scopes are the module tree.
class VcdTrace final {
public:
    /// path with or without ".vcd". Throws UserError when it cannot be written, or the selection names what the chip
    /// does not have.
    VcdTrace(Chip& chip, const std::string& path, const VcdSelection& selection);
    ~VcdTrace();
    VcdTrace(const VcdTrace&) = delete;
    VcdTrace& operator=(const VcdTrace&) = delete;

private:
    void trace_units(const Chip& chip);
    void trace_kernel(const KernelSequencer& kernel, const std::vector<int>& modes);
    void trace_head(const std::string& prefix, const HeadSignals& signals, const std::vector<int>& modes);

    sc_core::sc_trace_file* file_ = nullptr;
};

}  // namespace imssa
