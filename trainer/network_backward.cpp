#include <algorithm>

#include "trainer/dense_product.h"
#include "trainer/kernel_scan.h"
#include "trainer/lane_sums.h"
#include "trainer/layer_unit_pass.h"
#include "trainer/network_pass.h"

/// The backward half of a pass.

namespace imssa {

namespace {

inline Lanes magnitude(Lanes value) {
    return reinterpret_cast<Lanes>(reinterpret_cast<LanesInt>(value) & 0x7fffffff);
}

/// Codes at the limit pass no gradient.
void mask_block(const NarrowCode* codes, float limit, float* gradient, int heads) {
    for (int at = 0; at < heads * kBlockWidth; at += kLaneWidth) {
        const Lanes value = load_lanes(gradient + at);
        store_lanes(gradient + at, where(lanes_inside(load_narrow(codes + at), broadcast(limit)), value));
    }
}

/// Of one block, if the forward pass left them.
UnitMasks unit_masks(const LayerTrace& trace, int block, int heads) {
    if (trace.mixing_inside.size() == 0) {
        return {};
    }
    const std::size_t place = static_cast<std::size_t>(block) * static_cast<std::size_t>(heads * kBlockSteps);
    return {trace.mixing_inside.data() + place, trace.out_inside.data() + place};
}

/// logit gradient -> decoder gradient and pooled gradient.
void decoder_backward(const EffectiveNetwork& network, Workspace& workspace, EffectiveTensors& gradient) {
    const ModelConfig& config = network.config;
    for (int output = 0; output < config.classes; ++output) {
        const Lanes g = load_lanes(workspace.logit_gradient.data() + output * kLaneWidth);
        gradient.decoder_bias[static_cast<std::size_t>(output)] += lane_sum(g);
        for (int head = 0; head < config.heads; ++head) {
            const std::size_t at = static_cast<std::size_t>(output) * config.heads + head;
            gradient.decoder[at] += lane_sum(g * load_lanes(workspace.pooled.data() + head * kLaneWidth));
        }
    }
    const Lanes gains = pooling_gains(network, workspace);
    for (int head = 0; head < config.heads; ++head) {
        Lanes sum = {};
        for (int output = 0; output < config.classes; ++output) {
            const float weight = network.tensors.decoder[static_cast<std::size_t>(output) * config.heads + head];
            sum =
                multiply_add(broadcast(weight), load_lanes(workspace.logit_gradient.data() + output * kLaneWidth), sum);
        }
        const Lanes pooled = load_lanes(workspace.pooled.data() + head * kLaneWidth);
        sum = magnitude(pooled) < broadcast(network.pooled_limit) ? sum : Lanes{};
        store_lanes(workspace.pooled_gradient.data() + head * kLaneWidth, sum * gains);
    }
}

}  // namespace

void BlockKernelAdjoint::chunk_backward(Workspace& workspace, int layer, int chunk,
                                        EffectiveTensors& /*gradient*/) const {
    const BlockBuffer& input = workspace.stream(layer);
    const int first = chunk * kChunkBlocks;
    const bool restores = workspace.restores;
    for (int head = 0; head < network_.config.heads; ++head) {
        const int offset = head * kBlockWidth;
        if (restores) {
            restore_head_input(network_, workspace, layer, chunk, head);
        }
        const float* u = restores ? workspace.head_input.data() : input.block(first) + offset;
        block_scan_backward(kernels_.layout(), kernels_.of(layer, head), u, restores ? kBlockWidth : input.stride(),
                            workspace.gradient_a.block(first) + offset, workspace.gradient_b.block(first) + offset,
                            workspace.gradient_a.stride(), workspace.chunk_blocks(chunk),
                            workspace.states(layer, chunk, head), workspace.adjoint(layer, head),
                            workspace.scratch_states.data(), workspace.block_kernel_gradient(layer, head));
    }
}

void BlockKernelAdjoint::finish(Workspace& workspace, EffectiveTensors& gradient) const {
    for (int layer = 0; layer < network_.config.layers; ++layer) {
        for (int head = 0; head < network_.config.heads; ++head) {
            block_kernel_gradient(kernel_view(network_, layer, head), workspace.block_kernel_gradient(layer, head),
                                  kernel_gradient_view(gradient, layer, head, network_.config.modes()));
        }
    }
}

bool BlockKernelAdjoint::live_states(Workspace& workspace, int layer, int chunk) const {
    // With B = 1 an input moves every state, and without one none moves.
    const BlockBuffer& input = workspace.stream(layer);
    const int first = chunk * kChunkBlocks;
    for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
        restore_stream(workspace, layer, block);
        for (int head = 0; head < network_.config.heads; ++head) {
            if (any_lane(input.block(block) + head * kBlockWidth, workspace.valid_steps(block), workspace.lanes)) {
                return true;
            }
        }
    }
    return false;
}

void BlockKernelAdjoint::restore_stream(Workspace& workspace, int index, int block) const {
    imssa::restore_stream(network_, workspace, index, block);
}

void BlockKernelAdjoint::restore_activation(Workspace& workspace, int layer, int block) const {
    imssa::restore_activation(network_, workspace, layer, block);
}

void start_backward(const EffectiveNetwork& network, Workspace& workspace, EffectiveTensors& gradient) {
    decoder_backward(network, workspace, gradient);
    workspace.block_kernel_gradients.clear();
    for (LayerTrace& trace : workspace.trace) {
        trace.adjoint.clear();
        trace.gamma_gradient.clear();
        trace.beta_gradient.clear();
    }
}

