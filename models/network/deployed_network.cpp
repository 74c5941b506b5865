#include "models/network/deployed_network.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

void require_bits(const char* key, int bits, int low, int high) {
    if (bits < low || bits > high) {
        throw UserError("key '" + std::string(key) + "' is " + std::to_string(bits) + ": must lie in [" +
                        std::to_string(low) + ", " + std::to_string(high) + "]");
    }
}

/// Real units per code of a calibrated range.
double scale_of(float maximum, double clip, int bits, const std::string& name) {
    if (!(std::isfinite(maximum) && maximum > 0.0F)) {
        throw UserError("calibrated range '" + name + "' is " + std::to_string(maximum) +
                        ": the checkpoint is not calibrated; fine-tune or calibrate it with train");
    }
    return static_cast<double>(maximum) * clip / code_limit(bits);
}

/// Exact Gaussian error linear unit, x Phi(x) (Hendrycks & Gimpel, arXiv 1606.08415).
double gelu(double x) {
    return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
}

/// Biases on a grid of 2^bits + 1 levels over their largest magnitude (0 bits: as they are).
void quantize_bias(const Eigen::VectorXf& bias, double output_scale, int bits, QuantizedMatrix& matrix) {
    if (bits == 0) {
        return;
    }
    const double maximum = bias.cwiseAbs().maxCoeff();
    for (Eigen::Index output = 0; output < bias.size(); ++output) {
        matrix.offset[static_cast<std::size_t>(output)] =
            static_cast<float>(max_scale_value(bias(output), maximum, bits) / output_scale);
    }
}

/// Hard GELU of Zhao et al. (arXiv 2506.12480), as their code has it.
double hard_gelu(double x) {
    return 0.25 * x * std::clamp(x + 2.0, 0.0, 4.0);
}

LayerUnitParameters make_layer_unit(const ModelConfig& model, const LayerParameters& layer, double mixing_scale,
                                    double input_scale, double output_scale, int bits) {
    LayerUnitParameters unit;
    unit.glu = model.glu;
    unit.residual = model.residual;
    unit.norm = model.norm;
    unit.mixing_scale = static_cast<float>(mixing_scale);
    unit.residual_scale = static_cast<float>(input_scale);
    const int limit = code_limit(bits);
    unit.code_limit = static_cast<float>(limit);
    if (model.glu) {
        for (int code = -limit; code <= limit; ++code) {
            unit.gate_table.push_back(
                static_cast<float>(std::nearbyint(limit / (1.0 + std::exp(-code * mixing_scale)))));
        }
    }
    const NormAffine affine = norm_affine(model, layer);
    for (std::size_t head = 0; head < affine.gamma.size(); ++head) {
        unit.gamma.push_back(static_cast<float>(affine.gamma[head] / output_scale));
        unit.beta.push_back(static_cast<float>(affine.beta[head] / output_scale));
    }
    return unit;
}

}  // namespace

void DeploymentOptions::validate() const {
    kernel.validate();
    require_bits("input_bits", input_bits, 2, 12);
    require_bits("activation_bits", activation_bits, 2, 12);
    require_bits("weight_bits", weight_bits, 2, 12);
    for (const auto& [key, bits] : {std::pair<const char*, int>{"encoder_bits", encoder_bits},
                                    {"mixing_bits", mixing_bits},
                                    {"decoder_bits", decoder_bits}}) {
        if (bits != 0) {
            require_bits(key, bits, 2, 12);
        }
    }
    require_bits("bias_bits", bias_bits, 0, 16);
    require_bits("logit_bits", logit_bits, 2, 16);
    if (!(activation_clip > 0.0 && activation_clip <= 4.0) || !(state_clip > 0.0 && state_clip <= 4.0)) {
        throw UserError(
            "keys 'activation_clip' and 'state_clip' must lie in (0, 4]: full scale over calibrated maximum");
    }
}

std::vector<float> activation_table(Activation activation, double input_scale, double output_scale, int bits) {
    const int limit = code_limit(bits);
    std::vector<float> table;
    for (int code = -limit; code <= limit; ++code) {
        const double x = code * input_scale;
        double value = x;
        if (activation == Activation::relu) {
            value = std::max(x, 0.0);
        } else if (activation == Activation::gelu) {
            value = gelu(x);
        } else if (activation == Activation::qgelu) {
            value = hard_gelu(x);
        }
        table.push_back(static_cast<float>(
            std::nearbyint(std::clamp(value / output_scale, -static_cast<double>(limit), static_cast<double>(limit)))));
    }
    return table;
}

KernelScales kernel_scales(const LayerRanges& ranges, int head, double input_scale, const DeploymentOptions& options) {
    const bool folded = options.kernel.input_matrix == InputMatrix::folded;
    const MatrixRM& states = folded ? ranges.folded_state : ranges.state;
    KernelScales scales;
    scales.input = input_scale;
    const int modes = static_cast<int>(states.cols());
    for (int mode = 0; mode < modes; ++mode) {
        double state = states(head, mode);
        double increment = ranges.increment(head, mode);
        if (options.kernel.state_scale == ScaleGranularity::head) {
            state = states.row(head).maxCoeff();
        } else if (options.kernel.state_scale == ScaleGranularity::tensor) {
            state = states.maxCoeff();
        }
        scales.state.push_back(state * options.state_clip);
        scales.increment.push_back(increment * options.state_clip);
    }
    return scales;
}

