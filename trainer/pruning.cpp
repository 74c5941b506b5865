#include "trainer/pruning.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/common/error.h"
#include "models/network/deployed_kernel.h"

namespace imssa {

namespace {

/// One thing that can be pruned, by the numbers that it sets to zero.
struct Candidate {
    double magnitude = 0.0;
    std::vector<float*> numbers;
};

void add_matrix(MatrixRM& matrix, std::vector<Candidate>& candidates) {
    const double largest = std::max(1e-12F, matrix.cwiseAbs().maxCoeff());
    for (Eigen::Index index = 0; index < matrix.size(); ++index) {
        candidates.push_back({std::abs(matrix.data()[index]) / largest, {matrix.data() + index}});
    }
}

/// The candidates of one kernel: its modes, and all of it.
struct KernelCandidates {
    std::vector<Candidate> modes;  ///< smallest first
    Candidate whole;
};

KernelCandidates kernel_candidates(LayerParameters& layer, Eigen::Index head) {
    const DiscreteKernel kernel = discretize(layer, static_cast<int>(head));
    KernelCandidates candidates;
    double squares = kernel.d * kernel.d;
    for (Eigen::Index mode = 0; mode < layer.im.cols(); ++mode) {
        const std::size_t n = static_cast<std::size_t>(mode);
        const double gain = std::abs(2.0 * kernel.c[n] * kernel.bbar[n]) / (1.0 - std::abs(kernel.abar[n]));
        const std::vector<float*> numbers = {&layer.c_re(head, mode), &layer.c_im(head, mode)};
        squares += gain * gain;
        candidates.whole.numbers.insert(candidates.whole.numbers.end(), numbers.begin(), numbers.end());
        candidates.modes.push_back({gain, numbers});
    }
    candidates.whole.magnitude = std::sqrt(squares);
    candidates.whole.numbers.push_back(&layer.d(head));
    return candidates;
}

void sort_by_magnitude(std::vector<Candidate>& candidates) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.magnitude < b.magnitude; });
}

void add_kernels(PruningKind kind, LayerParameters& layer, std::vector<Candidate>& candidates) {
    // Kind modes: the r-th smallest modes of all kernels together; the largest of each kernel is no candidate.
    std::vector<Candidate> ranks(static_cast<std::size_t>(layer.im.cols() - 1));
    for (Eigen::Index head = 0; head < layer.im.rows(); ++head) {
        KernelCandidates kernel = kernel_candidates(layer, head);
        if (kind == PruningKind::structured) {
            candidates.push_back(std::move(kernel.whole));
        } else if (kind == PruningKind::kernel) {
            candidates.insert(candidates.end(), kernel.modes.begin(), kernel.modes.end());
        } else {
            sort_by_magnitude(kernel.modes);
            for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
                const Candidate& mode = kernel.modes[rank];
                ranks[rank].magnitude = std::hypot(ranks[rank].magnitude, mode.magnitude);
                ranks[rank].numbers.insert(ranks[rank].numbers.end(), mode.numbers.begin(), mode.numbers.end());
            }
        }
    }
    if (kind == PruningKind::modes) {
        candidates.insert(candidates.end(), ranks.begin(), ranks.end());
    }
}

/// All candidates, smallest magnitude first; equal ones in storage order.
std::vector<Candidate> candidates_of(PruningKind kind, NetworkParameters& parameters) {
    std::vector<Candidate> candidates;
    if (kind == PruningKind::linear) {
        add_matrix(parameters.encoder, candidates);
    }
    for (LayerParameters& layer : parameters.layers) {
        if (kind == PruningKind::linear) {
            add_matrix(layer.mixing, candidates);
        } else {
            add_kernels(kind, layer, candidates);
        }
    }
    if (kind == PruningKind::linear) {
        add_matrix(parameters.decoder, candidates);
    }
    sort_by_magnitude(candidates);
    return candidates;
}

void zero(const Candidate& candidate) {
    for (float* number : candidate.numbers) {
        *number = 0.0F;
    }
}

void count_matrix(const MatrixRM& matrix, PruningCount& count) {
    count.weights += static_cast<int>(matrix.size());
    count.pruned_weights += static_cast<int>((matrix.array() == 0.0F).count());
}

