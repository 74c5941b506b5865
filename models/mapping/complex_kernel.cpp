#include "models/mapping/complex_kernel.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace imssa {

namespace {

double largest_part(std::complex<double> z) {
    return std::max(std::abs(z.real()), std::abs(z.imag()));
}

double full_scale(const ComplexKernel& kernel) {
    double largest = largest_part(kernel.d);
    for (const std::vector<std::complex<double>>* factors : {&kernel.a, &kernel.b, &kernel.c}) {
        for (const std::complex<double>& z : *factors) {
            largest = std::max(largest, largest_part(z));
        }
    }
    return largest > 0.0 ? largest : 1.0;
}

/// Complex input `from` to complex output `to`.
void place_factor(int from, int to, std::complex<double> codes, MatrixRM& matrix) {
    const float re = static_cast<float>(std::nearbyint(codes.real()));
    const float im = static_cast<float>(std::nearbyint(codes.imag()));
    matrix.block<2, 2>(2 * from, 2 * to) << re, im, -im, re;
}

}  // namespace

QuantizedMatrix complex_kernel_array(const ComplexKernel& kernel, int code_limit) {
    assert(kernel.a.size() == kernel.b.size() && kernel.a.size() == kernel.c.size());
    const int modes = static_cast<int>(kernel.a.size());
    const std::size_t lines = 2 * (kernel.a.size() + 1);
    const double codes_per_unit = code_limit / full_scale(kernel);
    QuantizedMatrix array;
    array.code_limit = code_limit;
    array.codes = MatrixRM::Zero(static_cast<Eigen::Index>(lines), static_cast<Eigen::Index>(lines));
    array.drive.assign(lines, 1.0F);
    array.gain.assign(lines, static_cast<float>(1.0 / codes_per_unit));
    array.offset.assign(lines, 0.0F);
    array.output_limit.assign(lines, static_cast<float>(array.input_limit));
    for (int mode = 0; mode < modes; ++mode) {
        const std::size_t at = static_cast<std::size_t>(mode);
        place_factor(mode, mode, codes_per_unit * kernel.a[at], array.codes);
        place_factor(modes, mode, codes_per_unit * kernel.b[at], array.codes);
        place_factor(mode, modes, codes_per_unit * kernel.c[at], array.codes);
    }
    place_factor(modes, modes, codes_per_unit * kernel.d, array.codes);
    return array;
}

}  // namespace imssa
