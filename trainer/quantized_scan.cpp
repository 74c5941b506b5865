#include "trainer/quantized_scan.h"

#include "models/common/error.h"
#include "models/network/quantizer.h"
#include "trainer/lane_buffer.h"

namespace imssa {

namespace {

/// What a scan does, fixed at compile time.
template <KernelMapping Mapping, OutputForm Form, InputMatrix Input, bool Replace, bool Dithered>
struct Kind {
    static constexpr bool kDigital = Mapping == KernelMapping::digital_decay;
    static constexpr OutputForm kForm = Form;
    static constexpr bool kFolded = Input == InputMatrix::folded;
    static constexpr bool kReplace = Replace;
    static constexpr bool kDithered = Dithered;
    static constexpr bool kArrayMakesState = !kDigital || !kFolded;
};

/// min(max(value, -limit), limit) of registers: clamp_register in two instructions where the machine has them.
inline LanesInt limited(LanesInt value, LanesInt limit) {
#if defined(__AVX512F__)
    const __m512i high = reinterpret_cast<__m512i>(limit);
    const __m512i low = reinterpret_cast<__m512i>(-limit);
    return reinterpret_cast<LanesInt>(_mm512_min_epi32(_mm512_max_epi32(reinterpret_cast<__m512i>(value), low), high));
#else
    value = value < -limit ? -limit : value;
    return value > limit ? limit : value;
#endif
}

/// state_dac_code in fewer instructions where the machine has a clamp by magnitude; the same codes.
inline Lanes dac_code(LanesInt reg, float inverse_shift, float limit) {
#if defined(__AVX512DQ__)
    constexpr int kLesserMagnitude = 0x2;
    const Lanes value = to_float(reg) * inverse_shift;
    return round_half_even(reinterpret_cast<Lanes>(_mm512_range_ps(
        reinterpret_cast<__m512>(value), reinterpret_cast<__m512>(broadcast(limit)), kLesserMagnitude)));
#else
    return state_dac_code(reg, inverse_shift, limit);
#endif
}

/// decay_register of one mode with its constants spread over lanes in advance: the compiler otherwise makes them anew
/// in every step. The same integers; the tests compare with the reference inference code for code.
struct PreparedDecay {
    LanesInt re, im, input_factor, half, shift;

    PreparedDecay() = default;
    PreparedDecay(const DigitalPole& pole, int input_shift)
        : re(LanesInt{} + pole.re),
          im(LanesInt{} + pole.im),
          input_factor(LanesInt{} + (1 << (pole.shift + input_shift))),
          half(LanesInt{} + (pole.shift > 0 ? (1 << (pole.shift - 1)) : 0)),
          shift(LanesInt{} + pole.shift) {}

