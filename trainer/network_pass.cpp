#include "trainer/network_pass.h"

#include <algorithm>

#include "trainer/dense_product.h"
#include "trainer/fast_math.h"
#include "trainer/layer_unit_pass.h"

namespace imssa {

namespace {

/// Activation of one block from the kernels' outputs, and its slope unless `slope` is null.
void activate(const ModelConfig& config, const LayerTrace& trace, int layer, int block, const Dropout& dropout,
              float* value, float* slope, const BlocksAhead& ahead) {
    activate_block(config.activation, trace.kernel_output.block(block), value, slope, config.heads, ahead);
    for (int head = 0; dropout.active() && head < config.heads; ++head) {
        drop_block(dropout, static_cast<std::uint32_t>(layer * config.heads + head),
                   static_cast<std::uint32_t>(block * kBlockSteps), value + head * kBlockWidth,
                   slope == nullptr ? nullptr : slope + head * kBlockWidth);
    }
}

/// Numbers of `count` heads of workspace.stream(index), to `to`.
void restore_inputs(const EffectiveNetwork& network, const Workspace& workspace, int index, int block, int first_head,
                    int count, float* to) {
    const int channels = network.config.channels;
    if (index == 0) {
        dense_product(network.tensors.encoder.data() + first_head * channels,
                      network.tensors.encoder_bias.data() + first_head, workspace.input.block(block), to, count,
                      channels);
        return;
    }
    const std::size_t layer = static_cast<std::size_t>(index - 1);
    const EffectiveLayerTensors& tensors = network.tensors.layers[layer];
    const float* normalized = workspace.trace[layer].normalized.block(block) + first_head * kBlockWidth;
    for (int head = 0; head < count; ++head) {
        const Lanes gamma = broadcast(tensors.gamma[static_cast<std::size_t>(first_head + head)]);
        const Lanes beta = broadcast(tensors.beta[static_cast<std::size_t>(first_head + head)]);
        for (int at = head * kBlockWidth; at < (head + 1) * kBlockWidth; at += kLaneWidth) {
            // Heads of a block lie side by side, blocks far apart: too short runs for the machine to see.
            __builtin_prefetch(normalized + at + kBlockWidth);
            store_lanes(to + at, multiply_add(gamma, load_lanes(normalized + at), beta));
        }
    }
}

}  // namespace

void activate_block(Activation activation, const float* y, float* value, float* slope, int heads,
                    const BlocksAhead& ahead) {
    const int size = heads * kBlockWidth;
    for (int at = 0; at < size; at += kLaneWidth) {
        ahead.prefetch(at);
        const Lanes x = load_lanes(y + at);
        ValueAndSlope result{x, broadcast(1.0F)};
        if (activation == Activation::gelu) {
            result = gelu_lanes(x);
        } else if (activation == Activation::relu) {
            result.slope = x > 0.0F ? broadcast(1.0F) : Lanes{};
            result.value = x * result.slope;
        } else if (activation == Activation::qgelu) {
            result.value = x * clamp(x + 2.0F, Lanes{}, broadcast(4.0F)) * 0.25F;
            result.slope = x >= 2.0F ? broadcast(1.0F) : (x <= -2.0F ? Lanes{} : 0.5F * x + 0.5F);
        }
        store_lanes(value + at, result.value);
        if (slope != nullptr) {
            store_lanes(slope + at, result.slope);
        }
    }
}

void decode(const EffectiveNetwork& network, const float* pooled, float* logits) {
    const ModelConfig& config = network.config;
    for (int output = 0; output < config.classes; ++output) {
        Lanes sum = broadcast(network.tensors.decoder_bias[static_cast<std::size_t>(output)]);
        for (int head = 0; head < config.heads; ++head) {
            const float weight = network.tensors.decoder[static_cast<std::size_t>(output) * config.heads + head];
            sum = multiply_add(broadcast(weight), load_lanes(pooled + head * kLaneWidth), sum);
        }
        store_lanes(logits + output * kLaneWidth, sum);
    }
}

void pool_chunk(Workspace& workspace, int chunk) {
    const int first = chunk * kChunkBlocks;
    for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
        const float* out = workspace.stream(workspace.config.layers).block(block);
        Lanes counts[kBlockSteps];
        for (int step = 0; step < kBlockSteps; ++step) {
            counts[step] = workspace.pooled_step(block * kBlockSteps + step);
        }
        for (int head = 0; head < workspace.config.heads; ++head) {
            Lanes sum = load_lanes(workspace.pooled_sums.data() + head * kLaneWidth);
            for (int step = 0; step < kBlockSteps; ++step) {
                const Lanes value = load_lanes(out + head * kBlockWidth + step * kLaneWidth);
                sum += counts[step] > 0.0F ? value : Lanes{};
            }
            store_lanes(workspace.pooled_sums.data() + head * kLaneWidth, sum);
        }
    }
}

