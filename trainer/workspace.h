#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/network/parameters.h"
#include "trainer/block_scan.h"
#include "trainer/code_pair.h"
#include "trainer/convolution.h"
#include "trainer/dropout.h"
#include "trainer/lane_buffer.h"
#include "trainer/lane_mask.h"
#include "trainer/narrow_codes.h"

namespace imssa {

/// Blocks of as many channels as there are heads that later work reads or writes, to be fetched from memory meanwhile
/// (null: none).
struct BlocksAhead {
    std::array<const float*, 3> blocks{};

    void prefetch(int at) const {
        for (const float* block : blocks) {
            if (block != nullptr) {
                __builtin_prefetch(block + at);
            }
        }
    }
};

/// What one layer leaves behind in the forward pass for the backward pass.
struct LayerTrace {
    BlockBuffer kernel_output;           ///< y: real, or codes; one chunk only where something else is kept
    Blocks<NarrowCode> output_codes;     ///< quantized training: codes of y
    BlockBuffer activation;              ///< act(y)
    BlockBuffer slope;                   ///< d act / d y, zero where y is at its limit
    BlockBuffer kernel_input;            ///< convolution: u on its grid, the whole sequence
    BlockBuffer kernel_output_gradient;  ///< convolution training: of the whole sequence
    ImpulseResponses response_gradient;  ///< convolution training
    BlockBuffer mixing;                  ///< mixing outputs (kept for a GLU and for limits; otherwise one chunk)
    /// Quantized without a GLU: which mixing and output codes are below their limit, [block][head][8].
    AlignedArray<LaneMask> mixing_inside, out_inside;
    BlockBuffer normalized;                 ///< layer norm before gamma and beta; without a norm the sum itself
    AlignedArray<float> inverse_deviation;  ///< [block][8][16]
    AlignedArray<float> states;             ///< state at the start of every chunk: [chunk][head][mode][re, im][16]
    AlignedArray<std::int32_t> registers;   ///< the same in register codes (quantized mode)
    BlockBuffer state_ranges;     ///< dynamic ranges of the states, two numbers a head; made by the first pass with any
    AlignedArray<float> adjoint;  ///< [head][mode][re, im][16], carried backward from chunk to chunk
    AlignedArray<float> gamma_gradient, beta_gradient;  ///< [head][16]
};

/// Blocks that the gradient of the mixing takes at once; whole chunks would leave the second-level cache.
constexpr int kMixingGradientBlocks = 2;
static_assert(kChunkBlocks % kMixingGradientBlocks == 0);

/// All memory that the forward and backward pass of 16 sequences needs; one a thread, allocated once.
class Workspace {
public:
    enum class Purpose {
        inference,       ///< what is needed within one layer only is kept for one block, so that it stays in the cache
        evaluation,      ///< everything is kept for one chunk, for observers
        calibration,     ///< as evaluation, with the states at the start of every chunk
        float_training,  ///< activations and inputs of layers are made again in the backward pass
        batch_norm_training,  ///< as float_training, with the gradients of whole sequences
        quantized_evaluation,
        quantized,      ///< as float_training, from the codes of inputs and kernel outputs
        fake_training,  ///< as float_training, on grids
        convolution_evaluation,
        convolution_training,
        convolution_batch_norm_training  ///< as convolution_training, with the gradients of whole sequences
    };

    Workspace(const ModelConfig& config, int steps, Purpose purpose);

    /// Takes up to 16 sequences of steps x channels values; lanes beyond `lanes`, and steps beyond the length of a
    /// sequence (`lengths`: one a lane; null: all have `steps`), become zero.
    void load_inputs(const float* const* sequences, int lanes, const int* lengths = nullptr);

