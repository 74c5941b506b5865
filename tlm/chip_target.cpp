#include "tlm/chip_target.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "models/network/reference_inference.h"
#include "tlm/register_map.h"

namespace imssa {

using namespace register_map;

ChipTarget::ChipTarget(const sc_core::sc_module_name& name, Chip& chip)
    : sc_core::sc_module(name),
      socket("socket"),
      chip_(chip),
      sequence_length_(static_cast<std::uint32_t>(chip.network().steps)) {
    socket.register_b_transport(this, &ChipTarget::b_transport);
    socket.register_transport_dbg(this, &ChipTarget::transport_dbg);
    select_tile(0);
}

void ChipTarget::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    payload.set_response_status(access(payload));
    payload.set_dmi_allowed(false);
    delay += kAccessCycles * chip_.clock_period();
}

tlm::tlm_response_status ChipTarget::access(tlm::tlm_generic_payload& payload) {
    if (payload.get_byte_enable_ptr() != nullptr) {
        return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    }
    if (payload.get_data_length() != kWordBytes || payload.get_streaming_width() < kWordBytes) {
        return tlm::TLM_BURST_ERROR_RESPONSE;
    }
    const std::uint64_t address = payload.get_address();
    if (address % kWordBytes != 0 || (address > kTileOutputs && address != kSequenceLength)) {
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    }
    std::uint32_t word = 0;
    tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;
    if (payload.is_read()) {
        status = read(address, word);
        if (status == tlm::TLM_OK_RESPONSE) {
            std::memcpy(payload.get_data_ptr(), &word, kWordBytes);
        }
    } else if (payload.is_write()) {
        std::memcpy(&word, payload.get_data_ptr(), kWordBytes);
        status = write(address, word);
    }
    return status;
}

tlm::tlm_response_status ChipTarget::read(std::uint64_t address, std::uint32_t& value) {
    if (address == kResultData) {
        return pop_logit(value);
    }
    return read_state(address, value) ? tlm::TLM_OK_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE;
}

/// Registers that can be read without an effect.
bool ChipTarget::read_state(std::uint64_t address, std::uint32_t& value) {
    const DeployedNetwork& network = chip_.network();
    const MappingOptions& mapping = chip_.config().mapping;
    switch (address) {
        case kIdentification:
            value = kIdentificationValue;
            return true;
        case kVersion:
            value = kVersionValue;
            return true;
        case kStatus:
            value = status();
            return true;
        case kSteps:
            value = static_cast<std::uint32_t>(network.steps);
            return true;
        case kChannels:
            value = static_cast<std::uint32_t>(network.model.channels);
            return true;
        case kClasses:
            value = static_cast<std::uint32_t>(network.model.classes);
            return true;
        case kStepCount:
            value = step_count_;
            return true;
        case kSequenceCount:
            value = finished_;
            return true;
        case kSequenceId:
            value = sequence_id_;
            return true;
        case kSequenceLength:
            value = sequence_length_;
            return true;
        case kInputLimit:
            value = static_cast<std::uint32_t>(network.encoder.input_limit);
            return true;
        case kInputSpace:
            value = static_cast<std::uint32_t>(chip_.input().space());
            return true;
        case kResultLevel:
            value = result_level();
            return true;
        case kTileCount:
            value = static_cast<std::uint32_t>(chip_.tiles().size());
            return true;
        case kTileSelect:
            value = tile_;
            return true;
        case kTileRows:
            value = static_cast<std::uint32_t>(mapping.tile_rows);
            return true;
        case kTileColumns:
            value = static_cast<std::uint32_t>(mapping.tile_columns);
            return true;
        case kTileInputs:
            value = static_cast<std::uint32_t>(staged_codes_.rows());
            return true;
        case kTileOutputs:
            value = static_cast<std::uint32_t>(staged_codes_.cols());
            return true;
        default:
            return false;
    }
}

tlm::tlm_response_status ChipTarget::write(std::uint64_t address, std::uint32_t value) {
    switch (address) {
        case kControl:
            return control(value);
        case kInputData:
            return take_input(static_cast<std::int32_t>(value));
        case kSequenceId:
            sequence_id_ = value;
            return tlm::TLM_OK_RESPONSE;
        case kSequenceLength:
            if (value < 1 || value > static_cast<std::uint32_t>(chip_.network().steps)) {
                return tlm::TLM_GENERIC_ERROR_RESPONSE;
            }
            sequence_length_ = value;
            return tlm::TLM_OK_RESPONSE;
        case kTileSelect:
            if (value >= chip_.tiles().size()) {
                return tlm::TLM_GENERIC_ERROR_RESPONSE;
            }
            select_tile(value);
            return tlm::TLM_OK_RESPONSE;
        default:
            return tlm::TLM_COMMAND_ERROR_RESPONSE;
    }
}

