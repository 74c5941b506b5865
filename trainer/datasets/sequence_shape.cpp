#include "trainer/datasets/sequence_shape.h"

#include <algorithm>

namespace imssa {

namespace {

/// Rows of an image up to the last one with ink, at least one.
int inked_rows(const float* pixels, int side) {
    for (int row = side - 1; row > 0; --row) {
        const float* first = pixels + static_cast<std::ptrdiff_t>(row) * side;
        if (std::any_of(first, first + side, [](float value) { return value >= 0.0F; })) {
            return row + 1;
        }
    }
    return 1;
}

}  // namespace

void shape_sequences(SequenceLayout layout, SequenceLengths lengths, int side, Dataset& dataset) {
    if (layout == SequenceLayout::rows) {
        dataset.steps = side;
        dataset.channels = side;
    }
    if (lengths == SequenceLengths::full) {
        return;
    }
    const std::ptrdiff_t size = static_cast<std::ptrdiff_t>(side) * side;
    for (int index = 0; index < dataset.count(); ++index) {
        float* pixels = dataset.values.data() + index * size;
        const int rows = inked_rows(pixels, side);
        std::fill(pixels + static_cast<std::ptrdiff_t>(rows) * side, pixels + size, 0.0F);
        dataset.lengths.push_back(rows * (dataset.steps / side));
    }
}

}  // namespace imssa
