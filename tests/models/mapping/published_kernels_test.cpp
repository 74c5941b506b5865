#include <gtest/gtest.h>

#include <complex>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/mapping/complex_kernel.h"
#include "models/mapping/kernel_placement.h"
#include "models/mapping/tile_mapping.h"
#include "models/network/quantizer.h"

namespace imssa {
namespace {

/// The conductance matrices of the published hardware figure (60 x 60 cells: 14 complex modes and one complex input).
/// Rows are inputs (state, then u), columns are outputs (next state, then y): G = [[A, C], [B, D]].
constexpr const char* kKernels = IMSSA_SOURCE_DIR "/../shared/references/data/data_imssa_kernels_60x60.json";
constexpr int kModes = 14;

std::complex<double> complex_of(const nlohmann::json& pair) {
    return {pair.at(0).get<double>(), pair.at(1).get<double>()};
}

std::vector<std::complex<double>> complex_list(const nlohmann::json& list) {
    std::vector<std::complex<double>> values;
    for (const nlohmann::json& pair : list) {
        values.push_back(complex_of(pair));
    }
    return values;
}

/// The decoded parameters. The figure has the levels 0, 1/2 and 1: two codes.
QuantizedMatrix kernel_matrix(const nlohmann::json& kernel) {
    return complex_kernel_array({complex_list(kernel.at("A")), complex_list(kernel.at("B")),
                                 complex_list(kernel.at("C")), complex_of(kernel.at("D"))},
                                2);
}

/// The kernel deployed as a trained one, with real u and y. A code of the state is a unit, weights of the array share a
/// range, and scales take A to half of its published size, since the figure's levels 1/2 + i lie outside the unit
/// circle; B and C follow.
DeployedKernel deployed(const nlohmann::json& kernel) {
    DiscreteKernel discrete;
    for (int n = 0; n < kModes; ++n) {
        const std::size_t at = static_cast<std::size_t>(n);
        discrete.abar.push_back(0.5 * complex_of(kernel.at("A").at(at)));
        discrete.bbar.push_back(0.5 * complex_of(kernel.at("B").at(at)));
        discrete.c.push_back(0.5 * complex_of(kernel.at("C").at(at)));
    }
    KernelOptions options;
    options.mapping = KernelMapping::fused;
    options.representation = StateRepresentation::abar_cartesian;
    options.form = OutputForm::delayed;
    options.input_matrix = InputMatrix::cells;
    options.feedthrough = Feedthrough::digital;
    options.registers = RegisterUpdate::replace;
    options.weight_range = WeightRange::array;
    options.register_bits = options.state_bits;
    KernelScales scales;
    scales.state.assign(kModes, code_limit(options.state_bits));
    scales.increment.assign(kModes, code_limit(options.state_bits));
    scales.output = 2.0;  // y = 2 Re(C x)
    return deploy_kernel(discrete, scales, options, 8);
}

TEST(PublishedKernels, AreWhatATrainedKernelOfRealInputAndOutputBecomes) {
    std::ifstream file(kKernels);
    if (!file) {
        GTEST_SKIP() << "the reference data are not beside the source tree";
    }
    const nlohmann::json kernels = nlohmann::json::parse(file);
    const DeviceConfig device;
    const MappingOptions options;
    for (const char* name : {"kernel1", "kernel2", "kernel3"}) {
        const nlohmann::json& kernel = kernels.at(name);
        const std::vector<DeployedKernel> heads = {deployed(kernel)};
        const std::vector<TileGroup> groups = place_kernels(heads, options, name);
        ASSERT_EQ(groups.size(), 1U);
        ASSERT_EQ(groups[0].tiles.size(), 1U);
        const QuantizedMatrix matrix = tile_matrix(groups[0].tiles[0], heads);
        const TileFootprint used = footprint(matrix, options, name);
        EXPECT_EQ(used.rows, 58);
        EXPECT_EQ(used.columns, 58);
        const Eigen::MatrixXd g = target_conductances(matrix, options, device) / device.g_max_siemens;
        for (int row = 0; row < 58; ++row) {
            for (int column = 0; column < 58; ++column) {
                const double published =
                    kernel.at("G").at(static_cast<std::size_t>(row)).at(static_cast<std::size_t>(column)).get<double>();
                // 8-bit weights: the level 1/2 is half a code away.
                ASSERT_NEAR(g(row, column), published, 0.501 / 127.0) << name << " cell " << row << ", " << column;
            }
        }
    }
}

TEST(PublishedKernels, MappingTheDecodedParametersReproducesEveryCell) {
    std::ifstream file(kKernels);
    if (!file) {
        GTEST_SKIP() << "the reference data are not beside the source tree";
    }
    const nlohmann::json kernels = nlohmann::json::parse(file);
    const DeviceConfig device;
    const MappingOptions options;
    for (const char* name : {"kernel1", "kernel2", "kernel3"}) {
        const nlohmann::json& kernel = kernels.at(name);
        const QuantizedMatrix matrix = kernel_matrix(kernel);
        const TileFootprint used = footprint(matrix, options, name);
        EXPECT_EQ(used.rows, 60);
        EXPECT_EQ(used.columns, 60);
        const Eigen::MatrixXd g = target_conductances(matrix, options, device) / device.g_max_siemens;
        int nonzero = 0;
        for (int row = 0; row < 64; ++row) {
            for (int column = 0; column < 64; ++column) {
                const double published = row < 60 && column < 60 ? kernel.at("G")
                                                                       .at(static_cast<std::size_t>(row))
                                                                       .at(static_cast<std::size_t>(column))
                                                                       .get<double>()
                                                                 : 0.0;
                ASSERT_DOUBLE_EQ(g(row, column), published) << name << " cell " << row << ", " << column;
                nonzero += published != 0.0 ? 1 : 0;
            }
        }
        EXPECT_DOUBLE_EQ(used.utilisation, nonzero / 4096.0) << name;
        EXPECT_EQ(effective_weights(g * device.g_max_siemens, matrix, options, device),
                  Eigen::MatrixXd(matrix.codes.cast<double>()));
    }
}

// x' = A x + B u, y = C x + D u in complex numbers, with inputs and factors that are no symmetric choice.
TEST(ComplexKernel, ItsArrayIsTheComplexRecurrence) {
    const ComplexKernel kernel = {
        {{0.5, -1.0}, {-0.25, 0.75}}, {{1.0, 0.5}, {0.25, -0.5}}, {{-0.5, 0.25}, {0.0, 1.0}}, {0.75, -0.25}};
    const QuantizedMatrix array = complex_kernel_array(kernel, 4);
    const std::vector<std::complex<double>> x = {{3.0, -2.0}, {5.0, 7.0}};
    const std::complex<double> u = {-1.0, 4.0};
    Eigen::VectorXf inputs(6);
    inputs << 3.0F, -2.0F, 5.0F, 7.0F, -1.0F, 4.0F;
    const Eigen::VectorXf outputs = array.codes.transpose() * inputs / 4.0F;
    std::complex<double> y = kernel.d * u;
    for (std::size_t mode = 0; mode < 2; ++mode) {
        const std::complex<double> next = kernel.a[mode] * x[mode] + kernel.b[mode] * u;
        const Eigen::Index at = 2 * static_cast<Eigen::Index>(mode);
        EXPECT_EQ(static_cast<double>(outputs(at)), next.real());
        EXPECT_EQ(static_cast<double>(outputs(at + 1)), next.imag());
        y += kernel.c[mode] * x[mode];
    }
    EXPECT_EQ(static_cast<double>(outputs(4)), y.real());
    EXPECT_EQ(static_cast<double>(outputs(5)), y.imag());
}

}  // namespace
}  // namespace imssa
