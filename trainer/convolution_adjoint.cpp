#include "trainer/fake_pass.h"

namespace imssa {

namespace {

/// u_gradient += mask(u) g + d dy of one head's block; numbers beyond the range of u's grid pass nothing through it.
void add_input_gradient(const QuantizerGrid& grid, float d, const float* u, const float* from, const float* y_gradient,
                        float* u_gradient) {
    for (int at = 0; at < kBlockWidth; at += kLaneWidth) {
        Lanes through = load_lanes(from + at);
        if (grid.gain != 0.0F) {
            const Lanes value = load_lanes(u + at);
            through = value < broadcast(grid.range_low) ? Lanes{} : through;
            through = value > broadcast(grid.range_high) ? Lanes{} : through;
        }
        const Lanes direct = multiply_add(broadcast(d), load_lanes(y_gradient + at), load_lanes(u_gradient + at));
        store_lanes(u_gradient + at, direct + through);
    }
}

float direct_gradient(const float* u, std::size_t u_stride, const float* y_gradient, std::size_t y_stride, int blocks) {
    Lanes sum = {};
    for (int block = 0; block < blocks; ++block) {
        for (int at = 0; at < kBlockWidth; at += kLaneWidth) {
            sum = multiply_add(load_lanes(u + block * u_stride + at), load_lanes(y_gradient + block * y_stride + at),
                               sum);
        }
    }
    float total = 0.0F;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        total += sum[lane];
    }
    return total;
}

}  // namespace

void ConvolutionAdjoint::chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const {
    const std::size_t index = static_cast<std::size_t>(layer);
    const FakeLayerGrids& grids = network_.layers[index];
    const EffectiveLayerTensors& tensors = network_.effective.tensors.layers[index];
    const int heads = network_.effective.config.heads;
    LayerTrace& trace = workspace.trace[index];
    BlockBuffer& input = workspace.stream(layer);
    BlockBuffer& y_gradient = trace.kernel_output_gradient;
    const int first = chunk * kChunkBlocks;
    const int count = workspace.chunk_blocks(chunk);
    if (chunk + 1 == workspace.chunks) {
        trace.response_gradient.clear();
    }
    for (int block = first; block < first + count; ++block) {
        std::copy_n(workspace.gradient_a.block(block), heads * kBlockWidth, y_gradient.block(block));
    }
    float* through = workspace.scratch_states.data();
    for (int head = 0; head < heads; ++head) {
        const int offset = head * kBlockWidth;
        const std::size_t h = static_cast<std::size_t>(head);
        convolve_adjoint(grids.responses.head(head), y_gradient.block(0) + offset, y_gradient.stride(), first, count,
                         workspace.blocks, through, kBlockWidth);
        for (int block = first; block < first + count; ++block) {
            add_input_gradient(grids.input, tensors.d[h], input.block(block) + offset,
                               through + (block - first) * kBlockWidth, y_gradient.block(block) + offset,
                               workspace.gradient_b.block(block) + offset);
        }
        gradient.layers[index].d[h] += direct_gradient(input.block(first) + offset, input.stride(),
                                                       y_gradient.block(first) + offset, y_gradient.stride(), count);
        response_gradient(trace.kernel_input.block(0) + offset, trace.kernel_input.stride(),
                          y_gradient.block(0) + offset, y_gradient.stride(), first, count,
                          trace.response_gradient.head(head));
    }
}

void ConvolutionAdjoint::finish(Workspace& workspace, EffectiveTensors& gradient) const {
    const EffectiveNetwork& effective = network_.effective;
    for (int layer = 0; layer < effective.config.layers; ++layer) {
        const ImpulseResponses& responses = workspace.trace[static_cast<std::size_t>(layer)].response_gradient;
        for (int head = 0; head < effective.config.heads; ++head) {
            impulse_response_gradient(kernel_view(effective, layer, head), effective.steps, responses.head(head),
                                      kernel_gradient_view(gradient, layer, head, effective.config.modes()));
        }
    }
}

}  // namespace imssa
