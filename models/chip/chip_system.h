#pragma once

#include <systemc>

#include <cstdint>
#include <vector>

#include "models/chip/chip.h"

namespace imssa {

/// One batch of sequences for the chip: network.steps steps of channels floats each.
struct BatchInput {
    std::vector<const float*> values;         ///< one pointer a lane to steps x channels floats
    std::vector<std::uint64_t> sequence_ids;  ///< one a lane: keys noise and dither
    std::vector<int> lengths;                 ///< one a lane: steps that pooling counts; empty: all of them
};

/// Host stub: streams batches back to back into a chip's input channel.
class SequenceSource final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(SequenceSource);
    SequenceSource(const sc_core::sc_module_name& name, Chip& chip);

    /// The batches must stay alive until they have been simulated.
    void submit(const std::vector<BatchInput>& batches);

private:
    void run();
    void stream(const BatchInput& input);

    Chip& chip_;
    const std::vector<BatchInput>* pending_ = nullptr;
    int next_batch_ = 0;
    sc_core::sc_event submitted_;
    TokenPool pool_;
};

/// Host stub: collects the results.
class ResultSink final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(ResultSink);
    ResultSink(const sc_core::sc_module_name& name, Chip& chip);
    std::vector<BatchResult> take() { return std::move(results_); }

private:
    void run();

    Chip& chip_;
    std::vector<BatchResult> results_;
};

/// A chip with its host stubs: build it, attach observers, run batches. SystemC elaborates once a process: systems
/// that are to be compared in one process are all built, with different names, before the first of them runs.
class ChipSystem final {
public:
    ChipSystem(const DeployedNetwork& network, const ChipConfig& config, std::uint64_t seed, const char* name = "chip");

    Chip& chip() { return chip_; }
    const Chip& chip() const { return chip_; }

    /// Simulates the batches back to back through the same chip, until it is empty. May be called again. Throws the
    /// error of the unit that found one.
    std::vector<BatchResult> run(const std::vector<BatchInput>& batches);

private:
    Chip chip_;
    SequenceSource source_;
    ResultSink sink_;
};

}  // namespace imssa
