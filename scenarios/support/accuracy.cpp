#include "scenarios/support/accuracy.h"

#include <algorithm>
#include <cmath>

namespace imssa {

double accuracy_of(const std::vector<std::vector<float>>& logits, const std::vector<int>& labels) {
    int correct = 0;
    for (std::size_t index = 0; index < labels.size(); ++index) {
        const auto best = std::max_element(logits[index].begin(), logits[index].end());
        correct += best - logits[index].begin() == labels[index] ? 1 : 0;
    }
    return labels.empty() ? 0.0 : static_cast<double>(correct) / static_cast<double>(labels.size());
}

AccuracySpread spread_of(const std::vector<double>& chips) {
    AccuracySpread spread;
    spread.chips = chips;
    for (const double value : chips) {
        spread.mean += value / static_cast<double>(chips.size());
    }
    spread.lowest = *std::min_element(chips.begin(), chips.end());
    spread.highest = *std::max_element(chips.begin(), chips.end());
    double squares = 0.0;
    for (const double value : chips) {
        squares += (value - spread.mean) * (value - spread.mean);
    }
    spread.standard_deviation = chips.size() > 1 ? std::sqrt(squares / static_cast<double>(chips.size() - 1)) : 0.0;
    return spread;
}

std::vector<std::vector<int>> confusion_counts(const std::vector<std::vector<float>>& logits,
                                               const std::vector<int>& labels, int classes) {
    std::vector<std::vector<int>> counts(static_cast<std::size_t>(classes),
                                         std::vector<int>(static_cast<std::size_t>(classes), 0));
    for (std::size_t index = 0; index < labels.size(); ++index) {
        const auto best = std::max_element(logits[index].begin(), logits[index].end());
        ++counts[static_cast<std::size_t>(labels[index])][static_cast<std::size_t>(best - logits[index].begin())];
    }
    return counts;
}

}  // namespace imssa
