#pragma once

#include "trainer/fake_quantizer.h"

namespace imssa::test {

inline QuantizerOptions quantizer(Quantizer kind, int bits, ScaleGranularity scale = ScaleGranularity::tensor) {
    QuantizerOptions options;
    options.quantizer = kind;
    options.bits = bits;
    options.scale = scale;
    return options;
}

}  // namespace imssa::test
