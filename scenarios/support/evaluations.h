#pragma once

#include <nlohmann/json.hpp>

#include "trainer/evaluation_config.h"
#include "trainer/training_run.h"

namespace imssa {

/// What `train` does with a trained model without training it further.
struct Evaluations {
    bool quantize = false;  ///< post-training quantization
    EvaluationConfig measured;

    bool any() const { return quantize || measured.any(); }
};

/// Throws UserError for what could not be measured, ahead of training.
void check_evaluations(const TrainConfig& config, const Evaluations& evaluations);

/// Quantizes and measures the model of options.init, prints unless options.quiet, and returns what came out.
nlohmann::ordered_json evaluate(const TrainingOptions& options, const Evaluations& evaluations);

}  // namespace imssa
