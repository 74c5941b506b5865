#include "models/network/parameters.h"

#include <cmath>

#include "models/common/error.h"

namespace imssa {

std::int64_t ModelConfig::parameter_count() const {
    // log_neg_re, im, C (re, im) and B (re, im); log_dt, D; mixing with bias; gamma, beta of a norm.
    const std::int64_t h = heads;
    const std::int64_t layer =
        (trained_b ? 6 : 4) * h * modes() + 2 * h + (h + 1) * mixing_outputs() + (norm != Norm::none ? 2 * h : 0);
    return h * channels + h + layers * layer + (h + 1) * classes;
}

void ModelConfig::validate() const {
    const auto require = [](bool holds, const std::string& message) {
        if (!holds) {
            throw UserError(message);
        }
    };
    require(channels >= 1 && channels <= 1024, "key 'channels' must lie in [1, 1024]");
    require(classes >= 2 && classes <= 1000, "key 'classes' must lie in [2, 1000]");
    require(layers >= 1 && layers <= 64, "key 'layers' must lie in [1, 64]");
    require(heads >= 1 && heads <= 1024, "key 'heads' must lie in [1, 1024]");
    require(states >= 2 && states <= 1024 && states % 2 == 0,
            "key 'states' is " + std::to_string(states) + ": must be even, in [2, 1024] (N/2 complex modes)");
    require(dt_min > 0.0 && dt_max >= dt_min && dt_max <= 10.0,
            "keys 'dt_min', 'dt_max' must hold 0 < dt_min <= dt_max <= 10");
}

NormAffine norm_affine(const ModelConfig& config, const LayerParameters& layer) {
    NormAffine affine;
    for (int head = 0; head < config.heads; ++head) {
        double gamma = config.norm == Norm::none ? 1.0 : layer.gamma(head);
        double beta = config.norm == Norm::none ? 0.0 : layer.beta(head);
        if (config.norm == Norm::batch) {
            gamma /= std::sqrt(static_cast<double>(layer.running_variance(head)) + kNormEpsilon);
            beta -= gamma * layer.running_mean(head);
        }
        affine.gamma.push_back(gamma);
        affine.beta.push_back(beta);
    }
    return affine;
}

NetworkParameters zero_parameters(const ModelConfig& config) {
    NetworkParameters parameters;
    const int heads = config.heads;
    const int modes = config.modes();
    parameters.encoder = MatrixRM::Zero(heads, config.channels);
    parameters.encoder_bias = Eigen::VectorXf::Zero(heads);
    for (int index = 0; index < config.layers; ++index) {
        LayerParameters layer;
        layer.log_neg_re = layer.im = layer.c_re = layer.c_im = MatrixRM::Zero(heads, modes);
        layer.b_re = layer.b_im = MatrixRM::Zero(config.trained_b ? heads : 0, config.trained_b ? modes : 0);
        layer.log_dt = layer.d = Eigen::VectorXf::Zero(heads);
        layer.mixing = MatrixRM::Zero(config.mixing_outputs(), heads);
        layer.mixing_bias = Eigen::VectorXf::Zero(config.mixing_outputs());
        const int norm_size = config.norm != Norm::none ? heads : 0;
        layer.gamma = layer.beta = Eigen::VectorXf::Zero(norm_size);
        const int statistics_size = config.norm == Norm::batch ? heads : 0;
        layer.running_mean = layer.running_variance = Eigen::VectorXf::Zero(statistics_size);
        parameters.layers.push_back(std::move(layer));
    }
    parameters.decoder = MatrixRM::Zero(config.classes, heads);
    parameters.decoder_bias = Eigen::VectorXf::Zero(config.classes);
    return parameters;
}

CalibrationRanges zero_ranges(const ModelConfig& config) {
    CalibrationRanges ranges;
    for (int index = 0; index < config.layers; ++index) {
        LayerRanges layer;
        layer.state = layer.increment = layer.folded_state = MatrixRM::Zero(config.heads, config.modes());
        ranges.layers.push_back(std::move(layer));
    }
    return ranges;
}

}  // namespace imssa
