#pragma once

#include "trainer/datasets/dataset.h"
#include "trainer/workspace.h"

namespace imssa::test {

/// The first 16 sequences of the data.
inline void load_first_sequences(const Dataset& data, Workspace& workspace) {
    const float* sequences[kLaneWidth];
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        sequences[lane] = data.sequence(lane);
    }
    workspace.load_inputs(sequences, kLaneWidth);
}

}  // namespace imssa::test
