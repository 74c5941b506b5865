#include "models/chip/operation_count.h"

namespace imssa {

OperationCount model_operations(const ModelConfig& model, int steps) {
    const double heads = model.heads;
    OperationCount count;
    count.encoder = 2.0 * model.channels * heads * steps;
    count.kernels = (14.0 * model.modes() + 2.0) * heads * model.layers * steps;
    count.mixing = 2.0 * heads * model.mixing_outputs() * model.layers * steps;
    count.classifier = 2.0 * heads * model.classes;
    return count;
}

const char* operation_definition() {
    return "additions and multiplications of the model's mathematics: encoder, kernels (14 a mode, 2 for D), mixing, "
           "classifier; without activations, GLU, residual, norm, pooling";
}

}  // namespace imssa
