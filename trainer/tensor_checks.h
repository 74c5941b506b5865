#pragma once

#include <string>
#include <vector>

#include "trainer/network_pass.h"
#include "trainer/workspace.h"

namespace imssa {

/// Throws NumericalError naming a tensor whose parameters are not all zero but whose codes are: weights that
/// quantization has turned into nothing.
void check_dead_weights(const NetworkParameters& parameters, const EffectiveNetwork& quantized);

/// Throws NumericalError naming the first tensor with a number that is not finite; `where` tells epoch and step.
void check_finite(const NetworkParameters& parameters, const std::string& where);

/// Which of encoder output, then activation and output of every layer, then the states of every layer, then its mixing
/// outputs, then pooled numbers and logits, have a number other than zero in the sequences that went through a training
/// workspace last. Looks as far as the first one; at states, where each chunk ends, and only if they are zero there at
/// every step. What nothing reads, or comes from weights that are all pruned, counts as alive. `kernels` are those of
/// the backward pass that is to come.
void live_activations(const EffectiveNetwork& network, const KernelAdjoint& kernels, Workspace& workspace,
                      std::vector<unsigned char>& alive);

/// The first activation, in the order of the forward pass, that holds a number which is not finite; else "logits".
std::string first_not_finite(const EffectiveNetwork& network, Workspace& workspace);

/// Sequences in a row whose pooled numbers, and whose logits, were all zero.
struct SilentSequences {
    int pooled = 0, logits = 0;
};

/// Throws NumericalError naming what is zero in the first `items` of live_activations, those of a batch of `sequences`.
/// A sequence has few pooled numbers and logits: they are dead when they are zero in kFewestSilent sequences in a row,
/// which `silent` counts over batches.
constexpr int kFewestSilent = 64;
void check_live_activations(const std::vector<std::vector<unsigned char>>& alive, int items, int sequences,
                            SilentSequences& silent);

}  // namespace imssa
