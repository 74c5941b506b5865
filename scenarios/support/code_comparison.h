#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "models/chip/chip_probe.h"
#include "models/network/reference_inference.h"
#include "models/network/sequence_pooling.h"

namespace imssa {

/// Codes compared and codes that differ, by kind.
struct CodeCounts {
    std::int64_t compared = 0;
    std::int64_t mismatched = 0;
};

struct ComparisonCounts {
    CodeCounts encoder, state, kernel_output, layer_output, pooled, logits;
    std::int64_t compared() const;
    std::int64_t mismatched() const;
    ComparisonCounts& operator+=(const ComparisonCounts& other);
};

/// One state component over time: chip and reference, in real units.
struct Trajectory {
    int layer = 0, head = 0, mode = 0;
    std::vector<double> chip, reference;
};

/// Runs the exact reference inference in lock-step beside the chip and compares every code as it appears.
class CodeComparison final : public ChipProbe {
public:
    /// `sequences`: by id, the values of a sequence, steps x channels.
    CodeComparison(const DeployedNetwork& network, std::map<std::uint64_t, const float*> sequences);

    /// Records Re x of one mode for one sequence.
    void trace(int layer, int head, int mode, std::uint64_t sequence_id);

    void on_encoder(const Batch& batch, int step, const LaneMatrix& codes) override;
    void on_state(const Batch& batch, int layer, int step, const std::vector<const StateRegisterFile*>& heads) override;
    void on_kernel_output(const Batch& batch, int layer, int step, const LaneMatrix& codes) override;
    void on_layer_output(const Batch& batch, int layer, int step, const LaneMatrix& codes) override;
    void on_logits(const Batch& batch, const LaneMatrix& pooled, const LaneMatrix& logits) override;

    const ComparisonCounts& counts() const { return counts_; }
    const Trajectory& trajectory() const { return trajectory_; }
    /// Logit codes of the reference by sequence id (classes).
    const std::map<std::uint64_t, std::vector<float>>& reference_logits() const { return reference_logits_; }

private:
    /// The reference of one batch: each layer runs when the chip's layer has run, with inputs queued by the layer
    /// before.
    struct Stage {
        explicit Stage(const DeployedNetwork& network, int layer, int lanes) : reference(network, layer, lanes) {}
        ReferenceLayer reference;
        std::deque<LaneMatrix> inputs, kernel_outputs, outputs;
        int next_step = 0;
    };
    struct BatchReference {
        std::vector<const float*> values;
        std::vector<std::unique_ptr<Stage>> stages;
        std::unique_ptr<SequencePooling> pooling;
    };

    BatchReference& reference_of(const Batch& batch);
    static void compare(const LaneMatrix& chip, const LaneMatrix& reference, CodeCounts& counts);

    const DeployedNetwork& network_;
    std::map<std::uint64_t, const float*> sequences_;
    MatrixRM driven_encoder_, driven_decoder_;
    std::map<int, std::unique_ptr<BatchReference>> batches_;
    ComparisonCounts counts_;
    Trajectory trajectory_;
    std::uint64_t traced_sequence_ = 0;
    bool tracing_ = false;
    std::map<std::uint64_t, std::vector<float>> reference_logits_;
};

}  // namespace imssa
