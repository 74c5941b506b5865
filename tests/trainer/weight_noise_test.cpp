#include "trainer/weight_noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "models/common/error.h"
#include "tests/support/random_network.h"
#include "trainer/train_config.h"

namespace imssa {
namespace {

ModelConfig small_model() {
    ModelConfig model;
    model.heads = 16;
    model.states = 8;
    return model;
}

NoiseConfig chip_noise(int cells_per_weight) {
    NoiseConfig noise;
    noise.cell_errors = 1.0;
    noise.device.g_max_siemens = 150e-6;
    noise.device.programming_sigma_siemens = 3.9e-6;
    noise.mapping.cells_per_weight = cells_per_weight;
    return noise;
}

DeployedNetwork deployed(const testing::RandomNetwork& network) {
    return deploy(network.model, network.parameters, network.ranges, {}, 30);
}

/// Mean square error of the mixing codes over the largest code, with cells far from zero (a cell has no negative
/// conductance).
double relative_deviation(int cells_per_weight) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 2);
    const DeployedNetwork clean = deployed(network);
    NoiseConfig noise = chip_noise(cells_per_weight);
    noise.device.g_min_siemens = 50e-6;
    noise.device.g_max_siemens = 200e-6;
    double sum = 0.0;
    int count = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        DeployedNetwork drawn = clean;
        add_cell_errors(noise, seed, drawn);
        for (std::size_t layer = 0; layer < 2; ++layer) {
            const MatrixRM error = (drawn.layers[layer].mixing.codes - clean.layers[layer].mixing.codes) /
                                   clean.layers[layer].mixing.code_limit;
            sum += error.squaredNorm();
            count += static_cast<int>(error.size());
        }
    }
    return std::sqrt(sum / count);
}

TEST(CellErrors, OfFourCellsAreTheCellErrorAndOfTwoCellsItsRootTwo) {
    // sigma / window = 0.026: the average of two differences of two cells has sqrt(4) / 2 of it, one difference
    // sqrt(2).
    EXPECT_NEAR(relative_deviation(4), 0.026, 0.0006);
    EXPECT_NEAR(relative_deviation(2), 0.026 * std::sqrt(2.0), 0.0009);
}

TEST(CellErrors, DependOnTheSeedOnlyAndReachEveryArray) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 2);
    const DeployedNetwork clean = deployed(network);
    DeployedNetwork first = clean, again = clean, other = clean;
    add_cell_errors(chip_noise(4), 5, first);
    add_cell_errors(chip_noise(4), 5, again);
    add_cell_errors(chip_noise(4), 6, other);
    EXPECT_EQ(first.layers[1].mixing.codes, again.layers[1].mixing.codes);
    EXPECT_NE(first.layers[1].mixing.codes, other.layers[1].mixing.codes);
    EXPECT_NE(first.encoder.codes, clean.encoder.codes);
    EXPECT_NE(first.decoder.codes, clean.decoder.codes);
    EXPECT_NE(first.layers[0].kernels[3].array.codes, clean.layers[0].kernels[3].array.codes);
    EXPECT_NE(first.layers[0].kernels[3].effective_c_re, clean.layers[0].kernels[3].effective_c_re);
    EXPECT_EQ(first.layers[0].kernels[3].effective_a, clean.layers[0].kernels[3].effective_a) << "digital decay";
}

TEST(CellErrors, ReachExactlyWhatTheMappingPutsIntoCells) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 2);
    DeploymentOptions options;
    options.kernel.input_matrix = InputMatrix::cells;
    options.kernel.form = OutputForm::immediate;
    options.kernel.feedthrough = Feedthrough::cells;
    const DeployedNetwork clean = deploy(network.model, network.parameters, network.ranges, options, 30);
    MatrixPlace MappingOptions::*const places[] = {&MappingOptions::encoder, &MappingOptions::kernel_input,
                                                   &MappingOptions::kernel_output, &MappingOptions::mixing_matrix,
                                                   &MappingOptions::decoder};
    for (int digital = 0; digital < 32; ++digital) {
        NoiseConfig noise = chip_noise(4);
        for (int place = 0; place < 5; ++place) {
            if ((digital >> place) % 2 == 1) {
                noise.mapping.*places[place] = MatrixPlace::digital;
            }
        }
        DeployedNetwork drawn = clean;
        add_cell_errors(noise, 5, drawn);
        const auto exact = [&](int place) { return (digital >> place) % 2 == 1; };
        EXPECT_EQ(drawn.encoder.codes == clean.encoder.codes, exact(0)) << digital;
        EXPECT_EQ(drawn.decoder.codes == clean.decoder.codes, exact(4)) << digital;
        for (std::size_t layer = 0; layer < 2; ++layer) {
            EXPECT_EQ(drawn.layers[layer].mixing.codes == clean.layers[layer].mixing.codes, exact(3)) << digital;
            const DeployedKernel& kernel = clean.layers[layer].kernels[3];
            const MatrixRM error = drawn.layers[layer].kernels[3].array.codes - kernel.array.codes;
            EXPECT_EQ(error.col(kernel.output_column()).isZero(0.0F), exact(2)) << digital;
            EXPECT_EQ(error.row(kernel.state_input_row()).head(kernel.output_column()).isZero(0.0F), exact(1))
                << digital;
            EXPECT_EQ(drawn.layers[layer].kernels[3].effective_d == kernel.effective_d, exact(2)) << digital;
        }
    }
}

