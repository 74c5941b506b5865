#include "models/network/digital_pole.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "models/common/error.h"
#include "models/network/power_of_two.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

using Complex = std::complex<double>;

/// Integer coefficient of a real increment: code over 2^exponent with the finest exponent up to `largest_exponent`.
struct Coefficient {
    std::int32_t code = 0;
    int exponent = 0;
};
Coefficient coefficient(double value, int limit, int largest_exponent) {
    Coefficient result;
    result.exponent = largest_exponent;
    if (value != 0.0) {
        result.exponent = std::min(largest_exponent, static_cast<int>(std::floor(std::log2(limit / std::abs(value)))));
    }
    result.code = static_cast<std::int32_t>(std::clamp(std::nearbyint(value * power_of_two(result.exponent)),
                                                       -static_cast<double>(limit), static_cast<double>(limit)));
    return result;
}

double real_part(const Coefficient& re) {
    return 1.0 + re.code * power_of_two(-re.exponent);
}
double modulus(const Coefficient& re, const Coefficient& im) {
    return std::abs(Complex(real_part(re), im.code * power_of_two(-im.exponent)));
}

/// One code nearer to 0: of Re Abar = 1 + code / 2^exponent (never below one code of decay), and of Im Abar.
Coefficient smaller_real_part(Coefficient re, int limit) {
    const int code = re.code + (real_part(re) > 0.0 ? -1 : 1);
    re.code = std::abs(code) <= limit && code < 0 ? code : re.code;
    return re;
}
Coefficient smaller_imaginary_part(Coefficient im) {
    im.code -= (im.code > 0) - (im.code < 0);
    return im;
}

/// Rounding may carry Abar to or over the unit circle: the next code inside, of the real part if there is one, else of
/// the imaginary part; else both shrink, the larger part first. Leaves it outside where no code helps.
void move_inside(Coefficient& re, Coefficient& im, int limit) {
    while (modulus(re, im) >= 1.0) {
        const Coefficient next_re = smaller_real_part(re, limit);
        const Coefficient next_im = smaller_imaginary_part(im);
        const bool re_shrinks = next_re.code != re.code && modulus(next_re, im) < modulus(re, im);
        if (!re_shrinks && im.code == 0) {
            return;
        }
        const bool larger_im = std::abs(im.code) * power_of_two(-im.exponent) > std::abs(real_part(re));
        if (re_shrinks && modulus(next_re, im) < 1.0) {
            re = next_re;
        } else if (modulus(re, next_im) < 1.0 || !re_shrinks || larger_im) {
            im = next_im;
        } else {
            re = next_re;
        }
    }
}

}  // namespace

DigitalPole digital_pole(const Complex& abar, const DeployedKernel& kernel, int activation_bits) {
    constexpr int kFinestShift = 24;
    const int limit = code_limit(kernel.options.decay_bits());
    const Complex delta = abar - 1.0;
    const double input_code = kernel.options.input_matrix == InputMatrix::folded ? code_limit(activation_bits) : 0.0;
    for (int shift = kFinestShift; shift >= std::max(0, -kernel.input_shift); --shift) {
        Coefficient re = coefficient(delta.real(), limit, shift);
        Coefficient im = coefficient(delta.imag(), limit, shift);
        re.code = std::min(re.code, -1);
        move_inside(re, im, limit);
        const double aligned_re = re.code * power_of_two(shift - re.exponent);
        const double aligned_im = im.code * power_of_two(shift - im.exponent);
        const double largest = (std::abs(aligned_re) + std::abs(aligned_im)) * kernel.register_limit +
                               input_code * power_of_two(shift + kernel.input_shift) + power_of_two(shift);
        const bool finer_than_needed =
            shift > std::max(re.exponent, im.code == 0 ? 0 : im.exponent) && shift > -kernel.input_shift;
        if (finer_than_needed || largest >= static_cast<double>(std::numeric_limits<std::int32_t>::max())) {
            continue;
        }
        if (modulus(re, im) >= 1.0) {
            continue;
        }
        return {static_cast<std::int32_t>(aligned_re), static_cast<std::int32_t>(aligned_im), shift};
    }
    throw UserError("a pole at " + std::to_string(abar.real()) + " + " + std::to_string(abar.imag()) +
                    "j cannot be held in " + std::to_string(kernel.options.decay_bits()) +
                    "-bit digital coefficients with " + std::to_string(kernel.options.effective_register_bits()) +
                    "-bit registers and 32-bit products; use fewer register bits or more a_bits");
}

}  // namespace imssa
