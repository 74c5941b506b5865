// The errors that training adds to cells are those that a chip of the same seed programs.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "models/chip/kernel_tiles.h"
#include "models/chip/tiled_product.h"
#include "models/network/remove_pruned.h"
#include "tests/models/chip/chip_bench.h"
#include "trainer/weight_noise.h"

namespace imssa::testing {
namespace {

NoiseConfig cell_noise() {
    NoiseConfig noise;
    noise.cell_errors = 1.0;
    noise.device.g_min_siemens = 10e-6;
    noise.device.programming_sigma_siemens = 3.9e-6;
    return noise;
}

ChipConfig chip_of(const NoiseConfig& noise) {
    ChipConfig config;
    config.device = noise.device;
    config.mapping = noise.mapping;
    return config;
}

std::vector<std::uint64_t> identities(int lanes) {
    std::vector<std::uint64_t> ids(static_cast<std::size_t>(lanes));
    for (std::size_t lane = 0; lane < ids.size(); ++lane) {
        ids[lane] = lane;
    }
    return ids;
}

/// One input at a time: the sums of lane i are the weights of input i.
LaneMatrix unit_inputs(int inputs) {
    LaneMatrix units(inputs, inputs);
    for (int input = 0; input < inputs; ++input) {
        units(input, input) = 1.0F;
    }
    return units;
}

MatrixRM weights_of(const LaneMatrix& sums) {
    MatrixRM weights(sums.lanes(), sums.channels());
    for (int output = 0; output < sums.channels(); ++output) {
        for (int input = 0; input < sums.lanes(); ++input) {
            weights(input, output) = sums(output, input);
        }
    }
    return weights;
}

/// Weights of a whole network as tiles of a chip read them, with drives, in the order in which a chip numbers them.
class ChipWeights {
public:
    ChipWeights(const DeployedNetwork& network, const ChipConfig& config, std::uint64_t seed)
        : config_(config), seed_(seed) {
        add_dense(network.encoder, config.mapping.encoder);
        for (const DeployedLayer& layer : network.layers) {
            for (const TileGroup& group : place_kernels(layer.kernels, config.mapping, "kernel")) {
                add_group(group, layer.kernels);
            }
            add_dense(layer.mixing, config.mapping.mixing_matrix);
        }
        add_dense(network.decoder, config.mapping.decoder);
    }
    const std::vector<MatrixRM>& matrices() const { return matrices_; }

private:
    void add_dense(const QuantizedMatrix& matrix, MatrixPlace place) {
        if (place == MatrixPlace::digital) {
            matrices_.push_back(matrix.driven_codes());
            return;
        }
        TiledProduct product(matrix, config_, seed_, tile_, "dense");
        tile_ += static_cast<std::uint32_t>(product.tiles());
        LaneMatrix sums;
        product.read(unit_inputs(matrix.inputs()), identities(matrix.inputs()), 0, sums);
        matrices_.push_back(weights_of(sums));
    }
    void add_group(const TileGroup& group, const std::vector<DeployedKernel>& kernels) {
        KernelTiles tiles(group, kernels, config_, seed_, {tile_, tile_},
                          std::vector<std::string>(group.tiles.size(), "tile"));
        tile_ += static_cast<std::uint32_t>(group.tiles.size());
        std::vector<HeadRead> reads;
        const QuantizedMatrix& array = kernels.front().array;
        for (std::size_t head = 0; head < group.heads.size(); ++head) {
            reads.push_back({unit_inputs(array.inputs()), LaneMatrix(array.outputs(), array.inputs())});
        }
        tiles.read(reads, identities(array.inputs()), 0, nullptr);
        for (const HeadRead& read : reads) {
            matrices_.push_back(weights_of(read.sums));
        }
    }

