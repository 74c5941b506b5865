#include <algorithm>
#include <cmath>

#include "models/network/deployed_kernel.h"
#include "models/network/quantizer.h"

namespace imssa {

StateRegisterFile::StateRegisterFile(int components, int lanes)
    : components_(components),
      lanes_(lanes),
      stride_(padded_lanes(lanes)),
      values_(static_cast<std::size_t>(components) * padded_lanes(lanes), 0) {}

void StateRegisterFile::clear() {
    std::fill(values_.begin(), values_.end(), 0);
}

void state_dac_codes(const DeployedKernel& kernel, const StateRegisterFile& registers, LaneMatrix& dac) {
    const float inverse_shift = std::ldexp(1.0F, -kernel.register_shift);
    const float limit = static_cast<float>(code_limit(kernel.options.state_bits));
    for (int component = 0; component < kernel.state_components(); ++component) {
        for (int lane = 0; lane < registers.stride(); lane += kLaneWidth) {
            store_lanes(dac.row(component) + lane,
                        state_dac_code(load_lanes_int(registers.row(component) + lane), inverse_shift, limit));
        }
    }
}

void load_array_inputs(const DeployedKernel& kernel, const StateRegisterFile& registers, const float* input_codes,
                       LaneMatrix& array_inputs) {
    state_dac_codes(kernel, registers, array_inputs);
    for (const int row : {kernel.state_input_row(), kernel.output_input_row()}) {
        if (row < 0) {
            continue;
        }
        for (int lane = 0; lane < array_inputs.stride(); lane += kLaneWidth) {
            store_lanes(array_inputs.row(row) + lane,
                        input_codes == nullptr ? Lanes{} : load_lanes(input_codes + lane));
        }
    }
}

void apply_digital_decay(const DeployedKernel& kernel, const float* input_codes, StateRegisterFile& registers) {
    for (int mode = 0; mode < kernel.modes; ++mode) {
        const DigitalPole& pole = kernel.poles[static_cast<std::size_t>(mode)];
        for (int lane = 0; lane < registers.stride(); lane += kLaneWidth) {
            const bool folded = input_codes != nullptr && kernel.options.input_matrix == InputMatrix::folded;
            const LanesInt input = folded ? to_int(load_lanes(input_codes + lane)) : LanesInt{};
            const ComplexRegister before = {load_lanes_int(registers.row(2 * mode) + lane),
                                            load_lanes_int(registers.row(2 * mode + 1) + lane)};
            const ComplexRegister after =
                decay_register(before, pole, input, folded ? kernel.input_shift : -pole.shift, kernel.register_limit);
            store_lanes_int(registers.row(2 * mode) + lane, after.re);
            store_lanes_int(registers.row(2 * mode + 1) + lane, after.im);
        }
    }
}

void update_registers(const DeployedKernel& kernel, const LaneMatrix& codes, StateRegisterFile& registers) {
    for (int component = 0; component < kernel.state_components(); ++component) {
        const int shift = kernel.increment_shift[static_cast<std::size_t>(component / 2)];
        for (int lane = 0; lane < registers.stride(); lane += kLaneWidth) {
            std::int32_t* at = registers.row(component) + lane;
            const LanesInt code = state_code(kernel, codes, component, lane);
            store_lanes_int(at, kernel.array_replaces_state
                                    ? clamp_register(code, kernel.register_limit)
                                    : accumulate_register(load_lanes_int(at), code, shift, kernel.register_limit));
        }
    }
}

void convert_kernel_outputs(const DeployedKernel& kernel, const LaneMatrix& sums,
                            const std::vector<std::uint32_t>& sequence_keys, std::uint32_t first_unit,
                            std::uint32_t step, LaneMatrix& codes) {
    if (kernel.options.rounding == StateRounding::nearest || !kernel.array_makes_state) {
        convert_all(kernel.array, sums, codes);
        return;
    }
    const QuantizedMatrix& array = kernel.array;
    for (int lane = 0; lane < sums.stride(); lane += kLaneWidth) {
        LanesUint keys;
        std::copy_n(sequence_keys.begin() + lane, kLaneWidth, reinterpret_cast<std::uint32_t*>(&keys));
        for (int mode = 0; mode < kernel.modes; ++mode) {
            const DitherPair dither =
                dither_pair(keys, dither_unit_key(first_unit + static_cast<std::uint32_t>(mode)), step);
            for (int part = 0; part < 2; ++part) {
                const int column = 2 * mode + part;
                const std::size_t at = static_cast<std::size_t>(column);
                store_lanes(codes.row(column) + lane,
                            convert_dithered(load_lanes(sums.row(column) + lane), array.gain[at], array.offset[at],
                                             array.output_limit[at], part == 0 ? dither.re : dither.im));
            }
        }
        const int column = kernel.output_column();
        const std::size_t at = static_cast<std::size_t>(column);
        store_lanes(codes.row(column) + lane, convert(load_lanes(sums.row(column) + lane), array.gain[at],
                                                      array.offset[at], array.output_limit[at]));
    }
}

void add_feedthrough(const DeployedKernel& kernel, const float* input_codes, float limit, float* output_codes,
                     int lanes) {
    for (int lane = 0; lane < padded_lanes(lanes); lane += kLaneWidth) {
        const Lanes sum = load_lanes(output_codes + lane) + load_lanes(input_codes + lane) * kernel.feedthrough;
        store_lanes(output_codes + lane, convert(sum, 1.0F, 0.0F, limit));
    }
}

}  // namespace imssa