    /// `input`: input code times input_factor, plus half.
    ComplexRegister apply(ComplexRegister x, LanesInt input, LanesInt limit) const {
        const LanesInt next_re = x.re * re - x.im * im + input;
        const LanesInt next_im = x.re * im + x.im * re + half;
        return {limited(x.re + (next_re >> shift), limit), limited(x.im + (next_im >> shift), limit)};
    }
};

struct ScanPlace {
    LanesUint keys;
    std::uint32_t first_step;
    const float* u;
    float* y;  ///< unused when states are recorded
    std::size_t stride;
    int blocks;
    const std::int32_t* registers_in;
    std::int32_t* registers_out;  ///< may be null
    std::int32_t* states;         ///< may be null
};

/// Converts the state columns of one mode and takes them into its registers.
template <class K>
inline ComplexRegister array_update(const QuantizedKernel& kernel, int mode, ComplexRegister x, Lanes x_re, Lanes x_im,
                                    Lanes u, LanesUint keys, std::uint32_t step) {
    const DeployedKernel& deployed = *kernel.deployed;
    const QuantizedMatrix& array = deployed.array;
    const QuantizedKernel::ModeCells& cells = kernel.cells[static_cast<std::size_t>(mode)];
    const std::size_t re_column = static_cast<std::size_t>(2 * mode);
    const std::size_t im_column = re_column + 1;
    Lanes re_sum = u * cells.u_re;
    Lanes im_sum = u * cells.u_im;
    if constexpr (!K::kDigital) {
        re_sum = multiply_add(x_re, broadcast(cells.re_re), multiply_add(x_im, broadcast(cells.im_re), re_sum));
        im_sum = multiply_add(x_re, broadcast(cells.re_im), multiply_add(x_im, broadcast(cells.im_im), im_sum));
    }
    Lanes re, im;
    if constexpr (K::kDithered) {
        const DitherPair dither =
            dither_pair(keys, dither_unit_key(kernel.first_unit + static_cast<std::uint32_t>(mode)), step);
        re = convert_dithered(re_sum, array.gain[re_column], array.offset[re_column], array.output_limit[re_column],
                              dither.re);
        im = convert_dithered(im_sum, array.gain[im_column], array.offset[im_column], array.output_limit[im_column],
                              dither.im);
    } else {
        re = convert(re_sum, array.gain[re_column], array.offset[re_column], array.output_limit[re_column]);
        im = convert(im_sum, array.gain[im_column], array.offset[im_column], array.output_limit[im_column]);
    }
    if constexpr (K::kReplace) {
        return {to_int(re), to_int(im)};
    }
    const int shift = deployed.increment_shift[static_cast<std::size_t>(mode)];
    return {accumulate_register(x.re, to_int(re), shift, deployed.register_limit),
            accumulate_register(x.im, to_int(im), shift, deployed.register_limit)};
}

/// A group of modes through all blocks. The y sums of a group before the last wait in y as exact integers; the last
/// group converts.
template <class K, int Modes, bool Record>
void scan_group(const QuantizedKernel& kernel, int first, const ScanPlace& place) {
    const DeployedKernel& deployed = *kernel.deployed;
    const float inverse_shift = 1.0F / static_cast<float>(1 << deployed.register_shift);
    const float dac_limit = static_cast<float>(code_limit(deployed.options.state_bits));
    const bool last = first + Modes == deployed.modes;
    LanesInt re[Modes], im[Modes];
    Lanes x_re[Modes], x_im[Modes];
    PreparedDecay poles[Modes];
    const LanesInt register_limit = LanesInt{} + deployed.register_limit;
    float c_re[Modes], c_im[Modes];
    std::int32_t* states = place.states;
    for (int mode = 0; mode < Modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(first + mode);
        re[mode] = load_lanes_int(place.registers_in + 2 * at * kLaneWidth);
        im[mode] = load_lanes_int(place.registers_in + (2 * at + 1) * kLaneWidth);
        x_re[mode] = dac_code(re[mode], inverse_shift, dac_limit);
        x_im[mode] = dac_code(im[mode], inverse_shift, dac_limit);
        if constexpr (K::kDigital) {
            const DigitalPole& pole = deployed.poles[at];
            poles[mode] = PreparedDecay(pole, K::kFolded ? deployed.input_shift : -pole.shift);
        }
        c_re[mode] = kernel.cells[at].c_re;
        c_im[mode] = kernel.cells[at].c_im;
        if constexpr (Record) {
            store_lanes_int(states + mode * kLaneWidth, pack_pair(to_int(x_re[mode]), to_int(x_im[mode])));
        }
    }
    std::uint32_t step_number = place.first_step;
    for (int block = 0; block < place.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step, ++step_number) {
            const Lanes u = load_lanes(place.u + block * place.stride + step * kLaneWidth);
            const LanesInt u_code = to_int(u);
            float* y = nullptr;
            Lanes sum = {};
            if constexpr (Record) {
                states += Modes * kLaneWidth;
            } else {
                y = place.y + block * place.stride + step * kLaneWidth;
                sum = first == 0 ? u * kernel.u_output : load_lanes(y);
            }
#pragma GCC unroll 4
            for (int mode = 0; mode < Modes; ++mode) {
                const Lanes before_re = x_re[mode];
                const Lanes before_im = x_im[mode];
                ComplexRegister x{re[mode], im[mode]};
                if constexpr (K::kDigital) {
                    const LanesInt input =
                        K::kFolded ? u_code * poles[mode].input_factor + poles[mode].half : poles[mode].half;
                    x = poles[mode].apply(x, input, register_limit);
                }
                if constexpr (K::kArrayMakesState) {
                    x = array_update<K>(kernel, first + mode, x, before_re, before_im, u, place.keys, step_number);
                }
                re[mode] = x.re;
                im[mode] = x.im;
                x_re[mode] = dac_code(x.re, inverse_shift, dac_limit);
                x_im[mode] = dac_code(x.im, inverse_shift, dac_limit);
                if constexpr (Record) {
                    store_lanes_int(states + mode * kLaneWidth, pack_pair(to_int(x_re[mode]), to_int(x_im[mode])));
                } else {
                    constexpr bool kPrevious = K::kForm == OutputForm::immediate;
                    sum = multiply_add(kPrevious ? before_re : x_re[mode], broadcast(c_re[mode]), sum);
                    sum = multiply_add(kPrevious ? before_im : x_im[mode], broadcast(c_im[mode]), sum);
                }
            }
            if constexpr (!Record) {
                store_lanes(y, last ? kernel.conversion.apply(sum, u) : sum);
            }
        }
    }
    if constexpr (!Record) {
        for (int mode = 0; mode < Modes; ++mode) {
            const std::size_t at = static_cast<std::size_t>(first + mode);
            store_lanes_int(place.registers_out + 2 * at * kLaneWidth, re[mode]);
            store_lanes_int(place.registers_out + (2 * at + 1) * kLaneWidth, im[mode]);
        }
    }
}

template <class K, bool Record>
void scan_kind(const QuantizedKernel& kernel, int first, int count, const ScanPlace& place) {
    switch (count) {
        case 4:
            scan_group<K, 4, Record>(kernel, first, place);
            break;
        case 2:
            scan_group<K, 2, Record>(kernel, first, place);
            break;
        default:
            scan_group<K, 1, Record>(kernel, first, place);
            break;
    }
}

template <OutputForm Form, bool Record>
void scan_fused(const QuantizedKernel& kernel, int first, int count, const ScanPlace& place) {
    constexpr KernelMapping kFused = KernelMapping::fused;
    constexpr InputMatrix kCells = InputMatrix::cells;
    const bool dithered = kernel.deployed->options.rounding == StateRounding::dithered;
    if (kernel.deployed->array_replaces_state) {
        dithered ? scan_kind<Kind<kFused, Form, kCells, true, true>, Record>(kernel, first, count, place)
                 : scan_kind<Kind<kFused, Form, kCells, true, false>, Record>(kernel, first, count, place);
    } else {
        dithered ? scan_kind<Kind<kFused, Form, kCells, false, true>, Record>(kernel, first, count, place)
                 : scan_kind<Kind<kFused, Form, kCells, false, false>, Record>(kernel, first, count, place);
    }
}

template <bool Record>
void scan_any(const QuantizedKernel& kernel, int first, int count, const ScanPlace& place) {
    const KernelOptions& options = kernel.deployed->options;
    constexpr KernelMapping kDigital = KernelMapping::digital_decay;
    if (options.mapping == KernelMapping::fused) {
        if (options.form == OutputForm::immediate) {
            scan_fused<OutputForm::immediate, Record>(kernel, first, count, place);
        } else {
            scan_fused<OutputForm::delayed, Record>(kernel, first, count, place);
        }
    } else if (options.form == OutputForm::current) {
        scan_kind<Kind<kDigital, OutputForm::current, InputMatrix::folded, false, false>, Record>(kernel, first, count,
                                                                                                  place);
    } else if (options.input_matrix == InputMatrix::folded) {
        scan_kind<Kind<kDigital, OutputForm::immediate, InputMatrix::folded, false, false>, Record>(kernel, first,
                                                                                                    count, place);
    } else {
        scan_kind<Kind<kDigital, OutputForm::immediate, InputMatrix::cells, false, false>, Record>(kernel, first, count,
                                                                                                   place);
    }
}

int group_size(int left) {
    return left >= kBackwardModes ? kBackwardModes : (left >= 2 ? 2 : 1);
}

/// Modes that a packed scan forward takes at once: one vector a mode, so twice as many.
constexpr int kPackedModes = 2 * kBackwardModes;

}  // namespace

