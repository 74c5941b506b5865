#pragma once

#include <vector>

namespace imssa {

/// Accuracy of several programmed chips on the same sequences.
struct AccuracySpread {
    std::vector<double> chips;
    double mean = 0.0, lowest = 0.0, highest = 0.0;
    double standard_deviation = 0.0;  ///< between chips (n - 1)
};

/// Share of sequences whose largest logit is the label.
double accuracy_of(const std::vector<std::vector<float>>& logits, const std::vector<int>& labels);
AccuracySpread spread_of(const std::vector<double>& chips);
/// counts[label][answer].
std::vector<std::vector<int>> confusion_counts(const std::vector<std::vector<float>>& logits,
                                               const std::vector<int>& labels, int classes);

}  // namespace imssa