void pooling_backward(Workspace& workspace, int chunk) {
    const int first = chunk * kChunkBlocks;
    for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
        Lanes counts[kBlockSteps];
        for (int step = 0; step < kBlockSteps; ++step) {
            counts[step] = workspace.pooled_step(block * kBlockSteps + step);
        }
        float* to = workspace.gradient_a.block(block);
        for (int head = 0; head < workspace.config.heads; ++head) {
            const Lanes g = load_lanes(workspace.pooled_gradient.data() + head * kLaneWidth);
            for (int step = 0; step < kBlockSteps; ++step) {
                store_lanes(to + head * kBlockWidth + step * kLaneWidth, counts[step] > 0.0F ? g : Lanes{});
            }
        }
    }
}

void layer_backward(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace, int layer,
                    int chunk, EffectiveTensors& gradient) {
    const ModelConfig& config = network.config;
    const std::size_t index = static_cast<std::size_t>(layer);
    const EffectiveLayerTensors& tensors = network.tensors.layers[index];
    const EffectiveLayerUnits& units = network.units[index];
    LayerTrace& trace = workspace.trace[index];
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    const int outputs = config.mixing_outputs();
    EffectiveLayerTensors& layer_gradient = gradient.layers[index];
    int waiting = 0;  // blocks whose gradient of the mixing is to be made
    for (int block = first; block < first + count; ++block) {
        kernels.restore_activation(workspace, layer, block);
        layer_unit_backward(config, units, tensors, trace.mixing.block(block), trace.normalized.block(block),
                            trace.inverse_deviation.data() + static_cast<std::size_t>(block) * kBlockWidth,
                            workspace.gradient_a.block(block), workspace.mixing_gradient.block(block),
                            workspace.gradient_b.block(block), trace.gamma_gradient.data(), trace.beta_gradient.data(),
                            unit_masks(trace, block, config.heads));
        float* y_gradient = workspace.gradient_a.block(block);
        dense_product(units.mixing_transposed.data(), nullptr, workspace.mixing_gradient.block(block), y_gradient,
                      config.heads, outputs);
        const float* slope = trace.slope.block(block);
        // Where activations are made again, that fetches what comes next.
        const BlocksAhead ahead = workspace.restores ? BlocksAhead{} : workspace.ahead_of_backward(layer, block);
        for (int at = 0; at < config.heads * kBlockWidth; at += kLaneWidth) {
            ahead.prefetch(at);
            store_lanes(y_gradient + at, load_lanes(y_gradient + at) * load_lanes(slope + at));
        }
        if (++waiting == kMixingGradientBlocks || block + 1 == first + count) {
            const BlockBuffer& activation = workspace.activation_of(layer);
            const int from = block + 1 - waiting;
            dense_gradient(workspace.mixing_gradient.block(from), workspace.mixing_gradient.stride(),
                           activation.block(from), activation.stride(), waiting, layer_gradient.mixing.data(),
                           layer_gradient.mixing_bias.data(), outputs, config.heads);
            waiting = 0;
        }
    }
    kernels.chunk_backward(workspace, layer, chunk, gradient);
}

void encoder_backward(const EffectiveNetwork& network, Workspace& workspace, int chunk, EffectiveTensors& gradient) {
    const int first = chunk * kChunkBlocks;
    dense_gradient(workspace.gradient_a.block(first), workspace.gradient_a.stride(), workspace.input.block(first),
                   workspace.input.stride(), workspace.chunk_blocks(chunk), gradient.encoder.data(),
                   gradient.encoder_bias.data(), network.config.heads, network.config.channels);
}

void backward(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace,
              EffectiveTensors& gradient) {
    const ModelConfig& config = network.config;
    const bool masked = network.code_limit < kNoLimit;
    start_backward(network, workspace, gradient);
    for (int chunk = workspace.chunks - 1; chunk >= 0; --chunk) {
        pooling_backward(workspace, chunk);
        const int first = chunk * kChunkBlocks;
        const auto mask_stream = [&](int index) {
            for (int block = first; masked && block < first + workspace.chunk_blocks(chunk); ++block) {
                mask_block(workspace.stream_codes(index).block(block), network.code_limit,
                           workspace.gradient_a.block(block), config.heads);
            }
        };
        for (int layer = config.layers - 1; layer >= 0; --layer) {
            if (workspace.trace[static_cast<std::size_t>(layer)].out_inside.size() == 0) {
                mask_stream(layer + 1);
            }
            layer_backward(network, kernels, workspace, layer, chunk, gradient);
            std::swap(workspace.gradient_a, workspace.gradient_b);
        }
        mask_stream(0);
        encoder_backward(network, workspace, chunk, gradient);
    }
    kernels.finish(workspace, gradient);
    for (int layer = 0; layer < config.layers; ++layer) {
        const LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
        EffectiveLayerTensors& to = gradient.layers[static_cast<std::size_t>(layer)];
        for (int head = 0; head < config.heads; ++head) {
            to.gamma[static_cast<std::size_t>(head)] +=
                lane_sum(load_lanes(trace.gamma_gradient.data() + head * kLaneWidth));
            to.beta[static_cast<std::size_t>(head)] +=
                lane_sum(load_lanes(trace.beta_gradient.data() + head * kLaneWidth));
        }
    }
}

}  // namespace imssa