TEST(CellErrors, OfDigitsCountByTheirPlace) {
    // Four slices of 2 bits: a digit's window is 3 codes, and the places count 1, 4, 16 and 64-fold.
    const testing::RandomNetwork network = testing::random_network(small_model(), 2);
    const DeployedNetwork clean = deployed(network);
    NoiseConfig noise = chip_noise(4);
    noise.device.g_min_siemens = 50e-6;
    noise.device.g_max_siemens = 200e-6;
    noise.mapping.weight_slices = 4;
    double sum = 0.0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        DeployedNetwork drawn = clean;
        add_cell_errors(noise, seed, drawn);
        sum += (drawn.layers[0].mixing.codes - clean.layers[0].mixing.codes).squaredNorm();
    }
    const double deviation = std::sqrt(sum / (20.0 * static_cast<double>(clean.layers[0].mixing.codes.size())));
    EXPECT_NEAR(deviation, 0.026 * 3.0 * std::sqrt(1.0 + 16.0 + 256.0 + 4096.0), 0.15);
}

TEST(CellErrors, ThatAStepCannotHoldAreRefusedWithTheReason) {
    const auto message = [](const NoiseConfig& noise) {
        try {
            noise.validate();
        } catch (const UserError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    NoiseConfig noise = chip_noise(4);
    noise.mapping.packing = Packing::diagonal;
    EXPECT_NE(message(noise).find("disturb each other"), std::string::npos);
    noise.mapping.packing = Packing::row_gated;
    EXPECT_EQ(message(noise), "");
    noise.device.read_noise_relative = 0.01;
    EXPECT_NE(message(noise).find("read_noise_scale = 0"), std::string::npos);
    noise.device.read_noise_scale = 0.0;
    EXPECT_EQ(message(noise), "");
    noise.device = device_defaults(DeviceModelName::pcm);
    EXPECT_NE(message(noise).find("read_noise_scale = 0"), std::string::npos) << "a model's own read noise";
    noise.device = {};
    noise.device.model = DeviceModelName::table;
    noise.device.table_csv = "cells.csv";
    EXPECT_NE(message(noise).find("table_csv"), std::string::npos);
    noise.cell_errors = 0.0;
    EXPECT_EQ(message(noise), "") << "nothing is programmed";
}

TEST(CellErrors, OfAnIdealDeviceAreRefused) {
    NoiseConfig noise;
    noise.cell_errors = 1.0;
    EXPECT_THROW(noise.validate(), UserError);
    PhaseConfig phase;
    phase.noise = chip_noise(4);
    EXPECT_THROW(phase.validate(), UserError) << "in float there are no cells";
    phase.precision = Precision::quantized;
    EXPECT_NO_THROW(phase.validate());
}

TEST(ContinuousANoise, IsRelativeToTheRangeOverTheLayer) {
    ModelConfig model;
    model.layers = 1;
    model.heads = 200;
    model.states = 16;
    NetworkParameters parameters = testing::random_network(model, 1).parameters;
    LayerParameters& layer = parameters.layers[0];
    for (int head = 0; head < 200; ++head) {
        layer.log_neg_re(head, 0) = std::log(2.5F);  // Re A from -2.5 to -0.5: a range of 2
    }
    const MatrixRM im = layer.im;
    const MatrixRM re = -layer.log_neg_re.array().exp();
    add_continuous_a_noise(0.01, 11, parameters);
    const MatrixRM re_error = MatrixRM(-layer.log_neg_re.array().exp()) - re;
    const MatrixRM im_error = layer.im - im;
    EXPECT_NEAR(std::sqrt(re_error.squaredNorm() / 1600.0), 0.02, 0.0015);
    EXPECT_NEAR(std::sqrt(im_error.squaredNorm() / 1600.0), 0.01 * 7.0 * 3.14159265, 0.015);
}

TEST(ContinuousANoise, LeavesNoPoleUnstable) {
    ModelConfig model;
    model.heads = 16;
    NetworkParameters parameters = testing::random_network(model, 1).parameters;
    parameters.layers[0].log_neg_re(0, 0) = std::log(50.0F);
    add_continuous_a_noise(0.5, 3, parameters);
    EXPECT_GE(parameters.layers[0].log_neg_re.minCoeff(), std::log(0.99e-4F));
}

TEST(ContinuousANoise, StraightThroughGradientOfTheLogarithmScalesWithReA) {
    ModelConfig model;
    model.layers = 1;
    model.heads = 1;
    model.states = 2;
    NetworkParameters parameters = zero_parameters(model), used = zero_parameters(model);
    NetworkParameters gradient = zero_parameters(model);
    used.layers[0].log_neg_re(0, 0) = std::log(4.0F);
    gradient.layers[0].log_neg_re(0, 0) = 8.0F;  // dL/dRe A = -2 at Re A = -4
    straight_through_a(parameters, used, gradient);
    EXPECT_FLOAT_EQ(gradient.layers[0].log_neg_re(0, 0), 2.0F) << "at Re A = -1";
}

TEST(StepNoiseSeed, DiffersBetweenStepsEpochsAndPhases) {
    EXPECT_NE(step_noise_seed(0, 0, 1, 0), step_noise_seed(0, 0, 1, 1));
    EXPECT_NE(step_noise_seed(0, 0, 1, 0), step_noise_seed(0, 0, 2, 0));
    EXPECT_NE(step_noise_seed(0, 0, 1, 0), step_noise_seed(0, 1, 1, 0));
    EXPECT_GT(step_noise_seed(0, 0, 1, 0), 0xffffffffU) << "seeds of chips are small numbers";
}

}  // namespace
}  // namespace imssa
