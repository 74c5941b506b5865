#include "trainer/fake_quantization.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <string>

#include "models/network/deployed_kernel.h"
#include "trainer/observed_bounds.h"
#include "trainer/weight_noise.h"

namespace imssa {

namespace {

/// Least decay that a quantized A keeps: one level of its grid would be rounded to none.
constexpr double kLeastDecay = 1e-4;

/// Quantizes tensors, each with a seed of its own, and keeps their gradient masks.
class TensorQuantizer {
public:
    explicit TensorQuantizer(std::uint64_t seed) : seed_(seed) {}

    void real(const QuantizerOptions& options, const std::string& name, float* values, Eigen::Index rows,
              Eigen::Index columns, float* mask) {
        apply(options, name, values, nullptr, rows, columns, mask, nullptr);
    }
    void complex(const QuantizerOptions& options, const std::string& name, MatrixRM& re, MatrixRM& im,
                 MatrixRM& re_mask, MatrixRM& im_mask) {
        apply(options, name, re.data(), im.data(), re.rows(), re.cols(), re_mask.data(), im_mask.data());
    }

private:
    void apply(const QuantizerOptions& options, const std::string& name, float* values, float* partner,
               Eigen::Index rows, Eigen::Index columns, float* mask, float* partner_mask) {
        const std::uint64_t seed = seed_ + 0x9e3779b97f4a7c15ULL * ++tensors_;
        if (!options.active()) {
            return;
        }
        const std::vector<unsigned char> passes =
            quantize_tensor(options, name, values, partner, static_cast<int>(rows), static_cast<int>(columns), seed);
        const Eigen::Index size = rows * columns;
        for (Eigen::Index index = 0; index < size; ++index) {
            mask[index] *= passes[static_cast<std::size_t>(index)];
            if (partner != nullptr) {
                partner_mask[index] *= passes[static_cast<std::size_t>(index + size)];
            }
        }
    }

    std::uint64_t seed_;
    std::uint64_t tensors_ = 0;
};

/// A and log dt on their grids; Re A stays negative.
void quantize_continuous_layer(const FakeQuantization& options, const std::string& prefix, TensorQuantizer& quantizer,
                               LayerParameters& layer, LayerParameters& mask) {
    MatrixRM re = -layer.log_neg_re.array().exp();
    quantizer.real(options.a_re, prefix + "a_re", re.data(), re.rows(), re.cols(), mask.log_neg_re.data());
    if (options.a_re.active()) {
        layer.log_neg_re = (-re.array().min(static_cast<float>(-kLeastDecay))).log();
    }
    quantizer.real(options.a_im, prefix + "a_im", layer.im.data(), layer.im.rows(), layer.im.cols(), mask.im.data());
    quantizer.real(options.step, prefix + "step", layer.log_dt.data(), layer.log_dt.size(), 1, mask.log_dt.data());
}

/// Abar, Bbar, C of a layer on their grids, into the effective tensors (B apart from C).
void set_kernels(const FakeQuantization& options, const std::string& prefix, const LayerParameters& layer,
                 TensorQuantizer& quantizer, EffectiveLayerTensors& to, LayerParameters& mask,
                 DiscreteMasks& discrete_mask) {
    const Eigen::Index heads = layer.im.rows();
    const Eigen::Index modes = layer.im.cols();
    MatrixRM a_re(heads, modes), a_im(heads, modes), b_re(heads, modes), b_im(heads, modes);
    for (Eigen::Index head = 0; head < heads; ++head) {
        const DiscreteKernel kernel = discretize(layer, static_cast<int>(head));
        for (Eigen::Index mode = 0; mode < modes; ++mode) {
            const std::size_t n = static_cast<std::size_t>(mode);
            a_re(head, mode) = static_cast<float>(kernel.abar[n].real());
            a_im(head, mode) = static_cast<float>(kernel.abar[n].imag());
            b_re(head, mode) = static_cast<float>(kernel.bbar[n].real());
            b_im(head, mode) = static_cast<float>(kernel.bbar[n].imag());
        }
    }
    MatrixRM c_re = layer.c_re, c_im = layer.c_im, d = layer.d;
    const MatrixRM ones = MatrixRM::Ones(heads, modes);
    discrete_mask = {ones, ones, ones, ones};
    quantizer.complex(options.abar, prefix + "abar", a_re, a_im, discrete_mask.a_re, discrete_mask.a_im);
    quantizer.complex(options.bbar, prefix + "bbar", b_re, b_im, discrete_mask.b_re, discrete_mask.b_im);
    quantizer.complex(options.c, prefix + "c", c_re, c_im, mask.c_re, mask.c_im);
    quantizer.real(options.d, prefix + "d", d.data(), heads, 1, mask.d.data());
    for (Eigen::Index index = 0; index < heads * modes; ++index) {
        const std::size_t at = static_cast<std::size_t>(index);
        // Rounding may carry a slow pole onto the unit circle: it is pulled inside along its radius.
        const double magnitude = std::hypot(a_re.data()[index], a_im.data()[index]);
        const float inside =
            options.abar.active() && magnitude > kLargestPole ? static_cast<float>(kLargestPole / magnitude) : 1.0F;
        to.a_re[at] = a_re.data()[index] * inside;
        to.a_im[at] = a_im.data()[index] * inside;
        to.b_re[at] = b_re.data()[index];
        to.b_im[at] = b_im.data()[index];
        to.c_re[at] = 2.0F * c_re.data()[index];
        to.c_im[at] = -2.0F * c_im.data()[index];
    }
    to.d.assign(d.data(), d.data() + heads);
}

float magnitude_of(const Bounds& bounds) {
    return std::max(-bounds.low, bounds.high);
}

/// Ranges of numbers that change with time: largest magnitudes, and bounds where a quantizer needs them.
struct TimeRanges {
    const CalibrationRanges& largest;
    const ObservedBounds* bounds;

