#include "trainer/packed_scan.h"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "trainer/lane_buffer.h"

namespace imssa {

namespace {

#if defined(__AVX512BW__) && defined(__AVX512VNNI__)
constexpr bool kMachinePacks = true;
#else
constexpr bool kMachinePacks = false;
#endif
constexpr std::int64_t kLargest16 = std::numeric_limits<std::int16_t>::max();
constexpr std::int64_t kLargest32 = std::numeric_limits<std::int32_t>::max();

bool fits_16(std::int64_t value) {
    return std::llabs(value) <= kLargest16;
}

std::int32_t pair_of(std::int64_t re, std::int64_t im) {
    return static_cast<std::int32_t>((static_cast<std::uint32_t>(im) << 16) |
                                     (static_cast<std::uint32_t>(re) & 0xffffU));
}

/// Rows of one mode, and which of them hold for every register and every input up to `input_limit`.
PackedKernel::Mode pack_mode(const DigitalPole& pole, const PackedKernel& kernel, std::int64_t input_limit) {
    PackedKernel::Mode mode;
    mode.shift = pole.shift;
    if (pole.shift < 1 || pole.shift + kernel.input_shift < 0 || pole.shift + kernel.input_shift > 30) {
        return mode;
    }
    const std::int64_t one = std::int64_t{1} << pole.shift;
    const std::int64_t input = input_limit * (std::int64_t{1} << (pole.shift + kernel.input_shift)) + one;
    const auto largest = [&](std::int64_t re, std::int64_t im) {
        return (std::llabs(re) + std::llabs(im)) * kernel.register_limit + input;
    };
    const std::int64_t re = pole.re, im = pole.im, whole = one + re;
    if (fits_16(re) && fits_16(im) && largest(re, im) <= kLargest32) {
        mode.can_increment = (largest(re, im) >> pole.shift) < kLargest16;
        mode.increment_re = pair_of(re, -im);
        mode.increment_im = pair_of(im, re);
    }
    if (fits_16(whole) && fits_16(im) && largest(whole, im) <= kLargest32) {
        mode.can_replace = true;
        mode.replace_re = pair_of(whole, -im);
        mode.replace_im = pair_of(im, whole);
    }
    return mode;
}

/// Output cells as integers of 16 bits in units of a power of two, the sum of all within the 24 bits of a float; false
/// if there is no such unit (cells with errors).
bool pack_output(const std::vector<float>& cells, PackedKernel& kernel) {
    constexpr int kFinest = 8;  // dividers of DAC references are small powers of two
    constexpr double kExact = 1 << 24;
    for (int exponent = 0; exponent <= kFinest; ++exponent) {
        const double factor = 1 << exponent;
        double sum = 0.0;
        bool integers = true;
        for (const float cell : cells) {
            const double value = cell * factor;
            integers = integers && value == std::nearbyint(value) && std::abs(value) <= static_cast<double>(kLargest16);
            sum += std::abs(value) * kernel.dac_limit;
        }
        if (!integers || !(sum < kExact)) {
            continue;
        }
        kernel.output_unit = static_cast<float>(1.0 / factor);
        for (std::size_t at = 0; at < kernel.modes.size(); ++at) {
            kernel.modes[at].output = pair_of(static_cast<std::int64_t>(cells[2 * at] * factor),
                                              static_cast<std::int64_t>(cells[2 * at + 1] * factor));
        }
        return true;
    }
    return false;
}

/// Where a group reads and writes.
struct PackedPlace {
    const float* u;
    float* y;  ///< null when states are recorded
    std::size_t stride;
    int blocks;
    const std::int32_t* registers_in;
    std::int32_t* registers_out;
    std::int32_t* states;
};

#if defined(__AVX512BW__) && defined(__AVX512VNNI__)

/// Constants of a mode spread over lanes; instructions read them from memory.
struct ModeVectors {
    __m512i re, im, shift, input_shift, half, output;
};

inline __m512i bits_of(LanesInt value) {
    return reinterpret_cast<__m512i>(value);
}
inline LanesInt lanes_of(__m512i value) {
    return reinterpret_cast<LanesInt>(value);
}

/// round_half_even(register / 2^shift) within the limit, for both halves: one less where the floor is even, so that
/// the rounding of the high product of 16-bit numbers (half up) takes a tie down there.
struct PackedDac {
    __m512i floor_bit, one, factor, high, low;

