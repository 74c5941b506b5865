#include "models/network/sequence_pooling.h"

#include <gtest/gtest.h>

#include "models/common/error.h"
#include "models/network/reference_inference.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

ModelConfig tiny_model(Pooling pooling) {
    ModelConfig model;
    model.layers = 1;
    model.heads = 3;
    model.states = 4;
    model.classes = 3;
    model.pooling = pooling;
    return model;
}

DeployedNetwork deployed(Pooling pooling, int steps) {
    const testing::RandomNetwork network = testing::random_network(tiny_model(pooling), 2);
    return deploy(network.model, network.parameters, network.ranges, DeploymentOptions{}, steps);
}

TEST(SequencePooling, CountsTheStepsOfEachSequence) {
    DeployedNetwork network = deployed(Pooling::mean, 4);
    network.pooled_scale = network.layers.back().output_scale;  // the mean in units of the codes
    SequencePooling pooling(network, {4, 2});
    LaneMatrix codes(3, 2);
    for (int step = 0; step < 4; ++step) {
        codes(0, 0) = codes(0, 1) = static_cast<float>(10 * step);
        EXPECT_EQ(pooling.add(codes, step), step < 2 ? 2 : 1);
    }
    LaneMatrix pooled(3, 2);
    pooling.finish(pooled);
    EXPECT_EQ(pooled(0, 0), 15.0F);  // (0 + 10 + 20 + 30) / 4
    EXPECT_EQ(pooled(0, 1), 5.0F);   // (0 + 10) / 2
}

TEST(SequencePooling, TakesTheCodesOfTheLastStepAsTheyAre) {
    const DeployedNetwork network = deployed(Pooling::last, 4);
    EXPECT_EQ(network.pooled_scale, network.layers.back().output_scale);
    SequencePooling pooling(network, {4, 2, 1});
    LaneMatrix codes(3, 3);
    for (int step = 0; step < 4; ++step) {
        codes(1, 0) = codes(1, 1) = codes(1, 2) = static_cast<float>(step - 2);
        pooling.add(codes, step);
    }
    LaneMatrix pooled(3, 3);
    pooling.finish(pooled);
    EXPECT_EQ(pooled(1, 0), 1.0F);
    EXPECT_EQ(pooled(1, 1), -1.0F);
    EXPECT_EQ(pooled(1, 2), -2.0F);
}

TEST(SequencePooling, AShortSequenceEqualsItselfOnANetworkOfItsLength) {
    const std::vector<std::vector<float>> sequences = testing::random_sequences(1, 20, 1, 6);
    for (const Pooling pooling : {Pooling::mean, Pooling::last}) {
        const DeployedNetwork long_network = deployed(pooling, 20);
        for (const int length : {1, 7, 20}) {
            const DeployedNetwork own = deployed(pooling, length);
            const ReferenceResult padded =
                ReferenceInference(long_network).run({sequences[0].data()}, {4}, 1, {length});
            const ReferenceResult alone = ReferenceInference(own).run({sequences[0].data()}, {4}, 1);
            EXPECT_EQ(padded.pooled, alone.pooled);
            EXPECT_EQ(padded.logits, alone.logits);
        }
    }
}

TEST(SequencePooling, RefusesLengthsThatTheNetworkHasNotSteps) {
    const DeployedNetwork network = deployed(Pooling::mean, 4);
    EXPECT_EQ(sequence_lengths(network, {}, 2), (std::vector<int>{4, 4}));
    EXPECT_THROW(sequence_lengths(network, {4, 5}, 2), UserError);
    EXPECT_THROW(sequence_lengths(network, {0, 1}, 2), UserError);
}

}  // namespace
}  // namespace imssa
