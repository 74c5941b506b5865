#include "trainer/workspace.h"

#include "trainer/kernel_scan.h"

namespace imssa {

namespace {

bool trains(Workspace::Purpose purpose) {
    using Purpose = Workspace::Purpose;
    return purpose == Purpose::float_training || purpose == Purpose::batch_norm_training ||
           purpose == Purpose::quantized || purpose == Purpose::fake_training ||
           purpose == Purpose::convolution_training || purpose == Purpose::convolution_batch_norm_training;
}

}  // namespace

Workspace::Workspace(const ModelConfig& model, int sequence_steps, Purpose purpose)
    : config(model),
      steps(sequence_steps),
      blocks((sequence_steps + kBlockSteps - 1) / kBlockSteps),
      chunks((blocks + kChunkBlocks - 1) / kChunkBlocks),
      keeps_states(trains(purpose) || purpose == Purpose::calibration) {
    const bool keeps_codes = purpose == Purpose::quantized;
    restores = purpose == Purpose::float_training || purpose == Purpose::fake_training || keeps_codes;
    const int heads = config.heads;
    const int outputs = config.mixing_outputs();
    const bool goes_back = trains(purpose);
    const int kept = goes_back ? blocks : kChunkBlocks;
    const bool infers = purpose == Purpose::inference || purpose == Purpose::quantized_evaluation;
    const int kept_within = infers ? 1 : kept;
    const bool keeps_masks = keeps_codes && !config.glu;
    const bool keeps_mixing = goes_back && !keeps_masks && (config.glu || !restores);
    const bool convolution = purpose == Purpose::convolution_evaluation || purpose == Purpose::convolution_training ||
                             purpose == Purpose::convolution_batch_norm_training;
    const bool batch_norm =
        purpose == Purpose::batch_norm_training || purpose == Purpose::convolution_batch_norm_training;
    input = BlockBuffer(config.channels, blocks);
    if (restores) {
        activation = BlockBuffer(heads, kMixingGradientBlocks);
    }
    constexpr int kInAndOut = 2;
    for (int index = 0; index < (restores ? kInAndOut : config.layers + 1); ++index) {
        streams_.emplace_back(heads, convolution ? blocks : (restores ? kChunkBlocks : kept));
    }
    for (int index = 0; keeps_codes && index <= config.layers; ++index) {
        stream_codes_.emplace_back(heads, blocks);
    }
    const std::size_t state_size = static_cast<std::size_t>(heads) * config.modes() * 2 * kLaneWidth;
    const std::size_t checkpoints = keeps_states ? static_cast<std::size_t>(chunks) + 1 : 1;
    for (int index = 0; index < config.layers; ++index) {
        LayerTrace layer;
        layer.kernel_output = BlockBuffer(heads, restores && !keeps_codes ? blocks : kChunkBlocks);
        layer.output_codes = keeps_codes ? Blocks<NarrowCode>(heads, blocks) : Blocks<NarrowCode>();
        layer.activation = restores ? BlockBuffer() : BlockBuffer(heads, kept_within);
        layer.slope = BlockBuffer(heads, restores ? 1 : kept_within);
        layer.mixing =
            BlockBuffer(outputs, keeps_mixing ? blocks : (restores ? 1 : std::min(kept_within, kChunkBlocks)));
        if (keeps_masks) {
            const std::size_t vectors = static_cast<std::size_t>(blocks) * heads * kBlockSteps;
            layer.mixing_inside = AlignedArray<LaneMask>(vectors);
            layer.out_inside = AlignedArray<LaneMask>(vectors);
        }
        layer.normalized = BlockBuffer(heads, kept_within);
        layer.inverse_deviation = AlignedArray<float>(static_cast<std::size_t>(blocks) * kBlockWidth);
        if (purpose == Purpose::quantized || purpose == Purpose::quantized_evaluation) {
            layer.registers = AlignedArray<std::int32_t>(state_size * checkpoints);
        } else if (convolution) {
            layer.kernel_input = BlockBuffer(heads, blocks);
            if (goes_back) {
                layer.kernel_output_gradient = BlockBuffer(heads, blocks);
                layer.response_gradient = ImpulseResponses(heads, steps);
            }
        } else {
            layer.states = AlignedArray<float>(state_size * checkpoints);
        }
        if (goes_back) {
            layer.adjoint = AlignedArray<float>(state_size);
            layer.gamma_gradient = AlignedArray<float>(static_cast<std::size_t>(heads) * kLaneWidth);
            layer.beta_gradient = AlignedArray<float>(static_cast<std::size_t>(heads) * kLaneWidth);
        }
        trace.push_back(std::move(layer));
    }
    const std::size_t head_lanes = static_cast<std::size_t>(heads) * kLaneWidth;
    const std::size_t class_lanes = static_cast<std::size_t>(config.classes) * kLaneWidth;
    pooled_sums = AlignedArray<float>(head_lanes);
    pooled = AlignedArray<float>(head_lanes);
    pooled_gradient = AlignedArray<float>(head_lanes);
    logits = AlignedArray<float>(class_lanes);
    logit_gradient = AlignedArray<float>(class_lanes);
    scratch_states = AlignedArray<float>(std::max(
        {kBlockScratch, static_cast<std::size_t>(kChunkBlocks * kBlockSteps + 1) * kBackwardModes * 2 * kLaneWidth,
         static_cast<std::size_t>(config.modes()) * 2 * kLaneWidth}));
    const std::size_t kept_pairs =
        static_cast<std::size_t>(kChunkBlocks * kBlockSteps + 1) * kBackwardModes * kLaneWidth;
    if (keeps_codes) {
        scratch_pairs = AlignedArray<std::int32_t>(kept_pairs);
    } else if (purpose == Purpose::fake_training) {
        scratch_codes = AlignedArray<CodePair>(kept_pairs);
    }
    if (restores) {
        head_input = AlignedArray<float>(static_cast<std::size_t>(kChunkBlocks) * kBlockWidth);
    }
    if (purpose == Purpose::float_training || purpose == Purpose::batch_norm_training) {
        block_kernel_gradients = AlignedArray<float>(static_cast<std::size_t>(config.layers) * heads *
                                                     BlockKernelLayout{config.modes()}.size());
    }
    if (goes_back) {
        const int gradient_blocks = batch_norm ? blocks : kChunkBlocks;
        gradient_a = BlockBuffer(heads, gradient_blocks);
        gradient_b = BlockBuffer(heads, gradient_blocks);
        mixing_gradient = BlockBuffer(outputs, kMixingGradientBlocks);
    }
}

BlocksAhead Workspace::ahead_of_backward(int layer, int block) const {
    const int chunk = block / kChunkBlocks;
    const int first = chunk * kChunkBlocks;
    int next_layer = layer, next_block = block + 1;
    if (next_block == first + chunk_blocks(chunk)) {
        next_layer = layer > 0 ? layer - 1 : config.layers - 1;
        next_block = layer > 0 ? first : std::max(first - kChunkBlocks, 0);
    }
    const LayerTrace& next = trace[static_cast<std::size_t>(next_layer)];
    if (restores) {
        return {{keeps_codes() ? nullptr : next.kernel_output.block(next_block), next.normalized.block(next_block)}};
    }
    return {{next.activation.block(next_block), next.slope.block(next_block), next.normalized.block(next_block)}};
}

void Workspace::load_inputs(const float* const* sequences, int sequence_count, const int* sequence_lengths) {
    lanes = sequence_count;
    const int channels = config.channels;
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        const int length = sequence_lengths != nullptr && lane < lanes ? sequence_lengths[lane] : steps;
        lengths[static_cast<std::size_t>(lane)] = static_cast<float>(length);
        for (int block = 0; block < blocks; ++block) {
            float* to = input.block(block) + lane;
            const int valid = std::min(kBlockSteps, length - block * kBlockSteps);
            for (int channel = 0; channel < channels; ++channel) {
                for (int step = 0; step < kBlockSteps; ++step) {
                    const bool present = lane < lanes && step < valid;
                    to[channel * kBlockWidth + step * kLaneWidth] =
                        present
                            ? sequences[lane][static_cast<std::size_t>(block * kBlockSteps + step) * channels + channel]
                            : 0.0F;
                }
            }
        }
    }
}

}  // namespace imssa
