#include "trainer/fake_pass.h"

#include <algorithm>
#include <cstring>

#include "models/common/random.h"
#include "models/network/quantizer.h"
#include "trainer/dense_product.h"
#include "trainer/kernel_scan.h"
#include "trainer/layer_unit_pass.h"

namespace imssa {

namespace {

// Places of the errors in the generator's stream, apart from those of parameters.
constexpr std::uint32_t kInputPlace = 0x10000000U;
constexpr std::uint32_t kStatePlace = 0x20000000U;
constexpr std::uint32_t kActivationPlace = 0x30000000U;

inline Lanes on_grid(const QuantizerGrid& grid, Lanes value) {
    const Lanes code = clamp(round_half_even(value * grid.gain + grid.zero), broadcast(grid.low), broadcast(grid.high));
    return (code - grid.zero) / grid.gain;
}

inline Lanes on_grid_dithered(const QuantizerGrid& grid, Lanes value, Lanes dither) {
    const Lanes code =
        clamp(floor_lanes(value * grid.gain + grid.zero + dither), broadcast(grid.low), broadcast(grid.high));
    return (code - grid.zero) / grid.gain;
}

/// Puts values on a grid; where `slope` is given, numbers beyond the grid's range lose theirs.
void quantize_block(const QuantizerGrid& grid, float* values, int size, float* slope) {
    if (grid.gain == 0.0F) {
        return;
    }
    for (int at = 0; at < size; at += kLaneWidth) {
        const Lanes value = load_lanes(values + at);
        store_lanes(values + at, on_grid(grid, value));
        if (slope != nullptr) {
            const Lanes kept = load_lanes(slope + at);
            const Lanes above = value < broadcast(grid.range_low) ? Lanes{} : kept;
            store_lanes(slope + at, value > broadcast(grid.range_high) ? Lanes{} : above);
        }
    }
}

}  // namespace

std::uint32_t activation_noise_place(int unit) {
    return kActivationPlace + static_cast<std::uint32_t>(unit);
}

void add_block_noise(double sigma, std::uint64_t seed, std::uint32_t place, LanesUint sequences,
                     std::uint32_t first_step, float* values) {
    for (int quad = 0; quad < kBlockSteps / 4; ++quad) {
        const NormalQuad normals = normal_quad(seed, RandomPurpose::training_noise, place, sequences,
                                               first_step / kBlockSteps, static_cast<std::uint32_t>(quad));
        for (int step = 0; step < 4; ++step) {
            float* at = values + (4 * quad + step) * kLaneWidth;
            store_lanes(at, load_lanes(at) + normals.values[step] * static_cast<float>(sigma));
        }
    }
}

void add_input_noise(const PassNoise& noise, LanesUint sequences, int lanes, Workspace& workspace) {
    for (int block = 0; block < workspace.blocks; ++block) {
        for (int channel = 0; channel < workspace.config.channels; ++channel) {
            float* values = workspace.input.block(block) + channel * kBlockWidth;
            add_block_noise(noise.input, noise.seed, kInputPlace + static_cast<std::uint32_t>(channel), sequences,
                            static_cast<std::uint32_t>(block * kBlockSteps), values);
            for (int step = 0; step < kBlockSteps; ++step) {
                const int first = step < workspace.valid_steps(block) ? lanes : 0;
                std::fill(values + step * kLaneWidth + first, values + (step + 1) * kLaneWidth, 0.0F);
            }
        }
    }
}

void FakePass::scan(int layer, int head, int first_mode, int count, LanesUint dither_keys, LanesUint sequences,
                    std::uint32_t first_step, const float* u, float* y, std::size_t stride, int blocks,
                    const float* state_in, float* state_out, float* states) const {
    const ModelConfig& model = network_.effective.config;
    const FakeQuantization& options = network_.options;
    const FakeLayerGrids& grids = network_.layers[static_cast<std::size_t>(layer)];
    const KernelView kernel = kernel_view(network_.effective, layer, head);
    const bool quantized = options.state.active();
    const bool dithered = options.state.rounding == StateRounding::dithered;
    const Lanes limit = broadcast(options.state_limit > 0.0 ? static_cast<float>(options.state_limit) : kNoLimit);
    const float d = first_mode == 0 ? kernel.d : 0.0F;
    if (y != nullptr && first_mode == 0) {
        for (int block = 0; block < blocks; ++block) {
            for (int step = 0; step < kBlockSteps; ++step) {
                const std::size_t at =
                    static_cast<std::size_t>(block) * stride + static_cast<std::size_t>(step) * kLaneWidth;
                store_lanes(y + at, load_lanes(u + at) * d);
            }
        }
    }
    for (int mode = first_mode; mode < first_mode + count; ++mode) {
        const std::size_t unit = static_cast<std::size_t>(head) * model.modes() + mode;
        const std::uint32_t place = static_cast<std::uint32_t>((layer * model.heads + head) * model.modes() + mode);
        const QuantizerGrid& grid = grids.state[unit];
        const float sigma = static_cast<float>(noise_.states) * grids.state_range[unit];
        Lanes re = load_lanes(state_in + 2 * mode * kLaneWidth);
        Lanes im = load_lanes(state_in + (2 * mode + 1) * kLaneWidth);
        float* kept = states == nullptr ? nullptr : states + 2 * (mode - first_mode) * kLaneWidth;
        if (kept != nullptr) {
            store_lanes(kept, re);
            store_lanes(kept + kLaneWidth, im);
        }
        std::uint32_t step_number = first_step;
        for (int block = 0; block < blocks; ++block) {
            for (int step = 0; step < kBlockSteps; ++step, ++step_number) {
                const std::size_t at =
                    static_cast<std::size_t>(block) * stride + static_cast<std::size_t>(step) * kLaneWidth;
                const Lanes input = load_lanes(u + at);
                Lanes next_re = re * kernel.a_re[mode] - im * kernel.a_im[mode] + input * kernel.b_re[mode];
                Lanes next_im = re * kernel.a_im[mode] + im * kernel.a_re[mode] + input * kernel.b_im[mode];
                if (sigma > 0.0F) {
                    const NormalPair normals = normal_pair(noise_.seed, RandomPurpose::training_noise,
                                                           kStatePlace + place, sequences, step_number, 0);
                    next_re += normals.first * sigma;
                    next_im += normals.second * sigma;
                }
                next_re = clamp(next_re, -limit, limit);
                next_im = clamp(next_im, -limit, limit);
                if (quantized && dithered) {
                    const DitherPair dither = dither_pair(dither_keys, dither_unit_key(place), step_number);
                    next_re = on_grid_dithered(grid, next_re, dither.re);
                    next_im = on_grid_dithered(grid, next_im, dither.im);
                } else if (quantized) {
                    next_re = on_grid(grid, next_re);
                    next_im = on_grid(grid, next_im);
                }
                re = next_re;
                im = next_im;
                if (kept != nullptr) {
                    kept += 2 * count * kLaneWidth;
                    store_lanes(kept, re);
                    store_lanes(kept + kLaneWidth, im);
                }
                if (y != nullptr) {
                    store_lanes(y + at, load_lanes(y + at) + re * kernel.c_re[mode] + im * kernel.c_im[mode]);
                }
            }
        }
        if (state_out != nullptr) {
            store_lanes(state_out + 2 * mode * kLaneWidth, re);
            store_lanes(state_out + (2 * mode + 1) * kLaneWidth, im);
        }
    }
}

void FakePass::convolve_chunk(int layer, int chunk, Workspace& workspace) const {
    const FakeLayerGrids& grids = network_.layers[static_cast<std::size_t>(layer)];
    const EffectiveNetwork& effective = network_.effective;
    LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
    const BlockBuffer& input = workspace.stream[static_cast<std::size_t>(layer)];
    const int heads = effective.config.heads;
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    for (int block = first; block < first + count; ++block) {
        std::copy_n(input.block(block), heads * kBlockWidth, trace.kernel_input.block(block));
        quantize_block(grids.input, trace.kernel_input.block(block), heads * kBlockWidth, nullptr);
    }
    for (int head = 0; head < heads; ++head) {
        const int offset = head * kBlockWidth;
        convolve(grids.responses.head(head), trace.kernel_input.block(0) + offset, trace.kernel_input.stride(), first,
                 count, trace.kernel_output.block(first) + offset, trace.kernel_output.stride());
        const Lanes d =
            broadcast(effective.tensors.layers[static_cast<std::size_t>(layer)].d[static_cast<std::size_t>(head)]);
        for (int block = first; block < first + count; ++block) {
            const float* u = input.block(block) + offset;
            float* y = trace.kernel_output.block(block) + offset;
            for (int at = 0; at < kBlockWidth; at += kLaneWidth) {
                store_lanes(y + at, multiply_add(d, load_lanes(u + at), load_lanes(y + at)));
            }
        }
    }
}

void FakePass::layer_forward(LanesUint dither_keys, LanesUint sequences, int layer, int chunk,
                             Workspace& workspace) const {
    const EffectiveNetwork& effective = network_.effective;
    const ModelConfig& model = effective.config;
    const std::size_t index = static_cast<std::size_t>(layer);
    const FakeLayerGrids& grids = network_.layers[index];
    const EffectiveLayerTensors& tensors = effective.tensors.layers[index];
    LayerTrace& trace = workspace.trace[index];
    BlockBuffer& input = workspace.stream[index];
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    const int size = model.heads * kBlockWidth;
    if (network_.mode == EvaluationMode::convolution) {
        convolve_chunk(layer, chunk, workspace);
    }
    for (int head = 0; network_.mode == EvaluationMode::recurrent && head < model.heads; ++head) {
        const int offset = head * kBlockWidth;
        scan(layer, head, 0, model.modes(), dither_keys, sequences, static_cast<std::uint32_t>(first * kBlockSteps),
             input.block(first) + offset, trace.kernel_output.block(first) + offset, input.stride(), count,
             workspace.states(layer, chunk, head), workspace.states(layer, chunk + 1, head), nullptr);
    }
    for (int block = first; block < first + count; ++block) {
        float* y = trace.kernel_output.block(block);
        for (int head = 0; noise_.activations > 0.0 && head < model.heads; ++head) {
            add_block_noise(noise_.activations * grids.kernel_output_range, noise_.seed,
                            activation_noise_place(layer * model.heads + head), sequences,
                            static_cast<std::uint32_t>(block * kBlockSteps), y + head * kBlockWidth);
        }
        float* activation = trace.activation.block(block);
        float* slope = trace.slope.block(block);
        std::copy_n(y, size, activation);
        quantize_block(grids.kernel_output, activation, size, nullptr);
        activate_block(model.activation, activation, activation, slope, model.heads);
        // Beyond the range of y the slope is zero: the numbers before quantization tell.
        if (grids.kernel_output.gain != 0.0F) {
            quantize_block(grids.kernel_output, y, size, slope);
        }
        quantize_block(grids.activation, activation, size, slope);
        float* mixing = trace.mixing.block(block);
        dense_product(tensors.mixing.data(), tensors.mixing_bias.data(), activation, mixing, model.mixing_outputs(),
                      model.heads);
        quantize_block(grids.mixing, mixing, model.mixing_outputs() * kBlockWidth, nullptr);
        float* out = workspace.stream[index + 1].block(block);
        layer_unit_forward(model, effective.units[index], tensors, mixing, input.block(block),
                           trace.normalized.block(block),
                           trace.inverse_deviation.data() + static_cast<std::size_t>(block) * kBlockWidth, out);
        quantize_block(grids.output, out, size, nullptr);
    }
}

void FakePass::forward(LanesUint dither_keys, LanesUint sequences, Workspace& workspace) const {
    const EffectiveNetwork& effective = network_.effective;
    const ModelConfig& model = effective.config;
    workspace.pooled_sums.clear();
    for (LayerTrace& trace : workspace.trace) {
        std::fill_n(trace.states.data(), trace.states.size() / (workspace.keeps_states ? workspace.chunks + 1 : 1),
                    0.0F);
    }
    for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
        const int first = chunk * kChunkBlocks;
        for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
            float* encoded = workspace.stream[0].block(block);
            dense_product(effective.tensors.encoder.data(), effective.tensors.encoder_bias.data(),
                          workspace.input.block(block), encoded, model.heads, model.channels);
            quantize_block(network_.encoder, encoded, model.heads * kBlockWidth, nullptr);
        }
        for (int layer = 0; layer < model.layers; ++layer) {
            layer_forward(dither_keys, sequences, layer, chunk, workspace);
        }
        pool_chunk(workspace, chunk);
    }
    for (int head = 0; head < model.heads; ++head) {
        store_lanes(workspace.pooled.data() + head * kLaneWidth,
                    load_lanes(workspace.pooled_sums.data() + head * kLaneWidth) * effective.pooling_gain);
    }
    decode(effective, workspace.pooled.data(), workspace.logits.data());
}

