#pragma once

#include <array>
#include <utility>

namespace imssa {

/// Which part of the kernel step x_t = Abar x_{t-1} + Bbar u_t, y_t = 2 Re(C x_t) + D u_t is analog.
/// fused: everything in one array read. digital_decay: the product with Abar in digital multipliers beside the
/// registers.
enum class KernelMapping { fused, digital_decay };

/// What represents the decay: Abar itself, or the increment Abar - 1 that is added to the register.
/// abar_log_polar: log(1 - |Abar|) and the phase as codes of their own bits; a_continuous: A and log dt, quantized
/// before the exponential (QS4D). Both are decoded when the chip is loaded, to wide coefficients of a digital rotator.
enum class StateRepresentation { abar_cartesian, abar_delta, abar_log_polar, a_continuous };

/// Which state the output column reads.
/// immediate: [[Bbar, 2 Re(C Bbar) + D], [Abar, C Abar]] from {u_t ; x_{t-1}} to {x_t ; y_t}.
/// delayed:   [[Bbar, 0], [Abar, C]] from {u_t ; x_{t-1}} to {x_t ; y_{t-1}}; D u_{t-1} is added digitally (published
/// chip). current:   the digital decay updates the registers first, then C reads x_t (digital_decay only).
enum class OutputForm { immediate, delayed, current };

/// Where Bbar is: in cells (analog), or folded into C (the state then accumulates u itself: B = 1).
enum class InputMatrix { cells, folded };

/// Where the direct term from u_t to y_t is (D, with the immediate form 2 Re(C Bbar) + D): a row of cells, or a digital
/// multiply behind the ADC, which leaves the whole conductance range of the output column to C.
enum class Feedthrough { cells, digital };

/// What a state register does with a conversion: take it over, or add it as an increment.
enum class RegisterUpdate { replace, accumulate };

enum class StateRounding { nearest, dithered };

/// Shared range of a group: all heads, one head, or one (head, mode).
enum class ScaleGranularity { tensor, head, mode };

/// Conductance range of arrays: one for those of all heads of a layer, one for each, or one per output column (a
/// digital gain behind the ADC). Of a dense matrix `tensor` and `array` are the same.
enum class WeightRange { tensor, array, column };

/// Conductance range of the state columns of a fused array with one range per column: one per mode (its 2x2 block stays
/// a complex number), one for all modes of a head, or one each for the real and the imaginary part of a mode. The parts
/// then sit in columns of their own, whose conversions are added digitally.
enum class StateRange { mode, head, planes };

constexpr std::array<std::pair<const char*, KernelMapping>, 2> enum_names(KernelMapping) {
    return {{{"fused", KernelMapping::fused}, {"digital_decay", KernelMapping::digital_decay}}};
}
constexpr std::array<std::pair<const char*, StateRepresentation>, 4> enum_names(StateRepresentation) {
    return {{{"abar_cartesian", StateRepresentation::abar_cartesian},
             {"abar_delta", StateRepresentation::abar_delta},
             {"abar_log_polar", StateRepresentation::abar_log_polar},
             {"a_continuous", StateRepresentation::a_continuous}}};
}
constexpr std::array<std::pair<const char*, OutputForm>, 3> enum_names(OutputForm) {
    return {{{"immediate", OutputForm::immediate}, {"delayed", OutputForm::delayed}, {"current", OutputForm::current}}};
}
constexpr std::array<std::pair<const char*, InputMatrix>, 2> enum_names(InputMatrix) {
    return {{{"cells", InputMatrix::cells}, {"folded", InputMatrix::folded}}};
}
constexpr std::array<std::pair<const char*, Feedthrough>, 2> enum_names(Feedthrough) {
    return {{{"cells", Feedthrough::cells}, {"digital", Feedthrough::digital}}};
}
constexpr std::array<std::pair<const char*, RegisterUpdate>, 2> enum_names(RegisterUpdate) {
    return {{{"replace", RegisterUpdate::replace}, {"accumulate", RegisterUpdate::accumulate}}};
}
constexpr std::array<std::pair<const char*, StateRounding>, 2> enum_names(StateRounding) {
    return {{{"nearest", StateRounding::nearest}, {"dithered", StateRounding::dithered}}};
}
constexpr std::array<std::pair<const char*, ScaleGranularity>, 3> enum_names(ScaleGranularity) {
    return {{{"tensor", ScaleGranularity::tensor}, {"head", ScaleGranularity::head}, {"mode", ScaleGranularity::mode}}};
}
constexpr std::array<std::pair<const char*, StateRange>, 3> enum_names(StateRange) {
    return {{{"mode", StateRange::mode}, {"head", StateRange::head}, {"planes", StateRange::planes}}};
}
constexpr std::array<std::pair<const char*, WeightRange>, 3> enum_names(WeightRange) {
    return {{{"tensor", WeightRange::tensor}, {"array", WeightRange::array}, {"column", WeightRange::column}}};
}

/// How one S4D kernel step is put on hardware, and with how many bits.
struct KernelOptions {
    KernelMapping mapping = KernelMapping::digital_decay;
    StateRepresentation representation = StateRepresentation::abar_delta;
    OutputForm form = OutputForm::current;
    InputMatrix input_matrix = InputMatrix::folded;
    Feedthrough feedthrough = Feedthrough::digital;
    RegisterUpdate registers = RegisterUpdate::accumulate;
    StateRounding rounding = StateRounding::nearest;
    ScaleGranularity state_scale = ScaleGranularity::head;
    WeightRange weight_range = WeightRange::column;
    StateRange state_range = StateRange::mode;
    int a_bits = 8;          ///< codes of Abar or Abar - 1, in cells or in digital multipliers
    int weight_bits = 8;     ///< codes of all other cells
    int state_bits = 8;      ///< DAC of the state, ADC of the state or of its increment
    int register_bits = 16;  ///< state register when it accumulates
    int magnitude_bits = 4;  ///< abar_log_polar: code of log(1 - |Abar|)
    int phase_bits = 8;      ///< abar_log_polar: code of arg(Abar)
    int step_bits = 8;       ///< a_continuous: code of log dt (a_bits: of Re A and of Im A)
    int d_bits = 0;          ///< digital direct term; 0: not quantized

    /// Throws UserError when the combination makes no sense, with the reason.
    void validate() const;

    /// Bits of the state register: state_bits when conversions replace it.
    int effective_register_bits() const { return registers == RegisterUpdate::replace ? state_bits : register_bits; }
    /// Width of the coefficients that multiply the state registers: what decoded codes need to be exact enough.
    int decay_bits() const { return representation == StateRepresentation::abar_delta ? a_bits : kRotatorBits; }
    static constexpr int kRotatorBits = 16;
    bool operator==(const KernelOptions& other) const;
};

template <class Visitor>
void visit_fields(Visitor& visit, KernelOptions& options) {
    visit("mapping", options.mapping);
    visit("representation", options.representation);
    visit("form", options.form);
    visit("input_matrix", options.input_matrix);
    visit("feedthrough", options.feedthrough);
    visit("registers", options.registers);
    visit("rounding", options.rounding);
    visit("state_scale", options.state_scale);
    visit("weight_range", options.weight_range);
    visit("state_range", options.state_range);
    visit("a_bits", options.a_bits);
    visit("weight_bits", options.weight_bits);
    visit("state_bits", options.state_bits);
    visit("register_bits", options.register_bits);
    visit("magnitude_bits", options.magnitude_bits);
    visit("phase_bits", options.phase_bits);
    visit("step_bits", options.step_bits);
    visit("d_bits", options.d_bits);
}

}  // namespace imssa
