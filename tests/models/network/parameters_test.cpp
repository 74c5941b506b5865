#include "models/network/parameters.h"

#include <gtest/gtest.h>

#include <complex>

#include "models/network/deployed_kernel.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

TEST(Parameters, AreAsManyAsTheirTensorsHold) {
    for (const bool trained_b : {false, true}) {
        for (const Norm norm : {Norm::none, Norm::layer}) {
            ModelConfig model;
            model.channels = 2;
            model.heads = 5;
            model.states = 6;
            model.glu = norm == Norm::none;
            model.norm = norm;
            model.trained_b = trained_b;
            std::int64_t numbers = 0;
            NetworkParameters parameters = zero_parameters(model);
            for_each_tensor(parameters, [&](const std::string&, const float*, Eigen::Index size) { numbers += size; });
            EXPECT_EQ(model.parameter_count(), numbers);
        }
    }
}

// Zhao et al., arXiv 2506.12480, table I: one layer of N = 64 with a gated linear unit, without a norm, on sMNIST.
TEST(Parameters, WithATrainedBAreAsManyAsPublished) {
    ModelConfig model;
    model.layers = 1;
    model.states = 64;
    model.glu = true;
    model.norm = Norm::none;
    model.trained_b = true;
    for (const auto& [heads, published] : {std::pair{16, 3850}, {64, 21514}, {256, 184330}, {512, 630794}}) {
        model.heads = heads;
        EXPECT_EQ(model.parameter_count(), published) << heads << " heads";
    }
}

TEST(Parameters, OfATrainedBMultiplyBbar) {
    ModelConfig model;
    model.heads = 3;
    model.states = 4;
    model.trained_b = true;
    LayerParameters layer = testing::random_network(model, 7).parameters.layers[0];
    const DiscreteKernel kernel = discretize(layer, 2);
    const std::complex<double> b(layer.b_re(2, 1), layer.b_im(2, 1));
    layer.b_re = layer.b_im = MatrixRM();
    const DiscreteKernel with_one = discretize(layer, 2);
    EXPECT_EQ(kernel.bbar[1], with_one.bbar[1] * b);
    EXPECT_EQ(kernel.abar[1], with_one.abar[1]);
    EXPECT_EQ(kernel.c[1], with_one.c[1]);
}

}  // namespace
}  // namespace imssa
