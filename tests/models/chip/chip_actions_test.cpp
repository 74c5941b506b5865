// What units publish, what they are called, and how a chip refuses to work.
#include <algorithm>
#include <array>

#include "models/chip/timing_model.h"
#include "models/common/config.h"
#include "tests/models/chip/hand_worked.h"

namespace imssa::testing {
namespace {

class ActionRecorder final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    void write(const ActionEvent& event) override {
        totals[static_cast<std::size_t>(event.action)] += event.count;
        device_j += event.array_device_j;
        supply_j += event.array_supply_j;
        events.push_back(event);
    }
    double total(Action action) const { return totals[static_cast<std::size_t>(action)]; }
    double total(Action action, const Chip& chip, const std::string& unit) const {
        double sum = 0.0;
        for (const ActionEvent& event : events) {
            const bool ours = chip.units()[static_cast<std::size_t>(event.unit)].name == unit;
            sum += ours && event.action == action ? event.count : 0.0;
        }
        return sum;
    }
    std::array<double, static_cast<std::size_t>(Action::count_)> totals{};
    std::vector<ActionEvent> events;
    double device_j = 0.0, supply_j = 0.0;
};

TEST(ChipActions, HandWorkedExampleCountsEveryAction) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const Sequences sequences(network, 5, 1);
    ChipSystem system(network, hand_worked_chip(), 1);
    ActionRecorder actions;
    system.chip().observe(actions);
    system.run({sequences.batch});
    // Per lane; encoder + kernels + mixing + decoder, 3 steps of 2 heads with 4 registers of 16 bits each.
    EXPECT_DOUBLE_EQ(actions.total(Action::dac_conversion), 5 * (3.0 * 1 + 6 * 4 + 3 * 2 + 2));
    EXPECT_DOUBLE_EQ(actions.total(Action::row_line_cell), 2 * 64 * actions.total(Action::dac_conversion));
    EXPECT_DOUBLE_EQ(actions.total(Action::array_read), 5 * (3.0 + 6 + 3 + 1));
    EXPECT_DOUBLE_EQ(actions.total(Action::transimpedance), 5 * (3.0 * 4 + 6 * 2 + 3 * 4 + 4));
    EXPECT_DOUBLE_EQ(actions.total(Action::sample_hold), actions.total(Action::transimpedance));
    EXPECT_DOUBLE_EQ(actions.total(Action::adc_conversion), 5 * (3.0 * 2 + 6 * 1 + 3 * 2 + 2));
    // Kernels 4 x 16 bits a head and step; pooling accumulators of 8 + 2 bits.
    // Coefficients: Re and Im of 2 poles of 8 bits and a 5-bit exponent, D in float32.
    EXPECT_DOUBLE_EQ(actions.total(Action::register_bit_read), 5 * (6.0 * 64 + 6 * 10 + 6 * (2 * 2 * 13 + 32)));
    EXPECT_DOUBLE_EQ(actions.total(Action::register_bit_write), 5 * (6.0 * 64 + 6 * 10));
    // Decay 8 products of 8 x 16 bits, feedthrough 8 x 24 bits (D in float32); layer unit residual and requantization;
    // pooling gain.
    EXPECT_DOUBLE_EQ(actions.total(Action::digital_multiply), 5 * (6.0 * 16 + 6 * 3 + 6 * 2 + 2));
    // Decay (4 + 1) x 2 modes of 16 bits, feedthrough 1, layer unit 2, pooling 10 bits.
    EXPECT_DOUBLE_EQ(actions.total(Action::digital_add), 5 * (6.0 * 20 + 6 * 1 + 6 * 2 + 6 * 1.25));
    EXPECT_DOUBLE_EQ(actions.total(Action::table_lookup), 5 * 6.0);
    EXPECT_DOUBLE_EQ(actions.total(Action::norm_element), 5 * 6.0);
    EXPECT_DOUBLE_EQ(actions.total(Action::buffer_bit), 5 * 2 * 8 * (4 * 6.0 + 2));
    EXPECT_DOUBLE_EQ(actions.total(Action::network_bit), 5 * 8 * (4 * 6.0 + 2)) << "once for a write and a read";
    EXPECT_DOUBLE_EQ(actions.total(Action::off_chip_bit), 5 * 8 * (3.0 * 1 + 2)) << "inputs and logits";
    EXPECT_DOUBLE_EQ(actions.total(Action::control_cycle), 5 * (3.0 * (10 + 11 + 11 + 4 + 1) + 10));
    EXPECT_GT(actions.device_j, 0.0);
    EXPECT_GT(actions.supply_j, 0.0);
}

