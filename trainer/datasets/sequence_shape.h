#pragma once

#include <array>
#include <utility>

#include "trainer/datasets/dataset.h"

namespace imssa {

/// How an image becomes a sequence: one pixel a step, or one row of pixels a step, each column a channel.
enum class SequenceLayout { pixels, rows };
/// Where a sequence ends: with the image, or with the last row that has ink (a grey level of half the full scale).
enum class SequenceLengths { full, content };

constexpr std::array<std::pair<const char*, SequenceLayout>, 2> enum_names(SequenceLayout) {
    return {{{"pixels", SequenceLayout::pixels}, {"rows", SequenceLayout::rows}}};
}
constexpr std::array<std::pair<const char*, SequenceLengths>, 2> enum_names(SequenceLengths) {
    return {{{"full", SequenceLengths::full}, {"content", SequenceLengths::content}}};
}

/// Steps and channels, and the lengths with zeros behind them, of images of side x side pixels, row after row, that are
/// given as side^2 steps of one channel.
void shape_sequences(SequenceLayout layout, SequenceLengths lengths, int side, Dataset& dataset);

}  // namespace imssa