QuantizedKernel make_quantized_kernel(const DeployedKernel& deployed, std::uint32_t first_unit,
                                      float activation_limit) {
    if (deployed.planes()) {
        throw UserError(
            "state_range 'planes' is for deployment: train with 'mode' and set kernel.state_range in the chip file");
    }
    QuantizedKernel kernel;
    kernel.deployed = &deployed;
    kernel.first_unit = first_unit;
    const auto cell = [&deployed](int row, int column) {
        return row < 0 ? 0.0F : deployed.array.codes(row, column) * deployed.array.drive[static_cast<std::size_t>(row)];
    };
    const int output = deployed.output_column();
    for (int mode = 0; mode < deployed.modes; ++mode) {
        const int re = 2 * mode;
        const int im = re + 1;
        QuantizedKernel::ModeCells cells;
        if (deployed.array_makes_state) {
            cells.re_re = cell(re, re);
            cells.im_re = cell(im, re);
            cells.re_im = cell(re, im);
            cells.im_im = cell(im, im);
            cells.u_re = cell(deployed.state_input_row(), re);
            cells.u_im = cell(deployed.state_input_row(), im);
        }
        cells.c_re = cell(re, output);
        cells.c_im = cell(im, output);
        kernel.cells.push_back(cells);
    }
    // With a digital direct term the output column does not see u.
    kernel.u_output = cell(deployed.output_input_row(), output);
    const std::size_t column = static_cast<std::size_t>(output);
    kernel.conversion = {
        deployed.array.gain[column],    deployed.array.offset[column], deployed.array.output_limit[column],
        deployed.digital_feedthrough(), deployed.feedthrough,          activation_limit};
    std::vector<float> output_cells;
    for (const QuantizedKernel::ModeCells& cells : kernel.cells) {
        output_cells.push_back(cells.c_re);
        output_cells.push_back(cells.c_im);
    }
    kernel.packed = pack_kernel(deployed, output_cells, kernel.u_output, kernel.conversion, activation_limit);
    return kernel;
}

