#include "trainer/pruning.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

ModelConfig tiny_model() {
    ModelConfig model;
    model.layers = 2;
    model.heads = 4;
    model.states = 4;
    model.classes = 3;
    return model;
}

PruningConfig pruning(PruningKind kind, double fraction) {
    PruningConfig config;
    config.method = PruningMethod::magnitude;
    config.kind = kind;
    config.fraction = fraction;
    return config;
}

TEST(MagnitudePruning, ZeroesTheSmallestLinearWeights) {
    NetworkParameters parameters = zero_parameters(tiny_model());
    parameters.encoder.setOnes();
    parameters.decoder.setOnes();
    for (LayerParameters& layer : parameters.layers) {
        for (int index = 0; index < 16; ++index) {
            layer.mixing.data()[index] = static_cast<float>(index + 1) / 16.0F;
        }
    }
    // 4 + 2 x 16 + 12 = 48 weights: an eighth are 6, the three smallest of each mixing matrix.
    prune_by_magnitude(pruning(PruningKind::linear, 0.125), parameters);
    const PruningCount count = count_pruned(parameters);
    EXPECT_EQ(count.weights, 48);
    EXPECT_EQ(count.pruned_weights, 6);
    EXPECT_EQ(parameters.layers[1].mixing.data()[2], 0.0F);
    EXPECT_GT(parameters.layers[1].mixing.data()[3], 0.0F);
}

TEST(MagnitudePruning, OfKernelsTakesWholeHeads) {
    NetworkParameters parameters = testing::random_network(tiny_model(), 4).parameters;
    parameters.layers[1].c_re.row(2) *= 1e-4F;
    parameters.layers[1].c_im.row(2) *= 1e-4F;
    parameters.layers[1].d(2) = 1e-5F;
    prune_by_magnitude(pruning(PruningKind::structured, 1.0 / 8.0), parameters);
    const PruningCount count = count_pruned(parameters);
    EXPECT_EQ(count.kernels, 8);
    EXPECT_EQ(count.pruned_kernels, 1);
    EXPECT_EQ(count.pruned_modes, 2);
    EXPECT_EQ(parameters.layers[1].d(2), 0.0F);
    EXPECT_EQ(parameters.layers[1].c_im(2, 1), 0.0F);
}

TEST(MagnitudePruning, OfModesWeighsThemAtResonance) {
    ModelConfig model = tiny_model();
    model.layers = model.heads = 1;
    NetworkParameters parameters = testing::random_network(model, 4).parameters;
    LayerParameters& layer = parameters.layers[0];
    layer.im.setZero();
    layer.log_dt.setConstant(-4.0F);
    layer.log_neg_re(0, 0) = std::log(0.1F);  // gain |C / A|: 10 |C|
    layer.log_neg_re(0, 1) = std::log(1.0F);  // |C|
    layer.c_re(0, 0) = 0.2F;
    layer.c_re(0, 1) = 1.0F;
    layer.c_im.setZero();
    prune_by_magnitude(pruning(PruningKind::kernel, 0.5), parameters);
    EXPECT_EQ(layer.c_re(0, 0), 0.2F);
    EXPECT_EQ(layer.c_re(0, 1), 0.0F);
}

TEST(MagnitudePruning, OfModesTakesAsManyFromEveryKernelOfALayer) {
    ModelConfig model = tiny_model();
    model.states = 8;
    NetworkParameters parameters = testing::random_network(model, 4).parameters;
    // Of 2 x 3 ranks a half: some of layer 0, some of layer 1, and every kernel keeps its largest mode.
    prune_by_magnitude(pruning(PruningKind::modes, 0.5), parameters);
    EXPECT_EQ(count_pruned(parameters).pruned_modes, 3 * 4);
    for (const LayerParameters& layer : parameters.layers) {
        const Eigen::Index left = (layer.c_re.row(0).array() != 0.0F).count();
        EXPECT_GE(left, 1);
        for (Eigen::Index head = 1; head < 4; ++head) {
            EXPECT_EQ((layer.c_re.row(head).array() != 0.0F).count(), left);
        }
    }
    prune_by_magnitude(pruning(PruningKind::modes, 0.99), parameters);
    EXPECT_EQ(count_pruned(parameters).pruned_kernels, 0);
}

TEST(GreedyPruning, StopsWhereTheAccuracyAllowedIsLost) {
    NetworkParameters parameters = testing::random_network(tiny_model(), 5).parameters;
    PruningConfig config = pruning(PruningKind::structured, 0.0);
    config.method = PruningMethod::greedy;
    config.accuracy_loss = 0.05;
    // Every pruned kernel of layer 0 costs nothing, every one of layer 1 costs 2 points.
    const auto accuracy = [](const NetworkParameters& now) {
        int dead = 0;
        for (int head = 0; head < 4; ++head) {
            dead += now.layers[1].c_re.row(head).isZero(0.0F) ? 1 : 0;
        }
        return 0.9 - 0.02 * dead;
    };
    const double left = prune_greedily(config, accuracy, parameters);
    EXPECT_EQ(count_pruned(parameters).pruned_kernels, 6);
    EXPECT_DOUBLE_EQ(left, 0.9 - 0.04);
}

TEST(Pruning, StaysThroughUpdates) {
    NetworkParameters pruned = testing::random_network(tiny_model(), 6).parameters;
    prune_by_magnitude(pruning(PruningKind::linear, 0.5), pruned);
    NetworkParameters values = testing::random_network(tiny_model(), 7).parameters;
    keep_pruned(pruned, values);
    EXPECT_EQ(count_pruned(values).pruned_weights, count_pruned(pruned).pruned_weights);
}

TEST(Pruning, OfEveryKindStaysThroughUpdates) {
    NetworkParameters pruned = testing::random_network(tiny_model(), 6).parameters;
    prune_by_magnitude(pruning(PruningKind::structured, 0.3), pruned);
    prune_by_magnitude(pruning(PruningKind::kernel, 0.5), pruned);
    prune_by_magnitude(pruning(PruningKind::linear, 0.5), pruned);
    NetworkParameters values = testing::random_network(tiny_model(), 7).parameters;
    keep_pruned(pruned, values);
    const PruningCount before = count_pruned(pruned), after = count_pruned(values);
    EXPECT_GT(before.pruned_kernels, 0);
    EXPECT_EQ(after.pruned_kernels, before.pruned_kernels);
    EXPECT_EQ(after.pruned_modes, before.pruned_modes);
    EXPECT_EQ(after.pruned_weights, before.pruned_weights);
    EXPECT_FALSE((values.layers[0].d.array() == 0.0F).all()) << "D of a head with modes is trained";
}

TEST(Pruning, RefusesWhatMakesNoSense) {
    PruningConfig config;
    config.fraction = 1.0;
    EXPECT_THROW(config.validate(), UserError);
    config.fraction = 0.5;
    config.candidates_at_once = 0;
    EXPECT_THROW(config.validate(), UserError);
}

}  // namespace
}  // namespace imssa
