#include "trainer/effective_network.h"

#include <cmath>
#include <complex>

namespace imssa {

namespace {

using Complex = std::complex<double>;

std::vector<float> copy_of(const float* from, Eigen::Index size) {
    return {from, from + size};
}

/// Effective weights of an array: outputs x inputs, output codes per input code.
std::vector<float> effective_weights(const QuantizedMatrix& matrix) {
    std::vector<float> weights;
    weights.reserve(static_cast<std::size_t>(matrix.inputs()) * matrix.outputs());
    for (int output = 0; output < matrix.outputs(); ++output) {
        for (int input = 0; input < matrix.inputs(); ++input) {
            weights.push_back(matrix.codes(input, output) * matrix.drive[static_cast<std::size_t>(input)] *
                              matrix.gain[static_cast<std::size_t>(output)]);
        }
    }
    return weights;
}

void transpose_mixing(const ModelConfig& config, const std::vector<float>& mixing, std::vector<float>& transposed) {
    const int outputs = config.mixing_outputs();
    transposed.resize(mixing.size());
    for (int output = 0; output < outputs; ++output) {
        for (int head = 0; head < config.heads; ++head) {
            transposed[static_cast<std::size_t>(head) * outputs + output] =
                mixing[static_cast<std::size_t>(output) * config.heads + head];
        }
    }
}

void scale_into(const std::vector<float>& from, double factor, float* to) {
    for (std::size_t index = 0; index < from.size(); ++index) {
        to[index] = static_cast<float>(factor * from[index]);
    }
}

/// Gradient of complex numbers is kept as dL/dRe + j dL/dIm; through q = f(p), f holomorphic, it is multiplied with
/// conj(f').
struct KernelGradient {
    Complex abar, bbar, c;
};

void kernel_parameter_gradient(const LayerParameters& layer, int head, const DeployedKernel* deployed,
                               double input_scale, double output_scale, const EffectiveLayerTensors& effective,
                               Parameterization parameterization, InputMatrix input, LayerParameters& gradient) {
    const int modes = static_cast<int>(layer.im.cols());
    const DiscreteKernel kernel = discretize(layer, head);
    const bool folded = input == InputMatrix::folded;
    const bool immediate = deployed != nullptr && deployed->options.form == OutputForm::immediate;
    const double step = std::exp(static_cast<double>(layer.log_dt(head)));
    const double d_gradient =
        effective.d[static_cast<std::size_t>(head)] * (deployed != nullptr ? input_scale / output_scale : 1.0);
    double step_gradient = 0.0;
    for (int mode = 0; mode < modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(head) * modes + mode;
        const std::size_t n = static_cast<std::size_t>(mode);
        const Complex abar = kernel.abar[n], bbar = kernel.bbar[n], c = kernel.c[n];
        const double state_scale = deployed != nullptr ? deployed->state_scale[n] : 1.0;
        const double c_unit = deployed != nullptr ? state_scale / output_scale : 1.0;
        const Complex read = Complex(effective.c_re[at], -effective.c_im[at]) * c_unit;
        KernelGradient g;
        g.abar = Complex(effective.a_re[at], effective.a_im[at]);
        // The output reads 2 C, times Abar when it is made of the state before, times Bbar when B is folded in.
        Complex others = 2.0;
        if (immediate) {
            others *= abar;
        }
        if (folded) {
            others *= bbar;
        }
        g.c = read * std::conj(others);
        if (immediate) {
            g.abar += read * std::conj(2.0 * c * (folded ? bbar : Complex(1.0)));
        }
        if (folded) {
            g.bbar = read * std::conj(2.0 * c * (immediate ? abar : Complex(1.0)));
        } else {
            g.bbar = Complex(effective.b_re[at], effective.b_im[at]) * (input_scale / state_scale);
        }
        const auto set_b = [&](Complex value) {
            if (layer.trains_b()) {
                gradient.b_re(head, mode) = static_cast<float>(value.real());
                gradient.b_im(head, mode) = static_cast<float>(value.imag());
            }
        };
        if (immediate) {  // d = 2 Re sum C Bbar + D
            g.c += d_gradient * 2.0 * std::conj(bbar);
            g.bbar += d_gradient * 2.0 * std::conj(c);
        }
        if (parameterization == Parameterization::discrete) {
            const Complex read_gradient =
                layer.trains_b() ? g.c : g.c / std::conj(bbar);  // of C, or of C Bbar with Bbar held
            gradient.log_neg_re(head, mode) = static_cast<float>(g.abar.real());
            gradient.im(head, mode) = static_cast<float>(g.abar.imag());
            gradient.c_re(head, mode) = static_cast<float>(read_gradient.real());
            gradient.c_im(head, mode) = static_cast<float>(read_gradient.imag());
            set_b(g.bbar);
            continue;
        }
        const Complex a(-std::exp(static_cast<double>(layer.log_neg_re(head, mode))), layer.im(head, mode));
        set_b(g.bbar * std::conj((abar - 1.0) / a));
        if (layer.trains_b()) {  // what follows is the gradient of (Abar - 1) / A
            g.bbar *= std::conj(Complex(layer.b_re(head, mode), layer.b_im(head, mode)));
        }
        g.abar += g.bbar * std::conj(1.0 / a);
        const Complex a_gradient = g.bbar * std::conj(-(abar - 1.0) / (a * a)) + g.abar * std::conj(step * abar);
        step_gradient += (g.abar * std::conj(a * abar)).real();
        gradient.log_neg_re(head, mode) = static_cast<float>(a_gradient.real() * a.real());
        gradient.im(head, mode) = static_cast<float>(a_gradient.imag());
        gradient.c_re(head, mode) = static_cast<float>(g.c.real());
        gradient.c_im(head, mode) = static_cast<float>(g.c.imag());
    }
    gradient.log_dt(head) = static_cast<float>(step_gradient * step);
    if (parameterization == Parameterization::frozen) {
        gradient.log_neg_re.row(head).setZero();
        gradient.im.row(head).setZero();
        gradient.log_dt(head) = 0.0F;
    }
    gradient.d(head) = static_cast<float>(d_gradient);
}

/// From the gradient of gamma' z + beta' to that of gamma (z - mean) / deviation + beta.
void unfold_norm_gradient(const LayerParameters& layer, LayerParameters& gradient) {
    for (Eigen::Index head = 0; head < gradient.gamma.size(); ++head) {
        const double deviation = std::sqrt(static_cast<double>(layer.running_variance(head)) + kNormEpsilon);
        const double centred =
            gradient.gamma(head) - static_cast<double>(layer.running_mean(head)) * gradient.beta(head);
        gradient.gamma(head) = static_cast<float>(centred / deviation);
    }
}

}  // namespace

EffectiveTensors zero_effective_tensors(const ModelConfig& config) {
    const std::size_t heads = static_cast<std::size_t>(config.heads);
    const std::size_t modes = heads * static_cast<std::size_t>(config.modes());
    const std::size_t outputs = static_cast<std::size_t>(config.mixing_outputs());
    EffectiveTensors tensors;
    tensors.encoder.assign(heads * config.channels, 0.0F);
    tensors.encoder_bias.assign(heads, 0.0F);
    for (int index = 0; index < config.layers; ++index) {
        EffectiveLayerTensors layer;
        for (auto* values : {&layer.a_re, &layer.a_im, &layer.b_re, &layer.b_im, &layer.c_re, &layer.c_im}) {
            values->assign(modes, 0.0F);
        }
        layer.d.assign(heads, 0.0F);
        layer.mixing.assign(outputs * heads, 0.0F);
        layer.mixing_bias.assign(outputs, 0.0F);
        layer.gamma.assign(heads, 0.0F);
        layer.beta.assign(heads, 0.0F);
        tensors.layers.push_back(std::move(layer));
    }
    tensors.decoder.assign(heads * config.classes, 0.0F);
    tensors.decoder_bias.assign(static_cast<std::size_t>(config.classes), 0.0F);
    return tensors;
}

EffectiveNetwork effective_float_network(const ModelConfig& config, const NetworkParameters& parameters, int steps,
                                         NormStatistics statistics) {
    EffectiveNetwork network;
    network.statistics = statistics;
    network.config = config;
    network.steps = steps;
    network.pooling_gain = config.pooling == Pooling::last ? 1.0F : 1.0F / static_cast<float>(steps);
    network.tensors = zero_effective_tensors(config);
    EffectiveTensors& tensors = network.tensors;
    tensors.encoder = copy_of(parameters.encoder.data(), parameters.encoder.size());
    tensors.encoder_bias = copy_of(parameters.encoder_bias.data(), parameters.encoder_bias.size());
    tensors.decoder = copy_of(parameters.decoder.data(), parameters.decoder.size());
    tensors.decoder_bias = copy_of(parameters.decoder_bias.data(), parameters.decoder_bias.size());
    const int modes = config.modes();
    for (int index = 0; index < config.layers; ++index) {
        const LayerParameters& from = parameters.layers[static_cast<std::size_t>(index)];
        EffectiveLayerTensors& to = tensors.layers[static_cast<std::size_t>(index)];
        for (int head = 0; head < config.heads; ++head) {
            const DiscreteKernel kernel = discretize(from, head);
            for (int mode = 0; mode < modes; ++mode) {
                const std::size_t n = static_cast<std::size_t>(mode);
                const std::size_t at = static_cast<std::size_t>(head) * modes + mode;
                const Complex read = 2.0 * kernel.c[n] * kernel.bbar[n];
                to.a_re[at] = static_cast<float>(kernel.abar[n].real());
                to.a_im[at] = static_cast<float>(kernel.abar[n].imag());
                to.b_re[at] = 1.0F;
                to.c_re[at] = static_cast<float>(read.real());
                to.c_im[at] = static_cast<float>(-read.imag());
            }
            to.d[static_cast<std::size_t>(head)] = static_cast<float>(kernel.d);
        }
        to.mixing = copy_of(from.mixing.data(), from.mixing.size());
        to.mixing_bias = copy_of(from.mixing_bias.data(), from.mixing_bias.size());
        if (statistics == NormStatistics::batch && config.norm == Norm::batch) {
            to.gamma = copy_of(from.gamma.data(), from.gamma.size());
            to.beta = copy_of(from.beta.data(), from.beta.size());
        } else {
            const NormAffine affine = norm_affine(config, from);
            to.gamma.assign(affine.gamma.begin(), affine.gamma.end());
            to.beta.assign(affine.beta.begin(), affine.beta.end());
        }
        EffectiveLayerUnits units;
        units.residual_scale = config.residual ? 1.0F : 0.0F;
        transpose_mixing(config, to.mixing, units.mixing_transposed);
        network.units.push_back(std::move(units));
    }
    return network;
}

EffectiveNetwork effective_quantized_network(const DeployedNetwork& deployed) {
    const ModelConfig& config = deployed.model;
    EffectiveNetwork network;
    network.config = config;
    network.steps = deployed.steps;
    network.output_reads_previous_state = deployed.options.kernel.form == OutputForm::immediate;
    network.input_is_folded = deployed.options.kernel.input_matrix == InputMatrix::folded;
    network.code_limit = deployed.activation_limit();
    network.pooled_limit = deployed.activation_limit();
    network.pooling_gain = deployed.pooling_gain;
    network.logit_scale = static_cast<float>(deployed.logit_scale);
    network.logit_limit = static_cast<float>(code_limit(deployed.options.logit_bits));
    network.tensors = zero_effective_tensors(config);
    EffectiveTensors& tensors = network.tensors;
    tensors.encoder = effective_weights(deployed.encoder);
    tensors.encoder_bias = deployed.encoder.offset;
    tensors.decoder = effective_weights(deployed.decoder);
    tensors.decoder_bias = deployed.decoder.offset;
    const int modes = config.modes();
    for (int index = 0; index < config.layers; ++index) {
        const DeployedLayer& from = deployed.layers[static_cast<std::size_t>(index)];
        EffectiveLayerTensors& to = tensors.layers[static_cast<std::size_t>(index)];
        for (int head = 0; head < config.heads; ++head) {
            const DeployedKernel& kernel = from.kernels[static_cast<std::size_t>(head)];
            for (int mode = 0; mode < modes; ++mode) {
                const std::size_t n = static_cast<std::size_t>(mode);
                const std::size_t at = static_cast<std::size_t>(head) * modes + mode;
                to.a_re[at] = static_cast<float>(kernel.effective_a[n].real());
                to.a_im[at] = static_cast<float>(kernel.effective_a[n].imag());
                to.b_re[at] = static_cast<float>(kernel.effective_b[n].real());
                to.b_im[at] = static_cast<float>(kernel.effective_b[n].imag());
                to.c_re[at] = static_cast<float>(kernel.effective_c_re[n]);
                to.c_im[at] = static_cast<float>(kernel.effective_c_im[n]);
            }
            to.d[static_cast<std::size_t>(head)] = static_cast<float>(kernel.effective_d);
        }
        to.mixing = effective_weights(from.mixing);
        to.mixing_bias = from.mixing.offset;
        to.gamma = from.unit.gamma;
        to.beta = from.unit.beta;
        EffectiveLayerUnits units;
        units.mixing_scale = from.unit.mixing_scale;
        units.residual_scale = config.residual ? from.unit.residual_scale : 0.0F;
        units.mixing_limit = deployed.activation_limit();
        transpose_mixing(config, to.mixing, units.mixing_transposed);
        network.units.push_back(std::move(units));
    }
    return network;
}

void parameter_gradient(const ModelConfig& config, const NetworkParameters& parameters, const DeployedNetwork* deployed,
                        const EffectiveTensors& effective, NetworkParameters& gradient,
                        Parameterization parameterization, InputMatrix float_input, NormStatistics statistics) {
    const InputMatrix input = deployed != nullptr ? deployed->options.kernel.input_matrix : float_input;
    const double encoder_scale = deployed != nullptr ? deployed->layers.front().input_scale : 1.0;
    const double input_scale = deployed != nullptr ? deployed->input_scale : 1.0;
    scale_into(effective.encoder, input_scale / encoder_scale, gradient.encoder.data());
    scale_into(effective.encoder_bias, 1.0 / encoder_scale, gradient.encoder_bias.data());
    for (int index = 0; index < config.layers; ++index) {
        const std::size_t at = static_cast<std::size_t>(index);
        const EffectiveLayerTensors& from = effective.layers[at];
        const DeployedLayer* layer = deployed != nullptr ? &deployed->layers[at] : nullptr;
        LayerParameters& to = gradient.layers[at];
        for (int head = 0; head < config.heads; ++head) {
            kernel_parameter_gradient(parameters.layers[at], head,
                                      layer != nullptr ? &layer->kernels[static_cast<std::size_t>(head)] : nullptr,
                                      layer != nullptr ? layer->input_scale : 1.0,
                                      layer != nullptr ? layer->kernel_output_scale : 1.0, from, parameterization,
                                      input, to);
        }
        const double mixing_scale = layer != nullptr ? layer->mixing_scale : 1.0;
        scale_into(from.mixing, (layer != nullptr ? layer->activation_scale : 1.0) / mixing_scale, to.mixing.data());
        scale_into(from.mixing_bias, 1.0 / mixing_scale, to.mixing_bias.data());
        if (config.norm != Norm::none) {
            const double output_scale = layer != nullptr ? layer->output_scale : 1.0;
            scale_into(from.gamma, 1.0 / output_scale, to.gamma.data());
            scale_into(from.beta, 1.0 / output_scale, to.beta.data());
        }
        if (config.norm == Norm::batch && statistics == NormStatistics::running) {
            unfold_norm_gradient(parameters.layers[at], to);
        }
    }
    const double logit_scale = deployed != nullptr ? deployed->logit_scale : 1.0;
    scale_into(effective.decoder, (deployed != nullptr ? deployed->pooled_scale : 1.0) / logit_scale,
               gradient.decoder.data());
    scale_into(effective.decoder_bias, 1.0 / logit_scale, gradient.decoder_bias.data());
}

}  // namespace imssa
