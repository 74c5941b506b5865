#include "models/network/quantized_matrix.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {}  // namespace

MatrixRM QuantizedMatrix::driven_codes() const {
    MatrixRM driven = codes;
    for (int input = 0; input < inputs(); ++input) {
        driven.row(input) *= drive[static_cast<std::size_t>(input)];
    }
    return driven;
}

double QuantizedMatrix::largest_sum() const {
    const float finest = *std::min_element(drive.begin(), drive.end());
    return driven_codes().cast<double>().cwiseAbs().colwise().sum().maxCoeff() * input_limit / finest;
}

void QuantizedMatrix::check_exact(const std::string& name) const {
    const float finest = *std::min_element(drive.begin(), drive.end());
    const MatrixRM driven = driven_codes();
    for (int output = 0; output < outputs(); ++output) {
        const double largest = driven.col(output).cast<double>().cwiseAbs().sum() * input_limit / finest;
        if (!(largest < kExactLimit)) {
            throw NumericalError(name + ": output " + std::to_string(output) + " can reach " + std::to_string(largest) +
                                 " weight-code x input-code units, beyond the 2^24 that are exact; use fewer bits or "
                                 "fewer inputs an array");
        }
        const std::size_t at = static_cast<std::size_t>(output);
        if (!std::isfinite(gain[at]) || !std::isfinite(offset[at])) {
            throw NumericalError(name + ": gain or offset of output " + std::to_string(output) +
                                 " is not finite; are the calibrated ranges of the checkpoint zero or NaN?");
        }
    }
}

QuantizedMatrix quantize_matrix(const Eigen::Ref<const MatrixRM>& weights,
                                const Eigen::Ref<const Eigen::VectorXf>& bias, double input_scale, double output_scale,
                                int weight_bits, int input_bits, int output_bits, WeightRange range) {
    const int inputs = static_cast<int>(weights.cols());
    const int outputs = static_cast<int>(weights.rows());
    QuantizedMatrix matrix;
    matrix.code_limit = code_limit(weight_bits);
    matrix.input_limit = code_limit(input_bits);
    matrix.codes.resize(inputs, outputs);
    matrix.drive.assign(static_cast<std::size_t>(inputs), 1.0F);
    matrix.output_limit.assign(static_cast<std::size_t>(outputs), static_cast<float>(code_limit(output_bits)));
    const double array_maximum = weights.cwiseAbs().maxCoeff();
    for (int output = 0; output < outputs; ++output) {
        double maximum = range == WeightRange::column ? weights.row(output).cwiseAbs().maxCoeff() : array_maximum;
        maximum = std::max(maximum, 1e-5);
        const double weight_scale = maximum / matrix.code_limit;
        for (int input = 0; input < inputs; ++input) {
            matrix.codes(input, output) = static_cast<float>(std::nearbyint(weights(output, input) / weight_scale));
        }
        matrix.gain.push_back(static_cast<float>(weight_scale * input_scale / output_scale));
        matrix.offset.push_back(static_cast<float>(bias(output) / output_scale));
    }
    return matrix;
}

void exact_product(const MatrixRM& driven, const LaneMatrix& inputs, LaneMatrix& sums) {
    for (int vector = 0; vector < inputs.vectors(); ++vector) {
        const int lane = vector * kLaneWidth;
        for (int output = 0; output < driven.cols(); ++output) {
            Lanes sum = {};
            for (int input = 0; input < driven.rows(); ++input) {
                sum = multiply_add(load_lanes(inputs.row(input) + lane), broadcast(driven(input, output)), sum);
            }
            store_lanes(sums.row(output) + lane, sum);
        }
    }
}

void convert_all(const QuantizedMatrix& matrix, const LaneMatrix& sums, LaneMatrix& codes) {
    for (int output = 0; output < matrix.outputs(); ++output) {
        const std::size_t at = static_cast<std::size_t>(output);
        for (int vector = 0; vector < sums.vectors(); ++vector) {
            const int lane = vector * kLaneWidth;
            store_lanes(codes.row(output) + lane, convert(load_lanes(sums.row(output) + lane), matrix.gain[at],
                                                          matrix.offset[at], matrix.output_limit[at]));
        }
    }
}

}  // namespace imssa
