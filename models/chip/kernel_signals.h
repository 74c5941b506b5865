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
    write_back = 7,
    swap = 8
};

/// When and where a head's turn comes in an operation.
struct HeadPlace {
    int bank = 0;          ///< of the tiles that a site serves one after another
    int read = 0;          ///< of the gated reads of its tile
    int first_output = 0;  ///< of the head's columns on the tile
};

/// What a waveform shows of one head: lane 0.
struct HeadSignals {
    int head = 0;
    HeadPlace place;
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

    /// Steps whose codes are shown.
    void set_window(int first_step, int last_step) {
        first_step_ = first_step;
        last_step_ = last_step;
    }
    bool in_window() const { return step >= first_step_ && (last_step_ < 0 || step <= last_step_); }
    void add_head(int head, const DeployedKernel& kernel, const HeadPlace& place);
    /// Keeps what head `head` computed until its phase is shown.
    void capture(int head, const LaneMatrix& inputs, const LaneMatrix& codes, const StateRegisterFile& registers);
    void show_cleared();
    void show_dac(int bank, int read);
    void show_round(int round_index, const ArrayReadCycles& cycles, int bank, int read);
    /// Of the heads of a bank; -1: of all.
    void show_registers(int bank);

private:
    int first_step_ = 0, last_step_ = -1;
};

}  // namespace imssa
