#pragma once

#include <string>
#include <vector>

namespace imssa {

/// What a waveform shows.
struct VcdSelection {
    /// encoder, kernel, mixing, layer_unit, pooling, classifier, channels; empty: all.
    std::vector<std::string> units;
    std::vector<int> layers;  ///< empty: all
    std::vector<int> heads = {0};
    std::vector<int> modes;  ///< of the state registers; empty: all
    int first_step = 0;      ///< phases of the sequencers and codes of heads are shown from this step
    int last_step = -1;      ///< to this one; -1: the last of the sequence
};

}  // namespace imssa
