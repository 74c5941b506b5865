// The waveform: readable by others, and its last values are the reference's.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "models/chip/vcd_trace.h"
#include "tests/models/chip/hand_worked.h"
#include "tests/models/chip/vcd_file.h"

namespace imssa::testing {
namespace {

class ChipVcd : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        std::replace(name.begin(), name.end(), '/', '_');
        stem_ = (std::filesystem::temp_directory_path() / ("imssa_" + name)).string();
        path_ = stem_ + ".vcd";
    }
    void TearDown() override {
        std::filesystem::remove(path_);
        std::filesystem::remove(stem_ + ".fst");
    }
    std::string stem_, path_;
};

TEST_F(ChipVcd, LastRegisterValuesEqualTheReference) {
    const int steps = 9;
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, steps);
    const Sequences sequences(network, 1, 4);
    ReferenceProbe probe(network, sequences.batch, 1);
    {
        ChipSystem system(network, ChipConfig{}, 1);
        VcdSelection selection;
        selection.heads = {0, 2};
        const VcdTrace trace(system.chip(), path_, selection);
        system.run({sequences.batch});
    }
    const std::map<std::string, std::vector<Change>> changes = parse_vcd(path_);
    for (int layer = 0; layer < 2; ++layer) {
        for (const int head : {0, 2}) {
            const StateRegisterFile& file = probe.registers(layer, steps - 1)[static_cast<std::size_t>(head)];
            for (int component = 0; component < 4; ++component) {
                const std::string name = "SystemC.chip.layer" + std::to_string(layer) + ".kernel.head" +
                                         std::to_string(head) + ".registers." + (component % 2 == 0 ? "re_" : "im_") +
                                         std::to_string(component / 2);
                ASSERT_EQ(changes.count(name), 1U) << name;
                EXPECT_EQ(changes.at(name).back().value, file.row(component)[0]) << name;
            }
        }
    }
    for (int label = 0; label < 3; ++label) {
        EXPECT_EQ(changes.at("SystemC.chip.classifier.logit_" + std::to_string(label)).back().value,
                  static_cast<long>(probe.result().logits(label, 0)));
    }
    EXPECT_EQ(changes.count("SystemC.chip.layer0.kernel.head1.registers.re_0"), 0U) << "head 1 was not chosen";
}

TEST_F(ChipVcd, ShowsThePhasesOfTheHandWorkedKernelStep) {
    const DeployedNetwork network = small_network(hand_worked_model(), digital_immediate(), kHandWorkedSteps);
    const Sequences sequences(network, 1, 4);
    std::int64_t finish = 0;
    {
        ChipSystem system(network, hand_worked_chip(), 1);
        const VcdTrace trace(system.chip(), stem_, {});
        finish = system.run({sequences.batch}).front().finish_cycle;
    }
    EXPECT_EQ(finish, 68) << "tracing must not change the timing";
    const std::map<std::string, std::vector<Change>> changes = parse_vcd(path_);
    // The first token arrives after 10 cycles of 10 ns: LOAD 1, DRIVE 1, SETTLE 2, SAMPLE 1, CONVERT 2 x 2,
    // WRITE_BACK 1.
    const long expected[][2] = {{0, 0},      {100000, 1}, {110000, 3}, {120000, 4},
                                {140000, 5}, {150000, 6}, {190000, 7}, {200000, 1}};
    const std::vector<Change>& phases = changes.at("SystemC.chip.layer0.kernel.phase");
    ASSERT_GE(phases.size(), 8U);
    for (std::size_t index = 0; index < 8; ++index) {
        EXPECT_EQ(phases[index].time_ps, expected[index][0]) << index;
        EXPECT_EQ(phases[index].value, expected[index][1]) << index;
    }
    const std::vector<Change>& rounds = changes.at("SystemC.chip.layer0.kernel.round");
    ASSERT_GE(rounds.size(), 4U);
    const long expected_rounds[][2] = {{0, 0}, {150000, 1}, {170000, 2}, {190000, 0}};
    for (std::size_t index = 0; index < 4; ++index) {
        EXPECT_EQ(rounds[index].time_ps, expected_rounds[index][0]) << index;
        EXPECT_EQ(rounds[index].value, expected_rounds[index][1]) << index;
    }
    EXPECT_EQ(changes.at("SystemC.chip.encoder.busy").front().time_ps, 0);
    EXPECT_EQ(changes.count("SystemC.chip.layer0_input.occupancy"), 1U);
    EXPECT_EQ(changes.count("SystemC.chip.layer0.kernel.head0.adc.code_4"), 1U);
    EXPECT_EQ(changes.count("SystemC.chip.layer0.kernel.head0.dac.code_0"), 1U);
}