TEST(ChipActions, PartialSumsAreAddedDigitally) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const Sequences sequences(network, 5, 1);
    ChipConfig sliced = hand_worked_chip();
    sliced.mapping.weight_slices = 3;
    const DeployedNetwork fused_network = small_network(hand_worked_model(), fused(OutputForm::immediate), 3);
    ChipConfig split = hand_worked_chip();
    split.mapping.split_heads = true;
    split.mapping.tile_rows = 8;  // a mode and both rows of u
    KernelOptions planes = fused(OutputForm::immediate);
    planes.state_range = StateRange::planes;
    const DeployedNetwork planes_network = small_network(hand_worked_model(), planes, 3);
    ChipSystem systems[] = {{network, sliced, 1, "sliced"},
                            {fused_network, split, 1, "split"},
                            {fused_network, hand_worked_chip(), 1, "whole"},
                            {planes_network, hand_worked_chip(), 1, "planes"}};
    ActionRecorder actions[4];
    for (int index = 0; index < 4; ++index) {
        systems[index].chip().observe(actions[index]);
    }
    for (ChipSystem& system : systems) {
        system.run({sequences.batch});
    }
    const auto adds = [&](int index, const char* unit) {
        return actions[index].total(Action::digital_add, systems[index].chip(),
                                    systems[index].chip().name() + std::string(unit));
    };
    // Two more slices an output, 24 bits each: encoder 2 outputs, 2 heads of one, mixing 2, decoder 2 once a sequence.
    EXPECT_DOUBLE_EQ(adds(0, ".encoder.array.adc"), 5 * 3 * 2 * 2 * 3.0);
    EXPECT_DOUBLE_EQ(adds(0, ".layer0.kernel.adc"), 5 * 3 * 2 * 1 * 2 * 3.0);
    EXPECT_DOUBLE_EQ(adds(0, ".layer0.mixing.array.adc"), 5 * 3 * 2 * 2 * 3.0);
    EXPECT_DOUBLE_EQ(adds(0, ".classifier.array.adc"), 5 * 2 * 2 * 3.0);
    // Two tiles a head: one more part of y.
    EXPECT_DOUBLE_EQ(adds(1, ".layer0.kernel.adc"), 5 * 3 * 2 * 3.0);
    EXPECT_DOUBLE_EQ(adds(2, ".layer0.kernel.adc"), 0.0);
    // Two planes of 8 bits a component ahead of its 16-bit register.
    EXPECT_DOUBLE_EQ(adds(2, ".layer0.kernel.registers"), 5 * 3 * 2 * 4 * 2.0);
    EXPECT_DOUBLE_EQ(adds(3, ".layer0.kernel.registers"), 5 * 3 * 2 * 4 * 3.0);
}

