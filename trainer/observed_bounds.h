#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/network/parameters.h"
#include "trainer/datasets/dataset.h"
#include "trainer/fake_quantization.h"
#include "trainer/workspace.h"

namespace imssa {

/// Numbers between the units of a layer.
enum class ActivationPlace { kernel_output, activation, mixing, output };

/// Lowest and highest number of a quantity; real and imaginary parts of a state count as two numbers.
struct Bounds {
    float low = 0.0F, high = 0.0F;  ///< zero always lies between them
};

/// Bounds of every number of a network that changes with time: encoder, then per layer kernel output, activation,
/// mixing, layer output, and the states of every head and mode (driven by Bbar u).
class ObservedBounds {
public:
    explicit ObservedBounds(const ModelConfig& config);

    static constexpr int encoder() { return 0; }
    int activation(int layer, ActivationPlace place) const;
    int state(int layer, int head, int mode) const;
    /// What feeds the kernels of a layer.
    int kernel_input(int layer) const;

    int count() const { return static_cast<int>(values_.size()); }
    Bounds& operator[](int place) { return values_[static_cast<std::size_t>(place)]; }
    const Bounds& operator[](int place) const { return values_[static_cast<std::size_t>(place)]; }
    /// Of the states that share a scale with one of them.
    Bounds state_bounds(int layer, int head, int mode, ScaleGranularity scale) const;

    void clear();
    /// The wider of both, place by place.
    void join(const ObservedBounds& other);
    /// Exponential moving average, bounds = momentum bounds + (1 - momentum) observed, where `options` ask for it.
    void follow(const ObservedBounds& observed, const FakeQuantization& options);

private:
    int heads_, modes_, layers_;
    std::vector<Bounds> values_;
};

/// Sees the numbers of a FakePass before they are put on their grids.
class PassObserver {
public:
    PassObserver() = default;
    PassObserver(const PassObserver&) = delete;
    PassObserver& operator=(const PassObserver&) = delete;
    virtual ~PassObserver() = default;
    /// `channels` blocks of 8 steps x 16 sequences, of which `steps` belong to the sequence.
    virtual void on_block(int place, const float* values, int channels, int steps) = 0;
    virtual void on_state(int place, Lanes re, Lanes im) = 0;
};

/// Records the bounds of one group of sequences.
class BoundsRecorder final : public PassObserver {
public:
    explicit BoundsRecorder(const ModelConfig& config);
    void start();
    void on_block(int place, const float* values, int channels, int steps) override;
    void on_state(int place, Lanes re, Lanes im) override;
    /// Widens `bounds` to what the first `lanes` sequences showed.
    void finish(int lanes, ObservedBounds& bounds) const;

private:
    AlignedArray<float> low_, high_;  ///< places x 16
};

/// Whether states or activations need bounds: asymmetric ranges, a percentile, or ranges that follow training.
bool needs_bounds(const FakeQuantization& options);
/// Whether any range follows training (an exponential moving average).
bool follows_training(const FakeQuantization& options);

/// Bounds that hold options.percentile of what the first `sequences` sequences show in a pass without quantization
/// (Zhao et al.: 99.999). Asymmetric: percentiles 100 - p and p of the numbers; symmetric: +- percentile p of the
/// magnitudes. Percentiles below 100 come from histograms of 4096 bins, linear within a bin.
ObservedBounds calibrate_bounds(const ModelConfig& config, const NetworkParameters& parameters,
                                const FakeQuantization& options, const Dataset& data, int sequences);

}  // namespace imssa
