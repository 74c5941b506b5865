#pragma once

#include <cstdint>

#include "trainer/fake_quantization.h"
#include "trainer/network_pass.h"
#include "trainer/noise_config.h"

namespace imssa {

/// Errors of numbers that change with time, of one optimisation step; keyed by (seed, place, sequence, step).
struct PassNoise {
    double activations = 0.0, states = 0.0, input = 0.0;  ///< as in NoiseConfig
    std::uint64_t seed = 0;

    static PassNoise of(const NoiseConfig& noise, std::uint64_t seed) {
        return {noise.activations, noise.states, noise.input, seed};
    }
};

/// Adds N(0, sigma) to the network's input, for the lanes and steps that belong to sequences.
void add_input_noise(const PassNoise& noise, LanesUint sequences, int lanes, Workspace& workspace);

/// Adds N(0, sigma) to the 8 steps of one head's block, from `first_step` on.
void add_block_noise(double sigma, std::uint64_t seed, std::uint32_t place, LanesUint sequences,
                     std::uint32_t first_step, float* values);

/// Place of the errors of one kernel output (unit = layer * heads + head).
std::uint32_t activation_noise_place(int unit);

/// Forward pass of 16 sequences in real numbers on the grids of a FakeNetwork, recurrent, so that the state is
/// quantized at every step: x_t = Q(Abar x_{t-1} + Bbar u_t), with the errors of `noise`; or, in mode convolution,
/// y = Q(k) * Q(u) + D u. workspace.input -> workspace.logits.
class FakePass {
public:
    FakePass(const FakeNetwork& network, const PassNoise& noise) : network_(network), noise_(noise) {}

    /// `dither_keys` key stochastic rounding of the state, `sequences` the errors.
    void forward(LanesUint dither_keys, LanesUint sequences, Workspace& workspace) const;

    /// One head over consecutive blocks; `y` or `states` (count modes, as scan_states lays them out) may be null.
    void scan(int layer, int head, int first_mode, int count, LanesUint dither_keys, LanesUint sequences,
              std::uint32_t first_step, const float* u, float* y, std::size_t stride, int blocks, const float* state_in,
              float* state_out, float* states) const;

    const FakeNetwork& network() const { return network_; }

private:
    void convolve_chunk(int layer, int chunk, Workspace& workspace) const;
    void layer_forward(LanesUint dither_keys, LanesUint sequences, int layer, int chunk, Workspace& workspace) const;

    const FakeNetwork& network_;
    PassNoise noise_;
};

/// Backward pass through the kernels of a FakePass, from the states of its scan with the same dither and errors.
class FakeKernelAdjoint final : public KernelAdjoint {
public:
    FakeKernelAdjoint(const FakePass& pass, LanesUint dither_keys, LanesUint sequences);
    void chunk_backward(Workspace& workspace, int layer, int chunk, EffectiveTensors& gradient) const override;
    void finish(Workspace& /*workspace*/, EffectiveTensors& /*gradient*/) const override {}

private:
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

private:
    const FakeNetwork& network_;
};

}  // namespace imssa
