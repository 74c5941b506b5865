#pragma once

#include <array>
#include <cstdint>

#include "trainer/datasets/dataset.h"

namespace imssa {

constexpr int kGlyphSide = 28;  ///< rows and columns of a glyph's image

struct Glyph {
    int label = 0;
    std::array<std::uint8_t, kGlyphSide * kGlyphSide> pixels{};  ///< rows one after the other; 0 is background
};

/// Sample `index` of the generated data set: a digit of strokes, distorted, with noise. It depends on the arguments
/// only, so that splits are disjoint and counts do not matter. Samples 10 k to 10 k + 9 are the ten digits in some
/// order.
Glyph make_glyph(std::uint64_t seed, Split split, int index);

/// The first `count` samples as sequences of 784 steps and one channel, like MNIST's.
Dataset make_glyphs(std::uint64_t seed, Split split, int count);

}  // namespace imssa
