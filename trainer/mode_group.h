#pragma once

#include "trainer/kernel_scan.h"

namespace imssa {

/// Constants of a group of modes, to be read from memory in every step as broadcast operands of instructions.
template <int Modes>
struct GroupConstants {
    float a_re[Modes], a_im[Modes], minus_a_im[Modes], c_re[Modes], c_im[Modes];

    GroupConstants(const KernelView& kernel, int first) {
        for (int mode = 0; mode < Modes; ++mode) {
            a_re[mode] = kernel.a_re[first + mode];
            a_im[mode] = kernel.a_im[first + mode];
            minus_a_im[mode] = -a_im[mode];
            c_re[mode] = kernel.c_re[first + mode];
            c_im[mode] = kernel.c_im[first + mode];
        }
    }
};

/// c - a * b, rounded as multiply_add.
inline Lanes multiply_subtract_from(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(
        _mm512_fnmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#else
    return c - a * b;
#endif
}

/// a * b - c, rounded as multiply_add.
inline Lanes multiply_subtract(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
    return reinterpret_cast<Lanes>(
        _mm512_fmsub_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#else
    return a * b - c;
#endif
}

/// Makes the compiler forget that a number came from memory, so that it stays in its register.
inline void keep_in_register(Lanes& value) {
#if defined(__AVX512F__)
    asm("" : "+v"(value));
#else
    static_cast<void>(value);
#endif
}

template <int Modes>
struct GroupState {
    Lanes re[Modes], im[Modes];

    void load(const float* from) {
        for (int mode = 0; mode < Modes; ++mode) {
            re[mode] = load_lanes(from + (2 * mode) * kLaneWidth);
            im[mode] = load_lanes(from + (2 * mode + 1) * kLaneWidth);
        }
    }
    void store(float* to) const {
        for (int mode = 0; mode < Modes; ++mode) {
            store_lanes(to + (2 * mode) * kLaneWidth, re[mode]);
            store_lanes(to + (2 * mode + 1) * kLaneWidth, im[mode]);
        }
    }
};

}  // namespace imssa
