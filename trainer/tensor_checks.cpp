#include "trainer/tensor_checks.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/common/error.h"
#include "trainer/dense_product.h"

namespace imssa {

namespace {

bool any(const std::vector<float>& values) {
    return std::any_of(values.begin(), values.end(), [](float value) { return value != 0.0F; });
}

template <class Matrix>
bool any(const Matrix& matrix) {
    return (matrix.array() != 0.0F).any();
}

std::string layer_name(std::size_t layer) {
    return "layers." + std::to_string(layer) + ".";
}

void check(const std::string& name, bool parameters, bool codes) {
    if (parameters && !codes) {
        throw NumericalError("tensor '" + name +
                             "' is dead: every number is quantized to code 0; use more bits or retrain it at more");
    }
}

/// Calls visit(place, block, buffer) for encoder output, then activation and output of every layer, block by block as
/// long as it returns false. Without `kernels` what is not kept is made again in float.
template <class Visit>
void for_each_activation(const EffectiveNetwork& network, const KernelAdjoint* kernels, Workspace& workspace,
                         Visit&& visit) {
    const auto visit_blocks = [&](std::size_t place, const BlockBuffer& buffer, const auto& restore) {
        for (int block = 0; block < workspace.blocks; ++block) {
            restore(block);
            if (visit(place, block, buffer)) {
                return;
            }
        }
    };
    const auto visit_stream = [&](std::size_t place, int index) {
        visit_blocks(place, workspace.stream(index), [&](int block) {
            if (kernels != nullptr) {
                kernels->restore_stream(workspace, index, block);
            } else {
                restore_stream(network, workspace, index, block);
            }
        });
    };
    visit_stream(0, 0);
    for (std::size_t index = 0; index < workspace.trace.size(); ++index) {
        const int layer = static_cast<int>(index);
        visit_blocks(2 * index + 1, workspace.activation_of(layer), [&](int block) {
            if (kernels != nullptr) {
                kernels->restore_activation(workspace, layer, block);
            } else {
                restore_activation(network, workspace, layer, block);
            }
        });
        visit_stream(2 * index + 2, layer + 1);
    }
}

/// Whether any number of a block that belongs to a sequence is `wanted`.
template <class Wanted>
bool any(const Workspace& workspace, const BlockBuffer& buffer, int block, Wanted&& wanted) {
    const int valid = workspace.valid_steps(block) * kLaneWidth;
    for (int channel = 0; channel < buffer.channels(); ++channel) {
        const float* values = buffer.block(block) + channel * kBlockWidth;
        if (std::any_of(values, values + valid, wanted)) {
            return true;
        }
    }
    return false;
}

/// Whether a state of the layer is not zero at the end of any chunk, in the lanes that hold sequences.
template <class Number>
bool live_states(const AlignedArray<Number>& states, const Workspace& workspace) {
    const std::size_t first = states.size() / static_cast<std::size_t>(workspace.chunks + 1);
    return any_lane(states.data() + first, static_cast<int>((states.size() - first) / kLaneWidth), workspace.lanes);
}

/// Whether anything reads the states of a layer: not where all of them are pruned.
bool reads_states(const EffectiveLayerTensors& tensors) {
    return any(tensors.c_re) || any(tensors.c_im);
}

/// Whether all kernels of a layer are pruned.
bool has_no_kernels(const EffectiveLayerTensors& tensors) {
    return !reads_states(tensors) && !any(tensors.d);
}

bool live_states(const EffectiveNetwork& network, const KernelAdjoint& kernels, std::size_t layer,
                 Workspace& workspace) {
    const LayerTrace& trace = workspace.trace[layer];
    const bool has_states = trace.registers.size() + trace.states.size() > 0;
    if (!has_states || !reads_states(network.tensors.layers[layer]) ||
        (trace.registers.size() > 0 ? live_states(trace.registers, workspace) : live_states(trace.states, workspace))) {
        return true;
    }
    for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
        if (kernels.live_states(workspace, static_cast<int>(layer), chunk)) {
            return true;
        }
    }
    return false;
}

/// Whether a mixing output of the layer is other than zero; true where nothing rounds them and they are not kept.
bool live_mixing(const EffectiveNetwork& network, const KernelAdjoint& kernels, std::size_t layer,
                 Workspace& workspace) {
    const LayerTrace& trace = workspace.trace[layer];
    const EffectiveLayerTensors& tensors = network.tensors.layers[layer];
    const bool has_codes = trace.mixing_inside.size() == 0;
    const bool kept = trace.mixing.blocks_kept() >= workspace.blocks;
    if (!any(tensors.mixing) || has_no_kernels(tensors)) {
        return true;
    }
    for (int block = 0; block < workspace.blocks; ++block) {
        if (has_codes) {
            if (!kept && !kernels.restore_mixing(workspace, static_cast<int>(layer), block)) {
                return true;
            }
            if (any(workspace, trace.mixing, block, [](float value) { return value != 0.0F; })) {
                return true;
            }
            continue;
        }
        // The masks do not tell codes of zero from others: the sums are made again.
        kernels.restore_activation(workspace, static_cast<int>(layer), block);
        dense_product(tensors.mixing.data(), tensors.mixing_bias.data(),
                      workspace.activation_of(static_cast<int>(layer)).block(block),
                      workspace.mixing_gradient.block(block), network.config.mixing_outputs(), network.config.heads);
        if (any(workspace, workspace.mixing_gradient, block, [](float sum) { return std::abs(sum) > 0.5F; })) {
            return true;
        }
    }
    return false;
}

std::string place_name(std::size_t place, std::size_t layers) {
    if (place == 0) {
        return "encoder output";
    }
    if (place > 3 * layers) {
        const std::size_t behind = place - 3 * layers - 1;
        return behind == layers ? "pooled" : (behind > layers ? "logits" : layer_name(behind) + "mixing outputs");
    }
    if (place > 2 * layers) {
        return layer_name(place - 2 * layers - 1) + "states";
    }
    return layer_name((place - 1) / 2) + (place % 2 == 1 ? "activation" : "output");
}

}  // namespace

