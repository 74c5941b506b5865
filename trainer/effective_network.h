#pragma once

#include <limits>
#include <vector>

#include "models/network/deployed_network.h"
#include "trainer/parameterization.h"

namespace imssa {

/// The tensors of one layer as the forward and backward passes see them, after discretization (float mode, real units)
/// or deployment (quantized mode, code units). Kernel: x_t = a x_{t-1} + b u_t, y = sum_n (c_re Re x_n + c_im Im x_n) +
/// d u_t.
struct EffectiveLayerTensors {
    std::vector<float> a_re, a_im, b_re, b_im, c_re, c_im;  ///< heads x modes, row-major
    std::vector<float> d;                                   ///< heads
    std::vector<float> mixing;                              ///< mixing_outputs x heads, row-major
    std::vector<float> mixing_bias;                         ///< mixing_outputs
    std::vector<float> gamma, beta;                         ///< heads
};

struct EffectiveTensors {
    std::vector<float> encoder, encoder_bias;  ///< heads x channels; heads
    std::vector<EffectiveLayerTensors> layers;
    std::vector<float> decoder, decoder_bias;  ///< classes x heads; classes
};

/// Zero tensors of the right shapes: also what gradients are accumulated in.
EffectiveTensors zero_effective_tensors(const ModelConfig& config);

/// Calls visit(std::vector<float>&) for every tensor in a fixed order.
template <class Tensors, class Visit>
void for_each_effective_tensor(Tensors& tensors, Visit&& visit) {
    visit(tensors.encoder);
    visit(tensors.encoder_bias);
    for (auto& layer : tensors.layers) {
        visit(layer.a_re);
        visit(layer.a_im);
        visit(layer.b_re);
        visit(layer.b_im);
        visit(layer.c_re);
        visit(layer.c_im);
        visit(layer.d);
        visit(layer.mixing);
        visit(layer.mixing_bias);
        visit(layer.gamma);
        visit(layer.beta);
    }
    visit(tensors.decoder);
    visit(tensors.decoder_bias);
}

constexpr float kNoLimit = std::numeric_limits<float>::infinity();

/// Factors of a layer that are not trained.
struct EffectiveLayerUnits {
    float mixing_scale = 1.0F;             ///< real units per mixing output
    float residual_scale = 1.0F;           ///< real units per layer input
    float mixing_limit = kNoLimit;         ///< a mixing code at its limit passes no gradient
    std::vector<float> mixing_transposed;  ///< heads x mixing_outputs
};

/// Whose mean and variance a batch norm uses: of the batch (training in float), or the running averages (everything
/// else), with which it is an affine map.
enum class NormStatistics { running, batch };

/// A network of one optimisation step.
struct EffectiveNetwork {
    ModelConfig config;
    int steps = 0;
    EffectiveTensors tensors;
    NormStatistics statistics = NormStatistics::running;  ///< batch: gamma and beta are as trained
    std::vector<EffectiveLayerUnits> units;               ///< one a layer
    bool output_reads_previous_state = false;             ///< y_t is made of x_{t-1} (immediate form)
    bool input_is_folded = true;  ///< B is folded into C: b is one constant a head, not trained (1 in float mode)
    float code_limit = kNoLimit;  ///< limit of the codes between units
    float pooling_gain = 1.0F;    ///< pooled = gain * sum over steps, of a sequence of `steps`
    float pooled_limit = kNoLimit;
    float logit_scale = 1.0F;  ///< real units per logit
    float logit_limit = kNoLimit;

    /// The gain of a sequence of `length` steps.
    float pooling_gain_of(int length) const {
        const bool mean = config.pooling == Pooling::mean && length != steps;
        return mean ? pooling_gain * static_cast<float>(steps) / static_cast<float>(length) : pooling_gain;
    }
};

/// Float mode: discretization by zero-order hold, B folded into C.
EffectiveNetwork effective_float_network(const ModelConfig& config, const NetworkParameters& parameters, int steps,
                                         NormStatistics statistics = NormStatistics::running);

/// Quantized mode: what the codes of a deployed network stand for.
EffectiveNetwork effective_quantized_network(const DeployedNetwork& network);

/// Chain rule from the gradient of the effective tensors to the parameters, in double. `deployed` is null in float
/// mode; otherwise rounding is taken as the identity (straight-through estimator) and scales as constants. With the
/// discrete parameterization the gradient is that of to_discrete(parameters); frozen poles and steps get none.
/// `float_input` says where B is when `deployed` is null, `statistics` which ones a batch norm used.
void parameter_gradient(const ModelConfig& config, const NetworkParameters& parameters, const DeployedNetwork* deployed,
                        const EffectiveTensors& effective_gradient, NetworkParameters& gradient,
                        Parameterization parameterization = Parameterization::continuous,
                        InputMatrix float_input = InputMatrix::folded,
                        NormStatistics statistics = NormStatistics::running);

}  // namespace imssa