Lanes pooling_gains(const EffectiveNetwork& network, const Workspace& workspace) {
    Lanes gains = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        gains[lane] = network.pooling_gain_of(static_cast<int>(workspace.lengths[static_cast<std::size_t>(lane)]));
    }
    return gains;
}

void forward_float(const EffectiveNetwork& network, Workspace& workspace, ChunkObserver* observer) {
    BlockKernels kernels(network.config);
    kernels.prepare(network);
    forward_float(network, kernels, workspace, observer);
}

void forward_float(const EffectiveNetwork& network, const BlockKernels& kernels, Workspace& workspace,
                   ChunkObserver* observer, const Dropout& dropout) {
    start_float(workspace);
    workspace.dropout = dropout;
    for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
        encode_chunk(network, workspace, chunk);
        for (int layer = 0; layer < network.config.layers; ++layer) {
            layer_forward_float(network, kernels, workspace, layer, chunk, dropout);
        }
        pool_chunk(workspace, chunk);
        if (observer != nullptr) {
            observer->on_chunk(workspace, chunk);
        }
    }
    finish_float(network, workspace);
}

void start_float(Workspace& workspace) {
    workspace.pooled_sums.clear();
    for (LayerTrace& trace : workspace.trace) {
        std::fill_n(trace.states.data(), trace.states.size() / (workspace.keeps_states ? workspace.chunks + 1 : 1),
                    0.0F);
    }
}

void encode_chunk(const EffectiveNetwork& network, Workspace& workspace, int chunk) {
    const int first = chunk * kChunkBlocks;
    for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
        dense_product(network.tensors.encoder.data(), network.tensors.encoder_bias.data(), workspace.input.block(block),
                      workspace.stream(0).block(block), network.config.heads, network.config.channels);
    }
}

void layer_forward_float(const EffectiveNetwork& network, const BlockKernels& kernels, Workspace& workspace, int layer,
                         int chunk, const Dropout& dropout) {
    const ModelConfig& config = network.config;
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    const std::size_t index = static_cast<std::size_t>(layer);
    LayerTrace& trace = workspace.trace[index];
    BlockBuffer& input = workspace.stream(layer);
    for (int head = 0; head < config.heads; ++head) {
        const int offset = head * kBlockWidth;
        block_scan_forward(kernels.layout(), kernels.of(layer, head), input.block(first) + offset,
                           trace.kernel_output.block(first) + offset, input.stride(), count,
                           workspace.states(layer, chunk, head), workspace.states(layer, chunk + 1, head),
                           workspace.scratch_states.data());
    }
    const EffectiveLayerTensors& tensors = network.tensors.layers[index];
    const bool keeps_slope = workspace.keeps_states && !workspace.restores;
    for (int block = first; block < first + count; ++block) {
        float* activation = workspace.restores ? workspace.activation.block(0) : trace.activation.block(block);
        activate(config, trace, layer, block, dropout, activation, keeps_slope ? trace.slope.block(block) : nullptr,
                 {{trace.normalized.block(block)}});
        dense_product(tensors.mixing.data(), tensors.mixing_bias.data(), activation, trace.mixing.block(block),
                      config.mixing_outputs(), config.heads);
        const bool batch = network.statistics == NormStatistics::batch;
        layer_unit_forward(config, network.units[index], tensors, trace.mixing.block(block), input.block(block),
                           trace.normalized.block(block),
                           trace.inverse_deviation.data() + static_cast<std::size_t>(block) * kBlockWidth,
                           batch ? nullptr : workspace.stream(layer + 1).block(block));
    }
}

void restore_activation(const EffectiveNetwork& network, Workspace& workspace, int layer, int block) {
    if (workspace.restores) {
        LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
        activate(network.config, trace, layer, block, workspace.dropout, workspace.activation_of(layer).block(block),
                 trace.slope.block(block), workspace.ahead_of_backward(layer, block));
    }
}

void finish_float(const EffectiveNetwork& network, Workspace& workspace) {
    const Lanes gains = pooling_gains(network, workspace);
    for (int head = 0; head < network.config.heads; ++head) {
        store_lanes(workspace.pooled.data() + head * kLaneWidth,
                    load_lanes(workspace.pooled_sums.data() + head * kLaneWidth) * gains);
    }
    decode(network, workspace.pooled.data(), workspace.logits.data());
}

void restore_stream(const EffectiveNetwork& network, Workspace& workspace, int index, int block) {
    if (workspace.restores) {
        restore_inputs(network, workspace, index, block, 0, network.config.heads, workspace.stream(index).block(block));
    }
}

void restore_head_input(const EffectiveNetwork& network, Workspace& workspace, int layer, int chunk, int head) {
    const int first = chunk * kChunkBlocks;
    for (int at = 0; at < workspace.chunk_blocks(chunk); ++at) {
        restore_inputs(network, workspace, layer, first + at, head, 1, workspace.head_input.data() + at * kBlockWidth);
    }
}

}  // namespace imssa