    ChipConfig config_;
    std::uint64_t seed_;
    std::uint32_t tile_ = 0;
    std::vector<MatrixRM> matrices_;
};

/// The same matrices as training has them.
std::vector<MatrixRM> codes_of(const DeployedNetwork& network) {
    std::vector<MatrixRM> matrices = {network.encoder.driven_codes()};
    for (const DeployedLayer& layer : network.layers) {
        for (const DeployedKernel& kernel : layer.kernels) {
            matrices.push_back(kernel.array.driven_codes());
        }
        matrices.push_back(layer.mixing.driven_codes());
    }
    matrices.push_back(network.decoder.driven_codes());
    return matrices;
}

ModelConfig model_of_six_heads() {
    ModelConfig model = small_model();
    model.heads = 6;
    model.states = 8;
    return model;
}

KernelOptions fused() {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    kernel.feedthrough = Feedthrough::digital;
    return kernel;
}

struct Case {
    const char* name;
    std::function<void(NoiseConfig&)> change;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> kCases = {
        {"default", [](NoiseConfig&) {}},
        {"two cells a weight", [](NoiseConfig& noise) { noise.mapping.cells_per_weight = 2; }},
        {"slices", [](NoiseConfig& noise) { noise.mapping.weight_slices = 3; }},
        {"row_gated", [](NoiseConfig& noise) { noise.mapping.packing = Packing::row_gated; }},
        {"split heads and matrices on small tiles",
         [](NoiseConfig& noise) {
             noise.mapping.tile_rows = 12;
             noise.mapping.tile_columns = 12;
             noise.mapping.split_heads = true;
         }},
        {"digital C and mixing",
         [](NoiseConfig& noise) {
             noise.mapping.kernel_output = MatrixPlace::digital;
             noise.mapping.mixing_matrix = MatrixPlace::digital;
         }},
        {"digital coders",
         [](NoiseConfig& noise) {
             noise.mapping.encoder = MatrixPlace::digital;
             noise.mapping.decoder = MatrixPlace::digital;
         }},
        {"faults, spare lines and remapping",
         [](NoiseConfig& noise) {
             noise.device.stuck_low_fraction = 0.02;
             noise.device.stuck_high_fraction = 0.02;
             noise.device.fault_remap = FaultRemap::swap;
             noise.mapping.spare_rows = 4;
             noise.mapping.spare_columns = 4;
         }},
        {"relaxation and drift",
         [](NoiseConfig& noise) {
             noise.device.relaxation_sigma_siemens = 2e-6;
             noise.device.drift_exponent = 0.02;
             noise.device.time_since_programming_s = 1e4;
         }},
    };
    return kCases;
}

void expect_equal(const std::vector<MatrixRM>& trained, const std::vector<MatrixRM>& chip, const std::string& what) {
    ASSERT_EQ(trained.size(), chip.size()) << what;
    for (std::size_t index = 0; index < chip.size(); ++index) {
        ASSERT_EQ(trained[index].size(), chip[index].size()) << what << ", matrix " << index;
        EXPECT_LT((trained[index] - chip[index]).cwiseAbs().maxCoeff(), 1e-3F) << what << ", matrix " << index;
    }
}

TEST(TrainingErrors, AreThoseOfAChipOfTheSameSeedUnderEveryMapping) {
    for (const KernelOptions& kernel : {KernelOptions{}, fused()}) {
        const DeployedNetwork network = small_network(model_of_six_heads(), kernel, 9);
        for (const Case& one : cases()) {
            NoiseConfig noise = cell_noise();
            one.change(noise);
            DeployedNetwork trained = network;
            add_cell_errors(noise, 7, trained);
            expect_equal(codes_of(trained), ChipWeights(network, chip_of(noise), 7).matrices(), one.name);
        }
    }
}

TEST(TrainingErrors, LeaveOutWhatWasPrunedUnlessItIsKeptOnCells) {
    const ModelConfig model = model_of_six_heads();
    RandomNetwork random = random_network(model, 5);
    for (const int head : {0, 2, 5}) {
        prune_kernel(random.parameters.layers[0], head);
    }
    prune_mode(random.parameters.layers[0], 1);
    const DeployedNetwork network = deploy(model, random.parameters, random.ranges, {}, 9);
    NoiseConfig noise = cell_noise();
    DeployedNetwork trained = network;
    add_cell_errors(noise, 7, trained);
    const DeployedLayer& layer = trained.layers[0];
    EXPECT_TRUE(layer.kernels[2].array.codes.isZero(0.0F));
    EXPECT_EQ(layer.mixing.codes.row(2), network.layers[0].mixing.codes.row(2));
    EXPECT_EQ(layer.kernels[1].array.codes(2, 0), 0.0F) << "mode 1";
    EXPECT_NE(layer.kernels[1].array.codes(0, 0), network.layers[0].kernels[1].array.codes(0, 0)) << "mode 0";
    // What is left is a smaller chip, number for number.
    DeployedNetwork left = trained;
    for (std::size_t index = 0; index < left.layers.size(); ++index) {
        left.layers[index] = with_kernels(trained.layers[index], kept_kernels(network, network.layers[index]));
    }
    expect_equal(codes_of(left), ChipWeights(remove_pruned(network), chip_of(noise), 7).matrices(), "removed");

    noise.mapping.pruned = PrunedWeights::kept;
    trained = network;
    add_cell_errors(noise, 7, trained);
    EXPECT_FALSE(trained.layers[0].kernels[2].array.codes.isZero(0.0F));
    expect_equal(codes_of(trained), ChipWeights(network, chip_of(noise), 7).matrices(), "kept");
}

/// Mean and standard deviation of the errors of all mixing weights over 60 programmings.
void error_moments(const NoiseConfig& noise, const DeployedNetwork& network, bool on_chip, double& mean,
                   double& deviation) {
    double sum = 0.0, squares = 0.0;
    std::int64_t count = 0;
    const MatrixRM wanted = network.layers[0].mixing.driven_codes();
    for (std::uint64_t draw = 0; draw < 60; ++draw) {
        MatrixRM programmed;
        if (on_chip) {
            TiledProduct product(network.layers[0].mixing, chip_of(noise), 5000 + draw, 0, "mixing");
            LaneMatrix sums;
            product.read(unit_inputs(product.inputs()), identities(product.inputs()), 0, sums);
            programmed = weights_of(sums);
        } else {
            DeployedNetwork trained = network;
            add_cell_errors(noise, draw, trained);
            programmed = trained.layers[0].mixing.driven_codes();
        }
        const MatrixRM error = programmed - wanted;
        sum += error.cast<double>().sum();
        squares += error.cast<double>().squaredNorm();
        count += error.size();
    }
    mean = sum / static_cast<double>(count);
    deviation = std::sqrt(squares / static_cast<double>(count) - mean * mean);
}

TEST(TrainingErrors, HaveTheMomentsOfProgrammedChipsOfOtherSeeds) {
    ModelConfig model = model_of_six_heads();
    model.heads = 12;
    const DeployedNetwork network = small_network(model, KernelOptions{}, 9);
    for (const int slices : {1, 2}) {
        for (const int cells : {4, 2}) {
            NoiseConfig noise = cell_noise();
            noise.device.programming_mean_siemens = 1e-6;
            noise.mapping.cells_per_weight = cells;
            noise.mapping.weight_slices = slices;
            double mean = 0.0, deviation = 0.0, chip_mean = 0.0, chip_deviation = 0.0;
            error_moments(noise, network, false, mean, deviation);
            error_moments(noise, network, true, chip_mean, chip_deviation);
            // 8640 weights: the deviation has a standard error of 0.8 %, the mean one of a hundredth of the deviation.
            EXPECT_NEAR(deviation / chip_deviation, 1.0, 0.045) << cells << " cells, " << slices << " slices";
            EXPECT_NEAR(mean, chip_mean, 0.06 * chip_deviation) << cells << " cells, " << slices << " slices";
            const double one_pair = noise.device.programming_sigma_siemens / 140e-6 * std::sqrt(cells == 4 ? 1.0 : 2.0);
            // Two digits of 4 bits: window 15 codes, and the upper one counts 16-fold.
            const double wanted = slices == 1 ? 127.0 * one_pair : 15.0 * std::sqrt(257.0) * one_pair;
            EXPECT_NEAR(deviation / wanted, 1.0, 0.05);
        }
    }
}

}  // namespace
}  // namespace imssa::testing
