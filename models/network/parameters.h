#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/network/kernel_options.h"

namespace imssa {

using MatrixRM = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// qgelu: the hard-sigmoid form of the code of Zhao et al. (arXiv 2506.12480), x min(max(0, x + 2), 4) / 4.
enum class Activation { none, relu, gelu, qgelu };
/// layer: over the heads of one step (a digital unit); batch: of each head over all steps of all sequences of a batch
/// (Ioffe and Szegedy, arXiv 1502.03167), an affine map by the running statistics once trained.
enum class Norm { none, layer, batch };
/// What the decoder sees of a sequence: the mean of the last layer's output over its steps, or its last step.
enum class Pooling { mean, last };

constexpr std::array<std::pair<const char*, Activation>, 4> enum_names(Activation) {
    return {{{"none", Activation::none},
             {"relu", Activation::relu},
             {"gelu", Activation::gelu},
             {"qgelu", Activation::qgelu}}};
}
constexpr std::array<std::pair<const char*, Norm>, 3> enum_names(Norm) {
    return {{{"none", Norm::none}, {"layer", Norm::layer}, {"batch", Norm::batch}}};
}
constexpr std::array<std::pair<const char*, Pooling>, 2> enum_names(Pooling) {
    return {{{"mean", Pooling::mean}, {"last", Pooling::last}}};
}

/// Shape of an S4D classifier: encoder, layers of (SSM + D, activation, mixing or GLU, residual, norm), pooling,
/// decoder.
struct ModelConfig {
    int channels = 1;  ///< input channels
    int classes = 10;
    int layers = 2;
    int heads = 32;   ///< H: width of the network, one SSM a head
    int states = 16;  ///< N: real state dimension; N/2 complex modes are kept
    Activation activation = Activation::gelu;
    bool glu = false;  ///< mixing H -> 2H followed by a gated linear unit
    bool residual = true;
    Norm norm = Norm::layer;
    Pooling pooling = Pooling::mean;
    /// B is a complex parameter of every mode (Zhao et al., arXiv 2506.12480), else 1, as in QS4D (arXiv 2507.06079).
    bool trained_b = false;
    double dt_min = 1e-3;  ///< initial step sizes are log-uniform in [dt_min, dt_max]
    double dt_max = 1e-1;

    int modes() const { return states / 2; }
    int mixing_outputs() const { return glu ? 2 * heads : heads; }
    std::int64_t parameter_count() const;
    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, ModelConfig& config) {
    visit("channels", config.channels);
    visit("classes", config.classes);
    visit("layers", config.layers);
    visit("heads", config.heads);
    visit("states", config.states);
    visit("activation", config.activation);
    visit("glu", config.glu);
    visit("residual", config.residual);
    visit("norm", config.norm);
    visit("pooling", config.pooling);
    visit("trained_b", config.trained_b);
    visit("dt_min", config.dt_min);
    visit("dt_max", config.dt_max);
}

/// One layer in continuous time: A = -exp(log_neg_re) + j im, step exp(log_dt), B = b_re + j b_im or 1, complex C,
/// real D.
struct LayerParameters {
    MatrixRM log_neg_re;     ///< heads x modes
    MatrixRM im;             ///< heads x modes
    MatrixRM b_re, b_im;     ///< heads x modes; empty: B = 1
    MatrixRM c_re, c_im;     ///< heads x modes
    Eigen::VectorXf log_dt;  ///< heads
    Eigen::VectorXf d;       ///< heads
    MatrixRM mixing;         ///< mixing_outputs x heads
    Eigen::VectorXf mixing_bias;
    Eigen::VectorXf gamma, beta;                     ///< heads; empty without a norm
    Eigen::VectorXf running_mean, running_variance;  ///< heads, of a batch norm; not trained; empty without one

