#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace imssa {

/// Parts of a data set. Validation samples are never among the training samples.
enum class Split { kTrain, kValidation, kTest };

constexpr auto enum_names(Split /*unused*/) {
    return std::array<std::pair<const char*, Split>, 3>{
        {{"train", Split::kTrain}, {"validation", Split::kValidation}, {"test", Split::kTest}}};
}

/// Labelled sequences. Shorter ones than `steps` are padded at their end with values that nothing may look at.
struct Dataset {
    std::string name;
    int steps = 0;     ///< time steps of a sequence, the longest
    int channels = 1;  ///< inputs a step
    int classes = 0;
    std::vector<float> values;  ///< count x steps x channels, each in [-1, 1]
    std::vector<int> labels;    ///< count, each in [0, classes)
    std::vector<int> lengths;   ///< steps of each sequence, each in [1, steps]; empty: all have `steps`

    int count() const { return static_cast<int>(labels.size()); }
    /// Steps of sequence i.
    int length(int i) const { return lengths.empty() ? steps : lengths[static_cast<std::size_t>(i)]; }
    /// Sequence i: steps x channels values.
    const float* sequence(int i) const {
        return values.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(steps) * channels;
    }
};

/// A grey level of 8 bits as an input value: 0 -> -1, 255 -> 1.
inline float pixel_value(int pixel) {
    return static_cast<float>(pixel) / 127.5F - 1.0F;
}

}  // namespace imssa
