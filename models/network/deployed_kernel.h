#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "models/common/lane_matrix.h"
#include "models/network/kernel_options.h"
#include "models/network/pole_codes.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// One head in discrete time: Abar, Bbar, C per mode, D; double precision.
struct DiscreteKernel {
    std::vector<std::complex<double>> abar, bbar, c;
    double d = 0.0;
};

/// Zero-order hold (S4D): Abar = exp(dt A), Bbar = (Abar - 1) / A B.
DiscreteKernel discretize(const LayerParameters& layer, int head);

/// Real units per code around one head's kernel.
struct KernelScales {
    double input = 1.0;             ///< u
    double output = 1.0;            ///< y
    std::vector<double> state;      ///< per mode: largest |x_n| to represent, in the gauge that the options ask for
    std::vector<double> increment;  ///< per mode: largest |x_n,t - x_n,t-1|
    double least_range = 0.0;       ///< of weights, in output codes per input code: what another head needs (`tensor`)
};

/// Digital decay of one mode: the increment (Abar - 1) x as integer coefficients over 2^shift.
struct DigitalPole {
    std::int32_t re = 0, im = 0;  ///< codes of Re and Im of Abar - 1, already aligned to the common shift
    int shift = 0;                ///< increment = round((re * x_re - im * x_im) / 2^shift + input * 2^input_shift)
};

/// One head's kernel in integer codes. Array inputs: x_re_0, x_im_0, x_re_1, ..., then u for the state columns (if the
/// array makes them), then u for the output column (unless the direct term is digital): two rows of u with their own
/// DAC dividers. Array outputs: the state columns (x_re_0, x_im_0, ...; two each with state_range `planes`) if the
/// array makes them, then y.
struct DeployedKernel {
    KernelOptions options;
    QuantizedMatrix array;
    int modes = 0;
    bool array_makes_state = false;     ///< state columns are in the array (fused, or digital decay with B in cells)
    bool array_replaces_state = false;  ///< conversions replace the register (abar_cartesian)
    std::vector<int> increment_shift;   ///< per mode: register lsbs per increment code = 2^shift (array increments)
    std::vector<DigitalPole> poles;     ///< per mode, digital decay only
    LogPolarPoles log_polar;            ///< what the poles are decoded from (abar_log_polar only)
    int input_shift = 0;       ///< folded input: register increment = u_code * 2^input_shift, rounded with the decay's
    int register_limit = 127;  ///< |register code| <= register_limit
    int register_shift = 0;    ///< DAC code = round(register / 2^register_shift)
    float feedthrough = 0.0F;  ///< digital direct term, in y codes per u code
    std::vector<double> state_scale;  ///< per mode: real units per DAC code of the state

    // What the codes stand for, in code units: x' = a x + b u, y = sum (c_re x_re + c_im x_im) + d u with x in DAC
    // codes of the state (b and d per u code; c and d in y codes). Used by the trainer's backward pass.
    std::vector<std::complex<double>> effective_a, effective_b;
    std::vector<double> effective_c_re, effective_c_im;
    double effective_d = 0.0;

    int state_components() const { return 2 * modes; }
    /// Real and imaginary part of Abar have columns of their own (state_range `planes`): x_re from x_re, x_re from
    /// x_im, x_im from x_re, x_im from x_im.
    bool planes() const { return options.state_range == StateRange::planes; }
    /// Range of the array's weights when all columns share it, in output codes per input code.
    double shared_range() const { return static_cast<double>(array.gain.front()) * array.code_limit; }
    /// Columns whose conversions add up to one state component.
    int columns_per_component() const { return planes() ? 2 : 1; }
    int state_columns_per_mode() const { return 2 * columns_per_component(); }
    /// Columns through which x_re (0) or x_im (1) of a mode reaches x_re (0) or x_im (1).
    int state_column(int mode, int from, int to) const {
        return columns_per_component() * (2 * mode + to) + (planes() ? from : 0);
    }
    int output_column() const { return array_makes_state ? state_columns_per_mode() * modes : 0; }
    /// Row of u that drives the state columns, -1 when the array does not make the state.
    int state_input_row() const { return array_makes_state ? 2 * modes : -1; }
    /// Row of u that drives the output column, -1 when the direct term is digital.
    int output_input_row() const { return digital_feedthrough() ? -1 : 2 * modes + (array_makes_state ? 1 : 0); }
    /// The direct term is added behind the ADC by add_feedthrough (with u_t on y_t, in every form).
    bool digital_feedthrough() const { return options.feedthrough == Feedthrough::digital; }
};

/// Throws UserError / NumericalError when the kernel cannot be represented.
DeployedKernel deploy_kernel(const DiscreteKernel& kernel, const KernelScales& scales, const KernelOptions& options,
                             int activation_bits);

