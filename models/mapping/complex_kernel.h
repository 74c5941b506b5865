#pragma once

#include <complex>
#include <vector>

#include "models/network/quantized_matrix.h"

namespace imssa {

/// A kernel of complex input and output, as published hardware figures have it: x' = A x + B u, y = C x + D u, with A
/// diagonal.
struct ComplexKernel {
    std::vector<std::complex<double>> a, b, c;  ///< per mode
    std::complex<double> d;
};

/// The kernel as the array of its cells: inputs Re and Im of every state, then of u; outputs Re and Im of every next
/// state, then of y. A factor z is the block [[Re z, Im z], [-Im z, Re z]]. All blocks share a range: full scale is the
/// largest part of any factor. What is trained has a real input and output and half of these rows and columns of u and
/// y; deploy_kernel makes its codes.
QuantizedMatrix complex_kernel_array(const ComplexKernel& kernel, int code_limit);

}  // namespace imssa
