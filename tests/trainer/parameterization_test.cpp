#include "trainer/parameterization.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/network/deployed_kernel.h"
#include "tests/support/random_network.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/initialize.h"

namespace imssa {
namespace {

TEST(ParameterizationTest, DiscreteCoordinatesReturnToTheSameKernel) {
    ModelConfig model;
    model.heads = 4;
    model.states = 8;
    for (const bool trained_b : {false, true}) {
        model.trained_b = trained_b;
        const NetworkParameters parameters = testing::random_network(model, 3).parameters;
        const NetworkParameters again = from_discrete(to_discrete(parameters));
        for (int head = 0; head < model.heads; ++head) {
            const DiscreteKernel expected = discretize(parameters.layers[0], head);
            const DiscreteKernel kernel = discretize(again.layers[0], head);
            for (std::size_t mode = 0; mode < 4; ++mode) {
                EXPECT_LT(std::abs(kernel.abar[mode] - expected.abar[mode]), 2e-7);
                EXPECT_LT(std::abs(kernel.c[mode] * kernel.bbar[mode] - expected.c[mode] * expected.bbar[mode]), 1e-6);
            }
        }
        EXPECT_EQ(again.layers[0].c_re == parameters.layers[0].c_re, trained_b) << "C is a coordinate beside Bbar";
    }
}

TEST(ParameterizationTest, DiscreteCoordinatesOfATrainedBAreAbarBbarAndC) {
    ModelConfig model;
    model.heads = 2;
    model.states = 4;
    model.trained_b = true;
    const LayerParameters layer = testing::random_network(model, 4).parameters.layers[0];
    NetworkParameters network;
    network.layers = {layer};
    const LayerParameters coordinates = to_discrete(network).layers[0];
    const std::complex<double> a(-std::exp(static_cast<double>(layer.log_neg_re(1, 1))), layer.im(1, 1));
    const std::complex<double> abar = std::exp(std::exp(static_cast<double>(layer.log_dt(1))) * a);
    const std::complex<double> bbar = (abar - 1.0) / a * std::complex<double>(layer.b_re(1, 1), layer.b_im(1, 1));
    EXPECT_FLOAT_EQ(coordinates.b_re(1, 1), static_cast<float>(bbar.real()));
    EXPECT_FLOAT_EQ(coordinates.b_im(1, 1), static_cast<float>(bbar.imag()));
    EXPECT_EQ(coordinates.c_im(1, 1), layer.c_im(1, 1));
}

TEST(ParameterizationTest, PolesOutsideTheCircleArePulledInside) {
    ModelConfig model;
    model.layers = 1;
    model.heads = 1;
    model.states = 2;
    NetworkParameters coordinates = to_discrete(testing::random_network(model, 5).parameters);
    coordinates.layers[0].log_neg_re(0, 0) = 0.9F;  // |0.9 + 0.9 j| = 1.27
    coordinates.layers[0].im(0, 0) = 0.9F;
    const DiscreteKernel kernel = discretize(from_discrete(coordinates).layers[0], 0);
    EXPECT_NEAR(std::abs(kernel.abar[0]), kLargestPole, 1e-6);
    EXPECT_NEAR(std::arg(kernel.abar[0]), 0.25 * 3.14159265, 1e-6);
}

TEST(ParameterizationTest, PulledPolesAreCountedAndTheFirstIsNamed) {
    ModelConfig model;
    model.layers = 2;
    model.heads = 3;
    model.states = 8;
    NetworkParameters coordinates = to_discrete(testing::random_network(model, 5).parameters);
    PulledPoles none;
    NetworkParameters parameters = from_discrete(coordinates, &none);
    EXPECT_EQ(none.count, 0);
    coordinates.layers[1].log_neg_re(2, 1) = 3.0F;
    coordinates.layers[1].im(2, 1) = 4.0F;
    coordinates.layers[1].im(2, 3) = -2.0F;
    PulledPoles pulled;
    parameters = from_discrete(coordinates, &pulled);
    EXPECT_EQ(pulled.count, 2);
    EXPECT_EQ(pulled.layer, 1);
    EXPECT_EQ(pulled.head, 2);
    EXPECT_EQ(pulled.mode, 1);
    EXPECT_DOUBLE_EQ(pulled.magnitude, 5.0);
    PulledPoles again;
    from_discrete(to_discrete(parameters), &again);
    EXPECT_EQ(again.count, 0) << "what sits at the limit stays there";
}

TEST(InitializationTest, S4dLinInvAndRealFollowTheirFormulas) {
    const InitialModes lin = initial_modes(Initialization::s4d_lin, 3);
    EXPECT_DOUBLE_EQ(lin.re[2], -0.5);
    EXPECT_DOUBLE_EQ(lin.im[2], 2.0 * 3.14159265358979323846);
    const InitialModes inv = initial_modes(Initialization::s4d_inv, 2);
    // N = 4: 4 / pi (4 / 1 - 1) and 4 / pi (4 / 3 - 1).
    EXPECT_NEAR(inv.im[0], 3.8197186342, 1e-9);
    EXPECT_NEAR(inv.im[1], 0.4244131816, 1e-9);
    const InitialModes real = initial_modes(Initialization::s4d_real, 3);
    EXPECT_DOUBLE_EQ(real.re[2], -3.0);
    EXPECT_DOUBLE_EQ(real.im[2], 0.0);
}

TEST(InitializationTest, S4dLegsHasTheEigenvaluesOfTheNormalPart) {
    // N = 2: S = [[0, v], [-v, 0]] with v = sqrt(1/2 3/2): eigenvalues +- j 0.866.
    const InitialModes one = initial_modes(Initialization::s4d_legs, 1);
    EXPECT_DOUBLE_EQ(one.re[0], -0.5);
    EXPECT_NEAR(one.im[0], std::sqrt(0.75), 1e-12);
    // Eigenvector (1, j) / sqrt(2), B = (1, sqrt 3): |B| = sqrt((1 + 3) / 2).
    EXPECT_NEAR(one.b[0], std::sqrt(2.0), 1e-12);
    // The magnitudes of B are in B where that is a parameter, else in C.
    ModelConfig model;
    model.heads = 2;
    model.states = 4;
    const NetworkParameters folded = initialize_parameters(model, 1, Initialization::s4d_legs);
    model.trained_b = true;
    const NetworkParameters apart = initialize_parameters(model, 1, Initialization::s4d_legs);
    const InitialModes two = initial_modes(Initialization::s4d_legs, 2);
    EXPECT_FLOAT_EQ(apart.layers[1].b_re(1, 1), static_cast<float>(two.b[1]));
    EXPECT_EQ(apart.layers[1].b_im(1, 1), 0.0F);
    EXPECT_FLOAT_EQ(folded.layers[1].c_im(1, 0), apart.layers[1].c_im(1, 0) * static_cast<float>(two.b[0]));
    // The squares of the imaginary parts sum to half the squared Frobenius norm of S (N = 8).
    const InitialModes four = initial_modes(Initialization::s4d_legs, 4);
    double norm = 0.0, sum = 0.0;
    for (int row = 0; row < 8; ++row) {
        for (int column = 0; column < row; ++column) {
            norm += (row + 0.5) * (column + 0.5);
        }
    }
    for (const double im : four.im) {
        EXPECT_GT(im, 0.0);
        sum += im * im;
    }
    EXPECT_NEAR(sum, norm, 1e-9);
}

TEST(InitializationTest, EveryOneDeploysInEveryRepresentationWithPolesInsideTheCircle) {
    ModelConfig model;
    model.layers = 1;
    model.heads = 8;
    const Dataset data = test::random_dataset(16, 40, 1, 10, 5);
    for (const auto& [name, initialization] : enum_names(Initialization{})) {
        for (const int states : {2, 24, 64, 128}) {
            model.states = states;
            const NetworkParameters parameters = initialize_parameters(model, 1, initialization);
            const CalibrationRanges ranges = calibrate(model, parameters, data, 16);
            for (KernelOptions options : testing::all_kernel_options()) {
                if (options.rounding == StateRounding::dithered || options.form == OutputForm::immediate) {
                    continue;
                }
                options.state_scale =
                    options.input_matrix == InputMatrix::cells ? ScaleGranularity::mode : ScaleGranularity::head;
                options.weight_range = WeightRange::column;
                DeploymentOptions deployment;
                deployment.kernel = options;
                const DeployedNetwork network = deploy(model, parameters, ranges, deployment, data.steps);
                for (const DeployedKernel& kernel : network.layers[0].kernels) {
                    for (const std::complex<double>& abar : kernel.effective_a) {
                        EXPECT_LT(std::abs(abar), 1.0) << name << ", N = " << states;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace imssa