TEST_F(ChipVcd, IsReadByVcd2fst) {
    if (std::system("command -v vcd2fst > /dev/null 2>&1") != 0) {
        GTEST_SKIP() << "vcd2fst (package gtkwave) is not installed";
    }
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const Sequences sequences(network, 1, 4);
    {
        ChipSystem system(network, hand_worked_chip(), 1);
        const VcdTrace trace(system.chip(), path_, {});
        system.run({sequences.batch});
    }
    const std::string command = "vcd2fst -v '" + path_ + "' -f '" + stem_ + ".fst' > /dev/null 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    EXPECT_GT(std::filesystem::file_size(stem_ + ".fst"), 0U);
}

/// A signal of a layout with its width, from a line like SystemC.chip.layer0.kernel.phase[3:0].
std::map<std::string, std::size_t> layout_signals(const std::string& path) {
    std::ifstream file(path);
    std::map<std::string, std::size_t> signals;
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("SystemC.", 0) != 0) {
            continue;
        }
        const std::size_t bracket = line.find('[');
        const std::size_t width = bracket == std::string::npos ? 1 : std::stoul(line.substr(bracket + 1)) + 1;
        signals[line.substr(0, bracket)] = width;
    }
    return signals;
}

struct LayoutCase {
    const char* layout;
    KernelOptions kernel;
    int sites;
};

KernelOptions replacing(KernelOptions kernel) {
    kernel.representation = StateRepresentation::abar_cartesian;
    kernel.registers = RegisterUpdate::replace;
    return kernel;
}

std::vector<LayoutCase> layout_cases() {
    return {{"traces/imssa.gtkw", KernelOptions{}, 0},
            {"traces/digital_decay_immediate.gtkw", digital_immediate(), 0},
            {"traces/fused_immediate.gtkw", replacing(fused(OutputForm::immediate)), 0},
            {"traces/fused_delayed.gtkw", replacing(fused(OutputForm::delayed)), 0},
            {"traces/abar_delta.gtkw", fused(OutputForm::immediate), 0},
            {"traces/time_multiplexed.gtkw", KernelOptions{}, 1}};
}

class WaveformLayout : public ChipVcd, public ::testing::WithParamInterface<std::size_t> {};

