#pragma once

#include <systemc>

#include <string>
#include <vector>

#include "models/chip/chip.h"
#include "models/chip/vcd_selection.h"

namespace imssa {

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
    bool shows(const char* unit) const;
    void trace_layer(const ChipLayer& layer);
    void trace_units(const Chip& chip);
    void trace_busy(const sc_core::sc_module& unit, const bool& flag);
    void trace_occupancy(const TokenChannel& channel);
    void trace_kernel(const KernelSequencer& kernel, const std::vector<int>& modes);
    void trace_head(const std::string& prefix, const HeadSignals& signals, const std::vector<int>& modes);

    sc_core::sc_trace_file* file_ = nullptr;
    std::vector<std::string> units_;  ///< chosen; empty: all
};

/// The layout for a waveform viewer (a file in traces/) that fits how the network sits on the chip.
std::string waveform_layout(const DeployedNetwork& network, const ChipConfig& config);

}  // namespace imssa
