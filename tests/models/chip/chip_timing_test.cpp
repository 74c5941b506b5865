// Cycle counts of the simulation, of the analytic model and of docs/timing.md.
#include <cmath>
#include <map>

#include "models/chip/timing_model.h"
#include "tests/models/chip/hand_worked.h"

namespace imssa::testing {
namespace {

/// Cycles in which units finished their tokens.
class TimeProbe final : public ChipProbe {
public:
    explicit TimeProbe(const Chip& chip) : chip_(chip) {}
    void on_encoder(const Batch& /*batch*/, int /*step*/, const LaneMatrix& /*codes*/) override {
        encoder.push_back(now());
    }
    void on_kernel_output(const Batch& /*batch*/, int layer, int /*step*/, const LaneMatrix& /*codes*/) override {
        kernel[layer].push_back(now());
    }
    void on_layer_output(const Batch& /*batch*/, int layer, int /*step*/, const LaneMatrix& /*codes*/) override {
        layer_output[layer].push_back(now());
        for (const std::unique_ptr<TokenChannel>& channel : chip_.channels()) {
            EXPECT_LE(channel->occupancy(), chip_.config().timing.channel_capacity);
        }
    }
    std::vector<int> encoder;
    std::map<int, std::vector<int>> kernel, layer_output;

private:
    int now() const { return static_cast<int>(std::lround(sc_core::sc_time_stamp() / chip_.clock_period())); }
    const Chip& chip_;
};

void expect_latency(const KernelOptions& kernel, int kernel_cycles, int latency) {
    const DeployedNetwork network = small_network(hand_worked_model(), kernel, kHandWorkedSteps);
    const ChipConfig config = hand_worked_chip();
    const KernelStepCycles cycles = kernel_step_cycles(network.layers[0].kernels[0], config.timing, config.read);
    EXPECT_EQ(cycles.total(), kernel_cycles);
    EXPECT_EQ(sequence_latency_cycles(pipeline_of(network, config), kHandWorkedSteps), latency);
    const Sequences sequences(network, 1, 1);
    ChipSystem system(network, config, 1);
    const BatchResult result = system.run({sequences.batch}).front();
    EXPECT_EQ(result.start_cycle, 0);
    EXPECT_EQ(result.finish_cycle, latency);
    EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::sc_time(10.0 * latency, sc_core::SC_NS));
}

TEST(ChipTiming, HandWorkedDigitalDecayTakes69Cycles) {
    expect_latency(KernelOptions{}, 11, 69);
}
TEST(ChipTiming, HandWorkedDigitalDecayBesideTheArrayTakes68Cycles) {
    expect_latency(digital_immediate(), 10, 68);
}
TEST(ChipTiming, HandWorkedFusedImmediateTakes68Cycles) {
    expect_latency(fused(OutputForm::immediate), 10, 68);
}
TEST(ChipTiming, HandWorkedFusedDelayedTakes78Cycles) {
    expect_latency(fused(OutputForm::delayed), 10, 78);
}

TEST(ChipTiming, HandWorkedUnitsHaveTheDocumentedCycles) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const ChipConfig config = hand_worked_chip();
    EXPECT_EQ(settle_cycles(config.timing, config.read), 2);
    EXPECT_EQ(encoder_cycles(network, config.timing, config.read).total(), 10);
    EXPECT_EQ(mixing_cycles(network.layers[0], config.timing, config.read).total(), 11);
    EXPECT_EQ(layer_unit_cycles(network.layers[0].unit, 2, config.timing), 4);
    EXPECT_EQ(pooling_cycles(config.timing), 1);
    EXPECT_EQ(classifier_cycles(network, config.timing, config.read).total(), 10);
    EXPECT_EQ(steady_state_interval_cycles(pipeline_of(network, config)), 11);
}

TEST(ChipTiming, SettlingRoundsUpAndIgnoresTheLastBit) {
    TimingConfig timing;
    ReadConfig read;
    timing.clock_hz = 1e9;
    read.t_read_s = 20e-9;
    EXPECT_EQ(settle_cycles(timing, read), 20);
    read.t_read_s = 20.1e-9;
    EXPECT_EQ(settle_cycles(timing, read), 21);
}

TEST(ChipTiming, ConverterSharingSetsTheRounds) {
    TimingConfig timing;
    timing.columns_per_adc = 8;
    EXPECT_EQ(adc_count(33, timing), 5);
    EXPECT_EQ(conversion_rounds(33, timing), 7);
    EXPECT_EQ(conversion_rounds(1, timing), 1);
}