tlm::tlm_response_status ChipTarget::control(std::uint32_t command) {
    switch (command) {
        case kControlStart:
            return start_sequence();
        case kControlProgram:
        case kControlErase:
            return program(command);
        default:
            return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
}

void ChipTarget::select_tile(std::uint32_t tile) {
    tile_ = tile;
    if (chip_.tiles().empty()) {
        return;  // all matrices are digital: the weight window is empty
    }
    staged_codes_ = chip_.tiles()[tile]->codes();
}

/// Cells are not programmed while sequences are in the chip, nor with codes that they cannot hold.
tlm::tlm_response_status ChipTarget::program(std::uint32_t command) {
    if (static_cast<std::uint32_t>(started_) != finished_) {
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
    if (command == kControlErase) {
        chip_.erase_tiles();
        select_tile(tile_);
        return tlm::TLM_OK_RESPONSE;
    }
    if (chip_.tiles().empty()) {
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
    try {
        chip_.program_tile(static_cast<int>(tile_), staged_codes_);
    } catch (const UserError&) {
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
    return tlm::TLM_OK_RESPONSE;
}

tlm::tlm_response_status ChipTarget::start_sequence() {
    if (batch_ != nullptr) {
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
    const std::shared_ptr<Batch> batch = std::make_shared<Batch>();
    batch->index = started_++;
    batch->sequence_ids = {sequence_id_};
    batch->lengths = {static_cast<int>(sequence_length_)};
    batch->dither_keys = dither_keys(chip_.seed(), batch->sequence_ids);
    batch_ = batch;
    step_count_ = 0;
    channel_ = 0;
    return tlm::TLM_OK_RESPONSE;
}

/// A code before a start, without room for its step, or outside the converter's range is refused without an effect.
tlm::tlm_response_status ChipTarget::take_input(std::int32_t code) {
    const DeployedNetwork& network = chip_.network();
    const std::int32_t limit = network.encoder.input_limit;
    if (batch_ == nullptr || chip_.input().space() == 0 || code < -limit || code > limit) {
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
    if (channel_ == 0) {
        token_ = pool_.take(network.model.channels, batch_);
        token_->step = static_cast<int>(step_count_);
        token_->first = step_count_ == 0;
        token_->last = token_->step == network.steps - 1;
    }
    token_->codes(channel_, 0) = static_cast<float>(code);
    if (++channel_ < network.model.channels) {
        return tlm::TLM_OK_RESPONSE;
    }
    chip_.input().try_write(token_);
    channel_ = 0;
    ++step_count_;
    if (token_->last) {
        batch_.reset();
    }
    token_.reset();
    return tlm::TLM_OK_RESPONSE;
}

bool ChipTarget::fetch_result() {
    return result_ != nullptr || chip_.results().try_read(result_);
}

tlm::tlm_response_status ChipTarget::pop_logit(std::uint32_t& value) {
    if (!fetch_result()) {
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
    value = static_cast<std::uint32_t>(static_cast<std::int32_t>(result_->logits(next_logit_, 0)));
    if (++next_logit_ == result_->logits.channels()) {
        result_.reset();
        next_logit_ = 0;
        ++finished_;
    }
    return tlm::TLM_OK_RESPONSE;
}

std::uint32_t ChipTarget::result_level() {
    const int classes = chip_.network().model.classes;
    const int in_hand = result_ != nullptr ? classes - next_logit_ : 0;
    return static_cast<std::uint32_t>(in_hand + classes * chip_.results().level());
}

std::uint32_t ChipTarget::status() {
    return (batch_ != nullptr ? kStatusStreaming : 0U) |
           (static_cast<std::uint32_t>(started_) != finished_ ? kStatusBusy : 0U) |
           (result_level() > 0 ? kStatusResult : 0U) | (chip_.faulted() ? kStatusFault : 0U);
}

std::uint32_t ChipTarget::conductance_ns(std::uint64_t word) const {
    const Eigen::MatrixXd& conductances = chip_.tiles()[tile_]->array().conductances();
    const Eigen::Index columns = conductances.cols();
    const Eigen::Index index = static_cast<Eigen::Index>(word);
    return static_cast<std::uint32_t>(std::lround(conductances(index / columns, index % columns) * 1e9));
}

/// Whole words of the code window, read or staged.
unsigned int ChipTarget::access_codes(tlm::tlm_generic_payload& payload) {
    const std::uint64_t first = (payload.get_address() - kCodeWindow) / kWordBytes;
    const std::uint64_t size = static_cast<std::uint64_t>(staged_codes_.size());
    const std::uint64_t words =
        first < size ? std::min<std::uint64_t>(payload.get_data_length() / kWordBytes, size - first) : 0;
    for (std::uint64_t word = 0; word < words; ++word) {
        float& code = staged_codes_.data()[first + word];
        unsigned char* data = payload.get_data_ptr() + word * kWordBytes;
        std::int32_t value = static_cast<std::int32_t>(code);
        if (payload.is_write()) {
            std::memcpy(&value, data, kWordBytes);
            code = static_cast<float>(value);
        } else {
            std::memcpy(data, &value, kWordBytes);
        }
    }
    return static_cast<unsigned int>(words * kWordBytes);
}

/// Whole words of a window, or one register that can be read without an effect. Returns the bytes that were moved.
unsigned int ChipTarget::transport_dbg(tlm::tlm_generic_payload& payload) {
    const std::uint64_t address = payload.get_address();
    if (address >= kCodeWindow && address % kWordBytes == 0) {
        return access_codes(payload);
    }
    if (!payload.is_read() || address % kWordBytes != 0) {
        return 0;
    }
    std::uint32_t value = 0;
    if (address < kWeightWindow) {
        if (payload.get_data_length() < kWordBytes || !read_state(address, value)) {
            return 0;
        }
        std::memcpy(payload.get_data_ptr(), &value, kWordBytes);
        return kWordBytes;
    }
    const MappingOptions& mapping = chip_.config().mapping;
    const std::uint64_t words =
        chip_.tiles().empty() ? 0 : static_cast<std::uint64_t>(mapping.tile_rows) * mapping.tile_columns;
    const std::uint64_t first = (address - kWeightWindow) / kWordBytes;
    unsigned int bytes = 0;
    for (std::uint64_t word = first; word < words && bytes + kWordBytes <= payload.get_data_length(); ++word) {
        value = conductance_ns(word);
        std::memcpy(payload.get_data_ptr() + bytes, &value, kWordBytes);
        bytes += kWordBytes;
    }
    return bytes;
}

}  // namespace imssa
