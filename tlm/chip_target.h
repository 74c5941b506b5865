#pragma once

#include <systemc>

#include <tlm_utils/simple_target_socket.h>
#include <tlm>

#include <cstdint>
#include <memory>

#include "models/chip/chip.h"

namespace imssa {

/// The chip's registers on a TLM-2.0 bus, loosely timed: b_transport adds the access time to the annotated delay and
/// never waits. Input codes go into the chip's input channel, logits come out of its result channel.
class ChipTarget final : public sc_core::sc_module {
public:
    ChipTarget(const sc_core::sc_module_name& name, Chip& chip);

    tlm_utils::simple_target_socket<ChipTarget> socket;

private:
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    unsigned int transport_dbg(tlm::tlm_generic_payload& payload);

    tlm::tlm_response_status access(tlm::tlm_generic_payload& payload);
    tlm::tlm_response_status read(std::uint64_t address, std::uint32_t& value);
    tlm::tlm_response_status write(std::uint64_t address, std::uint32_t value);

    tlm::tlm_response_status control(std::uint32_t command);
    tlm::tlm_response_status start_sequence();
    tlm::tlm_response_status program(std::uint32_t command);
    void select_tile(std::uint32_t tile);
    unsigned int access_codes(tlm::tlm_generic_payload& payload);
    tlm::tlm_response_status take_input(std::int32_t code);
    tlm::tlm_response_status pop_logit(std::uint32_t& value);
    bool fetch_result();
    bool read_state(std::uint64_t address, std::uint32_t& value);
    std::uint32_t status();
    std::uint32_t result_level();
    std::uint32_t conductance_ns(std::uint64_t word) const;

    Chip& chip_;
    TokenPool pool_;
    std::shared_ptr<const Batch> batch_;  ///< the sequence that is being written; null: none
    std::shared_ptr<Token> token_;        ///< the step that is being written
    int channel_ = 0;                     ///< next channel of that step
    std::uint32_t step_count_ = 0;
    int started_ = 0;
    std::uint32_t finished_ = 0;
    std::uint32_t sequence_id_ = 0;
    std::uint32_t sequence_length_;
    std::uint32_t tile_ = 0;
    MatrixRM staged_codes_;  ///< of the selected tile, what kControlProgram writes
    ResultPtr result_;       ///< the result that is being read
    int next_logit_ = 0;
};

}  // namespace imssa
