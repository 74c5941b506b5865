#include "models/network/remove_pruned.h"

#include <gtest/gtest.h>

#include "models/network/reference_inference.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

ModelConfig tiny_model() {
    ModelConfig model;
    model.layers = 2;
    model.heads = 4;
    model.states = 6;
    model.classes = 3;
    return model;
}

/// Layer 0 without the kernels 1 and 2, layer 1 without mode 0 of all heads and mode 2 of one.
testing::RandomNetwork pruned_network(const ModelConfig& model) {
    testing::RandomNetwork network = testing::random_network(model, 8);
    testing::prune_kernel(network.parameters.layers[0], 1);
    testing::prune_kernel(network.parameters.layers[0], 2);
    testing::prune_mode(network.parameters.layers[1], 0);
    network.parameters.layers[1].c_re(3, 2) = network.parameters.layers[1].c_im(3, 2) = 0.0F;
    return network;
}

ReferenceResult logits_of(const DeployedNetwork& network) {
    const std::vector<std::vector<float>> sequences = testing::random_sequences(3, 30, 1, 6);
    return ReferenceInference(network).run({sequences[0].data(), sequences[1].data(), sequences[2].data()}, {4, 5, 6},
                                           1);
}

TEST(RemovePruned, LeavesEveryLogitAsItIsForAllKernelOptions) {
    const testing::RandomNetwork network = pruned_network(tiny_model());
    int smaller_modes = 0;
    for (const KernelOptions& kernel : testing::all_kernel_options()) {
        DeploymentOptions options;
        options.kernel = kernel;
        const DeployedNetwork whole = deploy(network.model, network.parameters, network.ranges, options, 30);
        KernelCount count;
        const DeployedNetwork smaller = remove_pruned(whole, &count);
        EXPECT_EQ(count.kernels, 8);
        EXPECT_EQ(count.kept_kernels, 6);
        EXPECT_EQ(smaller.layers[0].kernel_channels, (std::vector<int>{0, 3}));
        EXPECT_EQ(smaller.layers[0].mixing.inputs(), 2);
        const bool dithered = kernel.rounding == StateRounding::dithered;
        EXPECT_EQ(smaller.layers[1].kernels[3].modes, dithered ? 3 : 2);
        EXPECT_EQ(smaller.layers[1].kernels[3].array.inputs(),
                  whole.layers[1].kernels[3].array.inputs() - (dithered ? 0 : 2));
        smaller_modes += dithered ? 0 : 1;
        const ReferenceResult before = logits_of(whole);
        const ReferenceResult after = logits_of(smaller);
        EXPECT_EQ(before.pooled, after.pooled);
        EXPECT_EQ(before.logits, after.logits);
    }
    EXPECT_GT(smaller_modes, 0);
}

TEST(RemovePruned, LeavesTheLogitsForDecodedPolesAndSplitStateColumns) {
    const testing::RandomNetwork network = pruned_network(tiny_model());
    KernelOptions log_polar;
    log_polar.representation = StateRepresentation::abar_log_polar;
    KernelOptions planes;
    planes.mapping = KernelMapping::fused;
    planes.form = OutputForm::immediate;
    planes.input_matrix = InputMatrix::cells;
    planes.state_range = StateRange::planes;
    for (const KernelOptions& kernel : {log_polar, planes}) {
        DeploymentOptions options;
        options.kernel = kernel;
        const DeployedNetwork whole = deploy(network.model, network.parameters, network.ranges, options, 30);
        const DeployedNetwork smaller = remove_pruned(whole);
        EXPECT_EQ(smaller.layers[1].kernels[0].modes, 2);
        EXPECT_EQ(logits_of(whole).logits, logits_of(smaller).logits);
    }
}

TEST(RemovePruned, DropsKernelsThatTheMixingMatrixDoesNotRead) {
    testing::RandomNetwork network = testing::random_network(tiny_model(), 8);
    network.parameters.layers[1].mixing.col(2).setZero();
    const DeployedNetwork whole = deploy(network.model, network.parameters, network.ranges, DeploymentOptions{}, 30);
    const DeployedNetwork smaller = remove_pruned(whole);
    EXPECT_EQ(smaller.layers[1].kernel_channels, (std::vector<int>{0, 1, 3}));
    EXPECT_EQ(logits_of(whole).logits, logits_of(smaller).logits);
}

TEST(RemovePruned, ChangesNothingWhereNothingIsPruned) {
    const testing::RandomNetwork network = testing::random_network(tiny_model(), 8);
    const DeployedNetwork whole = deploy(network.model, network.parameters, network.ranges, DeploymentOptions{}, 30);
    KernelCount count;
    const DeployedNetwork same = remove_pruned(whole, &count);
    EXPECT_EQ(count.kept_modes, count.modes);
    EXPECT_TRUE(same.layers[0].kernel_channels.empty());
    EXPECT_EQ(same.layers[0].kernels[2].array.codes, whole.layers[0].kernels[2].array.codes);
}

TEST(RemovePruned, KeepsOneKernelOfALayerThatIsPrunedWhole) {
    testing::RandomNetwork network = testing::random_network(tiny_model(), 8);
    for (int head = 0; head < 4; ++head) {
        testing::prune_kernel(network.parameters.layers[0], head);
    }
    const DeployedNetwork whole = deploy(network.model, network.parameters, network.ranges, DeploymentOptions{}, 30);
    const DeployedNetwork smaller = remove_pruned(whole);
    EXPECT_EQ(smaller.layers[0].kernel_count(), 1);
    EXPECT_EQ(smaller.layers[0].kernels[0].modes, 1);
    EXPECT_EQ(logits_of(whole).logits, logits_of(smaller).logits);
}

}  // namespace
}  // namespace imssa
