#pragma once

#include <cstdint>

#include "trainer/fake_quantization.h"
#include "trainer/network_pass.h"
#include "trainer/observed_bounds.h"
#include "trainer/pass_noise.h"

namespace imssa {

/// Largest magnitudes over the modes of a head, before every rounding of its states (RangeSource::dynamic), or their
/// least and their greatest component (asymmetric): 8 x 16 numbers a block, blocks `stride` floats apart.
struct StateRanges {
    float* at = nullptr;
    float* greatest = nullptr;
    std::size_t stride = 0;

    /// Of a head so many further.
    StateRanges head(int index) const {
        const int offset = index * kBlockWidth;
        return at == nullptr ? StateRanges{} : StateRanges{at + offset, greatest + offset, stride};
    }
    /// Of one head from a block on; none where `kept` holds nothing.
    static StateRanges of(BlockBuffer& kept, int block, int head) {
        if (kept.channels() == 0) {
            return {};
        }
        float* least = kept.block(block) + head * kBlockWidth;
        return {least, least + kept.channels() / 2 * kBlockWidth, kept.stride()};
    }
};

/// Where a scan keeps the states before and after every step, in units of ModeScan::inverse: as numbers, laid out as by
/// scan_states, or as codes, which must then be at most kLargestPaired. Null: nowhere.
struct KeptStates {
    float* numbers = nullptr;
    CodePair* codes = nullptr;

    bool any() const { return numbers != nullptr || codes != nullptr; }
};

/// What FakePass::scan goes over: some modes of a head, over consecutive blocks.
struct ScanRequest {
    int layer = 0, head = 0;
    int heads = 1;  ///< 2: the next head too, whose numbers lie behind; without `states`
    int first_mode = 0;
    int modes = 0;  ///< all of the head where dynamic ranges are made
    LanesUint dither_keys{}, sequences{};
    std::uint32_t first_step = 0;
    const float* u = nullptr;  ///< [block][8][16], the first of the head
    float* y = nullptr;        ///< may be null
    std::size_t stride = 0;    ///< floats from one block of u and y to the next
    int blocks = 0;
    const float* state_in = nullptr;  ///< [mode][re, im][16] of all modes of the head
    float* state_out = nullptr;       ///< likewise; may be null
    KeptStates states;
    StateRanges ranges;                ///< made where y is asked for, and read where it is not
    PassObserver* observer = nullptr;  ///< may be null
};

/// Forward pass of 16 sequences in real numbers on the grids of a FakeNetwork, recurrent, so that the state is
/// quantized at every step: x_t = Q(Abar x_{t-1} + Bbar u_t), with the errors of `noise`; or, in mode convolution,
/// y = Q(k) * Q(u) + D u. Dropout acts on the quantized activation, so that what it leaves is 1 / (1 - p) times a
/// number of the grid. workspace.input -> workspace.logits.
class FakePass {
public:
    FakePass(const FakeNetwork& network, const PassNoise& noise)
        : network_(network), noise_(noise), places_(network.effective.config) {}

    /// `dither_keys` key stochastic rounding, `sequences` the errors. `observer` (may be null) sees the numbers before
    /// their rounding.
    void forward(LanesUint dither_keys, LanesUint sequences, Workspace& workspace,
                 PassObserver* observer = nullptr) const;

    void scan(const ScanRequest& request) const;

    /// One chunk through one layer, whose keys and errors are those of `sequences`. With statistics of the batch,
    /// trace.normalized holds the numbers ahead of the batch norm, and the layer's output is not made.
    void layer_forward(LanesUint dither_keys, LanesUint sequences, int layer, int chunk, Workspace& workspace,
                       PassObserver* observer = nullptr) const;

