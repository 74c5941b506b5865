#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/network/deployed_kernel.h"
#include "models/network/quantizer.h"

namespace imssa {

/// Both components of a state as 16-bit numbers in one 32-bit lane: re in the low half, im in the high one.
inline LanesInt pack_pair(LanesInt re, LanesInt im) {
    return (re & 0xffff) | (im << 16);
}
inline LanesInt pair_re(LanesInt pair) {
    return (pair << 16) >> 16;
}
inline LanesInt pair_im(LanesInt pair) {
    return pair >> 16;
}

/// From the exact sum of the output column (and u) to the y code.
struct OutputConversion {
    float gain = 1.0F, offset = 0.0F, limit = 127.0F;
    bool digital_feedthrough = false;
    float feedthrough = 0.0F, activation_limit = 127.0F;

    Lanes apply(Lanes sum, Lanes u) const {
        sum = convert(sum, gain, offset, limit);
        return digital_feedthrough ? convert(sum + u * feedthrough, 1.0F, 0.0F, activation_limit) : sum;
    }
};

/// How a group of modes makes its next registers; a mode may permit several (bits of a set).
enum PackedForm : std::uint8_t {
    kNoForm = 0,
    kIncrement = 1,      ///< row of Abar - 1 in units of 2^-16, added to the register
    kReplace = 2,        ///< row of Abar in units of 2^-16, as two rows
    kSlowIncrement = 4,  ///< as kIncrement with finer units for each mode
};

/// A digital decay with folded input and the output from the new state, prepared for products of pairs of 16-bit
/// numbers (AVX-512 VNNI): less than half of the instructions of the scan in 32 bits, and the same codes.
///
/// With v = 2^(input_shift + 1) u + 1 a mode's rows give increment = (row . x + v 2^(shift - 1)) >> shift, rounding
/// included. Rows in units of 2^-16 leave the result in the upper half of the sum: no shift is needed. The increment is
/// added to the register with 16-bit saturation, exact while it fits 16 bits itself. A mode that turns so fast that
/// Abar - 1 does not fit 16 bits takes Abar instead, as the sum of two rows and with 32-bit saturation; its sum is the
/// new register at once. The codes of very slow modes have more than 16 fractional bits and are shifted by the rest;
/// mode 0 of a trained S4D-Lin kernel is one, as its imaginary part stays near zero. A group of modes runs packed if
/// one of the forms holds for all of it, or for all but a very slow first mode.
struct PackedKernel {
    /// Fractional bits of rows whose sums have the result in their upper half.
    static constexpr int kHighHalf = 16;
    /// 16-bit pairs of one mode.
    struct Mode {
        std::int32_t increment_re = 0, increment_im = 0;  ///< in units of 2^-(16 + rest)
        std::int32_t replace_re[2] = {}, replace_im[2] = {};
        std::int32_t output = 0;
        std::int32_t rest = 0;  ///< fractional bits beyond 16
        std::uint8_t forms = kNoForm;
    };
    std::vector<Mode> modes;  ///< empty: the kernel cannot be packed
    int input_shift = 0;
    int register_limit = 0, register_shift = 0, dac_limit = 0;
    float output_unit = 1.0F;  ///< sum units per unit of the integer sum
    float u_output = 0.0F;
    OutputConversion conversion;
};

/// `output_cells`: re and im of every mode as the output column weighs them; `u_output`: u. Empty modes where the
/// machine or the kernel does not permit packing.
PackedKernel pack_kernel(const DeployedKernel& deployed, const std::vector<float>& output_cells, float u_output,
                         const OutputConversion& conversion, float activation_limit);

/// Forms of the first mode of a group and of the others.
struct PackedGroup {
    PackedForm first = kNoForm, rest = kNoForm;

    bool packs() const { return first != kNoForm; }
};

/// How modes [first, first + count) run packed, if they do.
PackedGroup packed_group(const PackedKernel& kernel, int first, int count);

/// Modes [first, first + count), count 1, 2, 4 or 8, through all blocks; arguments as in quantized_scan and
/// quantized_scan_states. The y sums of a group before the last wait in y as exact numbers; the last group converts.
void packed_scan(const PackedKernel& kernel, int first, int count, const float* u, float* y, std::size_t stride,
                 int blocks, const std::int32_t* registers_in, std::int32_t* registers_out);
void packed_scan_states(const PackedKernel& kernel, int first, int count, const float* u, std::size_t stride,
                        int blocks, const std::int32_t* registers_in, std::int32_t* states);

}  // namespace imssa
