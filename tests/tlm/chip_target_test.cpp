// Register accesses without a process, and the host driver against the reference inference.
#include <cmath>
#include <cstring>

#include "models/network/reference_inference.h"
#include "tests/models/chip/hand_worked.h"
#include "tlm/chip_target.h"
#include "tlm/host_driver.h"
#include "tlm/register_map.h"

namespace imssa::testing {
namespace {

using namespace register_map;

/// A bus without time: payloads straight from the test.
class BusProbe final : public sc_core::sc_module {
public:
    explicit BusProbe(const sc_core::sc_module_name& name) : sc_core::sc_module(name), socket("socket") {}
    tlm_utils::simple_initiator_socket<BusProbe> socket;

    tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, std::uint32_t& value,
                                    unsigned int length = kWordBytes, unsigned char* enables = nullptr) {
        tlm::tlm_generic_payload payload;
        fill(payload, command, address, reinterpret_cast<unsigned char*>(&value), length);
        payload.set_byte_enable_ptr(enables);
        payload.set_byte_enable_length(enables == nullptr ? 0 : 1);
        socket->b_transport(payload, delay);
        return payload.get_response_status();
    }
    std::uint32_t read(std::uint64_t address) {
        std::uint32_t value = 0;
        EXPECT_EQ(access(tlm::TLM_READ_COMMAND, address, value), tlm::TLM_OK_RESPONSE) << address;
        return value;
    }
    tlm::tlm_response_status write(std::uint64_t address, std::uint32_t value) {
        return access(tlm::TLM_WRITE_COMMAND, address, value);
    }
    unsigned int debug_read(std::uint64_t address, std::vector<std::uint32_t>& words) {
        tlm::tlm_generic_payload payload;
        fill(payload, tlm::TLM_READ_COMMAND, address, reinterpret_cast<unsigned char*>(words.data()),
             static_cast<unsigned int>(words.size() * kWordBytes));
        return socket->transport_dbg(payload);
    }

    unsigned int debug_write(std::uint64_t address, std::vector<std::uint32_t>& words) {
        tlm::tlm_generic_payload payload;
        fill(payload, tlm::TLM_WRITE_COMMAND, address, reinterpret_cast<unsigned char*>(words.data()),
             static_cast<unsigned int>(words.size() * kWordBytes));
        return socket->transport_dbg(payload);
    }

