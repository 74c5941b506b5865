#include "trainer/fake_pass.h"

#include <algorithm>
#include <cmath>

#include "models/network/quantizer.h"
#include "trainer/dense_product.h"
#include "trainer/grid_lanes.h"
#include "trainer/layer_unit_pass.h"

namespace imssa {

namespace {

/// Dither units of activations, apart from those of states.
constexpr std::uint32_t kActivationDither = 0x40000000U;

/// Numbers beyond the range of a grid lose their slope.
void clip_slope(const QuantizerGrid& grid, const float* values, int size, float* slope) {
    if (std::isinf(grid.range_low) && std::isinf(grid.range_high)) {
        return;
    }
    for (int at = 0; at < size; at += kLaneWidth) {
        const Lanes value = load_lanes(values + at);
        const Lanes above = value < broadcast(grid.range_low) ? Lanes{} : load_lanes(slope + at);
        store_lanes(slope + at, value > broadcast(grid.range_high) ? Lanes{} : above);
    }
}

/// The grid of every sequence at one time step, from what its channels show.
LaneGrid step_grid(const LaneGridMaker& grids, const float* values, int channels) {
    Lanes low = {}, high = {};
    for (int channel = 0; channel < channels; ++channel) {
        const Lanes value = load_lanes(values + channel * kBlockWidth);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    return grids.of(low, high);
}

}  // namespace

int FakePass::observed_state(int layer, int head, int mode) const {
    return places_.state(layer, head, mode);
}

void FakePass::quantize(const PassKeys& keys, const Quantized& unit, int block, int valid_steps, const float* from,
                        float* values, float* slope) const {
    const QuantizerOptions& options = network_.options.activations;
    const int size = unit.channels * kBlockWidth;
    if (keys.observer != nullptr) {
        keys.observer->on_block(unit.place, from, unit.channels, valid_steps);
    }
    const bool dynamic = options.dynamic();
    const bool dithered = options.rounding == StateRounding::dithered;
    const bool rounds = options.active() && (dynamic || unit.grid.gain != 0.0F);
    if (rounds && !dynamic && slope != nullptr) {
        clip_slope(unit.grid, from, size, slope);
    }
    if (rounds && !dynamic && !dithered) {
        FixedGrid(unit.grid).quantize(from, values, size);
        return;
    }
    if (from != values) {
        std::copy_n(from, size, values);
    }
    if (!rounds) {
        return;
    }
    const FixedGrid fixed(unit.grid);
    const LaneGridMaker grids(options);
    for (int step = 0; step < kBlockSteps; ++step) {
        float* at = values + step * kLaneWidth;
        const LaneGrid grid = dynamic ? step_grid(grids, at, unit.channels) : LaneGrid{};
        const std::uint32_t step_number = static_cast<std::uint32_t>(block * kBlockSteps + step);
        for (int channel = 0; channel < unit.channels; ++channel, at += kBlockWidth) {
            const Lanes value = load_lanes(at);
            if (dithered) {
                const std::uint32_t key =
                    dither_unit_key(kActivationDither + static_cast<std::uint32_t>(unit.place) * 4096U +
                                    static_cast<std::uint32_t>(channel));
                const Lanes dither = dither_pair(keys.dither, key, step_number).re;
                store_lanes(at,
                            dynamic ? grid.quantize_dithered(value, dither) : fixed.quantize_dithered(value, dither));
            } else {
                store_lanes(at, grid.quantize(value));
            }
        }
    }
}

void FakePass::convolve_chunk(int layer, int chunk, Workspace& workspace) const {
    const FakeLayerGrids& grids = network_.layers[static_cast<std::size_t>(layer)];
    const EffectiveNetwork& effective = network_.effective;
    LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
    const BlockBuffer& input = workspace.stream(layer);
    const int heads = effective.config.heads;
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    const FixedGrid grid(grids.input);
    for (int block = first; block < first + count; ++block) {
        std::copy_n(input.block(block), heads * kBlockWidth, trace.kernel_input.block(block));
        for (int at = 0; grids.input.gain != 0.0F && at < heads * kBlockWidth; at += kLaneWidth) {
            float* value = trace.kernel_input.block(block) + at;
            store_lanes(value, grid.quantize(load_lanes(value)));
        }
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

void FakePass::scan_chunk(const PassKeys& keys, int layer, int chunk, Workspace& workspace) const {
    const ModelConfig& model = network_.effective.config;
    LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
    const BlockBuffer& input = workspace.stream(layer);
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    const std::uint32_t first_step = static_cast<std::uint32_t>(first * kBlockSteps);
    // Where a step waits for the range of the one before, two heads take turns.
    const int together = network_.options.state.dynamic() ? 2 : 1;
    for (int head = 0; head < model.heads; head += together) {
        const int offset = head * kBlockWidth;
        ScanRequest request;
        request.layer = layer;
        request.head = head;
        request.heads = std::min(together, model.heads - head);
        request.modes = model.modes();
        request.dither_keys = keys.dither;
        request.sequences = keys.sequences;
        request.first_step = first_step;
        request.u = input.block(first) + offset;
        request.y = trace.kernel_output.block(first) + offset;
        request.stride = input.stride();
        request.blocks = count;
        request.state_in = workspace.states(layer, chunk, head);
        request.state_out = workspace.states(layer, chunk + 1, head);
        request.ranges = StateRanges::of(trace.state_ranges, first, head);
        request.observer = keys.observer;
        scan(request);
    }
}

FakePass::Quantized FakePass::unit(int layer, const QuantizerGrid& grid, ActivationPlace place, int channels) const {
    return {grid, places_.activation(layer, place), channels};
}

void FakePass::activate(const PassKeys& keys, int layer, int block, int valid_steps, const float* y, float* activation,
                        float* slope, const BlocksAhead& ahead) const {
    const ModelConfig& model = network_.effective.config;
    const FakeLayerGrids& grids = network_.layers[static_cast<std::size_t>(layer)];
    const QuantizerOptions& options = network_.options.activations;
    const bool rounds = options.active() || keys.observer != nullptr;
    if (rounds) {
        quantize(keys, unit(layer, grids.kernel_output, ActivationPlace::kernel_output, model.heads), block,
                 valid_steps, y, activation, nullptr);
    }
    activate_block(model.activation, rounds ? activation : y, activation, slope, model.heads, ahead);
    // Beyond the range of y the slope is zero: the numbers before quantization tell.
    if (slope != nullptr && grids.kernel_output.gain != 0.0F) {
        clip_slope(grids.kernel_output, y, model.heads * kBlockWidth, slope);
    }
    quantize(keys, unit(layer, grids.activation, ActivationPlace::activation, model.heads), block, valid_steps,
             activation, activation, slope);
    const Dropout dropout{noise_.dropout, noise_.seed, keys.sequences};
    for (int head = 0; dropout.active() && head < model.heads; ++head) {
        drop_block(dropout, static_cast<std::uint32_t>(layer * model.heads + head),
                   static_cast<std::uint32_t>(block * kBlockSteps), activation + head * kBlockWidth,
                   slope == nullptr ? nullptr : slope + head * kBlockWidth);
    }
}

void FakePass::mix(const PassKeys& keys, int layer, int block, int valid_steps, const float* activation,
                   float* mixing) const {
    const ModelConfig& model = network_.effective.config;
    const std::size_t index = static_cast<std::size_t>(layer);
    const EffectiveLayerTensors& tensors = network_.effective.tensors.layers[index];
    dense_product(tensors.mixing.data(), tensors.mixing_bias.data(), activation, mixing, model.mixing_outputs(),
                  model.heads);
    quantize(keys, unit(layer, network_.layers[index].mixing, ActivationPlace::mixing, model.mixing_outputs()), block,
             valid_steps, mixing, mixing, nullptr);
}

void FakePass::quantize_stream(const PassKeys& keys, int index, int block, Workspace& workspace) const {
    const int heads = network_.effective.config.heads;
    float* values = workspace.stream(index).block(block);
    const int place = index == 0 ? ObservedBounds::encoder() : places_.activation(index - 1, ActivationPlace::output);
    quantize(keys, {network_.stream_grid(index), place, heads}, block, workspace.valid_steps(block), values, values,
             nullptr);
}

void FakePass::restore_stream(LanesUint dither_keys, LanesUint sequences, Workspace& workspace, int index,
                              int block) const {
    if (workspace.restores) {
        imssa::restore_stream(network_.effective, workspace, index, block);
        quantize_stream({dither_keys, sequences, nullptr}, index, block, workspace);
    }
}

bool FakePass::restore_head_input(Workspace& workspace, int layer, int chunk, int head) const {
    const QuantizerOptions& options = network_.options.activations;
    const bool by_itself = options.has_grid() && options.rounding == StateRounding::nearest;
    if (!workspace.restores || (options.active() && !by_itself)) {
        return false;
    }
    imssa::restore_head_input(network_.effective, workspace, layer, chunk, head);
    const QuantizerGrid& grid = network_.stream_grid(layer);
    if (by_itself && grid.gain != 0.0F) {
        float* values = workspace.head_input.data();
        FixedGrid(grid).quantize(values, values, workspace.chunk_blocks(chunk) * kBlockWidth);
    }
    return true;
}

void FakePass::restore_activation(LanesUint dither_keys, LanesUint sequences, Workspace& workspace, int layer,
                                  int block) const {
    if (workspace.restores) {
        LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
        activate({dither_keys, sequences, nullptr}, layer, block, workspace.valid_steps(block),
                 trace.kernel_output.block(block), workspace.activation_of(layer).block(block),
                 trace.slope.block(block), workspace.ahead_of_backward(layer, block));
    }
}

bool FakePass::restore_mixing(LanesUint dither_keys, LanesUint sequences, Workspace& workspace, int layer,
                              int block) const {
    if (!network_.options.activations.active()) {
        return false;
    }
    restore_activation(dither_keys, sequences, workspace, layer, block);
    LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
    mix({dither_keys, sequences, nullptr}, layer, block, workspace.valid_steps(block),
        workspace.activation_of(layer).block(block), trace.mixing.block(block));
    return true;
}

void FakePass::layer_forward(LanesUint dither_keys, LanesUint sequences, int layer, int chunk, Workspace& workspace,
                             PassObserver* observer) const {
    const PassKeys keys{dither_keys, sequences, observer};
    const EffectiveNetwork& effective = network_.effective;
    const ModelConfig& model = effective.config;
    const std::size_t index = static_cast<std::size_t>(layer);
    const FakeLayerGrids& grids = network_.layers[index];
    LayerTrace& trace = workspace.trace[index];
    BlockBuffer& input = workspace.stream(layer);
    const int first = chunk * kChunkBlocks;
    const bool batch = effective.statistics == NormStatistics::batch;
    const bool keeps_slope = workspace.keeps_states && !workspace.restores;
    if (network_.mode == EvaluationMode::convolution) {
        convolve_chunk(layer, chunk, workspace);
    } else {
        scan_chunk(keys, layer, chunk, workspace);
    }
    for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
        const int valid = workspace.valid_steps(block);
        float* y = trace.kernel_output.block(block);
        for (int head = 0; noise_.activations > 0.0 && head < model.heads; ++head) {
            add_block_noise(noise_.activations * grids.kernel_output_range, noise_.seed,
                            activation_noise_place(layer * model.heads + head), keys.sequences,
                            static_cast<std::uint32_t>(block * kBlockSteps), y + head * kBlockWidth);
        }
        float* activation = workspace.restores ? workspace.activation.block(0) : trace.activation.block(block);
        activate(keys, layer, block, valid, y, activation, keeps_slope ? trace.slope.block(block) : nullptr,
                 {{trace.normalized.block(block)}});
        float* mixing = trace.mixing.block(block);
        mix(keys, layer, block, valid, activation, mixing);
        layer_unit_forward(model, effective.units[index], effective.tensors.layers[index], mixing, input.block(block),
                           trace.normalized.block(block),
                           trace.inverse_deviation.data() + static_cast<std::size_t>(block) * kBlockWidth,
                           batch ? nullptr : workspace.stream(layer + 1).block(block));
        if (!batch) {
            quantize_stream(keys, layer + 1, block, workspace);
        }
    }
}

void FakePass::forward(LanesUint dither_keys, LanesUint sequences, Workspace& workspace, PassObserver* observer) const {
    const PassKeys keys{dither_keys, sequences, observer};
    const EffectiveNetwork& effective = network_.effective;
    const ModelConfig& model = effective.config;
    workspace.pooled_sums.clear();
    const bool dynamic = network_.options.state.dynamic();
    for (LayerTrace& trace : workspace.trace) {
        if (dynamic && trace.state_ranges.channels() == 0) {
            trace.state_ranges = BlockBuffer(2 * model.heads, workspace.restores ? workspace.blocks : kChunkBlocks);
        }
        std::fill_n(trace.states.data(), trace.states.size() / (workspace.keeps_states ? workspace.chunks + 1 : 1),
                    0.0F);
    }
    for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
        const int first = chunk * kChunkBlocks;
        for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
            dense_product(effective.tensors.encoder.data(), effective.tensors.encoder_bias.data(),
                          workspace.input.block(block), workspace.stream(0).block(block), model.heads, model.channels);
            quantize_stream(keys, 0, block, workspace);
        }
        for (int layer = 0; layer < model.layers; ++layer) {
            layer_forward(dither_keys, sequences, layer, chunk, workspace, observer);
        }
        pool_chunk(workspace, chunk);
    }
    const Lanes gains = pooling_gains(effective, workspace);
    for (int head = 0; head < model.heads; ++head) {
        store_lanes(workspace.pooled.data() + head * kLaneWidth,
                    load_lanes(workspace.pooled_sums.data() + head * kLaneWidth) * gains);
    }
    decode(effective, workspace.pooled.data(), workspace.logits.data());
}

}  // namespace imssa
