#pragma once

#include <vector>

#include "models/network/deployed_network.h"

namespace imssa {

/// How much of a network's kernels is left.
struct KernelCount {
    int kernels = 0, kept_kernels = 0;
    int modes = 0, kept_modes = 0;
};

/// The network without the kernels and modes that no output can see, so that they take no cells, converters, registers
/// or multipliers: kernels whose output is zero for every input (C and D have zero codes, and the activation of zero is
/// zero) or whose row of the mixing matrix is zero, and modes whose C has zero codes. All kernels of a layer work in
/// lock-step and keep the same number of modes, the largest number that one of them needs; dithered states keep all,
/// since their dither is keyed by the mode. A layer keeps one kernel at least. Every code of what is left equals that
/// of the whole network: the logits are the same.
DeployedNetwork remove_pruned(const DeployedNetwork& network, KernelCount* count = nullptr);

/// A kernel that remove_pruned leaves, and its modes that are left.
struct KeptKernel {
    int kernel = 0;
    std::vector<int> modes;
};
std::vector<KeptKernel> kept_kernels(const DeployedNetwork& network, const DeployedLayer& layer);

/// Inputs and outputs of a kernel's array without the rows and columns of all other modes.
struct ArrayLines {
    std::vector<int> inputs, outputs;
};
ArrayLines lines_of_modes(const DeployedKernel& kernel, const std::vector<int>& modes);

/// The layer with these kernels and modes alone.
DeployedLayer with_kernels(const DeployedLayer& layer, const std::vector<KeptKernel>& kept);

}  // namespace imssa