    bool trains_b() const { return b_re.size() > 0; }
};

struct NetworkParameters {
    MatrixRM encoder;  ///< heads x channels
    Eigen::VectorXf encoder_bias;
    std::vector<LayerParameters> layers;
    MatrixRM decoder;  ///< classes x heads
    Eigen::VectorXf decoder_bias;
};

/// Variance floor of both norms, as in PyTorch.
constexpr float kNormEpsilon = 1e-5F;

/// A batch norm with its running statistics is an affine map of each head, gamma' z + beta': gamma' = gamma /
/// sqrt(running_variance + kNormEpsilon), beta' = beta - gamma' running_mean. Without a norm 1 and 0; gamma and beta of
/// a layer norm.
struct NormAffine {
    std::vector<double> gamma, beta;  ///< heads
};
NormAffine norm_affine(const ModelConfig& config, const LayerParameters& layer);

/// Zero parameters of the right shapes.
NetworkParameters zero_parameters(const ModelConfig& config);

/// Calls visit(name, float* data, size) for every tensor, in a fixed order ("layers.0.log_dt", ...).
template <class Parameters, class Visit>
void for_each_tensor(Parameters& parameters, Visit&& visit) {
    const auto call = [&visit](const std::string& name, auto& tensor) { visit(name, tensor.data(), tensor.size()); };
    call("encoder", parameters.encoder);
    call("encoder_bias", parameters.encoder_bias);
    for (std::size_t index = 0; index < parameters.layers.size(); ++index) {
        auto& layer = parameters.layers[index];
        const std::string prefix = "layers." + std::to_string(index) + ".";
        call(prefix + "log_neg_re", layer.log_neg_re);
        call(prefix + "im", layer.im);
        if (layer.trains_b()) {
            call(prefix + "b_re", layer.b_re);
            call(prefix + "b_im", layer.b_im);
        }
        call(prefix + "c_re", layer.c_re);
        call(prefix + "c_im", layer.c_im);
        call(prefix + "log_dt", layer.log_dt);
        call(prefix + "d", layer.d);
        call(prefix + "mixing", layer.mixing);
        call(prefix + "mixing_bias", layer.mixing_bias);
        call(prefix + "gamma", layer.gamma);
        call(prefix + "beta", layer.beta);
        if (layer.running_mean.size() > 0) {
            call(prefix + "running_mean", layer.running_mean);
            call(prefix + "running_variance", layer.running_variance);
        }
    }
    call("decoder", parameters.decoder);
    call("decoder_bias", parameters.decoder_bias);
}

/// Largest magnitudes seen on calibration data: they set the converter ranges. Frozen after calibration
/// (an observed maximum of an already clipped state would shrink to zero).
struct LayerRanges {
    MatrixRM state;              ///< heads x modes: max |x_n| (modulus), state driven by Bbar u
    MatrixRM increment;          ///< heads x modes: max |x_n,t - x_n,t-1|
    MatrixRM folded_state;       ///< heads x modes: max |x_n| with B = 1 (state / |Bbar|)
    float kernel_output = 0.0F;  ///< max |y + D u|
    float activation = 0.0F;     ///< max |activation(y)|
    float mixing = 0.0F;         ///< max |mixing output| (both halves of a GLU)
    float output = 0.0F;         ///< max |layer output|
};

struct CalibrationRanges {
    float encoder = 0.0F;  ///< max |encoder output|
    std::vector<LayerRanges> layers;
    float pooled = 0.0F;
    float logits = 0.0F;
};

CalibrationRanges zero_ranges(const ModelConfig& config);

template <class Ranges, class Visit>
void for_each_range(Ranges& ranges, Visit&& visit) {
    visit("encoder", &ranges.encoder, 1);
    for (std::size_t index = 0; index < ranges.layers.size(); ++index) {
        auto& layer = ranges.layers[index];
        const std::string prefix = "layers." + std::to_string(index) + ".";
        visit(prefix + "state", layer.state.data(), layer.state.size());
        visit(prefix + "increment", layer.increment.data(), layer.increment.size());
        visit(prefix + "folded_state", layer.folded_state.data(), layer.folded_state.size());
        visit(prefix + "kernel_output", &layer.kernel_output, 1);
        visit(prefix + "activation", &layer.activation, 1);
        visit(prefix + "mixing", &layer.mixing, 1);
        visit(prefix + "output", &layer.output, 1);
    }
    visit("pooled", &ranges.pooled, 1);
    visit("logits", &ranges.logits, 1);
}

}  // namespace imssa
