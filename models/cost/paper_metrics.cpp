#include "models/cost/paper_metrics.h"

namespace imssa {

double arithmetic_computation_effort(const PaperModel& model, const PaperBits& bits, AceForm form) {
    const double h = model.heads;
    const KernelTotal total = model.kernels();
    const double decay = bits.a * bits.state * (form == AceForm::with_step ? bits.step : 1.0);
    const double kernels = total.states * (decay + bits.b * bits.activation + bits.c * bits.state);
    const double mixing = total.kernels * h * bits.activation * bits.mixing;
    const double coders =
        h * model.inputs * bits.coder * bits.input_bits() + h * model.outputs * bits.decoder_bits() * bits.activation;
    return kernels + mixing + coders;
}

double paper_model_size_bits(const PaperModel& model, const PaperBits& bits) {
    const double h = model.heads;
    const KernelTotal total = model.kernels();
    return total.states * (bits.a + bits.c) + total.kernels * h * bits.mixing +
           h * model.inputs * (bits.coder + bits.decoder_bits());
}

double adc_complexity(const PaperModel& model, const PaperBits& bits) {
    const double h = model.heads;
    const KernelTotal total = model.kernels();
    return total.states * bits.state + total.kernels * bits.activation + model.layers * h * bits.mixing +
           h * bits.activation + model.outputs * bits.logit_bits();
}

InferenceMemory inference_memory(const PaperModel& model, const MemoryBits& memory) {
    const PaperBits& bits = memory.bits;
    const double h = model.heads;
    const KernelTotal total = model.kernels();
    const double mixing_outputs = memory.glu ? 2.0 * h : h;
    const double kernels = total.states * (bits.a + bits.b + bits.c) +
                           total.kernels * (memory.d + (memory.discrete ? 0.0 : bits.step)) +
                           total.kernels * mixing_outputs * bits.mixing;
    const double layer = mixing_outputs * memory.bias + (memory.norm ? 2.0 * h * memory.gain : 0.0);
    InferenceMemory result;
    result.parameters = kernels + model.layers * layer + h * model.inputs * bits.coder +
                        h * model.outputs * bits.decoder_bits() + (h + model.outputs) * memory.bias;
    result.states = total.states * bits.state;
    result.activations = (2.0 * total.kernels + model.layers * (h + mixing_outputs) + 2.0 * h) * bits.activation;
    return result;
}

}  // namespace imssa
