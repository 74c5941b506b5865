#include "models/network/remove_pruned.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace imssa {

namespace {

/// The elements of a vector with these indices, each index standing for `block` neighbours; an empty vector stays
/// empty.
template <class Value>
std::vector<Value> picked(const std::vector<Value>& values, const std::vector<int>& indices, int block = 1) {
    std::vector<Value> kept;
    for (const int index : indices) {
        for (int k = 0; k < block && !values.empty(); ++k) {
            kept.push_back(values[static_cast<std::size_t>(block * index + k)]);
        }
    }
    return kept;
}

/// The rows (inputs) and columns (outputs) of a matrix in cells.
QuantizedMatrix part_of(const QuantizedMatrix& matrix, const std::vector<int>& inputs,
                        const std::vector<int>& outputs) {
    QuantizedMatrix part = matrix;
    part.codes.resize(static_cast<Eigen::Index>(inputs.size()), static_cast<Eigen::Index>(outputs.size()));
    for (std::size_t input = 0; input < inputs.size(); ++input) {
        for (std::size_t output = 0; output < outputs.size(); ++output) {
            part.codes(static_cast<Eigen::Index>(input), static_cast<Eigen::Index>(output)) =
                matrix.codes(inputs[input], outputs[output]);
        }
    }
    part.drive = picked(matrix.drive, inputs);
    part.gain = picked(matrix.gain, outputs);
    part.offset = picked(matrix.offset, outputs);
    part.output_limit = picked(matrix.output_limit, outputs);
    return part;
}

bool reads_mode(const DeployedKernel& kernel, int mode) {
    const int output = kernel.output_column();
    return kernel.array.codes(2 * mode, output) != 0.0F || kernel.array.codes(2 * mode + 1, output) != 0.0F;
}

bool always_zero(const DeployedKernel& kernel) {
    const int output = kernel.output_column();
    return kernel.feedthrough == 0.0F && kernel.array.codes.col(output).isZero(0.0F) &&
           kernel.array.offset[static_cast<std::size_t>(output)] == 0.0F;
}

std::vector<int> heard_kernels(const DeployedLayer& layer, int limit) {
    const bool zero_stays_zero = layer.activation_table[static_cast<std::size_t>(limit)] == 0.0F;
    std::vector<int> kept;
    for (int kernel = 0; kernel < layer.kernel_count(); ++kernel) {
        const bool silent = zero_stays_zero && always_zero(layer.kernels[static_cast<std::size_t>(kernel)]);
        if (!silent && !layer.mixing.codes.row(kernel).isZero(0.0F)) {
            kept.push_back(kernel);
        }
    }
    return kept.empty() ? std::vector<int>{0} : kept;
}

/// `count` modes: those that the output reads, filled up with others, in their order.
std::vector<int> kept_modes(const DeployedKernel& kernel, int count) {
    std::vector<int> kept;
    for (const bool needed : {true, false}) {
        for (int mode = 0; mode < kernel.modes; ++mode) {
            if (reads_mode(kernel, mode) == needed && (needed || static_cast<int>(kept.size()) < count)) {
                kept.push_back(mode);
            }
        }
    }
    std::sort(kept.begin(), kept.end());
    return kept;
}

int modes_needed(const DeployedKernel& kernel) {
    if (kernel.options.rounding == StateRounding::dithered) {
        return kernel.modes;
    }
    int needed = 0;
    for (int mode = 0; mode < kernel.modes; ++mode) {
        needed += reads_mode(kernel, mode) ? 1 : 0;
    }
    return std::max(1, needed);
}

DeployedKernel with_modes(const DeployedKernel& kernel, const std::vector<int>& modes) {
    const ArrayLines lines = lines_of_modes(kernel, modes);
    DeployedKernel smaller = kernel;
    smaller.array = part_of(kernel.array, lines.inputs, lines.outputs);
    smaller.modes = static_cast<int>(modes.size());
    smaller.increment_shift = picked(kernel.increment_shift, modes);
    smaller.poles = picked(kernel.poles, modes);
    smaller.log_polar.magnitude = picked(kernel.log_polar.magnitude, modes);
    smaller.log_polar.phase = picked(kernel.log_polar.phase, modes);
    smaller.state_scale = picked(kernel.state_scale, modes);
    smaller.effective_a = picked(kernel.effective_a, modes);
    smaller.effective_b = picked(kernel.effective_b, modes);
    smaller.effective_c_re = picked(kernel.effective_c_re, modes);
    smaller.effective_c_im = picked(kernel.effective_c_im, modes);
    return smaller;
}

}  // namespace

std::vector<KeptKernel> kept_kernels(const DeployedNetwork& network, const DeployedLayer& layer) {
    const std::vector<int> heard = heard_kernels(layer, code_limit(network.options.activation_bits));
    int modes = 1;
    for (const int kernel : heard) {
        modes = std::max(modes, modes_needed(layer.kernels[static_cast<std::size_t>(kernel)]));
    }
    std::vector<KeptKernel> kept;
    for (const int kernel : heard) {
        kept.push_back({kernel, kept_modes(layer.kernels[static_cast<std::size_t>(kernel)], modes)});
    }
    return kept;
}

ArrayLines lines_of_modes(const DeployedKernel& kernel, const std::vector<int>& modes) {
    ArrayLines lines;
    for (const int mode : modes) {
        lines.inputs.insert(lines.inputs.end(), {2 * mode, 2 * mode + 1});
        for (int k = 0; kernel.array_makes_state && k < kernel.state_columns_per_mode(); ++k) {
            lines.outputs.push_back(kernel.state_columns_per_mode() * mode + k);
        }
    }
    for (int row = 2 * kernel.modes; row < kernel.array.inputs(); ++row) {
        lines.inputs.push_back(row);
    }
    lines.outputs.push_back(kernel.output_column());
    return lines;
}

DeployedLayer with_kernels(const DeployedLayer& layer, const std::vector<KeptKernel>& kept) {
    DeployedLayer smaller = layer;
    smaller.kernels.clear();
    smaller.kernel_channels.clear();
    std::vector<int> kernels, outputs(static_cast<std::size_t>(layer.mixing.outputs()));
    std::iota(outputs.begin(), outputs.end(), 0);
    for (const KeptKernel& left : kept) {
        const DeployedKernel& whole = layer.kernels[static_cast<std::size_t>(left.kernel)];
        const bool all = static_cast<int>(left.modes.size()) == whole.modes;
        smaller.kernels.push_back(all ? whole : with_modes(whole, left.modes));
        smaller.kernel_channels.push_back(layer.channel_of(left.kernel));
        kernels.push_back(left.kernel);
    }
    smaller.mixing = part_of(layer.mixing, kernels, outputs);
    return smaller;
}

DeployedNetwork remove_pruned(const DeployedNetwork& network, KernelCount* count) {
    DeployedNetwork smaller = network;
    for (DeployedLayer& layer : smaller.layers) {
        DeployedLayer left = with_kernels(layer, kept_kernels(network, layer));
        if (count != nullptr) {
            count->kernels += layer.kernel_count();
            count->kept_kernels += left.kernel_count();
            count->modes += layer.kernel_count() * layer.kernels.front().modes;
            count->kept_modes += left.kernel_count() * left.kernels.front().modes;
        }
        if (left.kernel_count() < layer.kernel_count() || left.kernels.front().modes < layer.kernels.front().modes) {
            layer = std::move(left);
        }
    }
    return smaller;
}

}  // namespace imssa
