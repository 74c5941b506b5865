#pragma once

#include <vector>

#include "models/chip/kernel_head.h"
#include "models/chip/timing_model.h"

namespace imssa {

/// Phases of a kernel step, in the order of their codes in traces.
enum class KernelPhase {
    idle = 0,
    load = 1,
    decay = 2,
    drive = 3,
    settle = 4,
    sample = 5,
    convert = 6,
    write_back = 7
};

/// What a waveform shows of one head: lane 0.
struct HeadSignals {
    int head = 0;
    std::vector<int> registers;  ///< state register codes: re_0, im_0, re_1, ...
    std::vector<int> dac;        ///< codes on the array's inputs
    std::vector<int> adc;        ///< conversions of the array's outputs
    // the values that the operation in progress will show
    std::vector<int> next_registers, next_dac, next_adc;
};

/// Traced state of one layer's sequencer. Heads are filled only when a trace asks for them.
class KernelSignals {
public:
    int phase = 0;
    int round = 0;  ///< conversion k of m, from 1; 0 outside CONVERT
    int step = 0;
    bool busy = false;
    std::vector<HeadSignals> heads;

    void add_head(int head, const DeployedKernel& kernel);
    /// Keeps what head `head` computed until its phase is shown.
    void capture(int head, const KernelScratch& scratch, const StateRegisterFile& registers);
    void show_cleared();
    void show_dac();
    void show_round(int round_index, const ArrayReadCycles& cycles);
    void show_registers();
};

}  // namespace imssa
