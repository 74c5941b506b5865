#include "trainer/cross_entropy.h"

#include <algorithm>
#include <cmath>

namespace imssa {

SequenceLosses cross_entropy(const float* logits, float scale, float limit, int classes, const int* labels, int lanes,
                             double weight, float* gradient) {
    SequenceLosses result;
    std::fill_n(gradient, classes * kLaneWidth, 0.0F);
    for (int lane = 0; lane < lanes; ++lane) {
        const auto logit = [&](int output) { return static_cast<double>(logits[output * kLaneWidth + lane]) * scale; };
        int best = 0;
        for (int output = 1; output < classes; ++output) {
            if (logit(output) > logit(best)) {
                best = output;
            }
        }
        double sum = 0.0;
        for (int output = 0; output < classes; ++output) {
            sum += std::exp(logit(output) - logit(best));
        }
        const std::size_t at = static_cast<std::size_t>(lane);
        const int label = labels[lane];
        result.loss[at] = std::log(sum) - (logit(label) - logit(best));
        result.correct[at] = best == label;
        for (int output = 0; output < classes; ++output) {
            const double probability = std::exp(logit(output) - logit(best)) / sum;
            const double g = weight * scale * (probability - (output == label ? 1.0 : 0.0));
            const bool limited = std::abs(logits[output * kLaneWidth + lane]) >= limit;
            gradient[output * kLaneWidth + lane] = limited ? 0.0F : static_cast<float>(g);
        }
    }
    return result;
}

}  // namespace imssa
