#pragma once

#include <vector>

namespace imssa {

/// What a waveform shows besides phases, steps, channel occupancy, busy flags and logits.
struct VcdSelection {
    std::vector<int> layers;  ///< empty: all
    std::vector<int> heads = {0};
    std::vector<int> modes;  ///< of the state registers; empty: all
    int first_step = 0;      ///< codes of heads are shown from this step
    int last_step = -1;      ///< to this one; -1: the last of the sequence
};

}  // namespace imssa