TEST(ChipTiming, LongDecayDelaysOnlyTheWriteBackWhenItRunsBesideTheArray) {
    const DeployedNetwork network = small_network(hand_worked_model(), digital_immediate(), kHandWorkedSteps);
    ChipConfig config = hand_worked_chip();
    config.timing.decay_multipliers = 1;  // 8 products and the add: 9 cycles beside 8 analog ones
    const KernelStepCycles cycles = kernel_step_cycles(network.layers[0].kernels[0], config.timing, config.read);
    EXPECT_EQ(cycles.decay_after_conversion(), 1);
    EXPECT_EQ(cycles.total(), 11);
}

/// Simulated and analytic latency of one sequence for many shapes of the pipeline.
TEST(ChipTiming, AnalyticLatencyEqualsSimulationForManyChips) {
    struct Case {
        KernelOptions kernel;
        int table_cycles, elements, capacity;
    };
    std::vector<Case> cases;
    for (const KernelOptions& kernel :
         {KernelOptions{}, digital_immediate(), fused(OutputForm::immediate), fused(OutputForm::delayed)}) {
        for (const int table_cycles : {0, 5, 40}) {
            for (const int capacity : {1, 2, 5}) {
                cases.push_back({kernel, table_cycles, 1, capacity});
                cases.push_back({kernel, table_cycles, 8, capacity});
            }
        }
    }
    ModelConfig model = small_model();
    model.layers = 3;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (const Case& one : cases) {
        ChipConfig config;
        config.timing.table_cycles = one.table_cycles;
        config.timing.layer_unit_elements_per_cycle = one.elements;
        config.timing.channel_capacity = one.capacity;
        systems.push_back(std::make_unique<ChipSystem>(small_network(model, one.kernel, 7), config, 1,
                                                       ("chip" + std::to_string(systems.size())).c_str()));
    }
    for (const std::unique_ptr<ChipSystem>& system : systems) {
        const Sequences sequences(system->chip().network(), 1, 1);
        const BatchResult result = system->run({sequences.batch}).front();
        const Pipeline pipeline = pipeline_of(system->chip().network(), system->chip().config());
        EXPECT_EQ(result.finish_cycle - result.start_cycle, sequence_latency_cycles(pipeline, 7))
            << system->chip().name();
    }
}

TEST(ChipTiming, SlowUnitHoldsBackTheUnitsBeforeIt) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, 12);
    ChipConfig config = hand_worked_chip();
    config.timing.table_cycles = 90;  // mixing: 100 cycles, everything else about 10
    config.timing.channel_capacity = 1;
    const Sequences sequences(network, 1, 1);
    ChipSystem system(network, config, 1);
    TimeProbe probe(system.chip());
    system.chip().set_probe(&probe);
    system.run({sequences.batch});
    // Ahead of mixing there is room for one token in each channel and one in each unit.
    for (std::size_t step = 6; step < 12; ++step) {
        EXPECT_EQ(probe.encoder[step] - probe.encoder[step - 1], 100) << "step " << step;
        EXPECT_EQ(probe.kernel[0][step] - probe.kernel[0][step - 1], 100) << "step " << step;
    }
}

TEST(ChipTiming, LayersWorkOnDifferentStepsAtTheSameTime) {
    ModelConfig model = hand_worked_model();
    model.layers = 3;
    const int steps = 20;
    const DeployedNetwork network = small_network(model, KernelOptions{}, steps);
    const Sequences sequences(network, 1, 1);
    ChipSystem system(network, hand_worked_chip(), 1);
    TimeProbe probe(system.chip());
    system.chip().set_probe(&probe);
    system.run({sequences.batch});
    EXPECT_LT(probe.layer_output[2].front(), probe.encoder[10]);
    for (int step = 10; step < steps; ++step) {
        const std::size_t at = static_cast<std::size_t>(step);
        EXPECT_EQ(probe.layer_output[2][at] - probe.layer_output[2][at - 1],
                  steady_state_interval_cycles(pipeline_of(network, hand_worked_chip())));
    }
}

TEST(ChipTiming, SequencesStreamAtTheRateOfTheBusiestUnit) {
    const int steps = 10;
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, steps);
    const Sequences first(network, 1, 1), second(network, 1, 2), third(network, 1, 3);
    ChipSystem system(network, hand_worked_chip(), 1);
    const std::vector<BatchResult> results = system.run({first.batch, second.batch, third.batch});
    const std::int64_t interval = sequence_interval_cycles(pipeline_of(network, hand_worked_chip()), steps);
    EXPECT_EQ(interval, 110);
    EXPECT_EQ(results[1].finish_cycle - results[0].finish_cycle, interval);
    EXPECT_EQ(results[2].finish_cycle - results[1].finish_cycle, interval);
}

TEST(ChipTiming, LatencyDoesNotDependOnLanes) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const Sequences sequences(network, 33, 1);
    ChipSystem system(network, hand_worked_chip(), 1);
    EXPECT_EQ(system.run({sequences.batch}).front().finish_cycle, 69);
}

}  // namespace
}  // namespace imssa::testing
