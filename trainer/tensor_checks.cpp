#include "trainer/tensor_checks.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/common/error.h"

namespace imssa {

namespace {

bool any(const std::vector<float>& values) {
    return std::any_of(values.begin(), values.end(), [](float value) { return value != 0.0F; });
}

template <class Matrix>
bool any(const Matrix& matrix) {
    return (matrix.array() != 0.0F).any();
}

void check(const std::string& name, bool parameters, bool codes) {
    if (parameters && !codes) {
        throw NumericalError("tensor '" + name +
                             "' is dead: every number is quantized to code 0; use more bits or retrain it at more");
    }
}

/// Calls visit(place, block, buffer) for encoder output, then activation and output of every layer, block by block as
/// long as it returns false.
template <class Visit>
void for_each_activation(const EffectiveNetwork& network, Workspace& workspace, Visit&& visit) {
    const auto visit_blocks = [&](std::size_t place, const BlockBuffer& buffer, int stream) {
        for (int block = 0; block < workspace.blocks; ++block) {
            if (stream >= 0) {
                restore_stream(network, workspace, stream, block, 0, network.config.heads);
            }
            if (visit(place, block, buffer)) {
                return;
            }
        }
    };
    visit_blocks(0, workspace.stream[0], 0);
    for (std::size_t layer = 0; layer < workspace.trace.size(); ++layer) {
        visit_blocks(2 * layer + 1, workspace.trace[layer].activation, -1);
        visit_blocks(2 * layer + 2, workspace.stream[layer + 1], static_cast<int>(layer) + 1);
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

std::string place_name(std::size_t place, std::size_t layers) {
    if (place == 0) {
        return "encoder output";
    }
    if (place > 2 * layers) {
        return "layers." + std::to_string(place - 2 * layers - 1) + ".states";
    }
    return "layers." + std::to_string((place - 1) / 2) + (place % 2 == 1 ? ".activation" : ".output");
}

}  // namespace

void check_dead_weights(const NetworkParameters& parameters, const EffectiveNetwork& quantized) {
    const EffectiveTensors& codes = quantized.tensors;
    check("encoder", any(parameters.encoder), any(codes.encoder));
    for (std::size_t index = 0; index < parameters.layers.size(); ++index) {
        const std::string prefix = "layers." + std::to_string(index) + ".";
        const LayerParameters& layer = parameters.layers[index];
        const EffectiveLayerTensors& own = codes.layers[index];
        check(prefix + "c", any(layer.c_re) || any(layer.c_im), any(own.c_re) || any(own.c_im));
        check(prefix + "d", any(layer.d), any(own.d));
        check(prefix + "mixing", any(layer.mixing), any(own.mixing));
    }
    check("decoder", any(parameters.decoder), any(codes.decoder));
}

void live_activations(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace,
                      std::vector<unsigned char>& alive) {
    const std::size_t layers = workspace.trace.size();
    alive.assign(3 * layers + 1, 0);
    for (std::size_t layer = 0; layer < layers; ++layer) {
        alive[2 * layers + 1 + layer] = live_states(network, kernels, layer, workspace) ? 1 : 0;
    }
    for_each_activation(network, workspace, [&](std::size_t place, int block, const BlockBuffer& buffer) {
        const bool live = any(workspace, buffer, block, [](float value) { return value != 0.0F; });
        alive[place] = live ? 1 : 0;
        return live;
    });
    for (std::size_t layer = 0; layer < layers; ++layer) {
        const EffectiveLayerTensors& tensors = network.tensors.layers[layer];
        if (!reads_states(tensors) && !any(tensors.d)) {
            alive[2 * layer + 1] = 1;  // all of its kernels are pruned
        }
    }
}

std::string first_not_finite(const EffectiveNetwork& network, Workspace& workspace) {
    std::string name;
    for_each_activation(network, workspace, [&](std::size_t place, int block, const BlockBuffer& buffer) {
        if (name.empty() && any(workspace, buffer, block, [](float value) { return !std::isfinite(value); })) {
            name = place_name(place, workspace.trace.size());
        }
        return !name.empty();
    });
    return name.empty() ? "logits" : name;
}

void check_live_activations(const std::vector<std::vector<unsigned char>>& alive, int items) {
    for (std::size_t place = 0; items > 0 && place < alive.front().size(); ++place) {
        bool dead = true;
        for (int item = 0; item < items; ++item) {
            dead = dead && alive[static_cast<std::size_t>(item)][place] == 0;
        }
        if (dead) {
            throw NumericalError("'" + place_name(place, (alive.front().size() - 1) / 3) +
                                 "' is dead: zero in every sequence and step of the batch; use more bits or another "
                                 "range, or start from other parameters");
        }
    }
}

}  // namespace imssa
