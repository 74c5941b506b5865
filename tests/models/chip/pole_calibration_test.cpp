// Start-up calibration against programmed arrays whose poles are known.
#include "models/chip/pole_calibration.h"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <random>

#include "tests/support/random_network.h"

namespace imssa::testing {
namespace {

DeployedKernel fused_kernel(StateRepresentation representation, StateRange range, unsigned seed = 11) {
    ModelConfig model;
    model.heads = 1;
    model.layers = 1;
    model.states = 8;
    const RandomNetwork network = random_network(model, seed);
    DeploymentOptions options;
    options.kernel.mapping = KernelMapping::fused;
    options.kernel.form = OutputForm::immediate;
    options.kernel.input_matrix = InputMatrix::cells;
    options.kernel.representation = representation;
    options.kernel.registers =
        representation == StateRepresentation::abar_delta ? RegisterUpdate::accumulate : RegisterUpdate::replace;
    options.kernel.state_range = range;
    return deploy(network.model, network.parameters, network.ranges, options, 4).layers.front().kernels.front();
}

/// A programmed array: the driven codes with normal errors of `sigma` codes on the state rows and columns.
MatrixRM programmed(const DeployedKernel& kernel, double sigma, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(0.0F, static_cast<float>(sigma));
    MatrixRM weights = kernel.array.driven_codes();
    for (int row = 0; row < kernel.state_components() && sigma > 0.0; ++row) {
        for (int column = 0; column < kernel.output_column(); ++column) {
            weights(row, column) += normal(engine);
        }
    }
    return weights;
}

ArrayRead reader(const MatrixRM& weights) {
    return [weights](const LaneMatrix& inputs, const std::vector<std::uint64_t>&, std::uint32_t, LaneMatrix& sums) {
        exact_product(weights, inputs, sums);
    };
}

/// The state matrix that the weights stand for.
Eigen::MatrixXd state_matrix(const DeployedKernel& kernel, const MatrixRM& weights) {
    const int components = kernel.state_components();
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(components, components);
    for (int to = 0; to < components; ++to) {
        const double unit =
            kernel.array_replaces_state
                ? 1.0
                : std::ldexp(1.0, kernel.increment_shift[static_cast<std::size_t>(to / 2)] - kernel.register_shift);
        for (int from = 0; from < components; ++from) {
            for (int part = 0; part < kernel.columns_per_component(); ++part) {
                const int column = kernel.columns_per_component() * to + part;
                matrix(to, from) += static_cast<double>(weights(from, column)) *
                                    kernel.array.gain[static_cast<std::size_t>(column)] * unit;
            }
        }
        matrix(to, to) += kernel.array_replaces_state ? 0.0 : 1.0;
    }
    return matrix;
}

double block_radius(const Eigen::MatrixXd& matrix, int mode) {
    const Eigen::Matrix2d block = matrix.block(2 * mode, 2 * mode, 2, 2);
    return Eigen::EigenSolver<Eigen::Matrix2d>(block, false).eigenvalues().cwiseAbs().maxCoeff();
}

constexpr std::pair<StateRepresentation, StateRange> kForms[] = {
    {StateRepresentation::abar_cartesian, StateRange::mode},
    {StateRepresentation::abar_delta, StateRange::mode},
    {StateRepresentation::abar_delta, StateRange::head},
    {StateRepresentation::abar_delta, StateRange::planes}};

TEST(PoleCalibration, LeavesAnIdealArrayAloneHoweverOftenItReads) {
    for (const auto& [representation, range] : kForms) {
        for (unsigned seed = 11; seed < 23; ++seed) {
            const DeployedKernel kernel = fused_kernel(representation, range, seed);
            CalibrationConfig config;
            for (const PoleCalibration poles : {PoleCalibration::stability, PoleCalibration::exact_radius}) {
                config.poles = poles;
                for (const int reads : {16, 256, 4096}) {
                    config.reads_per_mode = reads;
                    const HeadCalibration result = calibrate_poles(kernel, config, reader(kernel.array.driven_codes()));
                    for (const ModeGain& gain : result.gains) {
                        EXPECT_EQ(gain.factor, 1.0);
                        EXPECT_EQ(gain.excess, 0);
                    }
                }
            }
        }
    }
}

TEST(PoleCalibration, MeasuresProgrammedRadiiWithinItsStatedTolerance) {
    int within_tolerance = 0;
    int poles = 0;
    for (unsigned seed = 0; seed < 20; ++seed) {
        for (const auto& [representation, range] : kForms) {
            const DeployedKernel kernel = fused_kernel(representation, range);
            const MatrixRM weights = programmed(kernel, 2.0, seed);
            CalibrationConfig config;
            config.poles = PoleCalibration::exact_radius;
            const HeadCalibration result = calibrate_poles(kernel, config, reader(weights));
            const Eigen::MatrixXd truth = state_matrix(kernel, weights);
            for (int mode = 0; mode < kernel.modes; ++mode) {
                const std::size_t at = static_cast<std::size_t>(mode);
                const double error = std::abs(result.measured_radius[at] - block_radius(truth, mode));
                EXPECT_LT(error, 1.5 * result.tolerance[at]);
                within_tolerance += error < result.tolerance[at] ? 1 : 0;
                ++poles;
            }
        }
    }
    EXPECT_GT(within_tolerance, poles * 99 / 100);
}

TEST(PoleCalibration, GainsBringEveryRadiusBackToWhatWasAsked) {
    for (const auto& [representation, range] : kForms) {
        const DeployedKernel kernel = fused_kernel(representation, range);
        const MatrixRM weights = programmed(kernel, 3.0, 7);
        CalibrationConfig config;
        config.poles = PoleCalibration::exact_radius;
        config.reads_per_mode = 4096;
        const HeadCalibration result = calibrate_poles(kernel, config, reader(weights));
        Eigen::MatrixXd closed = state_matrix(kernel, weights);
        double before = 0.0;
        double after = 0.0;
        double slowest = 0.0;
        for (int mode = 0; mode < kernel.modes; ++mode) {
            const std::size_t at = static_cast<std::size_t>(mode);
            before = std::max(before, std::abs(block_radius(closed, mode) - result.asked_radius[at]));
            closed.middleRows(2 * mode, 2) *= result.gains[at].factor;
            after = std::max(after, block_radius(closed, mode) - result.asked_radius[at]);
            slowest = std::max(slowest, result.asked_radius[at]);
        }
        EXPECT_LT(after, 0.3 * before);
        const double whole = Eigen::EigenSolver<Eigen::MatrixXd>(closed, false).eigenvalues().cwiseAbs().maxCoeff();
        EXPECT_LT(whole, slowest + 0.3 * before) << "cross-talk included";
    }
}

TEST(PoleCalibration, StabilityOnlyShrinksPoles) {
    const DeployedKernel kernel = fused_kernel(StateRepresentation::abar_delta, StateRange::mode);
    CalibrationConfig config;
    config.poles = PoleCalibration::stability;
    for (unsigned seed = 0; seed < 10; ++seed) {
        const HeadCalibration result = calibrate_poles(kernel, config, reader(programmed(kernel, 3.0, seed)));
        for (const ModeGain& gain : result.gains) {
            EXPECT_LE(gain.factor, 1.0);
        }
    }
}

TEST(PoleCalibration, AGainOfARegisterIsARoundedProduct) {
    for (const double factor : {0.25, 0.97, 0.9995, 1.00003, 1.5}) {
        const ModeGain gain = mode_gain(factor, 16);
        EXPECT_NEAR(1.0 + std::ldexp(static_cast<double>(gain.excess), -gain.shift), factor,
                    2e-4 * std::abs(factor - 1.0) + 1e-7);
        DeployedKernel kernel = fused_kernel(StateRepresentation::abar_delta, StateRange::mode);
        StateRegisterFile registers(kernel.state_components(), 3);
        const std::int32_t values[] = {-32767, 123, 32767};
        for (int component = 0; component < registers.components(); ++component) {
            std::copy_n(values, 3, registers.row(component));
        }
        apply_gains(kernel, std::vector<ModeGain>(static_cast<std::size_t>(kernel.modes), gain), registers);
        for (int lane = 0; lane < 3; ++lane) {
            const double expected = std::clamp(values[lane] * factor, -32767.0, 32767.0);
            EXPECT_NEAR(registers.row(3)[lane], expected, 1.01);
        }
    }
}

}  // namespace
}  // namespace imssa::testing
