#include "trainer/quantized_pass.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "models/network/quantizer.h"
#include "trainer/dense_product.h"
#include "trainer/layer_unit_pass.h"
#include "trainer/quantized_unit_pass.h"

namespace imssa {

namespace {

constexpr double kInverseRootTwo = 0.70710678118654752;
constexpr double kInverseRootTwoPi = 0.39894228040143268;

/// Integer weight codes as outputs x inputs.
std::vector<float> product_codes(const QuantizedMatrix& matrix) {
    const MatrixRM driven = matrix.driven_codes();
    std::vector<float> codes;
    for (int output = 0; output < matrix.outputs(); ++output) {
        for (int input = 0; input < matrix.inputs(); ++input) {
            codes.push_back(driven(input, output));
        }
    }
    return codes;
}

double activation_slope(Activation activation, double x) {
    switch (activation) {
        case Activation::relu:
            return x > 0.0 ? 1.0 : 0.0;
        case Activation::gelu:
            return 0.5 * (1.0 + std::erf(x * kInverseRootTwo)) + x * kInverseRootTwoPi * std::exp(-0.5 * x * x);
        case Activation::qgelu:
            return x <= -2.0 ? 0.0 : (x >= 2.0 ? 1.0 : 0.5 * x + 0.5);
        default:
            return 1.0;
    }
}

/// Slope of the activation table in codes; zero where the y code or the activation code is at its limit.
std::vector<float> slope_table(Activation activation, const DeployedLayer& layer, int limit) {
    std::vector<float> slopes;
    for (int code = -limit; code <= limit; ++code) {
        const float out = layer.activation_table[static_cast<std::size_t>(code + limit)];
        const bool limited = std::abs(code) == limit || std::abs(out) >= static_cast<float>(limit);
        const double slope = activation_slope(activation, code * layer.kernel_output_scale) *
                             layer.kernel_output_scale / layer.activation_scale;
        slopes.push_back(limited ? 0.0F : static_cast<float>(slope));
    }
    return slopes;
}

/// Calls work(first number, count) for pieces of a block, and fetches the same piece of the blocks ahead before each.
template <class Work>
void for_each_piece(int heads, const BlocksAhead& ahead, Work&& work) {
    constexpr int kPiece = 2 * kBlockWidth;
    const int size = heads * kBlockWidth;
    for (int first = 0; first < size; first += kPiece) {
        const int count = std::min(kPiece, size - first);
        for (int at = first; at < first + count; at += kLaneWidth) {
            ahead.prefetch(at);
        }
        work(first, count);
    }
}

/// Exact sums of one block to codes, in place.
void convert_block(const QuantizedMatrix& matrix, float* block) {
    for (int output = 0; output < matrix.outputs(); ++output) {
        const std::size_t at = static_cast<std::size_t>(output);
        for (int step = 0; step < kBlockSteps; ++step) {
            float* value = block + output * kBlockWidth + step * kLaneWidth;
            store_lanes(value, convert(load_lanes(value), matrix.gain[at], matrix.offset[at], matrix.output_limit[at]));
        }
    }
}

}  // namespace

QuantizedPass::QuantizedPass(const DeployedNetwork& network, const PassNoise& noise)
    : network_(network),
      noise_(noise),
      effective_(effective_quantized_network(network)),
      encoder_(product_codes(network.encoder)),
      decoder_(product_codes(network.decoder)) {
    const ModelConfig& model = network.model;
    const int limit = code_limit(network.options.activation_bits);
    for (int index = 0; index < model.layers; ++index) {
        const DeployedLayer& layer = network.layers[static_cast<std::size_t>(index)];
        for (int head = 0; head < model.heads; ++head) {
            const std::uint32_t unit = static_cast<std::uint32_t>((index * model.heads + head) * model.modes());
            kernels_.push_back(
                make_quantized_kernel(layer.kernels[static_cast<std::size_t>(head)], unit, network.activation_limit()));
        }
        mixing_.push_back(product_codes(layer.mixing));
        activation_tables_.emplace_back(layer.activation_table, limit);
        slope_tables_.emplace_back(slope_table(model.activation, layer, limit), limit);
    }
}

/// Errors of the converted kernel outputs, in codes.
void QuantizedPass::disturb(LanesUint sequences, int layer, int block, float* y) const {
    const float limit = network_.activation_limit();
    for (int head = 0; head < network_.model.heads; ++head) {
        float* values = y + head * kBlockWidth;
        add_block_noise(noise_.activations * limit, noise_.seed,
                        activation_noise_place(layer * network_.model.heads + head), sequences,
                        static_cast<std::uint32_t>(block * kBlockSteps), values);
        for (int at = 0; at < kBlockWidth; at += kLaneWidth) {
            store_lanes(values + at, convert(load_lanes(values + at), 1.0F, 0.0F, limit));
        }
    }
}

void QuantizedPass::layer_forward(LanesUint sequence_keys, LanesUint sequences, int layer, int chunk,
                                  Workspace& workspace) const {
    const ModelConfig& model = network_.model;
    const std::size_t index = static_cast<std::size_t>(layer);
    const DeployedLayer& deployed = network_.layers[index];
    LayerTrace& trace = workspace.trace[index];
    BlockBuffer& input = workspace.stream(layer);
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    for (int head = 0; head < model.heads; ++head) {
        const int offset = head * kBlockWidth;
        quantized_scan(kernel(layer, head), sequence_keys, static_cast<std::uint32_t>(first * kBlockSteps),
                       input.block(first) + offset, trace.kernel_output.block(first) + offset, input.stride(), count,
                       workspace.registers(layer, chunk, head), workspace.registers(layer, chunk + 1, head));
    }
    for (int block = first; block < first + count; ++block) {
        float* y = trace.kernel_output.block(block);
        if (noise_.activations > 0.0) {
            disturb(sequences, layer, block, y);
        }
        float* activation = workspace.restores ? workspace.activation.block(0) : trace.activation.block(block);
        if (workspace.keeps_codes()) {
            NarrowCode* codes = trace.output_codes.block(block);
            for_each_piece(model.heads, {{trace.normalized.block(block)}}, [&](int at, int size) {
                narrow_codes(y + at, codes + at, size);
                activation_tables_[index].look_up(codes + at, activation + at, size);
            });
        } else {
            activation_tables_[index].look_up(y, activation, model.heads * kBlockWidth);
        }
        float* mixing = trace.mixing.block(block);
        dense_product(mixing_[index].data(), nullptr, activation, mixing, model.mixing_outputs(), model.heads);
        float* out = workspace.stream(layer + 1).block(block);
        const std::size_t place = static_cast<std::size_t>(block);
        float* inverse_deviation = trace.inverse_deviation.data() + place * kBlockWidth;
        if (workspace.keeps_codes() && !model.glu) {
            const std::size_t vectors = place * static_cast<std::size_t>(model.heads * kBlockSteps);
            quantized_unit(
                deployed.mixing, deployed.unit, mixing, input.block(block), model.heads,
                {out, workspace.stream_codes(layer + 1).block(block), trace.normalized.block(block), inverse_deviation,
                 trace.mixing_inside.data() + vectors, trace.out_inside.data() + vectors});
            continue;
        }
        convert_block(deployed.mixing, mixing);
        layer_unit(deployed.unit, mixing, input.block(block), out, model.heads, kBlockWidth, kBlockWidth);
        if (workspace.keeps_codes()) {
            narrow_codes(out, workspace.stream_codes(layer + 1).block(block), model.heads * kBlockWidth);
            layer_unit_forward(model, effective_.units[index], effective_.tensors.layers[index], mixing,
                               input.block(block), trace.normalized.block(block), inverse_deviation, nullptr);
        }
    }
}

void QuantizedPass::forward(LanesUint sequence_keys, LanesUint sequences, Workspace& workspace) const {
    const ModelConfig& model = network_.model;
    workspace.pooled_sums.clear();
    for (LayerTrace& trace : workspace.trace) {
        std::fill_n(trace.registers.data(),
                    trace.registers.size() / (workspace.keeps_states ? workspace.chunks + 1 : 1), 0);
    }
    for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
        const int first = chunk * kChunkBlocks;
        for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
            float* values = workspace.input.block(block);
            input_codes(network_, values, model.channels * kBlockWidth, values);
            float* encoded = workspace.stream(0).block(block);
            dense_product(encoder_.data(), nullptr, values, encoded, model.heads, model.channels);
            convert_block(network_.encoder, encoded);
            if (workspace.keeps_codes()) {
                narrow_codes(encoded, workspace.stream_codes(0).block(block), model.heads * kBlockWidth);
            }
        }
        for (int layer = 0; layer < model.layers; ++layer) {
            layer_forward(sequence_keys, sequences, layer, chunk, workspace);
        }
        pool_chunk(workspace, chunk);
    }
    std::array<float, kLaneWidth> gains{};
    for (std::size_t lane = 0; lane < gains.size(); ++lane) {
        gains[lane] = network_.pooling_gain_of(static_cast<int>(workspace.lengths[lane]));
    }
    for (int head = 0; head < model.heads; ++head) {
        pool_codes(gains.data(), network_.activation_limit(), workspace.pooled_sums.data() + head * kLaneWidth,
                   workspace.pooled.data() + head * kLaneWidth, kLaneWidth);
    }
    for (int output = 0; output < model.classes; ++output) {
        const std::size_t at = static_cast<std::size_t>(output);
        Lanes sum = {};
        for (int head = 0; head < model.heads; ++head) {
            sum = multiply_add(load_lanes(workspace.pooled.data() + head * kLaneWidth),
                               broadcast(decoder_[at * static_cast<std::size_t>(model.heads) + head]), sum);
        }
        store_lanes(
            workspace.logits.data() + at * kLaneWidth,
            convert(sum, network_.decoder.gain[at], network_.decoder.offset[at], network_.decoder.output_limit[at]));
    }
}

