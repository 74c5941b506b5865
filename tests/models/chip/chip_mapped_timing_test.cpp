// Cycles of the example of docs/timing.md with every mapping: by hand, of the analytic model and of the simulation.
#include "models/chip/timing_model.h"
#include "tests/models/chip/hand_worked.h"

namespace imssa::testing {
namespace {

void expect_mapped_latency(const KernelOptions& kernel, const ChipConfig& config, int kernel_cycles, int latency) {
    const DeployedNetwork network = small_network(hand_worked_model(), kernel, kHandWorkedSteps);
    EXPECT_EQ(kernel_step_cycles(network.layers[0], config).total(), kernel_cycles);
    EXPECT_EQ(sequence_latency_cycles(pipeline_of(network, config), kHandWorkedSteps), latency);
    const Sequences sequences(network, 1, 1);
    ReferenceProbe probe(network, sequences.batch, 1);
    ChipSystem system(network, config, 1);
    system.chip().set_probe(&probe);
    EXPECT_EQ(system.run({sequences.batch}).front().finish_cycle, latency);
    EXPECT_EQ(probe.mismatches, 0);
}

TEST(ChipMappedTiming, HandWorkedGatedHeadsTake90Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.packing = Packing::row_gated;
    expect_mapped_latency(fused(OutputForm::immediate), config, 18, 90);
}
TEST(ChipMappedTiming, HandWorkedGatedHeadsWithTwoSamplesAColumnTake78Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.packing = Packing::row_gated;
    config.timing.double_buffering = true;
    expect_mapped_latency(fused(OutputForm::immediate), config, 14, 78);
}
TEST(ChipMappedTiming, HandWorkedHeadsOnTheDiagonalShareAConverterAndTake75Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.packing = Packing::diagonal;
    expect_mapped_latency(KernelOptions{}, config, 13, 75);
}
TEST(ChipMappedTiming, HandWorkedTwoSlicesTake75Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.weight_slices = 2;
    expect_mapped_latency(KernelOptions{}, config, 13, 75);
}
TEST(ChipMappedTiming, HandWorkedSplitHeadReadsItsTilesTogether) {
    ChipConfig config = hand_worked_chip();
    config.mapping.tile_rows = 6;
    config.mapping.split_heads = true;
    expect_mapped_latency(fused(OutputForm::immediate), config, 10, 68);
}
TEST(ChipMappedTiming, HandWorkedSharedSiteSwapsStatesAndTakes99Cycles) {
    ChipConfig config = hand_worked_chip();
    config.timing.kernel_sites = 1;
    expect_mapped_latency(fused(OutputForm::immediate), config, 21, 99);
}
TEST(ChipMappedTiming, HandWorkedDigitalOutputTakes65Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.kernel_output = MatrixPlace::digital;
    expect_mapped_latency(KernelOptions{}, config, 7, 65);
}
TEST(ChipMappedTiming, HandWorkedDigitalInputOfAFusedReadTakes72Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.kernel_input = MatrixPlace::digital;
    expect_mapped_latency(fused(OutputForm::immediate), config, 12, 72);
}
TEST(ChipMappedTiming, HandWorkedDigitalMatricesTake53Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.encoder = config.mapping.mixing_matrix = config.mapping.decoder = MatrixPlace::digital;
    config.timing.dense_multipliers = 2;
    expect_mapped_latency(KernelOptions{}, config, 11, 53);
}
TEST(ChipMappedTiming, HandWorkedCalibratedGainsTake72Cycles) {
    ChipConfig config = hand_worked_chip();
    config.calibration.poles = PoleCalibration::exact_radius;
    expect_mapped_latency(fused(OutputForm::immediate), config, 12, 72);
}
TEST(ChipMappedTiming, HandWorkedSlowInputTakes87CyclesAndSetsTheRate) {
    ChipConfig config = hand_worked_chip();
    config.timing.input_interval_cycles = 20;
    expect_mapped_latency(KernelOptions{}, config, 11, 87);
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    EXPECT_EQ(steady_state_interval_cycles(pipeline_of(network, config)), 20);
    EXPECT_EQ(sequence_interval_cycles(pipeline_of(network, config), kHandWorkedSteps), 60);
}
KernelOptions cartesian(OutputForm form) {
    KernelOptions kernel = fused(form);
    kernel.representation = StateRepresentation::abar_cartesian;
    kernel.registers = RegisterUpdate::replace;
    return kernel;
}

TEST(ChipMappedTiming, HandWorkedRegistersThatAreReplacedTakeTheSameCycles) {
    expect_mapped_latency(cartesian(OutputForm::immediate), hand_worked_chip(), 10, 68);
}
TEST(ChipMappedTiming, HandWorkedPublishedMappingTakes78Cycles) {
    expect_mapped_latency(cartesian(OutputForm::delayed), hand_worked_chip(), 10, 78);
}
TEST(ChipMappedTiming, HandWorkedOneConverterForAllColumnsOfAHeadTakes84Cycles) {
    ChipConfig config = hand_worked_chip();
    config.timing.columns_per_adc = 5;
    expect_mapped_latency(fused(OutputForm::immediate), config, 16, 84);
}
TEST(ChipMappedTiming, HandWorkedOneConverterWithADelayedOutputTakes100Cycles) {
    ChipConfig config = hand_worked_chip();
    config.timing.columns_per_adc = 5;
    expect_mapped_latency(cartesian(OutputForm::delayed), config, 16, 100);
}
TEST(ChipMappedTiming, HandWorkedSharedSiteWithADelayedOutputTakes120Cycles) {
    ChipConfig config = hand_worked_chip();
    config.timing.kernel_sites = 1;
    expect_mapped_latency(cartesian(OutputForm::delayed), config, 21, 120);
}
TEST(ChipMappedTiming, HandWorkedSharedSiteWithDigitalDecayTakes105Cycles) {
    ChipConfig config = hand_worked_chip();
    config.timing.kernel_sites = 1;
    expect_mapped_latency(KernelOptions{}, config, 23, 105);
}
TEST(ChipMappedTiming, HandWorkedTwoSamplesAColumnWithADelayedOutputTake92Cycles) {
    ChipConfig config = hand_worked_chip();
    config.mapping.packing = Packing::row_gated;
    config.timing.double_buffering = true;
    expect_mapped_latency(cartesian(OutputForm::delayed), config, 14, 92);
}
TEST(ChipMappedTiming, HandWorkedSlowInputWithADelayedOutputTakes97Cycles) {
    ChipConfig config = hand_worked_chip();
    config.timing.input_interval_cycles = 20;
    expect_mapped_latency(cartesian(OutputForm::delayed), config, 10, 97);
}
TEST(ChipMappedTiming, SlowSequencesFollowEachOtherAtTheInputRate) {
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    ChipConfig config = hand_worked_chip();
    config.timing.input_interval_cycles = 50;
    const Sequences first(network, 1, 1), second(network, 1, 2);
    ChipSystem system(network, config, 1);
    const std::vector<BatchResult> results = system.run({first.batch, second.batch});
    EXPECT_EQ(results[1].start_cycle, 150);
    EXPECT_EQ(results[1].finish_cycle - results[0].finish_cycle, 150);
}

}  // namespace
}  // namespace imssa::testing