TEST(ChipActions, RowLinesAreChargedOnEveryTileThatAnInputDrivesAndOnceAPulse) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    ChipConfig serial = hand_worked_chip();
    serial.read.input = InputMode::bit_serial;
    serial.mapping.cells_per_weight = 2;
    serial.mapping.tile_columns = 2;  // one output a tile
    const Sequences sequences(network, 1, 1);
    ChipSystem system(network, serial, 1);
    ActionRecorder actions;
    system.chip().observe(actions);
    system.run({sequences.batch});
    const auto cells = [&](const char* unit) { return actions.total(Action::row_line_cell, system.chip(), unit); };
    // Seven bits of magnitude, one row an input, two columns: 3 steps of 1 input on 2 tiles; 2 heads of 4 inputs; 2
    // on 2.
    EXPECT_DOUBLE_EQ(cells("chip.encoder.array.dac"), 3 * 1 * 2 * 2 * 7.0);
    EXPECT_DOUBLE_EQ(cells("chip.layer0.kernel.dac"), 3 * 2 * 4 * 2 * 7.0);
    EXPECT_DOUBLE_EQ(cells("chip.layer0.mixing.array.dac"), 3 * 2 * 2 * 2 * 7.0);
    EXPECT_DOUBLE_EQ(cells("chip.classifier.array.dac"), 2 * 2 * 2 * 7.0);
}

/// What the units of a chip whose names end so do and have.
struct Coefficients {
    double register_bits = 0, register_reads = 0, buffer_bits = 0, buffer_reads = 0;
};
Coefficients coefficients_of(const ChipSystem& system, const ActionRecorder& actions, const std::string& unit) {
    Coefficients result;
    for (const CostUnit& candidate : system.chip().units()) {
        if (candidate.name == system.chip().name() + unit) {
            EXPECT_EQ(candidate.digital, ComponentGroup::coefficients);
            result.register_bits = candidate.parts[Component::register_bit];
            result.buffer_bits = candidate.parts[Component::buffer_bit];
            result.register_reads = actions.total(Action::register_bit_read, system.chip(), candidate.name);
            result.buffer_reads = actions.total(Action::buffer_bit, system.chip(), candidate.name);
        }
    }
    return result;
}

// Two heads of two modes, 3 steps, one lane.
TEST(ChipActions, CoefficientsOfDigitalHardwareAreStoredAndRead) {
    KernelOptions quantized;  // digital decay, D of 6 bits
    quantized.d_bits = 6;
    const DeployedNetwork decay = small_network(hand_worked_model(), quantized, 3);
    ChipConfig digital = hand_worked_chip();
    digital.mapping.encoder = digital.mapping.mixing_matrix = digital.mapping.decoder = MatrixPlace::digital;
    digital.mapping.kernel_output = MatrixPlace::digital;
    const DeployedNetwork delayed = small_network(hand_worked_model(), fused(OutputForm::delayed), 3);
    ChipConfig calibrated = hand_worked_chip();
    calibrated.calibration.poles = PoleCalibration::exact_radius;
    calibrated.calibration.reads_per_mode = 8;
    calibrated.mapping.kernel_input = MatrixPlace::digital;
    const Sequences sequences(decay, 1, 1);
    ChipSystem systems[] = {{decay, digital, 1, "digital"}, {delayed, calibrated, 1, "calibrated"}};
    ActionRecorder actions[2];
    for (int index = 0; index < 2; ++index) {
        systems[index].chip().observe(actions[index]);
    }
    for (ChipSystem& system : systems) {
        system.run({sequences.batch});
    }
    const auto of = [&](int index, const char* unit) { return coefficients_of(systems[index], actions[index], unit); };
    // Poles 2 x 2 x (8 + 5) bits, C 4 x 8, D 6, all read every step.
    const Coefficients kernel = of(0, ".layer0.kernel.coefficients");
    EXPECT_DOUBLE_EQ(kernel.register_bits, 2 * (52.0 + 32 + 6));
    EXPECT_DOUBLE_EQ(kernel.register_reads, 3 * 2 * (52.0 + 32 + 6));
    EXPECT_DOUBLE_EQ(kernel.buffer_bits, 0.0);
    // 1 x 2, 2 x 2 and 2 x 2 weights of 8 bits; the classifier reads once a sequence.
    EXPECT_DOUBLE_EQ(of(0, ".encoder.array.coefficients").buffer_bits, 16.0);
    EXPECT_DOUBLE_EQ(of(0, ".encoder.array.coefficients").buffer_reads, 3 * 16.0);
    EXPECT_DOUBLE_EQ(of(0, ".layer0.mixing.array.coefficients").buffer_bits, 32.0);
    EXPECT_DOUBLE_EQ(of(0, ".layer0.mixing.array.coefficients").buffer_reads, 3 * 32.0);
    EXPECT_DOUBLE_EQ(of(0, ".classifier.array.coefficients").buffer_reads, 32.0);
    // Of the fused chip B, 4 x 8 bits in 4 operations, gains of 16 bits and a shift where the registers are written, D.
    const Coefficients gains = of(1, ".layer0.kernel.coefficients");
    EXPECT_DOUBLE_EQ(gains.register_bits, 2 * (32.0 + 2 * 21 + 32));
    EXPECT_DOUBLE_EQ(gains.register_reads, 2 * (4 * 32.0 + 3 * 2 * 21 + 3 * 32));
}

