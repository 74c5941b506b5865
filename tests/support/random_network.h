#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "models/network/deployed_network.h"
#include "models/network/parameters.h"

namespace imssa::testing {

/// A small network with plausible random parameters and ranges (deterministic in seed).
struct RandomNetwork {
    ModelConfig model;
    NetworkParameters parameters;
    CalibrationRanges ranges;
};

inline RandomNetwork random_network(ModelConfig model, std::uint32_t seed) {
    RandomNetwork network;
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0F, 1.0F);
    std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
    network.model = model;
    network.parameters = zero_parameters(model);
    network.ranges = zero_ranges(model);
    const float spread = 1.0F / std::sqrt(static_cast<float>(model.heads));
    for_each_tensor(network.parameters, [&](const std::string&, float* data, auto size) {
        for (int index = 0; index < size; ++index) {
            data[index] = normal(generator) * spread;
        }
    });
    network.parameters.encoder *= 2.0F;
    for (int index = 0; index < model.layers; ++index) {
        LayerParameters& layer = network.parameters.layers[static_cast<std::size_t>(index)];
        LayerRanges& range = network.ranges.layers[static_cast<std::size_t>(index)];
        for (int head = 0; head < model.heads; ++head) {
            layer.log_dt(head) = std::log(0.005F) + uniform(generator) * std::log(20.0F);
            for (int mode = 0; mode < model.modes(); ++mode) {
                layer.log_neg_re(head, mode) = std::log(0.5F);
                layer.im(head, mode) = 3.14159265F * static_cast<float>(mode);
                layer.c_re(head, mode) = normal(generator);
                layer.c_im(head, mode) = normal(generator);
            }
            const DiscreteKernel kernel = discretize(layer, head);
            for (int mode = 0; mode < model.modes(); ++mode) {
                const std::size_t at = static_cast<std::size_t>(mode);
                const double gain = 0.7 / (1.0 - std::abs(kernel.abar[at]));
                range.folded_state(head, mode) = static_cast<float>(std::min(gain, 30.0));
                range.state(head, mode) = static_cast<float>(std::min(gain, 30.0) * std::abs(kernel.bbar[at]));
                range.increment(head, mode) = static_cast<float>(2.0 * std::abs(kernel.bbar[at]));
            }
        }
        if (model.norm == Norm::batch) {
            layer.running_variance = layer.running_variance.array().abs() + 0.5F;
        }
        if (model.norm != Norm::none) {
            layer.gamma.array() = layer.gamma.array() * 0.2F + 1.0F;
        }
        range.kernel_output = 3.0F;
        range.activation = 3.0F;
        range.mixing = 2.5F;
        range.output = 4.0F;
    }
    network.ranges.encoder = 3.0F;
    network.ranges.pooled = 1.5F;
    network.ranges.logits = 2.5F;
    return network;
}

/// Sets C and D of one head to zero, as structured pruning does.
inline void prune_kernel(LayerParameters& layer, int head) {
    layer.c_re.row(head).setZero();
    layer.c_im.row(head).setZero();
    layer.d(head) = 0.0F;
}

/// Sets C of one mode of all heads to zero.
inline void prune_mode(LayerParameters& layer, int mode) {
    layer.c_re.col(mode).setZero();
    layer.c_im.col(mode).setZero();
}

/// All kernel options that make sense, at 8 bits.
inline std::vector<KernelOptions> all_kernel_options() {
    std::vector<KernelOptions> all;
    for (const auto& [mapping_name, mapping] : enum_names(KernelMapping{})) {
        for (const auto& [representation_name, representation] : enum_names(StateRepresentation{})) {
            for (const auto& [form_name, form] : enum_names(OutputForm{})) {
                for (const auto& [matrix_name, matrix] : enum_names(InputMatrix{})) {
                    for (const auto& [register_name, registers] : enum_names(RegisterUpdate{})) {
                        for (const auto& [feedthrough_name, feedthrough] : enum_names(Feedthrough{})) {
                            for (const auto& [rounding_name, rounding] : enum_names(StateRounding{})) {
                                for (const auto& [scale_name, scale] : enum_names(ScaleGranularity{})) {
                                    for (const auto& [range_name, range] : enum_names(WeightRange{})) {
                                        KernelOptions options;
                                        options.mapping = mapping;
                                        options.representation = representation;
                                        options.form = form;
                                        options.input_matrix = matrix;
                                        options.registers = registers;
                                        options.feedthrough = feedthrough;
                                        options.rounding = rounding;
                                        options.state_scale = scale;
                                        options.weight_range = range;
                                        try {
                                            options.validate();
                                            all.push_back(options);
                                        } catch (const std::exception&) {
                                            continue;
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    return all;
}

/// Random input sequences in [-1, 1], lanes x (steps * channels).
inline std::vector<std::vector<float>> random_sequences(int lanes, int steps, int channels, std::uint32_t seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
    std::vector<std::vector<float>> sequences(static_cast<std::size_t>(lanes));
    for (std::vector<float>& sequence : sequences) {
        sequence.resize(static_cast<std::size_t>(steps * channels));
        for (float& value : sequence) {
            value = uniform(generator);
        }
    }
    return sequences;
}

}  // namespace imssa::testing