std::vector<DeployedKernel> deploy_layer_kernels(const LayerParameters& layer, const LayerRanges& ranges,
                                                 double input_scale, double output_scale,
                                                 const DeploymentOptions& options) {
    const bool continuous = options.kernel.representation == StateRepresentation::a_continuous;
    const LayerParameters held =
        continuous ? quantize_continuous(layer, options.kernel.a_bits, options.kernel.step_bits) : layer;
    const double d_maximum = layer.d.cwiseAbs().maxCoeff();
    const int heads = static_cast<int>(layer.log_dt.size());
    const auto deploy_heads = [&](double least_range) {
        std::vector<DeployedKernel> kernels;
        kernels.reserve(static_cast<std::size_t>(heads));
        for (int head = 0; head < heads; ++head) {
            KernelScales scales = kernel_scales(ranges, head, input_scale, options);
            scales.output = output_scale;
            scales.least_range = least_range;
            DiscreteKernel kernel = discretize(held, head);
            if (options.kernel.d_bits > 0) {
                kernel.d = max_scale_value(kernel.d, d_maximum, options.kernel.d_bits);
            }
            try {
                kernels.push_back(deploy_kernel(kernel, scales, options.kernel, options.activation_bits));
            } catch (const UserError& error) {
                throw UserError("head " + std::to_string(head) + ": " + error.what());
            }
        }
        return kernels;
    };
    std::vector<DeployedKernel> kernels = deploy_heads(0.0);
    if (options.kernel.weight_range == WeightRange::tensor) {
        double largest = 0.0;
        for (const DeployedKernel& kernel : kernels) {
            largest = std::max(largest, kernel.shared_range());
        }
        kernels = deploy_heads(largest);
    }
    return kernels;
}

DeployedNetwork deploy(const ModelConfig& model, const NetworkParameters& parameters, const CalibrationRanges& ranges,
                       const DeploymentOptions& options, int steps) {
    options.validate();
    if (steps < 1) {
        throw UserError("deployment needs a sequence length of at least 1 step, got " + std::to_string(steps));
    }
    const int bits = options.activation_bits;
    const double clip = options.activation_clip;
    DeployedNetwork network;
    network.model = model;
    network.options = options;
    network.steps = steps;
    network.input_scale = 1.0 / code_limit(options.input_bits);
    double input_scale = scale_of(ranges.encoder, clip, bits, "encoder");
    network.encoder =
        quantize_matrix(parameters.encoder, parameters.encoder_bias, network.input_scale, input_scale,
                        options.bits_of(options.encoder_bits), options.input_bits, bits, options.weight_range);
    quantize_bias(parameters.encoder_bias, input_scale, options.bias_bits, network.encoder);
    network.encoder.check_exact("encoder (encoder_bits, input_bits)");
    for (int index = 0; index < model.layers; ++index) {
        const LayerParameters& layer = parameters.layers[static_cast<std::size_t>(index)];
        const LayerRanges& range = ranges.layers[static_cast<std::size_t>(index)];
        const std::string name = "layers." + std::to_string(index) + ".";
        DeployedLayer deployed;
        deployed.input_scale = input_scale;
        deployed.kernel_output_scale = scale_of(range.kernel_output, clip, bits, name + "kernel_output");
        deployed.activation_scale = scale_of(range.activation, clip, bits, name + "activation");
        deployed.mixing_scale = scale_of(range.mixing, clip, bits, name + "mixing");
        deployed.output_scale = scale_of(range.output, clip, bits, name + "output");
        try {
            deployed.kernels = deploy_layer_kernels(layer, range, input_scale, deployed.kernel_output_scale, options);
        } catch (const UserError& error) {
            throw UserError(name + "kernel, " + error.what());
        }
        deployed.activation_table =
            activation_table(model.activation, deployed.kernel_output_scale, deployed.activation_scale, bits);
        deployed.mixing =
            quantize_matrix(layer.mixing, layer.mixing_bias, deployed.activation_scale, deployed.mixing_scale,
                            options.bits_of(options.mixing_bits), bits, bits, options.weight_range);
        quantize_bias(layer.mixing_bias, deployed.mixing_scale, options.bias_bits, deployed.mixing);
        deployed.mixing.check_exact(name + "mixing (mixing_bits, activation_bits)");
        deployed.unit = make_layer_unit(model, layer, deployed.mixing_scale, input_scale, deployed.output_scale, bits);
        input_scale = deployed.output_scale;
        network.layers.push_back(std::move(deployed));
    }
    // The code of the last step is handed on as it is: another scale would only round it again.
    network.pooled_scale = model.pooling == Pooling::last ? input_scale : scale_of(ranges.pooled, clip, bits, "pooled");
    network.logit_scale = scale_of(ranges.logits, clip, options.logit_bits, "logits");
    network.pooling_gain = network.pooling_gain_of(steps);
    network.decoder =
        quantize_matrix(parameters.decoder, parameters.decoder_bias, network.pooled_scale, network.logit_scale,
                        options.bits_of(options.decoder_bits), bits, options.logit_bits, options.weight_range);
    quantize_bias(parameters.decoder_bias, network.logit_scale, options.bias_bits, network.decoder);
    network.decoder.check_exact("decoder (decoder_bits, activation_bits)");
    return network;
}

float DeployedNetwork::pooling_gain_of(int length) const {
    return model.pooling == Pooling::last ? 1.0F
                                          : static_cast<float>(layers.back().output_scale / (length * pooled_scale));
}

void input_codes(const DeployedNetwork& network, const float* values, int count, float* codes) {
    const float gain = static_cast<float>(1.0 / network.input_scale);
    const float limit = static_cast<float>(code_limit(network.options.input_bits));
    for (int index = 0; index < count; ++index) {
        codes[index] = round_half_even(std::min(std::max(values[index] * gain, -limit), limit));
    }
}

}  // namespace imssa