    sc_core::sc_time delay;

private:
    static void fill(tlm::tlm_generic_payload& payload, tlm::tlm_command command, std::uint64_t address,
                     unsigned char* data, unsigned int length) {
        payload.set_command(command);
        payload.set_address(address);
        payload.set_data_ptr(data);
        payload.set_data_length(length);
        payload.set_streaming_width(length);
    }
};

class ChipTargetTest : public ::testing::Test {
protected:
    ChipTargetTest()
        : network_(small_network(small_model(), KernelOptions{}, 5)),
          chip_("chip", network_, hand_worked_chip(), 1),
          target_("target", chip_),
          bus_("bus") {
        bus_.socket.bind(target_.socket);
    }
    DeployedNetwork network_;
    Chip chip_;
    ChipTarget target_;
    BusProbe bus_;
};

TEST_F(ChipTargetTest, TellsWhatItIs) {
    EXPECT_EQ(bus_.read(kIdentification), kIdentificationValue);
    EXPECT_EQ(bus_.read(kVersion), kVersionValue);
    EXPECT_EQ(bus_.read(kSteps), 5U);
    EXPECT_EQ(bus_.read(kChannels), 2U);
    EXPECT_EQ(bus_.read(kClasses), 3U);
    EXPECT_EQ(bus_.read(kInputLimit), 127U);
    EXPECT_EQ(bus_.read(kTileCount), chip_.tiles().size());
    EXPECT_EQ(bus_.read(kStatus), 0U);
}

TEST_F(ChipTargetTest, TakesTheLengthOfTheNextSequence) {
    EXPECT_EQ(bus_.read(kSequenceLength), 5U);
    EXPECT_EQ(bus_.write(kSequenceLength, 3), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bus_.read(kSequenceLength), 3U);
    EXPECT_EQ(bus_.write(kSequenceLength, 0), tlm::TLM_GENERIC_ERROR_RESPONSE);
    EXPECT_EQ(bus_.write(kSequenceLength, 6), tlm::TLM_GENERIC_ERROR_RESPONSE);
    EXPECT_EQ(bus_.read(kSequenceLength), 3U);
}

TEST_F(ChipTargetTest, AnnotatesTheAccessTimeWithoutAdvancingTime) {
    bus_.read(kStatus);
    bus_.read(kStatus);
    EXPECT_EQ(bus_.delay, sc_core::sc_time(2 * kAccessCycles * 10, sc_core::SC_NS));
    EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
}

TEST_F(ChipTargetTest, RefusesBadAccessesWithTheRightResponse) {
    std::uint32_t value = 0;
    unsigned char enable = 0xFF;
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, 0x54, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, 0x02, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, kWeightWindow, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, kStatus, value, 2), tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, kStatus, value, 8), tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, kStatus, value, 4, &enable), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, kControl, value), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, kInputData, value), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(bus_.write(kIdentification, 1), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(bus_.write(kResultData, 1), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(bus_.access(tlm::TLM_READ_COMMAND, kResultData, value), tlm::TLM_GENERIC_ERROR_RESPONSE) << "empty";
    EXPECT_EQ(bus_.write(kTileSelect, 1000), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_F(ChipTargetTest, TakesInputOnlyAfterAStartAndWhileThereIsRoom) {
    EXPECT_EQ(bus_.write(kInputData, 1), tlm::TLM_GENERIC_ERROR_RESPONSE) << "before the start";
    EXPECT_EQ(bus_.write(kControl, 2), tlm::TLM_GENERIC_ERROR_RESPONSE) << "not a command";
    EXPECT_EQ(bus_.write(kControl, kControlStart), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bus_.write(kControl, kControlStart), tlm::TLM_GENERIC_ERROR_RESPONSE) << "inside a sequence";
    EXPECT_EQ(bus_.write(kInputData, 128), tlm::TLM_GENERIC_ERROR_RESPONSE) << "above the range of the converter";
    EXPECT_EQ(bus_.read(kInputSpace), 2U);
    for (int word = 0; word < 4; ++word) {  // two steps of two channels fill the FIFO
        EXPECT_EQ(bus_.read(kStepCount), static_cast<std::uint32_t>(word / 2));
        EXPECT_EQ(bus_.write(kInputData, static_cast<std::uint32_t>(-word)), tlm::TLM_OK_RESPONSE);
    }
    EXPECT_EQ(bus_.read(kInputSpace), 0U);
    EXPECT_EQ(bus_.write(kInputData, 1), tlm::TLM_GENERIC_ERROR_RESPONSE) << "no room";
    EXPECT_EQ(bus_.read(kStatus), kStatusStreaming | kStatusBusy);
}

TEST_F(ChipTargetTest, WeightWindowShowsTheConductancesOfTheSelectedTile) {
    const int columns = chip_.config().mapping.tile_columns;
    ASSERT_EQ(bus_.write(kTileSelect, 3), tlm::TLM_OK_RESPONSE);
    const Eigen::MatrixXd& conductances = chip_.tiles()[3]->array().conductances();
    std::vector<std::uint32_t> words(static_cast<std::size_t>(2 * columns));
    EXPECT_EQ(bus_.debug_read(kWeightWindow, words), words.size() * kWordBytes);
    for (int row = 0; row < 2; ++row) {
        for (int column = 0; column < columns; ++column) {
            EXPECT_EQ(words[static_cast<std::size_t>(row * columns + column)],
                      static_cast<std::uint32_t>(std::lround(conductances(row, column) * 1e9)));
        }
    }
    EXPECT_GT(conductances.maxCoeff(), 0.0);
    // The last word of the window, and behind it nothing.
    const std::uint64_t end = kWeightWindow + static_cast<std::uint64_t>(conductances.size()) * kWordBytes;
    EXPECT_EQ(bus_.debug_read(end - kWordBytes, words), static_cast<unsigned int>(kWordBytes));
    EXPECT_EQ(bus_.debug_read(end, words), 0U);
    EXPECT_EQ(bus_.debug_read(kIdentification, words), static_cast<unsigned int>(kWordBytes));
    EXPECT_EQ(words[0], kIdentificationValue);
}

TEST_F(ChipTargetTest, CodeWindowStagesWeightsThatAreProgrammedOnCommand) {
    ASSERT_EQ(bus_.write(kTileSelect, 2), tlm::TLM_OK_RESPONSE);
    const MatrixRM original = chip_.tiles()[2]->codes();
    ASSERT_EQ(bus_.read(kTileInputs), static_cast<std::uint32_t>(original.rows()));
    ASSERT_EQ(bus_.read(kTileOutputs), static_cast<std::uint32_t>(original.cols()));
    std::vector<std::uint32_t> words(static_cast<std::size_t>(original.size()) + 5);
    EXPECT_EQ(bus_.debug_read(kCodeWindow, words), static_cast<unsigned int>(original.size() * kWordBytes));
    for (Eigen::Index index = 0; index < original.size(); ++index) {
        EXPECT_EQ(static_cast<std::int32_t>(words[static_cast<std::size_t>(index)]),
                  static_cast<std::int32_t>(original.data()[index]));
    }
    std::vector<std::uint32_t> one = {static_cast<std::uint32_t>(-5)};
    EXPECT_EQ(bus_.debug_write(kCodeWindow, one), static_cast<unsigned int>(kWordBytes));
    EXPECT_EQ(chip_.tiles()[2]->codes(), original) << "staged only";
    EXPECT_EQ(bus_.write(kControl, kControlProgram), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(chip_.tiles()[2]->codes()(0, 0), -5.0F);
    one[0] = 1000;
    bus_.debug_write(kCodeWindow, one);
    EXPECT_EQ(bus_.write(kControl, kControlProgram), tlm::TLM_GENERIC_ERROR_RESPONSE) << "above the cells' range";
    EXPECT_EQ(bus_.write(kControl, kControlErase), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(chip_.tiles()[2]->codes().cwiseAbs().maxCoeff(), 0.0F);
    EXPECT_EQ(bus_.write(kControl, kControlStart), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bus_.write(kControl, kControlErase), tlm::TLM_GENERIC_ERROR_RESPONSE) << "a sequence is in the chip";
}

void expect_host_gets_reference_logits(const KernelOptions& kernel, const ChipConfig& config) {
    const DeployedNetwork network = small_network(small_model(), kernel, 6);
    const Sequences sequences(network, 5, 3, 40);
    std::vector<HostSequence> jobs;
    for (std::size_t lane = 0; lane < 5; ++lane) {
        HostSequence job;
        job.id = static_cast<std::uint32_t>(sequences.batch.sequence_ids[lane]);
        std::vector<float> codes(sequences.data[lane].size());
        input_codes(network, sequences.data[lane].data(), static_cast<int>(codes.size()), codes.data());
        job.codes.assign(codes.begin(), codes.end());
        jobs.push_back(job);
    }
    Chip chip("chip", network, config, 7);
    const std::vector<MatrixRM> weights = chip.weight_image();
    chip.erase_tiles();  // only what the host loads can give the reference's logits
    ChipTarget target("target", chip);
    HostDriver host("host", jobs, sc_core::sc_time(100, sc_core::SC_NS), weights);
    host.socket.bind(target.socket);
    sc_core::sc_start();
    ASSERT_TRUE(host.done());
    const ReferenceResult expected =
        ReferenceInference(network).run(sequences.batch.values, sequences.batch.sequence_ids, 7);
    ASSERT_EQ(host.results().size(), 5U);
    for (std::size_t lane = 0; lane < 5; ++lane) {
        EXPECT_EQ(host.results()[lane].id, jobs[lane].id);
        for (int label = 0; label < 3; ++label) {
            EXPECT_EQ(host.results()[lane].logits[static_cast<std::size_t>(label)],
                      static_cast<std::int32_t>(expected.logits(label, static_cast<int>(lane))));
        }
        EXPECT_GT(host.results()[lane].finish_s, host.results()[lane].start_s);
    }
}

TEST(HostDriverTest, GetsTheLogitsOfTheReference) {
    expect_host_gets_reference_logits(KernelOptions{}, ChipConfig{});
}
TEST(HostDriverTest, GetsTheLogitsOfTheReferenceThroughANarrowDelayedChip) {
    KernelOptions kernel = fused(OutputForm::delayed);
    kernel.rounding = StateRounding::dithered;
    ChipConfig config;
    config.timing.channel_capacity = 1;
    expect_host_gets_reference_logits(kernel, config);
}

TEST(HostDriverTest, StopsWhenTheChipReportsAFault) {
    DeployedNetwork network = small_network(small_model(), KernelOptions{}, 6);
    network.encoder.drive[0] = std::numeric_limits<float>::infinity();
    const std::vector<HostSequence> jobs = {{0, std::vector<std::int32_t>(12, 1)}};
    Chip chip("chip", network, ChipConfig{}, 7);
    ChipTarget target("target", chip);
    HostDriver host("host", jobs, sc_core::sc_time(100, sc_core::SC_NS));
    host.socket.bind(target.socket);
    sc_core::sc_start();
    EXPECT_FALSE(host.done());
    EXPECT_THROW(chip.rethrow_fault(), NumericalError);
}

}  // namespace
}  // namespace imssa::testing
