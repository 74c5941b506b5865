#pragma once

#include <cstdint>

#include "models/network/parameters.h"
#include "trainer/convolution.h"
#include "trainer/effective_network.h"
#include "trainer/evaluation_mode.h"
#include "trainer/fake_quantizer.h"
#include "trainer/mode_scan.h"

namespace imssa {

class ObservedBounds;

/// Quantization of real numbers in training, each group with a quantizer and bits of its own. No chip form has these
/// quantizers: a model trained with them is deployed after a fine-tuning with precision 'quantized'.
struct FakeQuantization {
    QuantizerOptions a_re, a_im, step;  ///< Re A, Im A, log dt in continuous time, before the exponential (QS4D)
    QuantizerOptions abar, bbar;        ///< after discretization, real and imaginary parts on one grid (Zhao et al.)
    QuantizerOptions c, d;
    /// In the recurrence, at every step. As a convolution, the indirect quantization of QS4D: impulse response and
    /// kernel input with half the levels, so one bit less (max_scale: 2^(bits-1) + 1 levels).
    QuantizerOptions state;
    QuantizerOptions activations;  ///< encoder, kernel, activation, mixing and layer outputs
    QuantizerOptions mixing, encoder, decoder, biases;
    double state_limit = 0.0;   ///< Re and Im of the state are clipped to +-this every step (Zhao et al.: 50); 0: not
    double output_limit = 0.0;  ///< 2 Re(C x) is clipped to +-this ahead of D u (Zhao et al.: 1000); 0: not
    /// Abar x and Bbar u are each put on a grid of state.bits ahead of their sum (Zhao et al.), and 2 Re(C x) on one of
    /// activations.bits ahead of D u. Abar x: the grid of the state; Bbar u: up to the largest component of Bbar that
    /// shares the scale times the calibrated largest input; 2 Re(C x): the calibrated range of y, widened by the
    /// largest |D u|.
    bool requantize_products = false;

    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, FakeQuantization& c) {
    visit.table("a_re", c.a_re);
    visit.table("a_im", c.a_im);
    visit.table("step", c.step);
    visit.table("abar", c.abar);
    visit.table("bbar", c.bbar);
    visit.table("c", c.c);
    visit.table("d", c.d);
    visit.table("state", c.state);
    visit.table("activations", c.activations);
    visit.table("mixing", c.mixing);
    visit.table("encoder", c.encoder);
    visit.table("decoder", c.decoder);
    visit.table("biases", c.biases);
    visit("state_limit", c.state_limit);
    visit("output_limit", c.output_limit);
    visit("requantize_products", c.requantize_products);
}

/// Grids of one layer's numbers that change with time.
struct FakeLayerGrids {
    std::vector<QuantizerGrid> state;  ///< heads x modes
    std::vector<float> state_range;    ///< full scale of each, for noise
    std::vector<ModeScan> scans;       ///< what a step of each takes
    QuantizerGrid recurrent_output;    ///< of 2 Re(C x), where products are requantized
    QuantizerGrid input;               ///< convolution: of the kernels' input
    ImpulseResponses responses;        ///< convolution: of every head, on their grids
    QuantizerGrid kernel_output, activation, mixing, output;
    float kernel_output_range = 0.0F;  ///< full scale, for noise
};

/// 0 where a clipped number of a layer passes no gradient, 1 elsewhere; heads x modes.
struct DiscreteMasks {
    MatrixRM a_re, a_im, b_re, b_im;
};

/// A network of one optimisation step whose numbers lie on the grids of a FakeQuantization.
struct FakeNetwork {
    FakeQuantization options;
    EvaluationMode mode = EvaluationMode::recurrent;
    EffectiveNetwork effective;  ///< B kept apart from C (input_is_folded is false)
    QuantizerGrid encoder;
    std::vector<FakeLayerGrids> layers;
    NetworkParameters used;                     ///< parameters with continuous A and dt on their grids
    NetworkParameters mask;                     ///< 0 where a clipped number passes no gradient, 1 elsewhere
    std::vector<DiscreteMasks> discrete_masks;  ///< of Abar and Bbar, one a layer

    /// Grid of the input of a layer, or of the last one's output.
    const QuantizerGrid& stream_grid(int index) const {
        return index == 0 ? encoder : layers[static_cast<std::size_t>(index - 1)].output;
    }
    /// The modes of a head.
    const ModeScan* scans_of(int layer, int head) const {
        return layers[static_cast<std::size_t>(layer)].scans.data() +
               static_cast<std::size_t>(head) * static_cast<std::size_t>(effective.config.modes());
    }
};

/// Quantizes parameters (QS4D before, Zhao after discretization) and makes the grids of states and activations from the
/// calibrated ranges. `seed` keys stochastic rounding and the errors of standard deviation `a_noise` that continuous A
/// gets after its quantization (QS4D). `bounds` are needed where needs_bounds says so;
/// `statistics` batch: for gradients of a float phase with batch norm. Throws NumericalError naming a
/// dead tensor.
FakeNetwork fake_network(const ModelConfig& config, const NetworkParameters& parameters,
                         const CalibrationRanges& ranges, const FakeQuantization& options, int steps,
                         std::uint64_t seed, double a_noise = 0.0, EvaluationMode mode = EvaluationMode::recurrent,
                         const ObservedBounds* bounds = nullptr, NormStatistics statistics = NormStatistics::running);

/// The quantizer of impulse responses and kernel inputs that goes with states of `state`: half the levels (QS4D).
QuantizerOptions indirect_state_quantizer(const QuantizerOptions& state);

/// Throws UserError where a scale would hold one number only, which it then represents exactly: a quantizer that does
/// nothing.
void check_scales(const FakeQuantization& options, const ModelConfig& model);

/// Whether any group is quantized.
bool any_active(const FakeQuantization& options);

/// Throws UserError for what states have and convolutions have not.
void check_convolution(const FakeQuantization& options);

/// Straight-through estimator: gradient of the network's effective tensors to that of `parameters`.
void fake_parameter_gradient(const FakeNetwork& network, const NetworkParameters& parameters,
                             const EffectiveTensors& effective, Parameterization parameterization,
                             NetworkParameters& gradient);

}  // namespace imssa