    /// Makes workspace.stream(index) of one block again, from the input or from trace.normalized of the layer before.
    void restore_stream(LanesUint dither_keys, LanesUint sequences, Workspace& workspace, int index, int block) const;
    /// Likewise of one head over a chunk, in workspace.head_input, where numbers of a head are rounded by themselves.
    bool restore_head_input(Workspace& workspace, int layer, int chunk, int head) const;
    /// Makes activation and slope of one block again from the kernels' outputs.
    void restore_activation(LanesUint dither_keys, LanesUint sequences, Workspace& workspace, int layer,
                            int block) const;
    /// Makes the mixing outputs of one block again from its activation; false where nothing rounds them.
    bool restore_mixing(LanesUint dither_keys, LanesUint sequences, Workspace& workspace, int layer, int block) const;

    const FakeNetwork& network() const { return network_; }

private:
    /// Puts the numbers `from` of one unit on their grid, in `values` (may be `from`); `slope` (may be null) loses what
    /// the grid clips.
    struct Quantized {
        const QuantizerGrid& grid;
        int place;  ///< in ObservedBounds
        int channels;
    };
    struct PassKeys {
        LanesUint dither, sequences;
        PassObserver* observer;
    };
    void quantize(const PassKeys& keys, const Quantized& unit, int block, int valid_steps, const float* from,
                  float* values, float* slope) const;
    /// Rounds workspace.stream(index) of one block.
    void quantize_stream(const PassKeys& keys, int index, int block, Workspace& workspace) const;
    Quantized unit(int layer, const QuantizerGrid& grid, ActivationPlace place, int channels) const;
    /// Kernel outputs of one block to its activation, and its slope unless that is null.
    void activate(const PassKeys& keys, int layer, int block, int valid_steps, const float* y, float* activation,
                  float* slope, const BlocksAhead& ahead) const;
    /// Activation of one block to its mixing outputs.
    void mix(const PassKeys& keys, int layer, int block, int valid_steps, const float* activation, float* mixing) const;
    int observed_state(int layer, int head, int mode) const;
    void convolve_chunk(int layer, int chunk, Workspace& workspace) const;
    void scan_chunk(const PassKeys& keys, int layer, int chunk, Workspace& workspace) const;

    const FakeNetwork& network_;
    PassNoise noise_;
    ObservedBounds places_;
};

/// Backward pass through the kernels of a FakePass, from the states of its scan with the same dither and errors.
class FakeKernelAdjoint final : public KernelAdjoint {
public:
    FakeKernelAdjoint(const FakePass& pass, LanesUint dither_keys, LanesUint sequences);
    void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const override;
    void finish(Workspace& /*workspace*/, EffectiveTensors& /*gradient*/) const override {}
    bool live_states(Workspace& workspace, int layer, int chunk) const override;
    void restore_stream(Workspace& workspace, int index, int block) const override;
    void restore_activation(Workspace& workspace, int layer, int block) const override;
    bool restore_mixing(Workspace& workspace, int layer, int block) const override;

private:
    void restore_chunk(Workspace& workspace, int index, int chunk) const;
    /// Inputs of a head, whose next block lies `stride` floats further.
    struct HeadInput {
        const float* u;
        std::size_t stride;
    };
    void scan_states(Workspace& workspace, int layer, int chunk, int head, const HeadInput& input, int first_mode,
                     int count, KeptStates states) const;

    const FakePass& pass_;
    std::uint32_t dither_keys_[kLaneWidth];
    std::uint32_t sequences_[kLaneWidth];
};

/// Backward pass through the kernels of a FakePass in mode convolution; rounding counts as the identity.
class ConvolutionAdjoint final : public KernelAdjoint {
public:
    explicit ConvolutionAdjoint(const FakeNetwork& network) : network_(network) {}
    void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const override;
    void finish(Workspace& workspace, EffectiveTensors& gradient) const override;
    bool live_states(Workspace& /*workspace*/, int /*layer*/, int /*chunk*/) const override { return true; }

private:
    const FakeNetwork& network_;
};

}  // namespace imssa
