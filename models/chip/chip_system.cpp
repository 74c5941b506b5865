#include "models/chip/chip_system.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "models/network/reference_inference.h"

namespace imssa {

SequenceSource::SequenceSource(const sc_core::sc_module_name& name, Chip& chip)
    : sc_core::sc_module(name), chip_(chip) {
    SC_THREAD(run);
}

void SequenceSource::submit(const std::vector<BatchInput>& batches) {
    pending_ = &batches;
    submitted_.notify(sc_core::SC_ZERO_TIME);
}

void SequenceSource::run() {
    chip_.guard([this] {
        for (;;) {
            while (pending_ == nullptr) {
                wait(submitted_);
            }
            for (const BatchInput& input : *pending_) {
                stream(input);
            }
            pending_ = nullptr;
        }
    });
}

void SequenceSource::stream(const BatchInput& input) {
    const DeployedNetwork& network = chip_.network();
    const std::shared_ptr<Batch> batch = std::make_shared<Batch>();
    batch->index = next_batch_++;
    batch->sequence_ids = input.sequence_ids;
    batch->lengths = input.lengths;
    batch->dither_keys = dither_keys(chip_.seed(), input.sequence_ids);
    for (int step = 0; step < network.steps; ++step) {
        const std::shared_ptr<Token> token = pool_.take(network.model.channels, batch);
        token->step = step;
        token->first = step == 0;
        token->last = step == network.steps - 1;
        step_input_codes(network, input.values, step, token->codes);
        chip_.input().write(token);
    }
}

ResultSink::ResultSink(const sc_core::sc_module_name& name, Chip& chip) : sc_core::sc_module(name), chip_(chip) {
    SC_THREAD(run);
}

void ResultSink::run() {
    for (;;) {
        results_.push_back(*chip_.results().read());
    }
}

ChipSystem::ChipSystem(const DeployedNetwork& network, const ChipConfig& config, std::uint64_t seed, const char* name)
    : chip_(name, network, config, seed),
      source_((std::string(name) + "_source").c_str(), chip_),
      sink_((std::string(name) + "_sink").c_str(), chip_) {}

std::vector<BatchResult> ChipSystem::run(const std::vector<BatchInput>& batches) {
    for (const BatchInput& batch : batches) {
        if (batch.values.empty() || batch.values.size() != batch.sequence_ids.size() ||
            (!batch.lengths.empty() && batch.lengths.size() != batch.values.size())) {
            throw std::invalid_argument("a batch needs one sequence id and one length a lane, and at least one lane");
        }
    }
    source_.submit(batches);
    sc_core::sc_start();
    chip_.rethrow_fault();
    if (chip_.traces_phases()) {
        sc_core::sc_start(chip_.clock_period());  // the writer dumps the last changes when time moves on
    }
    std::vector<BatchResult> results = sink_.take();
    if (results.size() != batches.size()) {
        throw std::logic_error("the chip stopped before all batches had results");
    }
    return results;
}

}  // namespace imssa