FakeKernelAdjoint::FakeKernelAdjoint(const FakePass& pass, LanesUint dither_keys, LanesUint sequences) : pass_(pass) {
    std::memcpy(dither_keys_, &dither_keys, sizeof(dither_keys_));
    std::memcpy(sequences_, &sequences, sizeof(sequences_));
}

void FakeKernelAdjoint::chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const {
    LanesUint keys, sequences;
    std::memcpy(&keys, dither_keys_, sizeof(keys));
    std::memcpy(&sequences, sequences_, sizeof(sequences));
    const EffectiveNetwork& network = pass_.network().effective;
    const BlockBuffer& input = workspace.stream[static_cast<std::size_t>(layer)];
    const int first = chunk * kChunkBlocks;
    const int blocks = workspace.chunk_blocks(chunk);
    float* states = workspace.scratch_states.data();
    for (int head = 0; head < network.config.heads; ++head) {
        const KernelView kernel = kernel_view(network, layer, head);
        const KernelGradientView kernel_gradient = kernel_gradient_view(gradient, layer, head, kernel.modes);
        const int offset = head * kBlockWidth;
        const float* u = input.block(first) + offset;
        for (int mode = 0; mode < kernel.modes;) {
            const int left = kernel.modes - mode;
            const int modes = left >= kBackwardModes ? kBackwardModes : (left >= 2 ? 2 : 1);
            pass_.scan(layer, head, mode, modes, keys, sequences, static_cast<std::uint32_t>(first * kBlockSteps), u,
                       nullptr, input.stride(), blocks, workspace.states(layer, chunk, head), nullptr, states);
            scan_backward(kernel, mode, modes, u, workspace.kernel_gradient.block(first) + offset,
                          workspace.gradient_b.block(first) + offset, input.stride(), blocks, states,
                          workspace.adjoint(layer, head), kernel_gradient);
            mode += modes;
        }
    }
}

}  // namespace imssa