bool is_pruned(const LayerParameters& layer, Eigen::Index head, Eigen::Index mode) {
    return layer.c_re(head, mode) == 0.0F && layer.c_im(head, mode) == 0.0F;
}

void keep_zeros(const MatrixRM& pruned, MatrixRM& values) {
    for (Eigen::Index index = 0; index < pruned.size(); ++index) {
        if (pruned.data()[index] == 0.0F) {
            values.data()[index] = 0.0F;
        }
    }
}

}  // namespace

void PruningConfig::validate() const {
    if (!(fraction >= 0.0 && fraction < 1.0)) {
        throw UserError("key 'fraction' must lie in [0, 1)");
    }
    if (!(accuracy_loss >= 0.0 && accuracy_loss < 1.0)) {
        throw UserError("key 'accuracy_loss' must lie in [0, 1): 0.01 is one point");
    }
    if (candidates_at_once < 1) {
        throw UserError("key 'candidates_at_once' must be at least 1");
    }
}

PruningCount count_pruned(const NetworkParameters& parameters) {
    PruningCount count;
    count_matrix(parameters.encoder, count);
    count_matrix(parameters.decoder, count);
    for (const LayerParameters& layer : parameters.layers) {
        count_matrix(layer.mixing, count);
        for (Eigen::Index head = 0; head < layer.im.rows(); ++head) {
            int dead = 0;
            for (Eigen::Index mode = 0; mode < layer.im.cols(); ++mode) {
                dead += is_pruned(layer, head, mode) ? 1 : 0;
            }
            count.modes += static_cast<int>(layer.im.cols());
            count.pruned_modes += dead;
            ++count.kernels;
            count.pruned_kernels += dead == layer.im.cols() && layer.d(head) == 0.0F ? 1 : 0;
        }
    }
    return count;
}

void prune_by_magnitude(const PruningConfig& config, NetworkParameters& parameters) {
    const std::vector<Candidate> candidates = candidates_of(config.kind, parameters);
    const std::size_t count = static_cast<std::size_t>(config.fraction * static_cast<double>(candidates.size()));
    for (std::size_t index = 0; index < count; ++index) {
        zero(candidates[index]);
    }
}

double prune_greedily(const PruningConfig& config, const std::function<double(const NetworkParameters&)>& accuracy,
                      NetworkParameters& parameters) {
    const double least = accuracy(parameters) - config.accuracy_loss;
    double reached = least + config.accuracy_loss;
    const std::vector<Candidate> candidates = candidates_of(config.kind, parameters);
    const std::size_t group = static_cast<std::size_t>(config.candidates_at_once);
    for (std::size_t first = 0; first < candidates.size(); first += group) {
        const std::size_t last = std::min(first + group, candidates.size());
        std::vector<float> kept;
        for (std::size_t index = first; index < last; ++index) {
            for (const float* number : candidates[index].numbers) {
                kept.push_back(*number);
            }
            zero(candidates[index]);
        }
        const double now = accuracy(parameters);
        if (now >= least) {
            reached = now;
            continue;
        }
        std::size_t at = 0;
        for (std::size_t index = first; index < last; ++index) {
            for (float* number : candidates[index].numbers) {
                *number = kept[at++];
            }
        }
    }
    return reached;
}

void keep_pruned(const NetworkParameters& pruned, NetworkParameters& values) {
    keep_zeros(pruned.encoder, values.encoder);
    keep_zeros(pruned.decoder, values.decoder);
    for (std::size_t index = 0; index < values.layers.size(); ++index) {
        const LayerParameters& from = pruned.layers[index];
        LayerParameters& to = values.layers[index];
        keep_zeros(from.mixing, to.mixing);
        for (Eigen::Index head = 0; head < from.im.rows(); ++head) {
            bool any_mode = false;
            for (Eigen::Index mode = 0; mode < from.im.cols(); ++mode) {
                if (is_pruned(from, head, mode)) {
                    to.c_re(head, mode) = to.c_im(head, mode) = 0.0F;
                } else {
                    any_mode = true;
                }
            }
            if (!any_mode && from.d(head) == 0.0F) {
                to.d(head) = 0.0F;
            }
        }
    }
}

}  // namespace imssa
