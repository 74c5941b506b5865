#pragma once

#include "models/network/deployed_network.h"

namespace imssa {

/// Arithmetic of one inference as the model's mathematics has it, whatever the mapping makes of it. A multiplication
/// and an addition are one operation each. Counted: encoder, kernels, mixing, classifier. Not counted: activation
/// tables, GLU, residual, norm, pooling.
struct OperationCount {
    double encoder = 0.0;     ///< 2 x channels x heads a step
    double kernels = 0.0;     ///< 14 a mode (complex a x, + b u, 2 Re(c x)) and 2 for D u, of every head and step
    double mixing = 0.0;      ///< 2 x heads x mixing outputs a step
    double classifier = 0.0;  ///< 2 x heads x classes

    double total() const { return encoder + kernels + mixing + classifier; }
};

OperationCount model_operations(const ModelConfig& model, int steps);

/// The definition in one line, to be printed beside every figure that divides by it.
const char* operation_definition();

}  // namespace imssa