TEST(ChipActions, DelayedFormDoesOneOperationMoreThanSteps) {
    const DeployedNetwork network = small_network(hand_worked_model(), fused(OutputForm::delayed), 10);
    const Sequences first(network, 3, 1), second(network, 3, 2);
    ChipSystem system(network, hand_worked_chip(), 1);
    ActionRecorder actions;
    system.chip().observe(actions);
    system.run({first.batch, second.batch});
    EXPECT_DOUBLE_EQ(actions.total(Action::array_read, system.chip(), "chip.layer0.kernel.tile"), 2 * 3 * 2 * 11.0);
    EXPECT_DOUBLE_EQ(actions.total(Action::array_read, system.chip(), "chip.layer0.mixing.array.tile"), 2 * 3 * 10.0);
    // The last operation leaves the registers alone.
    EXPECT_DOUBLE_EQ(actions.total(Action::register_bit_write, system.chip(), "chip.layer0.kernel.registers"),
                     2 * 3 * 2 * 10.0 * 4 * 16);
}

TEST(ChipActions, UnitsAreNamedAfterTheModuleTree) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 3);
    const ChipSystem system(network, ChipConfig{}, 1);
    std::vector<std::string> names;
    for (const CostUnit& unit : system.chip().units()) {
        names.push_back(unit.name);
    }
    for (const char* name :
         {"chip.encoder", "chip.encoder.array.tile", "chip.layer0.kernel.sequencer", "chip.layer0.kernel.dac",
          "chip.layer0.kernel.tile", "chip.layer0.kernel.adc", "chip.layer0.kernel.registers",
          "chip.layer0.kernel.decay", "chip.layer1.mixing.table", "chip.layer1.mixing.array.adc", "chip.layer1.unit",
          "chip.layer1_input", "chip.layer1.kernel_output", "chip.pooling", "chip.classifier.array.dac"}) {
        EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST(ChipActions, TilesAreNumberedFromEncoderToDecoder) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 3);
    const ChipSystem system(network, ChipConfig{}, 1);
    const std::vector<CrossbarTile*>& tiles = system.chip().tiles();
    ASSERT_EQ(tiles.size(), 1U + 2 * (3 + 1) + 1);
    EXPECT_STREQ(tiles.front()->name(), "chip.encoder.array.tile");
    EXPECT_STREQ(tiles[1]->name(), "chip.layer0.kernel.head0.tile");
    EXPECT_STREQ(tiles[4]->name(), "chip.layer0.mixing.array.tile");
    EXPECT_STREQ(tiles[5]->name(), "chip.layer1.kernel.head0.tile");
    EXPECT_STREQ(tiles.back()->name(), "chip.classifier.array.tile");
}