void QuantizedPass::restore_activation(Workspace& workspace, int layer, int block) const {
    const std::size_t index = static_cast<std::size_t>(layer);
    LayerTrace& trace = workspace.trace[index];
    const NarrowCode* codes = trace.output_codes.block(block);
    float* slope = trace.slope.block(block);
    float* activation = workspace.activation_of(layer).block(block);
    for_each_piece(network_.model.heads, workspace.ahead_of_backward(layer, block), [&](int at, int size) {
        slope_tables_[index].look_up(codes + at, slope + at, size);
        activation_tables_[index].look_up(codes + at, activation + at, size);
    });
}

void QuantizedKernelAdjoint::restore_stream(Workspace& workspace, int index, int block) const {
    widen_codes(workspace.stream_codes(index).block(block), workspace.stream(index).block(block),
                network_.config.heads * kBlockWidth);
}

void QuantizedKernelAdjoint::restore_activation(Workspace& workspace, int layer, int block) const {
    pass_.restore_activation(workspace, layer, block);
}

const float* QuantizedKernelAdjoint::restore_head_input(Workspace& workspace, int layer, int chunk, int head) const {
    const Blocks<NarrowCode>& codes = workspace.stream_codes(layer);
    float* input = workspace.head_input.data();
    for (int at = 0; at < workspace.chunk_blocks(chunk); ++at) {
        widen_codes(codes.block(chunk * kChunkBlocks + at) + head * kBlockWidth, input + at * kBlockWidth, kBlockWidth);
    }
    return input;
}

