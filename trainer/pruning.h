#pragma once

#include <array>
#include <functional>
#include <utility>

#include "models/network/parameters.h"

namespace imssa {

/// What is set to zero. structured: whole kernels, C and D of a head (QS4D prunes kernels); kernel: single complex
/// modes of C; modes: the same number of modes in every kernel of a layer, so that all of its kernels shrink; linear:
/// single weights of encoder, mixing and decoder.
enum class PruningKind { structured, kernel, modes, linear };
/// off; magnitude: the smallest `fraction` of each kind at the start of a phase, kept at zero while it trains; greedy:
/// after the phase, one after another from the smallest, as long as the accuracy on the validation split stays within
/// `accuracy_loss` (QS4D goes through the elements in storage order and looks at the test set); keep: nothing new.
/// All but off keep zero what an earlier phase has pruned, of every kind.
enum class PruningMethod { off, magnitude, greedy, keep };

constexpr std::array<std::pair<const char*, PruningKind>, 4> enum_names(PruningKind) {
    return {{{"structured", PruningKind::structured},
             {"kernel", PruningKind::kernel},
             {"modes", PruningKind::modes},
             {"linear", PruningKind::linear}}};
}
constexpr std::array<std::pair<const char*, PruningMethod>, 4> enum_names(PruningMethod) {
    return {{{"off", PruningMethod::off},
             {"magnitude", PruningMethod::magnitude},
             {"greedy", PruningMethod::greedy},
             {"keep", PruningMethod::keep}}};
}

struct PruningConfig {
    PruningMethod method = PruningMethod::off;
    PruningKind kind = PruningKind::structured;
    double fraction = 0.2;        ///< magnitude: of the candidates of the whole network
    double accuracy_loss = 0.01;  ///< greedy: largest loss of validation accuracy (0.01: one point)
    int candidates_at_once = 1;   ///< greedy: candidates tried together; more is faster and coarser

    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, PruningConfig& c) {
    visit("method", c.method);
    visit("kind", c.kind);
    visit("fraction", c.fraction);
    visit("accuracy_loss", c.accuracy_loss);
    visit("candidates_at_once", c.candidates_at_once);
}

/// How much of a network is zero.
struct PruningCount {
    int kernels = 0, pruned_kernels = 0;  ///< heads of all layers; those whose C and D are zero
    int modes = 0, pruned_modes = 0;      ///< complex modes; those whose C is zero
    int weights = 0, pruned_weights = 0;  ///< of encoder, mixing and decoder
};
PruningCount count_pruned(const NetworkParameters& parameters);

/// Sets the `fraction` of candidates with the smallest magnitudes to zero. Magnitudes: of a kernel, the root of sum
/// |2 C Bbar / (1 - |Abar|)|^2 + D^2 (the gain of its modes at resonance); of a mode, |2 C Bbar / (1 - |Abar|)|; of a
/// weight |w| over the largest of its matrix; of the r-th smallest modes of a layer's kernels, the root of the sum of
/// their squares (kind modes leaves one mode a kernel).
void prune_by_magnitude(const PruningConfig& config, NetworkParameters& parameters);

/// Greedy pruning; `accuracy` evaluates parameters on the validation split. Returns the accuracy of what is left.
double prune_greedily(const PruningConfig& config, const std::function<double(const NetworkParameters&)>& accuracy,
                      NetworkParameters& parameters);

/// Zeroes in `values` what is zero in `pruned`, whatever kind of pruning did it: weights of encoder, mixing and
/// decoder, modes of C, and D of heads that have no mode left.
void keep_pruned(const NetworkParameters& pruned, NetworkParameters& values);

}  // namespace imssa
