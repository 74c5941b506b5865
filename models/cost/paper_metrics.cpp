#include "models/cost/paper_metrics.h"

namespace imssa {

double arithmetic_computation_effort(const PaperModel& model, const PaperBits& bits, AceForm form) {
    const double h = model.heads;
    const double n = model.states;
    const double decay = bits.a * bits.state * (form == AceForm::with_step ? bits.step : 1.0);
    const double kernel = h * (n * decay + n * bits.b * bits.activation + n * bits.c * bits.state);
    const double mixing = h * h * bits.activation * bits.mixing;
    return model.layers * (kernel + mixing) + h * (model.inputs + model.outputs) * bits.coder * bits.activation;
}

double paper_model_size_bits(const PaperModel& model, const PaperBits& bits) {
    const double h = model.heads;
    const double n = model.states;
    return model.layers * (n * h * (bits.a + bits.c) + h * h * bits.mixing) + 2.0 * h * model.inputs * bits.coder;
}

double adc_complexity(const PaperModel& model, const PaperBits& bits) {
    const double h = model.heads;
    return model.layers * (h * (model.states * bits.state + bits.activation) + h * bits.mixing) + h * bits.activation +
           model.outputs * bits.activation;
}

InferenceMemory inference_memory(const PaperModel& model, const MemoryBits& memory) {
    const PaperBits& bits = memory.bits;
    const double h = model.heads;
    const double n = model.states;
    const double mixing_outputs = memory.glu ? 2.0 * h : h;
    double layer = n * h * (bits.a + bits.c) + h * memory.d + mixing_outputs * (h * bits.mixing + memory.bias);
    layer += memory.discrete ? n * h * bits.b : h * bits.step;
    layer += memory.norm ? 2.0 * h * memory.bias : 0.0;
    InferenceMemory result;
    result.parameters =
        model.layers * layer + h * (model.inputs + model.outputs) * bits.coder + (h + model.outputs) * memory.bias;
    result.states = model.layers * n * h * bits.state;
    result.activations = (model.layers * (3.0 * h + mixing_outputs) + 2.0 * h) * bits.activation;
    return result;
}

}  // namespace imssa