/// A kernel of zeros: the lines of its array without any parameters.
DeployedKernel kernel_of_zeros(const KernelOptions& options, int modes);

/// Makes the effective parameters follow the array's codes (for errors that are added to codes).
void refresh_effective(DeployedKernel& kernel);

/// State registers of one head: components x lanes, integer values held as int32.
class StateRegisterFile {
public:
    StateRegisterFile() = default;
    StateRegisterFile(int components, int lanes);
    void clear();
    int components() const { return components_; }
    int lanes() const { return lanes_; }
    int stride() const { return stride_; }
    std::int32_t* row(int component) { return values_.data() + static_cast<std::size_t>(component) * stride_; }
    const std::int32_t* row(int component) const {
        return values_.data() + static_cast<std::size_t>(component) * stride_;
    }
    bool operator==(const StateRegisterFile& other) const { return values_ == other.values_; }

private:
    int components_ = 0, lanes_ = 0, stride_ = 0;
    std::vector<std::int32_t> values_;
};

// Lane-wise pieces of the kernel step, for 16 sequences at a time. The reference inference, the chip's units and the
// trainer's quantized forward pass all call these.

/// DAC code of a register.
inline Lanes state_dac_code(LanesInt reg, float inverse_shift, float dac_limit) {
    return round_half_even(clamp(to_float(reg) * inverse_shift, broadcast(-dac_limit), broadcast(dac_limit)));
}
inline LanesInt clamp_register(LanesInt value, std::int32_t limit) {
    value = value < -limit ? LanesInt{} - limit : value;
    return value > limit ? LanesInt{} + limit : value;
}
/// Accumulate an increment code.
inline LanesInt accumulate_register(LanesInt reg, LanesInt increment_code, int shift, std::int32_t limit) {
    return clamp_register(reg + increment_code * (1 << shift), limit);
}
struct ComplexRegister {
    LanesInt re, im;
};
/// Digital decay: x += round_half_up(((Abar - 1) x + u) in units of 2^-shift), exact in 32 bits (checked at
/// deployment).
inline ComplexRegister decay_register(ComplexRegister x, const DigitalPole& pole, LanesInt input_code, int input_shift,
                                      std::int32_t limit) {
    const std::int32_t input_factor = 1 << (pole.shift + input_shift);
    const std::int32_t half = pole.shift > 0 ? (1 << (pole.shift - 1)) : 0;
    const LanesInt re = x.re * pole.re - x.im * pole.im + input_code * input_factor + half;
    const LanesInt im = x.re * pole.im + x.im * pole.re + half;
    return {clamp_register(x.re + (re >> pole.shift), limit), clamp_register(x.im + (im >> pole.shift), limit)};
}

/// DAC codes of all registers of a head: dac is at least 2*modes channels; rows [0, 2*modes) are written.
void state_dac_codes(const DeployedKernel& kernel, const StateRegisterFile& registers, LaneMatrix& dac);

/// All inputs of one head's array read: DAC codes of the registers and u codes (null: u = 0) on the rows of u.
void load_array_inputs(const DeployedKernel& kernel, const StateRegisterFile& registers, const float* input_codes,
                       LaneMatrix& array_inputs);

/// The digital decay of every mode with the folded input (row `input` holds u codes), or without input when it is null.
void apply_digital_decay(const DeployedKernel& kernel, const float* input_codes, StateRegisterFile& registers);

/// Code of a state component from the conversions of its columns, for 16 sequences from `lane`.
inline LanesInt state_code(const DeployedKernel& kernel, const LaneMatrix& codes, int component, int lane) {
    if (!kernel.planes()) {
        return to_int(load_lanes(codes.row(component) + lane));
    }
    return to_int(load_lanes(codes.row(2 * component) + lane) + load_lanes(codes.row(2 * component + 1) + lane));
}

/// Takes converted state columns into the registers (replace or accumulate).
void update_registers(const DeployedKernel& kernel, const LaneMatrix& codes, StateRegisterFile& registers);

/// Conversions of one head's array. Dithered state rounding uses (sequence key, unit of mode 0, step).
void convert_kernel_outputs(const DeployedKernel& kernel, const LaneMatrix& sums,
                            const std::vector<std::uint32_t>& sequence_keys, std::uint32_t first_unit,
                            std::uint32_t step, LaneMatrix& codes);

/// y code with the digital direct term: round(clamp(y + feedthrough * u)). u is that of the same step as y.
void add_feedthrough(const DeployedKernel& kernel, const float* input_codes, float limit, float* output_codes,
                     int lanes);

}  // namespace imssa
