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

/// Whether any number that belongs to a sequence is `wanted`.
template <class Wanted>
bool any(const Workspace& workspace, const BlockBuffer& buffer, Wanted&& wanted) {
    for (int block = 0; block < workspace.blocks; ++block) {
        const int valid = workspace.valid_steps(block) * kLaneWidth;
        for (int channel = 0; channel < buffer.channels(); ++channel) {
            const float* values = buffer.block(block) + channel * kBlockWidth;
            if (std::any_of(values, values + valid, wanted)) {
                return true;
            }
        }
    }
    return false;
}

/// Calls work(buffer) for encoder output, then activation and output of every layer.
template <class Work>
void for_each_activation(const Workspace& workspace, Work&& work) {
    work(workspace.stream[0]);
    for (std::size_t layer = 0; layer < workspace.trace.size(); ++layer) {
        work(workspace.trace[layer].activation);
        work(workspace.stream[layer + 1]);
    }
}

std::string place_name(std::size_t place) {
    if (place == 0) {
        return "encoder output";
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
        check(prefix + "mixing", any(layer.mixing), any(own.mixing));
    }
    check("decoder", any(parameters.decoder), any(codes.decoder));
}

void live_activations(const Workspace& workspace, std::vector<unsigned char>& result) {
    result.clear();
    for_each_activation(workspace, [&](const BlockBuffer& buffer) {
        result.push_back(any(workspace, buffer, [](float value) { return value != 0.0F; }) ? 1 : 0);
    });
}

std::string first_not_finite(const Workspace& workspace) {
    std::string name;
    std::size_t place = 0;
    for_each_activation(workspace, [&](const BlockBuffer& buffer) {
        if (name.empty() && any(workspace, buffer, [](float value) { return !std::isfinite(value); })) {
            name = place_name(place);
        }
        ++place;
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
            throw NumericalError("'" + place_name(place) +
                                 "' is dead: zero in every sequence and step of the batch; use more bits or another "
                                 "range, or start from other parameters");
        }
    }
}

}  // namespace imssa