    QuantizerGrid activation_grid(const QuantizerOptions& options, float range, int place) const {
        if (!options.has_grid()) {
            return {};
        }
        if (options.observes_bounds()) {
            return make_grid(options, (*bounds)[place].low, (*bounds)[place].high);
        }
        const double magnitude = options.range > 0.0 ? options.range : range;
        return make_grid(options, -magnitude, magnitude);
    }
    /// Largest magnitude of the range in use: the calibrated one where there is no grid of fixed range.
    float activation_full_scale(const QuantizerOptions& options, float range, int place) const {
        if (options.observes_bounds()) {
            return magnitude_of((*bounds)[place]);
        }
        return options.active() && options.range > 0.0 ? static_cast<float>(options.range) : range;
    }
    /// The same of a state, whose `range` is that of its scale.
    float state_full_scale(const QuantizerOptions& options, float range, int layer, int head, int mode) const {
        return options.observes_bounds() ? magnitude_of(bounds->state_bounds(layer, head, mode, options.scale)) : range;
    }
    QuantizerGrid state_grid(const QuantizerOptions& options, float range, int layer, int head, int mode) const {
        if (!options.has_grid()) {
            return {};
        }
        if (options.observes_bounds()) {
            const Bounds own = bounds->state_bounds(layer, head, mode, options.scale);
            return make_grid(options, own.low, own.high);
        }
        return make_grid(options, -static_cast<double>(range), range);
    }
};

float shared_state_range(const QuantizerOptions& options, const MatrixRM& ranges, Eigen::Index head,
                         Eigen::Index mode) {
    if (options.active() && options.range > 0.0) {
        return static_cast<float>(options.range);
    }
    switch (options.scale) {
        case ScaleGranularity::tensor:
            return ranges.maxCoeff();
        case ScaleGranularity::head:
            return ranges.row(head).maxCoeff();
        default:
            return ranges(head, mode);
    }
}

FakeLayerGrids layer_grids(const FakeQuantization& options, const TimeRanges& time_ranges, int layer) {
    const LayerRanges& ranges = time_ranges.largest.layers[static_cast<std::size_t>(layer)];
    FakeLayerGrids grids;
    for (Eigen::Index head = 0; head < ranges.state.rows(); ++head) {
        for (Eigen::Index mode = 0; mode < ranges.state.cols(); ++mode) {
            const float range = shared_state_range(options.state, ranges.state, head, mode);
            const int h = static_cast<int>(head), n = static_cast<int>(mode);
            grids.state_range.push_back(time_ranges.state_full_scale(options.state, range, layer, h, n));
            grids.state.push_back(time_ranges.state_grid(options.state, range, layer, h, n));
        }
    }
    const auto place_of = [&](ActivationPlace place) {
        return time_ranges.bounds != nullptr ? time_ranges.bounds->activation(layer, place) : 0;
    };
    const auto grid = [&](float range, ActivationPlace place) {
        return time_ranges.activation_grid(options.activations, range, place_of(place));
    };
    grids.kernel_output = grid(ranges.kernel_output, ActivationPlace::kernel_output);
    grids.kernel_output_range = time_ranges.activation_full_scale(options.activations, ranges.kernel_output,
                                                                  place_of(ActivationPlace::kernel_output));
    grids.activation = grid(ranges.activation, ActivationPlace::activation);
    grids.mixing = grid(ranges.mixing, ActivationPlace::mixing);
    grids.output = grid(ranges.output, ActivationPlace::output);
    return grids;
}

/// Grid of 2 Re(C x), which reaches as far as y - D u can.
QuantizerGrid recurrent_output_grid(const FakeQuantization& options, const TimeRanges& time_ranges,
                                    const EffectiveLayerTensors& tensors, int layer, float largest_input) {
    const QuantizerOptions& own = options.activations;
    if (!own.active()) {
        return {};
    }
    const double range = time_ranges.largest.layers[static_cast<std::size_t>(layer)].kernel_output;
    Bounds y{static_cast<float>(-range), static_cast<float>(range)};
    if (own.range > 0.0) {
        return make_grid(own, -own.range, own.range);
    }
    if (own.observes_bounds()) {
        y = (*time_ranges.bounds)[time_ranges.bounds->activation(layer, ActivationPlace::kernel_output)];
    }
    double reach = 0.0;
    for (const float d : tensors.d) {
        reach = std::max(reach, static_cast<double>(std::abs(d)) * largest_input);
    }
    return make_grid(own, y.low - reach, y.high + reach);
}

/// Impulse responses of a layer with the indirect quantization of states.
ImpulseResponses layer_responses(const FakeQuantization& options, const std::string& prefix,
                                 const EffectiveNetwork& effective, int layer, std::uint64_t seed) {
    const int heads = effective.config.heads;
    MatrixRM responses(heads, effective.steps);
    for (int head = 0; head < heads; ++head) {
        impulse_response(kernel_view(effective, layer, head), effective.steps, responses.row(head).data());
    }
    // Observed ranges hold every number, so the gradient passes everywhere.
    quantize_tensor(indirect_state_quantizer(options.state), prefix + "impulse_response", responses.data(), nullptr,
                    heads, effective.steps, seed);
    ImpulseResponses result(heads, effective.steps);
    for (int head = 0; head < heads; ++head) {
        std::copy_n(responses.row(head).data(), effective.steps, result.head(head));
    }
    return result;
}

void cut(const MatrixRM& mask, std::vector<float>& gradient) {
    for (std::size_t index = 0; index < gradient.size(); ++index) {
        gradient[index] *= mask.data()[index];
    }
}

void set_ones(NetworkParameters& parameters) {
    for_each_tensor(parameters,
                    [](const std::string&, float* data, Eigen::Index size) { std::fill_n(data, size, 1.0F); });
}

}  // namespace

FakeNetwork fake_network(const ModelConfig& config, const NetworkParameters& parameters,
                         const CalibrationRanges& ranges, const FakeQuantization& options, int steps,
                         std::uint64_t seed, double a_noise, EvaluationMode mode, const ObservedBounds* bounds,
                         NormStatistics statistics) {
    const TimeRanges time_ranges{ranges, bounds};
    FakeNetwork network;
    network.options = options;
    network.mode = mode;
    network.used = parameters;
    network.mask = zero_parameters(config);
    set_ones(network.mask);
    NetworkParameters& used = network.used;
    TensorQuantizer quantizer(seed);
    const auto matrix = [&quantizer](const QuantizerOptions& group, const std::string& name, MatrixRM& values,
                                     MatrixRM& mask) {
        quantizer.real(group, name, values.data(), values.rows(), values.cols(), mask.data());
    };
    const auto bias = [&](const std::string& name, Eigen::VectorXf& values, Eigen::VectorXf& mask) {
        quantizer.real(options.biases, name, values.data(), 1, values.size(), mask.data());
    };
    matrix(options.encoder, "encoder", used.encoder, network.mask.encoder);
    bias("encoder_bias", used.encoder_bias, network.mask.encoder_bias);
    matrix(options.decoder, "decoder", used.decoder, network.mask.decoder);
    bias("decoder_bias", used.decoder_bias, network.mask.decoder_bias);
    for (std::size_t index = 0; index < used.layers.size(); ++index) {
        const std::string prefix = "layers." + std::to_string(index) + ".";
        LayerParameters& layer = used.layers[index];
        LayerParameters& mask = network.mask.layers[index];
        quantize_continuous_layer(options, prefix, quantizer, layer, mask);
        matrix(options.mixing, prefix + "mixing", layer.mixing, mask.mixing);
        bias(prefix + "mixing_bias", layer.mixing_bias, mask.mixing_bias);
    }
    if (a_noise > 0.0) {
        add_continuous_a_noise(a_noise, seed, used);
    }
    network.effective = effective_float_network(config, used, steps, statistics);
    network.effective.input_is_folded = false;
    network.discrete_masks.resize(used.layers.size());
    network.encoder = time_ranges.activation_grid(options.activations, ranges.encoder, ObservedBounds::encoder());
    for (std::size_t index = 0; index < used.layers.size(); ++index) {
        set_kernels(options, "layers." + std::to_string(index) + ".", used.layers[index], quantizer,
                    network.effective.tensors.layers[index], network.mask.layers[index], network.discrete_masks[index]);
        network.layers.push_back(layer_grids(options, time_ranges, static_cast<int>(index)));
        FakeLayerGrids& grids = network.layers.back();
        const float largest_input = index == 0 ? ranges.encoder : ranges.layers[index - 1].output;
        if (mode == EvaluationMode::recurrent) {
            grids.scans = mode_scans(options, network.effective, grids, static_cast<int>(index), largest_input);
        }
        if (options.requantize_products) {
            grids.recurrent_output = recurrent_output_grid(
                options, time_ranges, network.effective.tensors.layers[index], static_cast<int>(index), largest_input);
        }
        // max_scale passes every gradient, the others none beyond their range.
        network.effective.units[index].mixing_limit =
            options.activations.has_grid() && options.activations.quantizer != Quantizer::asymmetric
                ? network.layers.back().mixing.range_high
                : kNoLimit;
        if (mode == EvaluationMode::convolution) {
            grids.input = time_ranges.activation_grid(indirect_state_quantizer(options.state), largest_input, 0);
            grids.responses = layer_responses(options, "layers." + std::to_string(index) + ".", network.effective,
                                              static_cast<int>(index), seed);
        }
    }
    return network;
}

void fake_parameter_gradient(const FakeNetwork& network, const NetworkParameters& parameters,
                             const EffectiveTensors& effective, Parameterization parameterization,
                             NetworkParameters& gradient) {
    EffectiveTensors passed = effective;
    for (std::size_t index = 0; index < passed.layers.size(); ++index) {
        EffectiveLayerTensors& layer = passed.layers[index];
        const DiscreteMasks& masks = network.discrete_masks[index];
        cut(masks.a_re, layer.a_re);
        cut(masks.a_im, layer.a_im);
        cut(masks.b_re, layer.b_re);
        cut(masks.b_im, layer.b_im);
    }
    parameter_gradient(network.effective.config, network.used, nullptr, passed, gradient, parameterization,
                       InputMatrix::cells, network.effective.statistics);
    if (parameterization == Parameterization::continuous) {
        straight_through_a(parameters, network.used, gradient);
    }
    std::vector<const float*> masks;
    for_each_tensor(network.mask,
                    [&masks](const std::string&, const float* data, Eigen::Index) { masks.push_back(data); });
    std::size_t tensor = 0;
    for_each_tensor(gradient, [&](const std::string&, float* data, Eigen::Index size) {
        const float* mask = masks[tensor++];
        for (Eigen::Index index = 0; index < size; ++index) {
            data[index] *= mask[index];
        }
    });
}

}  // namespace imssa
