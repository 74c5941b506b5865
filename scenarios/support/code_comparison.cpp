#include "scenarios/support/code_comparison.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace imssa {

namespace {

CodeCounts sum(const CodeCounts& a, const CodeCounts& b) {
    return {a.compared + b.compared, a.mismatched + b.mismatched};
}

}  // namespace

std::int64_t ComparisonCounts::compared() const {
    return encoder.compared + state.compared + kernel_output.compared + layer_output.compared + pooled.compared +
           logits.compared;
}

std::int64_t ComparisonCounts::mismatched() const {
    return encoder.mismatched + state.mismatched + kernel_output.mismatched + layer_output.mismatched +
           pooled.mismatched + logits.mismatched;
}

ComparisonCounts& ComparisonCounts::operator+=(const ComparisonCounts& other) {
    encoder = sum(encoder, other.encoder);
    state = sum(state, other.state);
    kernel_output = sum(kernel_output, other.kernel_output);
    layer_output = sum(layer_output, other.layer_output);
    pooled = sum(pooled, other.pooled);
    logits = sum(logits, other.logits);
    return *this;
}

CodeComparison::CodeComparison(const DeployedNetwork& network, std::map<std::uint64_t, const float*> sequences)
    : network_(network),
      sequences_(std::move(sequences)),
      driven_encoder_(network.encoder.driven_codes()),
      driven_decoder_(network.decoder.driven_codes()) {}

void CodeComparison::trace(int layer, int head, int mode, std::uint64_t sequence_id) {
    trajectory_.layer = layer;
    trajectory_.head = head;
    trajectory_.mode = mode;
    traced_sequence_ = sequence_id;
    tracing_ = true;
}

CodeComparison::BatchReference& CodeComparison::reference_of(const Batch& batch) {
    std::unique_ptr<BatchReference>& entry = batches_[batch.index];
    if (entry == nullptr) {
        entry = std::make_unique<BatchReference>();
        for (const std::uint64_t id : batch.sequence_ids) {
            entry->values.push_back(sequences_.at(id));
        }
        for (int layer = 0; layer < network_.model.layers; ++layer) {
            entry->stages.push_back(std::make_unique<Stage>(network_, layer, batch.lanes()));
        }
        entry->pooling =
            std::make_unique<SequencePooling>(network_, sequence_lengths(network_, batch.lengths, batch.lanes()));
    }
    return *entry;
}

void CodeComparison::compare(const LaneMatrix& chip, const LaneMatrix& reference, CodeCounts& counts) {
    for (int channel = 0; channel < reference.channels(); ++channel) {
        for (int lane = 0; lane < reference.lanes(); ++lane) {
            counts.mismatched += chip(channel, lane) != reference(channel, lane) ? 1 : 0;
        }
    }
    counts.compared += static_cast<std::int64_t>(reference.channels()) * reference.lanes();
}

void CodeComparison::on_encoder(const Batch& batch, int step, const LaneMatrix& codes) {
    BatchReference& reference = reference_of(batch);
    LaneMatrix input(network_.model.channels, batch.lanes());
    LaneMatrix sums(network_.model.heads, batch.lanes());
    LaneMatrix encoded(network_.model.heads, batch.lanes());
    step_input_codes(network_, reference.values, step, input);
    encode(network_, driven_encoder_, input, sums, encoded);
    compare(codes, encoded, counts_.encoder);
    reference.stages.front()->inputs.push_back(std::move(encoded));
}

void CodeComparison::on_state(const Batch& batch, int layer, int step,
                              const std::vector<const StateRegisterFile*>& heads) {
    BatchReference& reference = reference_of(batch);
    Stage& stage = *reference.stages[static_cast<std::size_t>(layer)];
    if (stage.next_step != step || stage.inputs.empty()) {
        throw std::logic_error("the chip's layer " + std::to_string(layer) + " ran step " + std::to_string(step) +
                               " out of order");
    }
    stage.reference.step(stage.inputs.front(), static_cast<std::uint32_t>(step), batch.dither_keys);
    stage.inputs.pop_front();
    ++stage.next_step;
    for (std::size_t head = 0; head < heads.size(); ++head) {
        const StateRegisterFile& expected = stage.reference.registers()[head];
        for (int component = 0; component < expected.components(); ++component) {
            for (int lane = 0; lane < batch.lanes(); ++lane) {
                counts_.state.mismatched += heads[head]->row(component)[lane] != expected.row(component)[lane] ? 1 : 0;
            }
        }
        counts_.state.compared += static_cast<std::int64_t>(expected.components()) * batch.lanes();
    }
    if (tracing_ && layer == trajectory_.layer) {
        const auto at = std::find(batch.sequence_ids.begin(), batch.sequence_ids.end(), traced_sequence_);
        if (at != batch.sequence_ids.end()) {
            const std::ptrdiff_t lane = at - batch.sequence_ids.begin();
            const std::size_t head = static_cast<std::size_t>(trajectory_.head);
            const DeployedKernel& kernel = network_.layers[static_cast<std::size_t>(layer)].kernels[head];
            const double unit =
                kernel.state_scale[static_cast<std::size_t>(trajectory_.mode)] / (1 << kernel.register_shift);
            trajectory_.chip.push_back(unit * heads[head]->row(2 * trajectory_.mode)[lane]);
            trajectory_.reference.push_back(unit * stage.reference.registers()[head].row(2 * trajectory_.mode)[lane]);
        }
    }
    stage.kernel_outputs.push_back(stage.reference.kernel_output());
    stage.outputs.push_back(stage.reference.output());
    if (layer + 1 < network_.model.layers) {
        reference.stages[static_cast<std::size_t>(layer) + 1]->inputs.push_back(stage.reference.output());
        return;
    }
    reference.pooling->add(stage.reference.output(), step);
}

void CodeComparison::on_kernel_output(const Batch& batch, int layer, int /*step*/, const LaneMatrix& codes) {
    Stage& stage = *reference_of(batch).stages[static_cast<std::size_t>(layer)];
    compare(codes, stage.kernel_outputs.at(0), counts_.kernel_output);
    stage.kernel_outputs.pop_front();
}

void CodeComparison::on_layer_output(const Batch& batch, int layer, int /*step*/, const LaneMatrix& codes) {
    Stage& stage = *reference_of(batch).stages[static_cast<std::size_t>(layer)];
    compare(codes, stage.outputs.at(0), counts_.layer_output);
    stage.outputs.pop_front();
}

void CodeComparison::on_logits(const Batch& batch, const LaneMatrix& pooled, const LaneMatrix& logits) {
    BatchReference& reference = reference_of(batch);
    LaneMatrix expected_pooled(network_.model.heads, batch.lanes());
    reference.pooling->finish(expected_pooled);
    compare(pooled, expected_pooled, counts_.pooled);
    LaneMatrix sums(network_.model.classes, batch.lanes());
    LaneMatrix expected(network_.model.classes, batch.lanes());
    exact_product(driven_decoder_, expected_pooled, sums);
    convert_all(network_.decoder, sums, expected);
    compare(logits, expected, counts_.logits);
    for (int lane = 0; lane < batch.lanes(); ++lane) {
        std::vector<float>& codes = reference_logits_[batch.sequence_ids[static_cast<std::size_t>(lane)]];
        for (int label = 0; label < network_.model.classes; ++label) {
            codes.push_back(expected(label, lane));
        }
    }
    batches_.erase(batch.index);
}

}  // namespace imssa
