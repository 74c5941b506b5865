#pragma once

#include <string>
#include <vector>

namespace imssa {

/// What `train` measures of a trained model: table [evaluation] of its configuration. No part of the model, so it is
/// not in checkpoints.
struct EvaluationConfig {
    std::vector<std::string> noise_sweep;  ///< "cell_errors=0,0.5,1": test accuracy under errors of these strengths
    int draws = 5;                         ///< of each error of a sweep
    std::vector<int> compare_modes;        ///< bits of states: recurrent against indirect (convolution) quantization

    bool any() const { return !noise_sweep.empty() || !compare_modes.empty(); }
};

template <class Visitor>
void visit_fields(Visitor& visit, EvaluationConfig& c) {
    visit("noise_sweep", c.noise_sweep);
    visit("draws", c.draws);
    visit("compare_modes", c.compare_modes);
}

}  // namespace imssa