TEST(ChipActions, TilesAreModulesOfTheHeadsThatOwnThemOrOfTheSequencerThatSharesThem) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 3);
    ChipConfig config;
    config.mapping.packing = Packing::row_gated;
    const ChipSystem shared(network, config, 1);
    const sc_core::sc_object* tile = sc_core::sc_find_object("chip.layer0.kernel.tile0");
    ASSERT_NE(tile, nullptr);
    EXPECT_EQ(tile, shared.chip().tiles()[1]);
    EXPECT_EQ(sc_core::sc_find_object("chip.layer0.kernel.head0.tile"), nullptr);
    for (std::size_t index = 0; index < shared.chip().tiles().size(); ++index) {
        EXPECT_EQ(shared.chip().tiles()[index]->codes(), shared.chip().weight_image()[index]) << index;
    }
}

TEST(ChipErrors, KernelThatDoesNotFitATileIsAUserError) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 3);
    ChipConfig config;
    config.mapping.tile_rows = 6;  // a head needs 4 inputs x 2 rows
    try {
        const ChipSystem system(network, config, 1);
        FAIL() << "expected a UserError";
    } catch (const UserError& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("chip.layer0.kernel.head0.tile"), std::string::npos) << message;
        EXPECT_NE(message.find("8 x 2"), std::string::npos) << message;
    }
}

TEST(ChipErrors, SumThatIsNotFiniteIsNamedWithUnitAndStep) {
    DeployedNetwork network = small_network(small_model(), KernelOptions{}, 3);
    network.layers[1].mixing.drive[0] = std::numeric_limits<float>::infinity();
    const Sequences sequences(network, 2, 1);
    ChipSystem system(network, ChipConfig{}, 1);
    try {
        system.run({sequences.batch});
        FAIL() << "expected a NumericalError";
    } catch (const NumericalError& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("chip.layer1.mixing.array"), std::string::npos) << message;
        EXPECT_NE(message.find("step 0"), std::string::npos) << message;
    }
}

TEST(ChipErrors, InputThatIsNotFiniteIsNamed) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 3);
    Sequences sequences(network, 2, 1);
    sequences.data[1][3] = std::numeric_limits<float>::quiet_NaN();
    ChipSystem system(network, ChipConfig{}, 1);
    EXPECT_THROW(system.run({sequences.batch}), NumericalError);
}

TEST(ChipConfigFile, ReadsAllTablesAndRejectsUnknownKeys) {
    ChipConfig config;
    ConfigReader reader = ConfigReader::from_string(
        "name = 'mine'\ncost_table = 'costs.toml'\n[device]\ng_max_siemens = 1e-4\n[mapping]\ntile_rows = 128\n"
        "[adc]\ngain_sigma = 0.01\n[timing]\nclock_hz = 1e8\ncolumns_per_adc = 4\n",
        "chip.toml", {"timing.channel_capacity=3"});
    reader.read(config);
    reader.reject_unknown_keys();
    EXPECT_EQ(config.name, "mine");
    EXPECT_EQ(config.device.g_max_siemens, 1e-4);
    EXPECT_EQ(config.mapping.tile_rows, 128);
    EXPECT_EQ(config.adc.gain_sigma, 0.01);
    EXPECT_EQ(config.timing.columns_per_adc, 4);
    EXPECT_EQ(config.timing.channel_capacity, 3);
    ConfigReader wrong = ConfigReader::from_string("[timing]\nclock_mhz = 100\n", "chip.toml");
    wrong.read(config);
    EXPECT_THROW(wrong.reject_unknown_keys(), UserError);
}

TEST(ChipErrors, ImpossibleTimingIsAUserErrorThatNamesTheKey) {
    ChipConfig config;
    config.timing.columns_per_adc = 0;
    try {
        config.validate();
        FAIL() << "expected a UserError";
    } catch (const UserError& error) {
        EXPECT_NE(std::string(error.what()).find("columns_per_adc"), std::string::npos);
    }
}

}  // namespace
}  // namespace imssa::testing
