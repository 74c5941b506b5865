#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "models/network/quantized_matrix.h"

namespace imssa::testing_support {

/// Random codes of the full range; drives alternate between 1, 1/2 and 1/4 when `mixed_drive`.
inline QuantizedMatrix random_matrix(int inputs, int outputs, int code_limit, unsigned seed, bool mixed_drive = false) {
    std::mt19937 engine(seed);
    std::uniform_int_distribution<int> code(-code_limit, code_limit);
    QuantizedMatrix matrix;
    matrix.code_limit = code_limit;
    matrix.codes.resize(inputs, outputs);
    for (Eigen::Index at = 0; at < matrix.codes.size(); ++at) {
        matrix.codes.data()[at] = static_cast<float>(code(engine));
    }
    for (int i = 0; i < inputs; ++i) {
        matrix.drive.push_back(mixed_drive ? 1.0F / static_cast<float>(1 << (i % 3)) : 1.0F);
    }
    matrix.gain.assign(static_cast<std::size_t>(outputs), 0.01F);
    matrix.offset.assign(static_cast<std::size_t>(outputs), 0.0F);
    matrix.output_limit.assign(static_cast<std::size_t>(outputs), 127.0F);
    return matrix;
}

inline LaneMatrix random_codes(int channels, int lanes, int limit, unsigned seed) {
    std::mt19937 engine(seed);
    std::uniform_int_distribution<int> code(-limit, limit);
    LaneMatrix codes(channels, lanes);
    for (int lane = 0; lane < lanes; ++lane) {  // lane by lane: lane i does not depend on the number of lanes
        for (int channel = 0; channel < channels; ++channel) {
            codes(channel, lane) = static_cast<float>(code(engine));
        }
    }
    return codes;
}

inline std::vector<std::uint64_t> sequences_from(std::uint64_t first, int count) {
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < count; ++i) {
        ids.push_back(first + static_cast<std::uint64_t>(i));
    }
    return ids;
}

}  // namespace imssa::testing_support