void QuantizedKernelAdjoint::scan_states(Workspace& workspace, int layer, int chunk, int head, const float* u,
                                         int first_mode, int count) const {
    LanesUint keys;
    std::memcpy(&keys, keys_, sizeof(keys));
    quantized_scan_states(pass_.kernel(layer, head), keys,
                          static_cast<std::uint32_t>(chunk * kChunkBlocks * kBlockSteps), first_mode, count, u,
                          kBlockWidth, workspace.chunk_blocks(chunk), workspace.registers(layer, chunk, head),
                          workspace.scratch_pairs.data());
}

bool QuantizedKernelAdjoint::live_states(Workspace& workspace, int layer, int chunk) const {
    for (int head = 0; head < network_.config.heads; ++head) {
        const float* u = restore_head_input(workspace, layer, chunk, head);
        for (int mode = 0; mode < network_.config.modes(); ++mode) {
            scan_states(workspace, layer, chunk, head, u, mode, 1);
            const std::int32_t* after_first_step = workspace.scratch_pairs.data() + kLaneWidth;
            if (any_lane(after_first_step, workspace.chunk_steps(chunk), workspace.lanes)) {
                return true;
            }
        }
    }
    return false;
}

void QuantizedKernelAdjoint::chunk_backward(Workspace& workspace, int layer, int chunk,
                                            EffectiveTensors& gradient) const {
    const int first = chunk * kChunkBlocks;
    const int blocks = workspace.chunk_blocks(chunk);
    const std::size_t stride = workspace.gradient_a.stride();
    const std::int32_t* states = workspace.scratch_pairs.data();
    for (int head = 0; head < network_.config.heads; ++head) {
        const KernelView kernel = kernel_view(network_, layer, head);
        const KernelGradientView kernel_gradient = kernel_gradient_view(gradient, layer, head, kernel.modes);
        const int offset = head * kBlockWidth;
        const float* u = restore_head_input(workspace, layer, chunk, head);
        for (int mode = 0; mode < kernel.modes;) {
            const int left = kernel.modes - mode;
            const int modes = left >= kBackwardModes ? kBackwardModes : (left >= 2 ? 2 : 1);
            scan_states(workspace, layer, chunk, head, u, mode, modes);
            scan_backward(kernel, mode, modes, u, kBlockWidth, workspace.gradient_a.block(first) + offset,
                          workspace.gradient_b.block(first) + offset, stride, blocks, states,
                          workspace.adjoint(layer, head), kernel_gradient);
            mode += modes;
        }
    }
}

}  // namespace imssa