void quantized_scan(const QuantizedKernel& kernel, LanesUint sequence_keys, std::uint32_t first_step, const float* u,
                    float* y, std::size_t stride, int blocks, const std::int32_t* registers_in,
                    std::int32_t* registers_out) {
    const ScanPlace place{sequence_keys, first_step, u, y, stride, blocks, registers_in, registers_out, nullptr};
    const int modes = kernel.deployed->modes;
    for (int first = 0; first < modes;) {
        const int left = modes - first;
        const bool many = left >= kPackedModes && packed_group(kernel.packed, first, kPackedModes).packs();
        const int count = many ? kPackedModes : group_size(left);
        if (many || packed_group(kernel.packed, first, count).packs()) {
            packed_scan(kernel.packed, first, count, u, y, stride, blocks, registers_in, registers_out);
        } else {
            scan_any<false>(kernel, first, count, place);
        }
        first += count;
    }
}

void quantized_scan_states(const QuantizedKernel& kernel, LanesUint sequence_keys, std::uint32_t first_step,
                           int first_mode, int count, const float* u, std::size_t stride, int blocks,
                           const std::int32_t* registers_in, std::int32_t* states) {
    if (packed_group(kernel.packed, first_mode, count).packs()) {
        packed_scan_states(kernel.packed, first_mode, count, u, stride, blocks, registers_in, states);
        return;
    }
    const ScanPlace place{sequence_keys, first_step, u, nullptr, stride, blocks, registers_in, nullptr, states};
    scan_any<true>(kernel, first_mode, count, place);
}

}  // namespace imssa