void check_dead_weights(const NetworkParameters& parameters, const EffectiveNetwork& quantized) {
    const EffectiveTensors& codes = quantized.tensors;
    // Biases in codes have a grid of their own over their largest magnitude, which therefore always has a code.
    check("encoder", any(parameters.encoder), any(codes.encoder));
    for (std::size_t index = 0; index < parameters.layers.size(); ++index) {
        const std::string prefix = layer_name(index);
        const LayerParameters& layer = parameters.layers[index];
        const EffectiveLayerTensors& own = codes.layers[index];
        check(prefix + "b", true, any(own.b_re) || any(own.b_im));
        check(prefix + "c", any(layer.c_re) || any(layer.c_im), any(own.c_re) || any(own.c_im));
        check(prefix + "d", any(layer.d), any(own.d));
        check(prefix + "mixing", any(layer.mixing), any(own.mixing));
    }
    check("decoder", any(parameters.decoder), any(codes.decoder));
}

void check_finite(const NetworkParameters& parameters, const std::string& where) {
    for_each_tensor(parameters, [&where](const std::string& name, const float* data, Eigen::Index size) {
        if (!std::all_of(data, data + size, [](float value) { return std::isfinite(value); })) {
            throw NumericalError("parameter '" + name + "' is not finite after the update of " + where +
                                 ": use a smaller learning rate or gradient_clip");
        }
    });
}

void live_activations(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace,
                      std::vector<unsigned char>& alive) {
    const std::size_t layers = workspace.trace.size();
    alive.assign(4 * layers + 3, 0);
    for (std::size_t layer = 0; layer < layers; ++layer) {
        alive[2 * layers + 1 + layer] = live_states(network, kernels, layer, workspace) ? 1 : 0;
        alive[3 * layers + 1 + layer] = live_mixing(network, kernels, layer, workspace) ? 1 : 0;
    }
    const bool decodes = any(network.tensors.decoder);
    alive[4 * layers + 1] = any_lane(workspace.pooled.data(), network.config.heads, workspace.lanes) ? 1 : 0;
    alive[4 * layers + 2] =
        !decodes || any_lane(workspace.logits.data(), network.config.classes, workspace.lanes) ? 1 : 0;
    for_each_activation(network, &kernels, workspace, [&](std::size_t place, int block, const BlockBuffer& buffer) {
        const bool live = any(workspace, buffer, block, [](float value) { return value != 0.0F; });
        alive[place] = live ? 1 : 0;
        return live;
    });
    for (std::size_t layer = 0; layer < layers; ++layer) {
        if (has_no_kernels(network.tensors.layers[layer])) {
            alive[2 * layer + 1] = 1;
        }
    }
}

std::string first_not_finite(const EffectiveNetwork& network, Workspace& workspace) {
    if (workspace.keeps_codes()) {
        return "logits";  // codes are whole numbers
    }
    std::string name;
    for_each_activation(network, nullptr, workspace, [&](std::size_t place, int block, const BlockBuffer& buffer) {
        if (name.empty() && any(workspace, buffer, block, [](float value) { return !std::isfinite(value); })) {
            name = place_name(place, workspace.trace.size());
        }
        return !name.empty();
    });
    return name.empty() ? "logits" : name;
}

void check_live_activations(const std::vector<std::vector<unsigned char>>& alive, int items, int sequences,
                            SilentSequences& silent) {
    if (items == 0) {
        return;
    }
    const std::size_t places = alive.front().size();
    for (std::size_t place = 0; place < places; ++place) {
        bool dead = true;
        for (int item = 0; item < items; ++item) {
            dead = dead && alive[static_cast<std::size_t>(item)][place] == 0;
        }
        std::string where = "every sequence and step of the batch";
        if (place + 2 >= places) {
            int& in_a_row = place + 2 == places ? silent.pooled : silent.logits;
            in_a_row = dead ? in_a_row + sequences : 0;
            dead = in_a_row >= kFewestSilent;
            where = "the last " + std::to_string(in_a_row) + " sequences";
        }
        if (dead) {
            throw NumericalError("'" + place_name(place, (places - 3) / 4) + "' is dead: zero in " + where +
                                 "; use more bits or another range, or start from other parameters");
        }
    }
}

}  // namespace imssa