TEST_P(WaveformLayout, ShowsSignalsThatTheWaveformOfItsMappingHas) {
    const LayoutCase one = layout_cases()[GetParam()];
    ModelConfig model = small_model();
    model.heads = 2;
    model.states = 16;
    const DeployedNetwork network = small_network(model, one.kernel, 4);
    ChipConfig chip;
    chip.timing.kernel_sites = one.sites;
    EXPECT_EQ(waveform_layout(network, chip), one.layout);
    const Sequences sequences(network, 1, 4);
    {
        ChipSystem system(network, chip, 1);
        VcdSelection selection;
        selection.heads = {0, 1};
        const VcdTrace trace(system.chip(), path_, selection);
        system.run({sequences.batch});
    }
    const std::map<std::string, std::vector<Change>> changes = parse_vcd(path_);
    const std::map<std::string, std::size_t> widths = vcd_widths(path_);
    const std::map<std::string, std::size_t> signals = layout_signals(std::string(IMSSA_SOURCE_DIR "/") + one.layout);
    EXPECT_GE(signals.size(), 22U) << one.layout;
    int moving = 0;
    for (const auto& [name, width] : signals) {
        ASSERT_EQ(widths.count(name), 1U) << one.layout << ": " << name;
        EXPECT_EQ(widths.at(name), width) << one.layout << ": " << name;
        moving += changes.count(name) > 0 && changes.at(name).size() > 1 ? 1 : 0;
    }
    EXPECT_GE(moving, 18) << one.layout << " shows what does not change";
    if (std::system("command -v vcd2fst > /dev/null 2>&1") == 0) {
        const std::string command = "vcd2fst -v '" + path_ + "' -f '" + stem_ + ".fst' > /dev/null 2>&1";
        EXPECT_EQ(std::system(command.c_str()), 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Mappings, WaveformLayout, ::testing::Range<std::size_t>(0, 6));

TEST_F(ChipVcd, ShowsOnlyTheUnitsAndStepsThatWereChosen) {
    const int steps = 12;
    const DeployedNetwork network = small_network(hand_worked_model(), digital_immediate(), steps);
    const Sequences sequences(network, 1, 4);
    std::int64_t finish = 0;
    {
        ChipSystem system(network, hand_worked_chip(), 1);
        VcdSelection selection;
        selection.units = {"kernel", "classifier"};
        selection.first_step = 3;
        selection.last_step = 4;
        const VcdTrace trace(system.chip(), path_, selection);
        finish = system.run({sequences.batch}).front().finish_cycle;
        EXPECT_EQ(finish, sequence_latency_cycles(pipeline_of(network, hand_worked_chip()), steps));
    }
    const std::map<std::string, std::size_t> widths = vcd_widths(path_);
    EXPECT_EQ(widths.count("SystemC.chip.layer0.kernel.busy"), 1U);
    EXPECT_EQ(widths.count("SystemC.chip.classifier.logit_0"), 1U);
    for (const char* hidden : {"encoder.busy", "layer0.mixing.busy", "layer0.unit.busy", "pooling.busy",
                               "layer0_input.occupancy", "layer0.kernel_output.occupancy"}) {
        EXPECT_EQ(widths.count(std::string("SystemC.chip.") + hidden), 0U) << hidden;
    }
    const std::map<std::string, std::vector<Change>> changes = parse_vcd(path_);
    long first = -1, last = -1;
    for (const Change& change : changes.at("SystemC.chip.layer0.kernel.step")) {
        first = change.value == 3 ? change.time_ps : first;
        last = change.value == 5 ? change.time_ps : last;
    }
    ASSERT_GT(first, 0);
    ASSERT_GT(last, first);
    for (const char* name : {"phase", "round", "head0.adc.code_4", "head0.registers.re_0"}) {
        const std::vector<Change>& seen = changes.at(std::string("SystemC.chip.layer0.kernel.") + name);
        EXPECT_GT(seen.size(), 1U) << name;
        for (const Change& change : seen) {
            EXPECT_TRUE(change.time_ps == 0 || (change.time_ps >= first && change.time_ps <= last)) << name;
        }
    }
    EXPECT_EQ(changes.at("SystemC.chip.layer0.kernel.phase").size(), 1U + 2U * 6U + 1U)
        << "LOAD, DRIVE, SETTLE, SAMPLE, CONVERT, WRITE_BACK of two steps, then idle";
}

TEST_F(ChipVcd, SelectionThatTheChipDoesNotHaveIsAUserError) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    ChipSystem system(network, hand_worked_chip(), 1);
    VcdSelection selection;
    selection.heads = {2};
    EXPECT_THROW(VcdTrace(system.chip(), path_, selection), UserError);
    selection.heads = {0};
    selection.units = {"mixer"};
    EXPECT_THROW(VcdTrace(system.chip(), path_, selection), UserError);
    EXPECT_THROW(VcdTrace(system.chip(), "/nowhere/trace.vcd", {}), UserError);
}

}  // namespace
}  // namespace imssa::testing
