#pragma once

#include <optional>

namespace imssa {

/// Kernels of all layers together.
struct KernelTotal {
    double kernels = 0.0;
    double states = 0.0;  ///< real ones, of all these kernels
};

/// Shape of an S4D classifier as the published metrics count it. Mixing is counted as H x H, also with a gated linear
/// unit.
struct PaperModel {
    int layers = 1;
    int heads = 1;     ///< H
    int states = 2;    ///< N, the real state dimension (twice the complex modes)
    int inputs = 1;    ///< d_in
    int outputs = 10;  ///< d_out
    /// What is left where pruned kernels and modes were removed: these alone are counted, with their rows of the mixing
    /// matrices. All of them where nothing is given: zeros that are kept take products, memory and conversions.
    std::optional<KernelTotal> left{};

    KernelTotal kernels() const {
        const double all = static_cast<double>(layers) * heads;
        return left.value_or(KernelTotal{all, all * states});
    }
};

/// Bits of every group of quantities (r_* of QS4D). Zero leaves a group out: B of S4D is 1 and counts 0 bits.
struct PaperBits {
    double a = 32.0, b = 0.0, c = 32.0;  ///< SSM matrices
    double state = 32.0;
    double activation = 32.0;
    double mixing = 32.0;  ///< r_lin
    double coder = 32.0;   ///< encoder and decoder
    double step = 32.0;    ///< r_dt
    // Groups that the papers have in common with another one; empty: they have its bits.
    std::optional<double> decoder{};  ///< of its own, `coder` then being the encoder's
    std::optional<double> input{};    ///< the encoder's other operand; else r_act
    std::optional<double> logits{};   ///< else r_act

    double decoder_bits() const { return decoder.value_or(coder); }
    double input_bits() const { return input.value_or(activation); }
    double logit_bits() const { return logits.value_or(activation); }
};

/// Effort of the product with A in the arithmetic computation effort.
enum class AceForm {
    published,  ///< r_A r_state (the bar chart of QS4D, and its logs of 2, 3 and 6 January 2025)
    with_step   ///< r_A r_state r_dt (its logs of 14 and 15 January 2025)
};

/// Arithmetic computation effort of a time step: sum over multiply-accumulates of the product of both operands' bits
/// (PokeBNN, Zhang et al., CVPR 2022; as in QS4D, arXiv 2507.06079, and its code qS4):
///   layers [H (N r_A r_state + N r_B r_act + N r_C r_state) + H^2 r_act r_lin] + H (d_in + d_out) r_coder r_act.
/// Encoder, decoder and network input count at bits of their own where they have them: H d_in r_encoder r_input +
/// H d_out r_decoder r_act.
double arithmetic_computation_effort(const PaperModel& model, const PaperBits& bits, AceForm form = AceForm::published);

/// Model size in bits (QS4D):  layers [N H (r_A + r_C) + H^2 r_lin] + H d_in (r_encoder + r_decoder).
/// As published: the decoder counts with d_in; B, D, the step sizes, norms and biases are not counted.
double paper_model_size_bits(const PaperModel& model, const PaperBits& bits);

/// ADC complexity (QS4D), bits converted in a time step:
///   layers [H (N r_state + r_act) + H r_lin] + H r_act + d_out r_logits.
double adc_complexity(const PaperModel& model, const PaperBits& bits);

/// Memory of an inference, in bits, by what it holds.
struct InferenceMemory {
    double parameters = 0.0;
    double states = 0.0;
    double activations = 0.0;
    double total() const { return parameters + states + activations; }
};

/// What is counted besides the groups above, for the memory of an inference.
struct MemoryBits {
    PaperBits bits;
    double d = 32.0;       ///< H direct terms a layer
    double bias = 32.0;    ///< biases of encoder, mixing and decoder
    double gain = 32.0;    ///< gains and offsets of norms
    bool glu = false;      ///< mixing H -> 2H
    bool norm = false;     ///< two numbers a head and layer
    bool discrete = true;  ///< Abar, Bbar, C in memory (bits.a, bits.b, bits.c); else a step size a head besides
};

/// Memory of parameters, states and activations of a recurrent inference, one sequence. Ours: Zhao et al. (arXiv
/// 2506.12480) publish savings but not their accounting. Parameters are all that the recurrence needs; states N a head
/// and layer; activations: u, y, act(y), mixing output of every layer, the encoder's and the pooled output.
InferenceMemory inference_memory(const PaperModel& model, const MemoryBits& memory);

}  // namespace imssa
