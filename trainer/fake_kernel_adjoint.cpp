#include <algorithm>
#include <array>
#include <cstring>

#include "trainer/fake_pass.h"
#include "trainer/kernel_scan.h"

/// The backward half of a FakePass.

namespace imssa {

namespace {

LanesUint lanes_of(const std::uint32_t (&values)[kLaneWidth]) {
    LanesUint lanes;
    std::memcpy(&lanes, values, sizeof(lanes));
    return lanes;
}

}  // namespace

FakeKernelAdjoint::FakeKernelAdjoint(const FakePass& pass, LanesUint dither_keys, LanesUint sequences) : pass_(pass) {
    std::memcpy(dither_keys_, &dither_keys, sizeof(dither_keys_));
    std::memcpy(sequences_, &sequences, sizeof(sequences_));
}

void FakeKernelAdjoint::scan_states(Workspace& workspace, int layer, int chunk, int head, const HeadInput& input,
                                    int first_mode, int count, KeptStates states) const {
    const int first = chunk * kChunkBlocks;
    ScanRequest request;
    request.layer = layer;
    request.head = head;
    request.first_mode = first_mode;
    request.modes = count;
    request.dither_keys = lanes_of(dither_keys_);
    request.sequences = lanes_of(sequences_);
    request.first_step = static_cast<std::uint32_t>(first * kBlockSteps);
    request.u = input.u;
    request.stride = input.stride;
    request.blocks = workspace.chunk_blocks(chunk);
    request.state_in = workspace.states(layer, chunk, head);
    request.states = states;
    request.ranges = StateRanges::of(workspace.trace[static_cast<std::size_t>(layer)].state_ranges, first, head);
    pass_.scan(request);
}

void FakeKernelAdjoint::restore_stream(Workspace& workspace, int index, int block) const {
    pass_.restore_stream(lanes_of(dither_keys_), lanes_of(sequences_), workspace, index, block);
}

void FakeKernelAdjoint::restore_activation(Workspace& workspace, int layer, int block) const {
    pass_.restore_activation(lanes_of(dither_keys_), lanes_of(sequences_), workspace, layer, block);
}

bool FakeKernelAdjoint::restore_mixing(Workspace& workspace, int layer, int block) const {
    return pass_.restore_mixing(lanes_of(dither_keys_), lanes_of(sequences_), workspace, layer, block);
}

void FakeKernelAdjoint::restore_chunk(Workspace& workspace, int index, int chunk) const {
    const int first = chunk * kChunkBlocks;
    for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
        restore_stream(workspace, index, block);
    }
}

bool FakeKernelAdjoint::live_states(Workspace& workspace, int layer, int chunk) const {
    const ModelConfig& config = pass_.network().effective.config;
    restore_chunk(workspace, layer, chunk);
    const BlockBuffer& inputs = workspace.stream(layer);
    for (int head = 0; head < config.heads; ++head) {
        const HeadInput input{inputs.block(chunk * kChunkBlocks) + head * kBlockWidth, inputs.stride()};
        for (int mode = 0; mode < config.modes(); ++mode) {
            scan_states(workspace, layer, chunk, head, input, mode, 1, {workspace.scratch_states.data()});
            const float* after_first_step = workspace.scratch_states.data() + 2 * kLaneWidth;
            if (any_lane(after_first_step, 2 * workspace.chunk_steps(chunk), workspace.lanes)) {
                return true;
            }
        }
    }
    return false;
}

void FakeKernelAdjoint::chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const {
    const EffectiveNetwork& network = pass_.network().effective;
    const BlockBuffer& inputs = workspace.stream(layer);
    const int first = chunk * kChunkBlocks;
    const int blocks = workspace.chunk_blocks(chunk);
    const bool has_codes = pass_.network().options.state.has_grid() && workspace.scratch_codes.size() > 0;
    for (int head = 0; head < network.config.heads; ++head) {
        const KernelView kernel = kernel_view(network, layer, head);
        const KernelGradientView kernel_gradient = kernel_gradient_view(gradient, layer, head, kernel.modes);
        const int offset = head * kBlockWidth;
        HeadInput input{workspace.head_input.data(), kBlockWidth};
        if (!pass_.restore_head_input(workspace, layer, chunk, head)) {
            if (head == 0) {
                restore_chunk(workspace, layer, chunk);
            }
            input = {inputs.block(first) + offset, inputs.stride()};
        }
        const ModeScan* scans = pass_.network().scans_of(layer, head);
        for (int mode = 0; mode < kernel.modes;) {
            const int left = kernel.modes - mode;
            const int modes = left >= kBackwardModes ? kBackwardModes : (left >= 2 ? 2 : 1);
            std::array<float, kBackwardModes> units{};
            bool paired = has_codes;
            for (int at = 0; at < modes; ++at) {
                const ModeScan& scan = scans[mode + at];
                units[static_cast<std::size_t>(at)] = scan.inverse;
                paired = paired && std::max(-scan.low, scan.high) <= kLargestPaired;
            }
            const auto go_back = [&](const auto* states) {
                scan_backward(kernel, mode, modes, input.u, input.stride, workspace.gradient_a.block(first) + offset,
                              workspace.gradient_b.block(first) + offset, workspace.gradient_a.stride(), blocks, states,
                              workspace.adjoint(layer, head), kernel_gradient, units.data());
            };
            const KeptStates states = paired ? KeptStates{nullptr, workspace.scratch_codes.data()}
                                             : KeptStates{workspace.scratch_states.data(), nullptr};
            scan_states(workspace, layer, chunk, head, input, mode, modes, states);
            if (paired) {
                go_back(static_cast<const CodePair*>(states.codes));
            } else {
                go_back(static_cast<const float*>(states.numbers));
            }
            mode += modes;
        }
    }
}

}  // namespace imssa