    explicit PackedDac(const PackedKernel& kernel)
        : floor_bit(_mm512_set1_epi16(static_cast<short>(1U << kernel.register_shift))),
          one(_mm512_set1_epi16(1)),
          factor(_mm512_set1_epi16(static_cast<short>(1 << (15 - kernel.register_shift)))),
          high(_mm512_set1_epi16(static_cast<short>(kernel.dac_limit))),
          low(_mm512_set1_epi16(static_cast<short>(-kernel.dac_limit))) {}

    __m512i codes(__m512i registers) const {
        const __mmask32 even = _mm512_testn_epi16_mask(registers, floor_bit);
        const __m512i code = _mm512_mulhrs_epi16(_mm512_mask_sub_epi16(registers, even, registers, one), factor);
        return _mm512_min_epi16(_mm512_max_epi16(code, low), high);
    }
};

template <int Modes, bool Replace, bool Record>
void packed_group(const PackedKernel& kernel, int first, const PackedPlace& place) {
    const bool last = first + Modes == static_cast<int>(kernel.modes.size());
    const PackedDac dac(kernel);
    const __m512i high = _mm512_set1_epi16(static_cast<short>(kernel.register_limit));
    const __m512i low = _mm512_set1_epi16(static_cast<short>(-kernel.register_limit));
    // Words re 0-3, im 0-3 of every quarter to pairs.
    const __m512i pairs = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
    alignas(64) ModeVectors vectors[Modes];
    __m512i x[Modes];
#pragma GCC unroll 8
    for (int mode = 0; mode < Modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(first + mode);
        const PackedKernel::Mode& from = kernel.modes[at];
        vectors[mode] = {_mm512_set1_epi32(Replace ? from.replace_re : from.increment_re),
                         _mm512_set1_epi32(Replace ? from.replace_im : from.increment_im),
                         _mm512_set1_epi32(from.shift),
                         _mm512_set1_epi32(from.shift - 1),
                         _mm512_set1_epi32(1 << (from.shift - 1)),
                         _mm512_set1_epi32(from.output)};
        x[mode] = bits_of(pack_pair(load_lanes_int(place.registers_in + 2 * at * kLaneWidth),
                                    load_lanes_int(place.registers_in + (2 * at + 1) * kLaneWidth)));
    }
    std::int32_t* states = place.states;
    if constexpr (Record) {
#pragma GCC unroll 8
        for (int mode = 0; mode < Modes; ++mode) {
            store_lanes_int(states + mode * kLaneWidth, lanes_of(dac.codes(x[mode])));
        }
    }
    const int input_factor_shift = kernel.input_shift + 1;
    // Copies that the barrier below does not touch.
    const OutputConversion conversion = kernel.conversion;
    const float u_output = kernel.u_output;
    const float output_unit = kernel.output_unit;
    for (int block = 0; block < place.blocks; ++block) {
        for (int step = 0; step < kBlockSteps; ++step) {
            // Constants are read from memory anew in every step instead of filling registers.
            asm volatile("" ::: "memory");
            const std::size_t at = block * place.stride + step * kLaneWidth;
            const Lanes u = load_lanes(place.u + at);
            const __m512i input = bits_of(to_int(u) * (1 << input_factor_shift) + 1);
            if constexpr (Record) {
                states += Modes * kLaneWidth;
            }
            __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
#pragma GCC unroll 8
            for (int mode = 0; mode < Modes; ++mode) {
                const ModeVectors& k = vectors[mode];
                const __m512i re = _mm512_dpwssd_epi32(_mm512_sllv_epi32(input, k.input_shift), x[mode], k.re);
                const __m512i im = _mm512_dpwssd_epi32(k.half, x[mode], k.im);
                __m512i next = _mm512_shuffle_epi8(
                    _mm512_packs_epi32(_mm512_srav_epi32(re, k.shift), _mm512_srav_epi32(im, k.shift)), pairs);
                if constexpr (!Replace) {
                    next = _mm512_adds_epi16(x[mode], next);
                }
                x[mode] = _mm512_min_epi16(_mm512_max_epi16(next, low), high);
                const __m512i codes = dac.codes(x[mode]);
                if constexpr (Record) {
                    store_lanes_int(states + mode * kLaneWidth, lanes_of(codes));
                } else {
                    sum[mode % 2] = _mm512_dpwssd_epi32(sum[mode % 2], codes, k.output);
                }
            }
            if constexpr (!Record) {
                float* to = place.y + at;
                const Lanes start = first == 0 ? u * u_output : load_lanes(to);
                const Lanes y = start + to_float(lanes_of(_mm512_add_epi32(sum[0], sum[1]))) * output_unit;
                store_lanes(to, last ? conversion.apply(y, u) : y);
            }
        }
    }
    if constexpr (!Record) {
#pragma GCC unroll 8
        for (int mode = 0; mode < Modes; ++mode) {
            const std::size_t at = static_cast<std::size_t>(first + mode);
            store_lanes_int(place.registers_out + 2 * at * kLaneWidth, pair_re(lanes_of(x[mode])));
            store_lanes_int(place.registers_out + (2 * at + 1) * kLaneWidth, pair_im(lanes_of(x[mode])));
        }
    }
}

#else

/// Never called: packs() is false.
template <int Modes, bool Replace, bool Record>
void packed_group(const PackedKernel& /*kernel*/, int /*first*/, const PackedPlace& /*place*/) {}

#endif

bool all_replace(const PackedKernel& kernel, int first, int count) {
    for (int mode = first; mode < first + count; ++mode) {
        if (!kernel.modes[static_cast<std::size_t>(mode)].can_replace) {
            return false;
        }
    }
    return true;
}

template <int Modes, bool Record>
void packed_modes(const PackedKernel& kernel, int first, const PackedPlace& place) {
    if (all_replace(kernel, first, Modes)) {
        packed_group<Modes, true, Record>(kernel, first, place);
    } else {
        packed_group<Modes, false, Record>(kernel, first, place);
    }
}

template <bool Record>
void packed_any(const PackedKernel& kernel, int first, int count, const PackedPlace& place) {
    switch (count) {
        case 8:
            packed_modes<8, Record>(kernel, first, place);
            break;
        case 4:
            packed_modes<4, Record>(kernel, first, place);
            break;
        case 2:
            packed_modes<2, Record>(kernel, first, place);
            break;
        default:
            packed_modes<1, Record>(kernel, first, place);
            break;
    }
}

}  // namespace

PackedKernel pack_kernel(const DeployedKernel& deployed, const std::vector<float>& output_cells, float u_output,
                         const OutputConversion& conversion, float activation_limit) {
    PackedKernel kernel;
    const KernelOptions& options = deployed.options;
    const bool fits = options.mapping == KernelMapping::digital_decay && options.form == OutputForm::current &&
                      options.input_matrix == InputMatrix::folded && fits_16(deployed.register_limit) &&
                      deployed.register_shift >= 1 && deployed.input_shift >= -1 && deployed.input_shift < 16;
    if (!kMachinePacks || !fits) {
        return kernel;
    }
    kernel.input_shift = deployed.input_shift;
    kernel.register_limit = deployed.register_limit;
    kernel.register_shift = deployed.register_shift;
    kernel.dac_limit = code_limit(options.state_bits);
    kernel.u_output = u_output;
    kernel.conversion = conversion;
    for (const DigitalPole& pole : deployed.poles) {
        kernel.modes.push_back(pack_mode(pole, kernel, static_cast<std::int64_t>(activation_limit)));
    }
    if (!pack_output(output_cells, kernel)) {
        kernel.modes.clear();
    }
    return kernel;
}

bool packs(const PackedKernel& kernel, int first, int count) {
    if (kernel.modes.empty()) {
        return false;
    }
    bool increments = true;
    for (int mode = first; mode < first + count; ++mode) {
        increments = increments && kernel.modes[static_cast<std::size_t>(mode)].can_increment;
    }
    return increments || all_replace(kernel, first, count);
}

void packed_scan(const PackedKernel& kernel, int first, int count, const float* u, float* y, std::size_t stride,
                 int blocks, const std::int32_t* registers_in, std::int32_t* registers_out) {
    packed_any<false>(kernel, first, count, {u, y, stride, blocks, registers_in, registers_out, nullptr});
}

void packed_scan_states(const PackedKernel& kernel, int first, int count, const float* u, std::size_t stride,
                        int blocks, const std::int32_t* registers_in, std::int32_t* states) {
    packed_any<true>(kernel, first, count, {u, nullptr, stride, blocks, registers_in, nullptr, states});
}

}  // namespace imssa
