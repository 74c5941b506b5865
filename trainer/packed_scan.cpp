#include "trainer/packed_scan.h"

#include <limits>

#include "trainer/lane_buffer.h"

namespace imssa {

namespace {

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

constexpr int kHighHalf = PackedKernel::kHighHalf;

/// Constants of a mode spread over lanes; instructions read them from memory.
struct ModeVectors {
    __m512i re, im, output;
    __m512i second_re, second_im;     // kReplace
    __m512i rest, input_shift, half;  // kSlowIncrement
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

/// The sums of both components to pairs of their upper halves.
struct UpperHalves {
    // Words 1, 3, 5, 7 of every quarter to words 0, 2, 4, 6.
    __m512i places = _mm512_broadcast_i32x4(_mm_setr_epi8(2, 3, 0, 0, 6, 7, 0, 0, 10, 11, 0, 0, 14, 15, 0, 0));

    __m512i pairs(__m512i re, __m512i im) const {
        constexpr __mmask64 kLowWords = 0x3333333333333333;
        return _mm512_mask_shuffle_epi8(im, kLowWords, re, places);
    }
};

/// The next registers of one mode before they are limited. `input`: v 2^15; `half`: 2^15.
template <PackedForm Form>
inline __m512i next_registers(const ModeVectors& k, const UpperHalves& upper, __m512i x, __m512i v, __m512i input,
                              __m512i half) {
    if constexpr (Form == kReplace) {
        const __m512i re = _mm512_dpwssds_epi32(_mm512_dpwssds_epi32(input, x, k.re), x, k.second_re);
        const __m512i im = _mm512_dpwssds_epi32(_mm512_dpwssds_epi32(half, x, k.im), x, k.second_im);
        return upper.pairs(re, im);
    } else if constexpr (Form == kSlowIncrement) {
        const __m512i re = _mm512_dpwssd_epi32(_mm512_sllv_epi32(v, k.input_shift), x, k.re);
        const __m512i im = _mm512_dpwssd_epi32(k.half, x, k.im);
        return _mm512_adds_epi16(x, upper.pairs(_mm512_srav_epi32(re, k.rest), _mm512_srav_epi32(im, k.rest)));
    } else {
        const __m512i re = _mm512_dpwssd_epi32(input, x, k.re);
        const __m512i im = _mm512_dpwssd_epi32(half, x, k.im);
        return _mm512_adds_epi16(x, upper.pairs(re, im));
    }
}

template <PackedForm Form>
ModeVectors mode_vectors(const PackedKernel::Mode& mode) {
    constexpr bool kReplaces = Form == kReplace;
    ModeVectors vectors{};
    vectors.re = _mm512_set1_epi32(kReplaces ? mode.replace_re[0] : mode.increment_re);
    vectors.im = _mm512_set1_epi32(kReplaces ? mode.replace_im[0] : mode.increment_im);
    vectors.second_re = _mm512_set1_epi32(mode.replace_re[1]);
    vectors.second_im = _mm512_set1_epi32(mode.replace_im[1]);
    vectors.output = _mm512_set1_epi32(mode.output);
    vectors.rest = _mm512_set1_epi32(mode.rest);
    vectors.input_shift = _mm512_set1_epi32(kHighHalf + mode.rest - 1);
    vectors.half = _mm512_set1_epi32(1 << (kHighHalf + mode.rest - 1));
    return vectors;
}

/// The y codes of a block from its sums, in place: eight chains side by side.
void convert_block(const OutputConversion& conversion, const float* u, float* y) {
#pragma GCC unroll 8
    for (int step = 0; step < kBlockSteps; ++step) {
        const int at = step * kLaneWidth;
        store_lanes(y + at, conversion.apply(load_lanes(y + at), load_lanes(u + at)));
    }
}

/// `Full`: registers use all 16 bits, so that saturation limits them from above.
template <int Modes, PackedForm First, PackedForm Rest, bool Record, bool Full>
void run_group(const PackedKernel& kernel, int first, const PackedPlace& place) {
    const bool last = first + Modes == static_cast<int>(kernel.modes.size());
    const PackedDac dac(kernel);
    const UpperHalves upper;
    const __m512i high = _mm512_set1_epi16(static_cast<short>(kernel.register_limit));
    const __m512i low = _mm512_set1_epi16(static_cast<short>(-kernel.register_limit));
    const __m512i half = _mm512_set1_epi32(1 << (kHighHalf - 1));
    alignas(64) ModeVectors vectors[Modes];
    __m512i x[Modes];
#pragma GCC unroll 8
    for (int mode = 0; mode < Modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(first + mode);
        // NOLINTNEXTLINE(bugprone-branch-clone): the same where First == Rest
        vectors[mode] = mode == 0 ? mode_vectors<First>(kernel.modes[at]) : mode_vectors<Rest>(kernel.modes[at]);
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
    const int input_factor = 1 << (kernel.input_shift + 1);
    const Lanes u_output = broadcast(kernel.u_output);
    const Lanes output_unit = broadcast(kernel.output_unit);
    for (int block = 0; block < place.blocks; ++block) {
        const float* u_block = place.u + block * place.stride;
        float* y_block = Record ? nullptr : place.y + block * place.stride;
        for (int step = 0; step < kBlockSteps; ++step) {
            // Constants are read from memory anew in every step instead of filling registers.
            asm volatile("" ::: "memory");
            const Lanes u = load_lanes(u_block + step * kLaneWidth);
            // The next head follows in every block; its runs of 512 bytes are too short for the machine to foresee.
            __builtin_prefetch(u_block + kBlockWidth + step * kLaneWidth);
            const __m512i v = bits_of(to_int(u) * input_factor + 1);
            const __m512i input = _mm512_slli_epi32(v, kHighHalf - 1);
            if constexpr (Record) {
                states += Modes * kLaneWidth;
            }
            __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
#pragma GCC unroll 8
            for (int mode = 0; mode < Modes; ++mode) {
                const ModeVectors& k = vectors[mode];
                // NOLINTNEXTLINE(bugprone-branch-clone): the same where First == Rest
                const __m512i next = mode == 0 ? next_registers<First>(k, upper, x[mode], v, input, half)
                                               : next_registers<Rest>(k, upper, x[mode], v, input, half);
                x[mode] = _mm512_max_epi16(next, low);
                if constexpr (!Full) {
                    x[mode] = _mm512_min_epi16(x[mode], high);
                }
                const __m512i codes = dac.codes(x[mode]);
                if constexpr (Record) {
                    store_lanes_int(states + mode * kLaneWidth, lanes_of(codes));
                } else {
                    sum[mode % 2] = _mm512_dpwssd_epi32(sum[mode % 2], codes, k.output);
                }
            }
            if constexpr (!Record) {
                float* to = y_block + step * kLaneWidth;
                const Lanes start = first == 0 ? u * u_output : load_lanes(to);
                store_lanes(to, start + to_float(lanes_of(_mm512_add_epi32(sum[0], sum[1]))) * output_unit);
            }
        }
        if (!Record && last) {
            convert_block(kernel.conversion, u_block, y_block);
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
template <int Modes, PackedForm First, PackedForm Rest, bool Record, bool Full>
void run_group(const PackedKernel& /*kernel*/, int /*first*/, const PackedPlace& /*place*/) {}

#endif

template <int Modes, PackedForm First, PackedForm Rest, bool Record>
void run_registers(const PackedKernel& kernel, int first, const PackedPlace& place) {
    if (kernel.register_limit == std::numeric_limits<std::int16_t>::max()) {
        run_group<Modes, First, Rest, Record, true>(kernel, first, place);
    } else {
        run_group<Modes, First, Rest, Record, false>(kernel, first, place);
    }
}

template <int Modes, PackedForm Rest, bool Record>
void run_first(const PackedKernel& kernel, int first, const PackedPlace& place, PackedForm form) {
    if (form == Rest) {
        run_registers<Modes, Rest, Rest, Record>(kernel, first, place);
    } else {
        run_registers<Modes, kSlowIncrement, Rest, Record>(kernel, first, place);
    }
}

template <int Modes, bool Record>
void run_modes(const PackedKernel& kernel, int first, const PackedPlace& place) {
    const PackedGroup group = packed_group(kernel, first, Modes);
    switch (group.rest) {
        case kIncrement:
            run_first<Modes, kIncrement, Record>(kernel, first, place, group.first);
            break;
        case kReplace:
            run_first<Modes, kReplace, Record>(kernel, first, place, group.first);
            break;
        default:
            run_registers<Modes, kSlowIncrement, kSlowIncrement, Record>(kernel, first, place);
            break;
    }
}

template <bool Record>
void packed_any(const PackedKernel& kernel, int first, int count, const PackedPlace& place) {
    switch (count) {
        case 8:
            run_modes<8, Record>(kernel, first, place);
            break;
        case 4:
            run_modes<4, Record>(kernel, first, place);
            break;
        case 2:
            run_modes<2, Record>(kernel, first, place);
            break;
        default:
            run_modes<1, Record>(kernel, first, place);
            break;
    }
}

}  // namespace

void packed_scan(const PackedKernel& kernel, int first, int count, const float* u, float* y, std::size_t stride,
                 int blocks, const std::int32_t* registers_in, std::int32_t* registers_out) {
    packed_any<false>(kernel, first, count, {u, y, stride, blocks, registers_in, registers_out, nullptr});
}

void packed_scan_states(const PackedKernel& kernel, int first, int count, const float* u, std::size_t stride,
                        int blocks, const std::int32_t* registers_in, std::int32_t* states) {
    packed_any<true>(kernel, first, count, {u, nullptr, stride, blocks, registers_in, nullptr, states});
}

}  // namespace imssa
