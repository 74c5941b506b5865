#include "tlm/host_driver.h"

#include <iomanip>
#include <sstream>
#include <string>

#include "tlm/register_map.h"

namespace imssa {

using namespace register_map;

HostDriver::HostDriver(const sc_core::sc_module_name& name, const std::vector<HostSequence>& sequences,
                       const sc_core::sc_time& poll_interval, std::vector<MatrixRM> weights)
    : sc_core::sc_module(name),
      socket("socket"),
      sequences_(sequences),
      poll_interval_(poll_interval),
      weights_(std::move(weights)) {
    SC_THREAD(run);
}

void HostDriver::run() {
    identify();
    if (!weights_.empty()) {
        load_weights();
    }
    for (const HostSequence& sequence : sequences_) {
        if (!stream(sequence)) {
            return;
        }
    }
    while (results_.size() < sequences_.size()) {
        if (faulted()) {
            return;
        }
        drain_results();
        wait(poll_interval_);
    }
    done_ = true;
}

void HostDriver::identify() {
    if (read(kIdentification) != kIdentificationValue || read(kVersion) != kVersionValue) {
        SC_REPORT_ERROR(name(), "the device on the bus is not a chip of this register map");
    }
    steps_ = read(kSteps);
    channels_ = read(kChannels);
    classes_ = read(kClasses);
    length_ = steps_;
}

/// Erases the chip, then stages, programs and reads back the codes of one tile after another.
void HostDriver::load_weights() {
    if (read(kTileCount) != weights_.size()) {
        SC_REPORT_ERROR(name(), "the chip has not the tiles that the model needs");
    }
    write(kControl, kControlErase);
    for (std::size_t tile = 0; tile < weights_.size(); ++tile) {
        write(kTileSelect, static_cast<std::uint32_t>(tile));
        const MatrixRM& matrix = weights_[tile];
        if (read(kTileInputs) != static_cast<std::uint32_t>(matrix.rows()) ||
            read(kTileOutputs) != static_cast<std::uint32_t>(matrix.cols())) {
            SC_REPORT_ERROR(name(), "a tile has not the shape that the model needs");
        }
        std::vector<std::int32_t> codes(matrix.data(), matrix.data() + matrix.size());
        move_codes(tlm::TLM_WRITE_COMMAND, codes);
        write(kControl, kControlProgram);
        std::vector<std::int32_t> programmed(codes.size());
        write(kTileSelect, static_cast<std::uint32_t>(tile));
        move_codes(tlm::TLM_READ_COMMAND, programmed);
        if (programmed != codes) {
            SC_REPORT_ERROR(name(), "a tile does not hold the codes that were programmed");
        }
    }
}

/// The code window of the selected tile, by debug transport: no time passes.
void HostDriver::move_codes(tlm::tlm_command command, std::vector<std::int32_t>& codes) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(kCodeWindow);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(codes.data()));
    payload.set_data_length(static_cast<unsigned int>(codes.size() * kWordBytes));
    payload.set_streaming_width(payload.get_data_length());
    if (socket->transport_dbg(payload) != payload.get_data_length()) {
        SC_REPORT_ERROR(name(), "the code window is smaller than the tile's matrix");
    }
}

bool HostDriver::stream(const HostSequence& sequence) {
    if (sequence.codes.size() != static_cast<std::size_t>(steps_) * channels_) {
        SC_REPORT_ERROR(name(), "a sequence has not the steps and channels that the chip asks for");
    }
    starts_s_.push_back(sc_core::sc_time_stamp().to_seconds());
    write(kSequenceId, sequence.id);
    const std::uint32_t length = sequence.length == 0 ? steps_ : sequence.length;
    if (length != length_) {
        write(kSequenceLength, length);
        length_ = length;
    }
    write(kControl, kControlStart);
    for (std::size_t index = 0; index < sequence.codes.size(); ++index) {
        if (index % channels_ == 0) {
            if (!wait_for_space()) {
                return false;
            }
            --space_;
        }
        write(kInputData, static_cast<std::uint32_t>(sequence.codes[index]));
    }
    return true;
}

/// False when the chip has stopped.
bool HostDriver::wait_for_space() {
    while (space_ == 0) {
        space_ = read(kInputSpace);
        if (space_ == 0) {
            if (faulted()) {
                return false;
            }
            drain_results();
            wait(poll_interval_);
        }
    }
    return true;
}

void HostDriver::drain_results() {
    while (read(kResultLevel) >= classes_) {
        HostResult result;
        result.id = sequences_[results_.size()].id;
        result.start_s = starts_s_[results_.size()];
        for (std::uint32_t label = 0; label < classes_; ++label) {
            result.logits.push_back(static_cast<std::int32_t>(read(kResultData)));
        }
        result.finish_s = sc_core::sc_time_stamp().to_seconds();
        results_.push_back(result);
    }
}

bool HostDriver::faulted() {
    return (read(kStatus) & kStatusFault) != 0;
}

std::uint32_t HostDriver::read(std::uint64_t address) {
    std::uint32_t value = 0;
    transport(tlm::TLM_READ_COMMAND, address, value);
    return value;
}

void HostDriver::write(std::uint64_t address, std::uint32_t value) {
    transport(tlm::TLM_WRITE_COMMAND, address, value);
}

void HostDriver::transport(tlm::tlm_command command, std::uint64_t address, std::uint32_t& value) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(kWordBytes);
    payload.set_streaming_width(kWordBytes);
    payload.set_byte_enable_ptr(nullptr);
    payload.set_dmi_allowed(false);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    wait(delay);
    if (payload.is_response_error()) {
        std::ostringstream message;
        message << (command == tlm::TLM_READ_COMMAND ? "read" : "write") << " of register 0x" << std::hex << address
                << " failed: " << payload.get_response_string();
        SC_REPORT_ERROR(name(), message.str().c_str());
    }
}

}  // namespace imssa
