#pragma once

#include <systemc>

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm>

#include <cstdint>
#include <vector>

#include "models/network/parameters.h"

namespace imssa {

/// One sequence for the host to stream.
struct HostSequence {
    std::uint32_t id = 0;             ///< index in the data set: keys noise and dither
    std::vector<std::int32_t> codes;  ///< steps x channels input codes
    std::uint32_t length = 0;         ///< steps that pooling counts; 0: all of them
};

struct HostResult {
    std::uint32_t id = 0;
    std::vector<std::int32_t> logits;
    double start_s = 0.0;   ///< simulated time of the start command
    double finish_s = 0.0;  ///< simulated time at which the last logit was read
};

/// Software on a host: it checks what chip it talks to, loads the weights of the model, streams sequences as the input
/// FIFO has room, and reads the logits as they come. Every access waits for its annotated delay.
class HostDriver final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(HostDriver);
    /// `weights`: codes of all tiles (Chip::weight_image); empty leaves the chip as it is programmed.
    HostDriver(const sc_core::sc_module_name& name, const std::vector<HostSequence>& sequences,
               const sc_core::sc_time& poll_interval, std::vector<MatrixRM> weights = {});

    tlm_utils::simple_initiator_socket<HostDriver> socket;

    /// Results in the order of the sequences; fewer when the chip reported a fault.
    const std::vector<HostResult>& results() const { return results_; }
    bool done() const { return done_; }

private:
    void run();
    void identify();
    void load_weights();
    void move_codes(tlm::tlm_command command, std::vector<std::int32_t>& codes);
    bool stream(const HostSequence& sequence);
    bool wait_for_space();
    void drain_results();
    bool faulted();

    std::uint32_t read(std::uint64_t address);
    void write(std::uint64_t address, std::uint32_t value);
    void transport(tlm::tlm_command command, std::uint64_t address, std::uint32_t& value);

    const std::vector<HostSequence>& sequences_;
    sc_core::sc_time poll_interval_;
    std::vector<MatrixRM> weights_;
    std::vector<HostResult> results_;
    std::vector<double> starts_s_;
    std::uint32_t steps_ = 0, channels_ = 0, classes_ = 0;
    std::uint32_t length_ = 0;  ///< what the chip's length register holds
    std::uint32_t space_ = 0;   ///< steps that the input FIFO surely takes
    bool done_ = false;
};

}  // namespace imssa