    int chunk_blocks(int chunk) const { return std::min(kChunkBlocks, blocks - chunk * kChunkBlocks); }
    /// Steps of a chunk that belong to the sequence.
    int chunk_steps(int chunk) const {
        return std::min(chunk_blocks(chunk) * kBlockSteps, steps - chunk * kChunkBlocks * kBlockSteps);
    }
    /// Steps of a block that belong to the sequence (fewer than 8 only in the last one).
    int valid_steps(int block) const { return std::min(kBlockSteps, steps - block * kBlockSteps); }
    /// 1 in the lanes that hold a sequence with this step, 0 in the others.
    Lanes present(int step) const {
        Lanes inside = static_cast<float>(step) < load_lanes(lengths.data()) ? broadcast(1.0F) : Lanes{};
        for (int lane = lanes; lane < kLaneWidth; ++lane) {
            inside[lane] = 0.0F;
        }
        return inside;
    }
    /// 1 in the lanes whose pooling counts this step, 0 in the others.
    Lanes pooled_step(int step) const {
        const Lanes after = load_lanes(lengths.data()) - static_cast<float>(step);
        const Lanes counts = after > 0.0F ? broadcast(1.0F) : Lanes{};
        if (config.pooling == Pooling::last) {
            return after > 1.0F ? Lanes{} : counts;
        }
        return counts;
    }
    /// Input of a layer, or the output of the last.
    BlockBuffer& stream(int index) { return streams_[static_cast<std::size_t>(index) % streams_.size()]; }
    /// Quantized training: codes of the same, of the whole sequence.
    Blocks<NarrowCode>& stream_codes(int index) { return stream_codes_[static_cast<std::size_t>(index)]; }
    bool keeps_codes() const { return !stream_codes_.empty(); }
    BlockBuffer& activation_of(int layer) {
        return restores ? activation : trace[static_cast<std::size_t>(layer)].activation;
    }
    /// What the backward pass reads after this block of a layer.
    BlocksAhead ahead_of_backward(int layer, int block) const;
    float* states(int layer, int chunk, int head) {
        return trace[static_cast<std::size_t>(layer)].states.data() + place(chunk, head);
    }
    std::int32_t* registers(int layer, int chunk, int head) {
        return trace[static_cast<std::size_t>(layer)].registers.data() + place(chunk, head);
    }
    float* adjoint(int layer, int head) {
        return trace[static_cast<std::size_t>(layer)].adjoint.data() + place(0, head);
    }
    float* block_kernel_gradient(int layer, int head) {
        return block_kernel_gradients.data() +
               (static_cast<std::size_t>(layer) * config.heads + head) * BlockKernelLayout{config.modes()}.size();
    }

    ModelConfig config;
    int steps = 0, blocks = 0, chunks = 0;
    std::array<float, kLaneWidth> lengths{};  ///< steps of each lane's sequence
    int lanes = kLaneWidth;                   ///< that hold a sequence
    bool keeps_states = false;                ///< a checkpoint a chunk; otherwise states are updated in place
    BlockBuffer input;                        ///< channels
    bool restores = false;   ///< inputs of layers (one chunk), activation and slope (a block) are made again backward
    Dropout dropout;         ///< of the last forward pass in float
    BlockBuffer activation;  ///< where it is made again: of the layer at work
    std::vector<LayerTrace> trace;
    AlignedArray<float> pooled_sums;      ///< [head][16] sums over steps
    AlignedArray<float> pooled;           ///< [head][16]
    AlignedArray<float> logits;           ///< [class][16]
    AlignedArray<float> logit_gradient;   ///< [class][16]
    AlignedArray<float> pooled_gradient;  ///< [head][16]
    /// Gradients of layer outputs (then of kernel outputs, in their place) and inputs, one chunk.
    BlockBuffer gradient_a, gradient_b;
    BlockBuffer mixing_gradient;                 ///< mixing_outputs, kMixingGradientBlocks
    AlignedArray<float> head_input;              ///< where inputs are made again: of one head over a chunk
    AlignedArray<float> scratch_states;          ///< states of some modes of a head over a chunk
    AlignedArray<CodePair> scratch_codes;        ///< fake training: the same in codes
    AlignedArray<std::int32_t> scratch_pairs;    ///< quantized: DAC codes of some modes of a head over a chunk
    AlignedArray<float> block_kernel_gradients;  ///< float training: BlockKernelLayout of every layer and head

private:
    /// Input of every layer, then the output of the last; where they are made again, of the layer at work.
    std::vector<BlockBuffer> streams_;
    std::vector<Blocks<NarrowCode>> stream_codes_;

    std::size_t place(int chunk, int head) const {
        const std::size_t per_head = static_cast<std::size_t>(config.modes()) * 2 * kLaneWidth;
        return (static_cast<std::size_t>(keeps_states ? chunk : 0) * config.heads + head) * per_head;
    }
};

}  // namespace imssa
