#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "trainer/packed_scan.h"

namespace imssa {

namespace {

#if defined(__AVX512BW__) && defined(__AVX512VNNI__)
constexpr bool kMachinePacks = true;
#else
constexpr bool kMachinePacks = false;
#endif
constexpr std::int64_t kLargest16 = std::numeric_limits<std::int16_t>::max();
constexpr std::int64_t kLargest32 = std::numeric_limits<std::int32_t>::max();
constexpr int kHighHalf = PackedKernel::kHighHalf;
constexpr int kMostUnits = 30;  // fractional bits that shifts in 32 bits allow

bool fits_16(std::int64_t value) {
    return std::llabs(value) <= kLargest16;
}

std::int32_t pair_of(std::int64_t re, std::int64_t im) {
    return static_cast<std::int32_t>((static_cast<std::uint32_t>(im) << 16) |
                                     (static_cast<std::uint32_t>(re) & 0xffffU));
}

/// The largest sum of a row in units of 2^-units, over all registers and inputs.
struct RowBound {
    const PackedKernel& kernel;
    std::int64_t input_limit;

    std::int64_t largest(std::int64_t re, std::int64_t im, int units) const {
        return (std::llabs(re) + std::llabs(im)) * kernel.register_limit +
               input_limit * (std::int64_t{1} << (units + kernel.input_shift)) + (std::int64_t{1} << units);
    }
};

/// Rows of one mode, and the forms that hold for every register and every input up to `input_limit`.
PackedKernel::Mode pack_mode(const DigitalPole& pole, const PackedKernel& kernel, std::int64_t input_limit) {
    PackedKernel::Mode mode;
    const int units = std::max(pole.shift, kHighHalf);
    if (pole.shift < 1 || pole.shift + kernel.input_shift < 0 || units + kernel.input_shift > kMostUnits) {
        return mode;
    }
    const RowBound bound{kernel, input_limit};
    const std::int64_t factor = std::int64_t{1} << (units - pole.shift);
    const std::int64_t re = pole.re * factor, im = pole.im * factor, whole = (std::int64_t{1} << units) + re;
    mode.rest = units - kHighHalf;
    const std::int64_t largest = bound.largest(re, im, units);
    if (fits_16(re) && fits_16(im) && largest <= kLargest32 && (largest >> units) < kLargest16) {
        mode.forms = mode.rest == 0 ? kIncrement | kSlowIncrement : kSlowIncrement;
        mode.increment_re = pair_of(re, -im);
        mode.increment_im = pair_of(im, re);
    }
    // The first row leaves at least as much room as the second, which saturates.
    const std::int64_t re_half = whole / 2, im_half = im / 2, re_rest = whole - re_half, im_rest = im - im_half;
    if (mode.rest == 0 && fits_16(re_rest) && fits_16(im_rest) &&
        bound.largest(re_half, im_half, units) <= kLargest32) {
        mode.forms |= kReplace;
        mode.replace_re[0] = pair_of(re_half, -im_half);
        mode.replace_im[0] = pair_of(im_half, re_half);
        mode.replace_re[1] = pair_of(re_rest, -im_rest);
        mode.replace_im[1] = pair_of(im_rest, re_rest);
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

namespace {

/// Of the forms that all of a group permit, the one with the fewest instructions.
PackedForm common_form(const PackedKernel& kernel, int first, int count) {
    int forms = kIncrement | kReplace | kSlowIncrement;
    for (int mode = first; mode < first + count; ++mode) {
        forms &= kernel.modes[static_cast<std::size_t>(mode)].forms;
    }
    for (const PackedForm form : {kIncrement, kReplace, kSlowIncrement}) {
        if ((forms & form) != 0) {
            return form;
        }
    }
    return kNoForm;
}

}  // namespace

PackedGroup packed_group(const PackedKernel& kernel, int first, int count) {
    const PackedForm all = kernel.modes.empty() ? kNoForm : common_form(kernel, first, count);
    if (all == kIncrement || all == kReplace || kernel.modes.empty() || count == 1) {
        return {all, all};
    }
    const PackedForm rest = common_form(kernel, first + 1, count - 1);
    if (rest != kNoForm && (kernel.modes[static_cast<std::size_t>(first)].forms & kSlowIncrement) != 0) {
        return {kSlowIncrement, rest};
    }
    return {};
}

}  // namespace imssa
