// The ideal chip equals the reference inference code for code.
#include <memory>

#include "tests/models/chip/chip_bench.h"

namespace imssa::testing {
namespace {

constexpr std::uint64_t kSeed = 7;

void expect_equal_for_all_options(int lanes) {
    const std::vector<KernelOptions> options = all_kernel_options();
    std::vector<std::unique_ptr<DeployedNetwork>> networks;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (std::size_t index = 0; index < options.size(); ++index) {
        networks.push_back(std::make_unique<DeployedNetwork>(small_network(small_model(), options[index], 9)));
        systems.push_back(std::make_unique<ChipSystem>(*networks.back(), ChipConfig{}, kSeed,
                                                       ("chip" + std::to_string(index)).c_str()));
    }
    for (std::size_t index = 0; index < options.size(); ++index) {
        const Sequences sequences(*networks[index], lanes, 11, 100);
        ReferenceProbe probe(*networks[index], sequences.batch, kSeed);
        systems[index]->chip().set_probe(&probe);
        const std::vector<BatchResult> results = systems[index]->run({sequences.batch});
        EXPECT_EQ(probe.mismatches, 0) << describe(options[index]);
        // encoder 3, per layer 3 heads x 4 registers, 3 kernel outputs, 3 layer outputs; pooled 3, logits 3
        EXPECT_EQ(probe.compared_codes, lanes * (9 * (3 + 2 * (12 + 3 + 3)) + 6)) << describe(options[index]);
        for (int logit = 0; logit < networks[index]->model.classes; ++logit) {
            for (int lane = 0; lane < lanes; ++lane) {
                EXPECT_EQ(results.front().logits(logit, lane), probe.result().logits(logit, lane));
            }
        }
    }
}

TEST(ChipReference, EqualsReferenceForEveryKernelOptionWithOneLane) {
    expect_equal_for_all_options(1);
}
TEST(ChipReference, EqualsReferenceForEveryKernelOptionWithSevenLanes) {
    expect_equal_for_all_options(7);
}
TEST(ChipReference, EqualsReferenceForEveryKernelOptionWithSixtyFourLanes) {
    expect_equal_for_all_options(64);
}

void expect_equal(const ModelConfig& model, const ChipConfig& config) {
    const DeployedNetwork network = small_network(model, KernelOptions{}, 12, 3);
    const Sequences sequences(network, 20, 5);
    ReferenceProbe probe(network, sequences.batch, kSeed);
    ChipSystem system(network, config, kSeed);
    system.chip().set_probe(&probe);
    system.run({sequences.batch});
    EXPECT_EQ(probe.mismatches, 0);
}

TEST(ChipReference, EqualsReferenceWithGatedUnitsAndReluAndNoNorm) {
    ModelConfig model = small_model();
    model.glu = true;
    model.activation = Activation::relu;
    model.norm = Norm::none;
    expect_equal(model, ChipConfig{});
}

TEST(ChipReference, EqualsReferenceWhenMixingIsSplitOverTiles) {
    ModelConfig model = small_model();
    model.heads = 10;
    model.glu = true;
    ChipConfig config;
    config.mapping.tile_rows = 12;  // six inputs: two blocks of the mixing matrix
    config.mapping.tile_columns = 8;
    expect_equal(model, config);
}

TEST(ChipReference, EqualsReferenceWithoutResidualAndWithTwoCellsPerWeight) {
    ModelConfig model = small_model();
    model.residual = false;
    ChipConfig config;
    config.mapping.cells_per_weight = 2;
    config.device.g_min_siemens = 1e-6;
    expect_equal(model, config);
}

TEST(ChipReference, ComparisonSeesAChipThatDithersWithAnotherSeed) {
    KernelOptions kernel = all_kernel_options().front();
    kernel.rounding = StateRounding::dithered;
    const DeployedNetwork network = small_network(small_model(), kernel, 9);
    const Sequences sequences(network, 20, 11);
    ReferenceProbe probe(network, sequences.batch, kSeed);
    ChipSystem system(network, ChipConfig{}, kSeed + 1);
    system.chip().set_probe(&probe);
    system.run({sequences.batch});
    EXPECT_GT(probe.mismatches, 0);
}

TEST(ChipReference, BatchesOfDifferentLaneCountsStreamThroughTheSameChip) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 8);
    const Sequences first(network, 18, 1, 0), second(network, 5, 2, 18), third(network, 1, 3, 23);
    ChipSystem system(network, ChipConfig{}, kSeed);
    std::vector<BatchResult> results = system.run({first.batch, second.batch});
    const std::vector<BatchResult> later = system.run({third.batch});
    results.push_back(later.front());
    const Sequences* inputs[] = {&first, &second, &third};
    for (std::size_t index = 0; index < 3; ++index) {
        const ReferenceResult expected =
            ReferenceInference(network).run(inputs[index]->batch.values, inputs[index]->batch.sequence_ids, kSeed);
        EXPECT_EQ(results[index].batch, static_cast<int>(index));
        EXPECT_EQ(results[index].sequence_ids, inputs[index]->batch.sequence_ids);
        for (int lane = 0; lane < results[index].logits.lanes(); ++lane) {
            for (int label = 0; label < 3; ++label) {
                EXPECT_EQ(results[index].logits(label, lane), expected.logits(label, lane));
            }
        }
    }
}

TEST(ChipReference, NoisyLanesDoNotDependOnTheirNeighbours) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    kernel.rounding = StateRounding::dithered;
    const DeployedNetwork network = small_network(small_model(), kernel, 8);
    ChipConfig config;
    config.device.programming_sigma_siemens = 4e-6;
    config.device.read_noise_relative = 0.01;
    config.adc.input_noise_codes = 0.3;
    const Sequences all(network, 20, 1);
    BatchInput alone;
    alone.values = {all.batch.values[17]};
    alone.sequence_ids = {all.batch.sequence_ids[17]};
    ChipSystem system(network, config, kSeed);
    const BatchResult together = system.run({all.batch}).front();
    const BatchResult single = system.run({alone}).front();
    const ReferenceResult ideal = ReferenceInference(network).run(all.batch.values, all.batch.sequence_ids, kSeed);
    int changed = 0;
    for (int label = 0; label < 3; ++label) {
        EXPECT_EQ(single.logits(label, 0), together.logits(label, 17));
        changed += together.logits(label, 17) != ideal.logits(label, 17) ? 1 : 0;
    }
    EXPECT_GT(changed, 0);
}

}  // namespace
}  // namespace imssa::testing
