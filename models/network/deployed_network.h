#pragma once

#include <string>
#include <vector>

#include "models/network/deployed_kernel.h"
#include "models/network/parameters.h"
#include "models/network/quantized_matrix.h"
#include "models/network/quantizer.h"

namespace imssa {

/// Bits and scales of everything outside the kernels.
struct DeploymentOptions {
    KernelOptions kernel;
    int input_bits = 8;       ///< DAC of the network input
    int activation_bits = 8;  ///< every code between units
    int weight_bits = 8;      ///< encoder, mixing, decoder cells
    int encoder_bits = 0;     ///< cells of the encoder alone; 0: weight_bits
    int mixing_bits = 0;      ///< cells of the mixing matrices alone; 0: weight_bits
    int decoder_bits = 0;     ///< cells of the decoder alone; 0: weight_bits
    int bias_bits = 0;        ///< converter offsets that hold the biases; 0: not quantized
    int logit_bits = 8;       ///< ADC of the classifier
    WeightRange weight_range = WeightRange::column;
    double activation_clip = 1.0;  ///< converter full scale relative to the calibrated maximum of activations
    double state_clip = 1.0;       ///< the same for states
    void validate() const;
    /// Bits of a matrix that may have its own.
    int bits_of(int own) const { return own == 0 ? weight_bits : own; }
};

template <class Visitor>
void visit_fields(Visitor& visit, DeploymentOptions& options) {
    visit.table("kernel", options.kernel);
    visit("input_bits", options.input_bits);
    visit("activation_bits", options.activation_bits);
    visit("weight_bits", options.weight_bits);
    visit("encoder_bits", options.encoder_bits);
    visit("mixing_bits", options.mixing_bits);
    visit("decoder_bits", options.decoder_bits);
    visit("bias_bits", options.bias_bits);
    visit("logit_bits", options.logit_bits);
    visit("weight_range", options.weight_range);
    visit("activation_clip", options.activation_clip);
    visit("state_clip", options.state_clip);
}

/// Digital unit behind the mixing array of a layer: gated linear unit, residual, norm, requantization.
struct LayerUnitParameters {
    bool glu = false;
    bool residual = true;
    Norm norm = Norm::layer;
    float mixing_scale = 1.0F;    ///< real units per mixing code
    float residual_scale = 1.0F;  ///< real units per layer input code
    float code_limit = 127.0F;
    std::vector<float> gate_table;  ///< GLU: 2 * limit + 1 sigmoid codes 0..limit of the gate code
    std::vector<float> gamma;       ///< per head: gamma of norm_affine / output scale
    std::vector<float> beta;        ///< per head: beta of norm_affine / output scale
};

struct DeployedLayer {
    std::vector<DeployedKernel> kernels;  ///< one a head, or fewer where pruned ones were removed
    std::vector<int> kernel_channels;     ///< head of the layer's input that each kernel reads; empty: kernel k reads k
    std::vector<float> activation_table;  ///< 2 * limit + 1 codes, indexed by y code + limit
    QuantizedMatrix mixing;
    LayerUnitParameters unit;
    // real units per code, for reports and traces
    double input_scale = 1.0, kernel_output_scale = 1.0, activation_scale = 1.0, mixing_scale = 1.0, output_scale = 1.0;

    int kernel_count() const { return static_cast<int>(kernels.size()); }
    int channel_of(int kernel) const {
        return kernel_channels.empty() ? kernel : kernel_channels[static_cast<std::size_t>(kernel)];
    }
};

/// The integer network: everything the chip needs, and the definition of every rounding.
struct DeployedNetwork {
    ModelConfig model;
    DeploymentOptions options;
    int steps = 0;             ///< sequence length that the pooling gain is made for
    double input_scale = 1.0;  ///< real units per input code
    QuantizedMatrix encoder;
    std::vector<DeployedLayer> layers;
    float pooling_gain = 1.0F;  ///< of `steps`
    double pooled_scale = 1.0, logit_scale = 1.0;
    QuantizedMatrix decoder;

    float activation_limit() const { return static_cast<float>(code_limit(options.activation_bits)); }
    /// Pooled code = round(clamp(gain * sum of codes)) for a sequence of `length` steps: the mean in units of
    /// pooled_scale. 1 where the last step is taken: its code is the pooled code.
    float pooling_gain_of(int length) const;
};

/// Float parameters and calibrated ranges -> integer codes and scales. `steps` is the sequence length.
DeployedNetwork deploy(const ModelConfig& model, const NetworkParameters& parameters, const CalibrationRanges& ranges,
                       const DeploymentOptions& options, int steps);

/// Scales of one head's kernel under the options (granularity of the state range, gauge of B). Shared with the trainer.
KernelScales kernel_scales(const LayerRanges& ranges, int head, double input_scale, const DeploymentOptions& options);

/// The kernels of one layer. The trainer calls it every step of quantization-aware training.
std::vector<DeployedKernel> deploy_layer_kernels(const LayerParameters& layer, const LayerRanges& ranges,
                                                 double input_scale, double output_scale,
                                                 const DeploymentOptions& options);

/// Table of an activation on codes: round(clamp(f(code * input_scale) / output_scale)).
std::vector<float> activation_table(Activation activation, double input_scale, double output_scale, int bits);

/// Network input to DAC codes: round(clamp(value / input_scale)).
void input_codes(const DeployedNetwork& network, const float* values, int count, float* codes);

// Digital units, lane-wise, 16 sequences at a time over pointers with a lane stride (channel c at base + c * stride).

/// Table look-up of integer codes in [-limit, limit].
void apply_table(const std::vector<float>& table, float limit, const float* codes, float* out, int lanes);

/// GLU, residual, norm, requantization of all heads. mixing: mixing_outputs x lanes, input: heads x lanes -> out: heads
/// x lanes. Every float operation is an IEEE operation in a fixed order over heads, so that a lane's result never
/// depends on others.
void layer_unit(const LayerUnitParameters& unit, const float* mixing, const float* input, float* out, int heads,
                int stride, int lanes);

/// pooled codes = round(clamp(gain * sums)), a gain a lane. `gains`, `sums` and `codes` hold padded_lanes(lanes)
/// numbers.
void pool_codes(const float* gains, float limit, const float* sums, float* codes, int lanes);

}  // namespace imssa
