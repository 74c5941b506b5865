#pragma once

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

}  // namespace imssa
