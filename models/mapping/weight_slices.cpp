#include "models/mapping/weight_slices.h"

#include <cmath>

namespace imssa {

int slice_bits(int code_limit, int slices) {
    int bits = 0;
    while ((1 << bits) <= code_limit) {
        ++bits;
    }
    return (bits + slices - 1) / slices;
}

QuantizedMatrix slice_matrix(const QuantizedMatrix& matrix, int slices) {
    if (slices == 1) {
        return matrix;
    }
    const int bits = slice_bits(matrix.code_limit, slices);
    const int base = 1 << bits;
    const int outputs = matrix.outputs();
    QuantizedMatrix sliced = matrix;
    sliced.code_limit = base - 1;
    sliced.codes.resize(matrix.inputs(), slices * outputs);
    sliced.gain.clear();
    sliced.offset.assign(static_cast<std::size_t>(slices * outputs), 0.0F);
    sliced.output_limit.clear();
    for (int output = 0; output < outputs; ++output) {
        for (int slice = 0; slice < slices; ++slice) {
            const std::size_t at = static_cast<std::size_t>(output);
            sliced.gain.push_back(std::ldexp(matrix.gain[at], bits * slice));
            sliced.output_limit.push_back(matrix.output_limit[at]);
            for (int input = 0; input < matrix.inputs(); ++input) {
                const int code = static_cast<int>(matrix.codes(input, output));
                const int digit = (std::abs(code) >> (bits * slice)) % base;
                sliced.codes(input, slice_column(output, slice, slices)) =
                    static_cast<float>(code < 0 ? -digit : digit);
            }
        }
    }
    return sliced;
}

void recombine_slices(const LaneMatrix& sliced, int slices, int bits, LaneMatrix& sums) {
    for (int output = 0; output < sums.channels(); ++output) {
        float* to = sums.row(output);
        for (int slice = 0; slice < slices; ++slice) {
            const float weight = std::ldexp(1.0F, bits * slice);
            const float* from = sliced.row(slice_column(output, slice, slices));
            for (int lane = 0; lane < sums.stride(); ++lane) {
                to[lane] = slice == 0 ? from[lane] : to[lane] + weight * from[lane];
            }
        }
    }
}

}  // namespace imssa
