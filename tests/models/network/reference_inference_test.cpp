#include "models/network/reference_inference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

ModelConfig small_model() {
    ModelConfig model;
    model.layers = 2;
    model.heads = 4;
    model.states = 8;
    model.classes = 3;
    return model;
}

std::vector<const float*> pointers(const std::vector<std::vector<float>>& sequences, int first, int count) {
    std::vector<const float*> result;
    for (int index = first; index < first + count; ++index) {
        result.push_back(sequences[static_cast<std::size_t>(index)].data());
    }
    return result;
}

TEST(ReferenceInference, ALaneDoesNotDependOnTheLanesBesideIt) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 1);
    const std::vector<std::vector<float>> sequences = testing::random_sequences(21, 30, 1, 2);
    for (const KernelOptions& kernel : testing::all_kernel_options()) {
        DeploymentOptions options;
        options.kernel = kernel;
        const DeployedNetwork deployed = deploy(network.model, network.parameters, network.ranges, options, 30);
        const ReferenceInference inference(deployed);
        std::vector<std::uint64_t> ids(21);
        for (std::size_t lane = 0; lane < ids.size(); ++lane) {
            ids[lane] = 100 + lane;
        }
        const ReferenceResult all = inference.run(pointers(sequences, 0, 21), ids, 3);
        for (const int lane : {0, 15, 16, 20}) {
            const ReferenceResult one =
                inference.run(pointers(sequences, lane, 1), {ids[static_cast<std::size_t>(lane)]}, 3);
            for (int label = 0; label < 3; ++label) {
                ASSERT_EQ(one.logits(label, 0), all.logits(label, lane));
            }
        }
    }
}

/// With 10-bit codes the integer network follows the float recurrence of design equations, evaluated in doubles.
TEST(ReferenceInference, ApproachesTheFloatNetworkAtManyBits) {
    ModelConfig model = small_model();
    model.layers = 1;
    const testing::RandomNetwork network = testing::random_network(model, 5);
    const int steps = 50;
    const std::vector<std::vector<float>> sequences = testing::random_sequences(1, steps, 1, 6);
    DeploymentOptions options;
    options.input_bits = options.activation_bits = options.weight_bits = 10;
    options.logit_bits = 12;
    options.kernel.a_bits = options.kernel.weight_bits = options.kernel.state_bits = 10;
    options.kernel.register_bits = 18;
    options.kernel.state_scale = ScaleGranularity::head;
    const DeployedNetwork deployed = deploy(model, network.parameters, network.ranges, options, steps);
    const ReferenceResult result = ReferenceInference(deployed).run({sequences[0].data()}, {0}, 1);

    const LayerParameters& layer = network.parameters.layers[0];
    std::vector<std::vector<std::complex<double>>> x(4, std::vector<std::complex<double>>(4, 0.0));
    std::vector<double> pooled(4, 0.0);
    for (int step = 0; step < steps; ++step) {
        std::vector<double> u, z;
        for (int head = 0; head < 4; ++head) {
            u.push_back(network.parameters.encoder(head, 0) * sequences[0][static_cast<std::size_t>(step)] +
                        network.parameters.encoder_bias(head));
            const DiscreteKernel kernel = discretize(layer, head);
            double y = kernel.d * u.back();
            for (std::size_t mode = 0; mode < 4; ++mode) {
                std::complex<double>& state = x[static_cast<std::size_t>(head)][mode];
                state = kernel.abar[mode] * state + kernel.bbar[mode] * u.back();
                y += 2.0 * (kernel.c[mode] * state).real();
            }
            z.push_back(0.5 * y * (1.0 + std::erf(y / std::sqrt(2.0))));
        }
        std::vector<double> r;
        double mean = 0.0;
        double variance = 0.0;
        for (int head = 0; head < 4; ++head) {
            double mixed = layer.mixing_bias(head);
            for (int from = 0; from < 4; ++from) {
                mixed += layer.mixing(head, from) * z[static_cast<std::size_t>(from)];
            }
            r.push_back(u[static_cast<std::size_t>(head)] + mixed);
            mean += r.back() / 4.0;
        }
        for (const double value : r) {
            variance += (value - mean) * (value - mean) / 4.0;
        }
        for (int head = 0; head < 4; ++head) {
            const std::size_t at = static_cast<std::size_t>(head);
            pooled[at] += ((r[at] - mean) / std::sqrt(variance + 1e-5) * layer.gamma(head) + layer.beta(head)) / steps;
        }
    }
    for (int label = 0; label < 3; ++label) {
        double logit = network.parameters.decoder_bias(label);
        for (int head = 0; head < 4; ++head) {
            logit += network.parameters.decoder(label, head) * pooled[static_cast<std::size_t>(head)];
        }
        EXPECT_NEAR(result.logits(label, 0) * deployed.logit_scale, logit, 0.02);
    }
}

TEST(ReferenceInference, NamesAnInputThatIsNotFinite) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 1);
    const DeployedNetwork deployed = deploy(network.model, network.parameters, network.ranges, DeploymentOptions{}, 4);
    const std::vector<float> values = {0.0F, 0.5F, std::nanf(""), 0.0F};
    try {
        ReferenceInference(deployed).run({values.data()}, {0}, 1);
        FAIL() << "a NaN passed";
    } catch (const NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("step 2"), std::string::npos);
    }
}

TEST(Deploy, RefusesAnUncalibratedCheckpoint) {
    testing::RandomNetwork network = testing::random_network(small_model(), 1);
    network.ranges.layers[1].mixing = 0.0F;
    EXPECT_THROW(deploy(network.model, network.parameters, network.ranges, DeploymentOptions{}, 4), UserError);
}

}  // namespace
}  // namespace imssa
