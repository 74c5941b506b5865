#include "models/network/deployed_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "models/common/error.h"
#include "models/network/deployed_network.h"
#include "models/network/quantizer.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

ModelConfig small_model() {
    ModelConfig model;
    model.layers = 1;
    model.heads = 3;
    model.states = 8;
    return model;
}

/// All options, fused ones with every range of their state columns.
std::vector<KernelOptions> all_options_and_state_ranges() {
    std::vector<KernelOptions> all;
    for (KernelOptions options : testing::all_kernel_options()) {
        for (const StateRange range : {StateRange::mode, StateRange::head, StateRange::planes}) {
            options.state_range = range;
            try {
                options.validate();
                all.push_back(options);
            } catch (const UserError&) {
                continue;
            }
        }
    }
    return all;
}

TEST(Discretize, FollowsTheZeroOrderHold) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 1);
    const LayerParameters& layer = network.parameters.layers[0];
    const DiscreteKernel kernel = discretize(layer, 1);
    const std::complex<double> a(-std::exp(static_cast<double>(layer.log_neg_re(1, 2))), layer.im(1, 2));
    const double dt = std::exp(static_cast<double>(layer.log_dt(1)));
    // Bbar is the integral of exp(A s) over one step: a midpoint sum agrees.
    std::complex<double> integral = 0.0;
    const int points = 20000;
    for (int point = 0; point < points; ++point) {
        integral += std::exp(a * dt * ((point + 0.5) / points)) * dt / static_cast<double>(points);
    }
    EXPECT_NEAR(std::abs(kernel.abar[2] - std::exp(a * dt)), 0.0, 1e-12);
    EXPECT_NEAR(std::abs(kernel.bbar[2] - integral), 0.0, 1e-9);
}

/// Every pole stays inside the unit circle, whatever the options.
TEST(DeployedKernel, KeepsEveryPoleStable) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 2);
    for (const KernelOptions& kernel_options : all_options_and_state_ranges()) {
        DeploymentOptions options;
        options.kernel = kernel_options;
        for (const DeployedKernel& kernel :
             deploy_layer_kernels(network.parameters.layers[0], network.ranges.layers[0], 0.02, 0.02, options)) {
            for (const std::complex<double>& a : kernel.effective_a) {
                EXPECT_LT(std::abs(a), 1.0);
            }
        }
    }
}

TEST(DeployedKernel, OneRangeForTheTensorIsThatOfTheHeadThatNeedsMost) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 3);
    for (KernelOptions kernel_options : testing::all_kernel_options()) {
        if (kernel_options.weight_range != WeightRange::tensor) {
            continue;
        }
        const auto deployed = [&](WeightRange range) {
            DeploymentOptions options;
            options.kernel = kernel_options;
            options.kernel.weight_range = range;
            return deploy_layer_kernels(network.parameters.layers[0], network.ranges.layers[0], 0.02, 0.02, options);
        };
        const std::vector<DeployedKernel> tensor = deployed(WeightRange::tensor);
        const std::vector<DeployedKernel> arrays = deployed(WeightRange::array);
        float largest = 0.0F;
        for (const DeployedKernel& kernel : arrays) {
            largest = std::max(largest, kernel.array.gain.front());
        }
        for (std::size_t head = 0; head < tensor.size(); ++head) {
            for (const float gain : tensor[head].array.gain) {
                EXPECT_EQ(gain, largest);
            }
            // The head that needs most is coded as with a range of its own.
            if (arrays[head].array.gain.front() == largest) {
                EXPECT_EQ(tensor[head].array.codes, arrays[head].array.codes);
            }
        }
    }
}

/// The effective code-unit parameters are the float ones up to quantization: relative error of slow poles, b, c and d.
TEST(DeployedKernel, EffectiveParametersApproachTheFloatKernelAsBitsGrow) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 3);
    for (KernelOptions kernel_options : testing::all_kernel_options()) {
        kernel_options.a_bits = kernel_options.weight_bits = 12;
        kernel_options.magnitude_bits = kernel_options.phase_bits = kernel_options.step_bits = 16;
        kernel_options.state_bits = 7;  // sums stay exact
        kernel_options.weight_range = WeightRange::column;
        DeploymentOptions options;
        options.kernel = kernel_options;
        const double output_scale = 0.02;
        const double input_scale = 0.03;
        const std::vector<DeployedKernel> kernels = deploy_layer_kernels(
            network.parameters.layers[0], network.ranges.layers[0], input_scale, output_scale, options);
        for (int head = 0; head < 3; ++head) {
            const DeployedKernel& kernel = kernels[static_cast<std::size_t>(head)];
            const bool continuous = kernel_options.representation == StateRepresentation::a_continuous;
            const LayerParameters& layer = network.parameters.layers[0];
            const DiscreteKernel exact = discretize(continuous ? quantize_continuous(layer, 12, 16) : layer, head);
            const bool folded = kernel_options.input_matrix == InputMatrix::folded;
            for (std::size_t mode = 0; mode < exact.abar.size(); ++mode) {
                // At 12 bits Abar is off by at most one code of a column whose range is at most about 1.
                EXPECT_LT(std::abs(kernel.effective_a[mode] - exact.abar[mode]), 2e-3);
                const std::complex<double> b =
                    (folded ? 1.0 : exact.bbar[mode]) * input_scale / kernel.state_scale[mode];
                EXPECT_LT(std::abs(kernel.effective_b[mode] - b), 0.02 * std::abs(b) + 1e-3);
                std::complex<double> c = exact.c[mode] * (folded ? exact.bbar[mode] : 1.0);
                c *= kernel_options.form == OutputForm::immediate ? exact.abar[mode] : 1.0;
                const double unit = 2.0 * kernel.state_scale[mode] / output_scale;
                // Rounding to the nearest code: half a code of the output column.
                const double half_code = 0.5001 * kernel.array.gain[static_cast<std::size_t>(kernel.output_column())];
                EXPECT_NEAR(kernel.effective_c_re[mode], c.real() * unit, half_code);
                EXPECT_NEAR(kernel.effective_c_im[mode], -c.imag() * unit, half_code);
            }
            // The direct term: exact when digital, half a code of its row when in cells.
            double direct = exact.d;
            if (kernel_options.form == OutputForm::immediate) {
                for (std::size_t mode = 0; mode < exact.abar.size(); ++mode) {
                    direct += 2.0 * (exact.c[mode] * exact.bbar[mode]).real();
                }
            }
            direct *= input_scale / output_scale;
            const double cell_code = kernel.digital_feedthrough()
                                         ? 1e-6 * std::abs(direct)
                                         : 0.5001 * kernel.array.gain[static_cast<std::size_t>(kernel.output_column())];
            EXPECT_NEAR(kernel.effective_d, direct, cell_code + 1e-9);
        }
    }
}

/// One kernel step in plain 64-bit integers and doubles, straight from the declared meaning of the fields.
struct NaiveKernel {
    const DeployedKernel& kernel;
    std::vector<long> registers;

    explicit NaiveKernel(const DeployedKernel& of) : kernel(of), registers(static_cast<std::size_t>(2 * of.modes), 0) {}

    static double half_even(double value) { return std::nearbyint(value); }
    double dac(int component) const {
        const double limit = code_limit(kernel.options.state_bits);
        const double code =
            static_cast<double>(registers[static_cast<std::size_t>(component)]) / std::pow(2.0, kernel.register_shift);
        return half_even(std::clamp(code, -limit, limit));
    }
    double conversion(int column, double u, double dither, bool dithered) const {
        double sum = 0.0;
        for (int row = 0; row < kernel.array.inputs(); ++row) {
            const double in = row < 2 * kernel.modes ? dac(row) : u;
            sum += static_cast<double>(kernel.array.codes(row, column)) *
                   kernel.array.drive[static_cast<std::size_t>(row)] * in;
        }
        const std::size_t at = static_cast<std::size_t>(column);
        const float product = static_cast<float>(sum) * kernel.array.gain[at];
        const double limit = kernel.array.output_limit[at];
        const float value =
            std::clamp(product + kernel.array.offset[at], -static_cast<float>(limit), static_cast<float>(limit));
        return dithered ? std::floor(value + static_cast<float>(dither)) : half_even(value);
    }
    long limited(long value) const {
        return std::clamp(value, -static_cast<long>(kernel.register_limit), static_cast<long>(kernel.register_limit));
    }
    void decay(long u) {
        for (int mode = 0; mode < kernel.modes; ++mode) {
            const DigitalPole& pole = kernel.poles[static_cast<std::size_t>(mode)];
            const std::size_t at = static_cast<std::size_t>(2 * mode);
            const long re = registers[at];
            const long im = registers[at + 1];
            const double scale = std::pow(2.0, pole.shift);
            const double input = kernel.options.input_matrix == InputMatrix::folded
                                     ? static_cast<double>(u) * std::pow(2.0, kernel.input_shift)
                                     : 0.0;
            registers[at] = limited(re + static_cast<long>(std::floor(
                                             static_cast<double>(re * pole.re - im * pole.im) / scale + input + 0.5)));
            registers[at + 1] = limited(
                im + static_cast<long>(std::floor(static_cast<double>(re * pole.im + im * pole.re) / scale + 0.5)));
        }
    }
    /// Returns the y code of this step (delayed: computed from x_t, as its next operation will).
    double step(double u, const std::vector<double>& dither) {
        const bool digital = kernel.options.mapping == KernelMapping::digital_decay;
        if (digital && kernel.options.form == OutputForm::current) {
            decay(static_cast<long>(u));
        }
        double y = conversion(kernel.output_column(), u, 0.0, false);
        std::vector<double> codes;
        const bool dithered = kernel.options.rounding == StateRounding::dithered;
        for (int column = 0; column < kernel.output_column(); ++column) {
            codes.push_back(conversion(column, u, dithered ? dither[static_cast<std::size_t>(column)] : 0.0, dithered));
        }
        if (digital && kernel.options.form == OutputForm::immediate) {
            decay(static_cast<long>(u));
        }
        const std::size_t parts = kernel.options.state_range == StateRange::planes ? 2 : 1;
        for (std::size_t at = 0; kernel.array_makes_state && at < registers.size(); ++at) {
            long code = 0;
            for (std::size_t part = 0; part < parts; ++part) {
                code += static_cast<long>(codes[parts * at + part]);
            }
            registers[at] = kernel.array_replaces_state
                                ? limited(code)
                                : limited(registers[at] + code * (1L << kernel.increment_shift[at / 2]));
        }
        if (kernel.options.form == OutputForm::delayed) {
            y = conversion(kernel.output_column(), 0.0, 0.0, false);
        }
        if (kernel.options.feedthrough == Feedthrough::digital) {
            const float product = static_cast<float>(u) * kernel.feedthrough;
            y = half_even(std::clamp(static_cast<float>(y) + product, -127.0F, 127.0F));
        }
        return y;
    }
};

TEST(DeployedKernel, StepEqualsANaiveScalarKernelForAllOptions) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 4);
    const int steps = 60;
    const std::vector<std::vector<float>> sequences = testing::random_sequences(1, steps, 1, 9);
    for (const KernelOptions& kernel_options : all_options_and_state_ranges()) {
        DeploymentOptions options;
        options.kernel = kernel_options;
        const std::vector<DeployedKernel> kernels =
            deploy_layer_kernels(network.parameters.layers[0], network.ranges.layers[0], 0.02, 0.02, options);
        const DeployedKernel& kernel = kernels[1];
        NaiveKernel naive(kernel);
        StateRegisterFile registers(kernel.state_components(), 1);
        LaneMatrix inputs(kernel.array.inputs(), 1);
        LaneMatrix sums(kernel.array.outputs(), 1);
        LaneMatrix codes(kernel.array.outputs(), 1);
        const MatrixRM driven = kernel.array.driven_codes();
        const std::vector<std::uint32_t> keys(16, dither_sequence_key(5, 77));
        for (int step = 0; step < steps; ++step) {
            LaneMatrix u(1, 1);
            u(0, 0) = std::nearbyint(sequences[0][static_cast<std::size_t>(step)] * 127.0F);
            std::vector<double> dither;
            LanesUint lane_keys = LanesUint{} + keys[0];
            for (int mode = 0; mode < kernel.modes; ++mode) {
                const DitherPair pair = dither_pair(lane_keys, dither_unit_key(static_cast<std::uint32_t>(8 + mode)),
                                                    static_cast<std::uint32_t>(step));
                dither.push_back(pair.re[0]);
                dither.push_back(pair.im[0]);
            }
            if (kernel_options.form == OutputForm::current) {
                apply_digital_decay(kernel, u.row(0), registers);
            }
            load_array_inputs(kernel, registers, u.row(0), inputs);
            exact_product(driven, inputs, sums);
            convert_kernel_outputs(kernel, sums, keys, 8, static_cast<std::uint32_t>(step), codes);
            if (kernel_options.mapping == KernelMapping::digital_decay &&
                kernel_options.form == OutputForm::immediate) {
                apply_digital_decay(kernel, u.row(0), registers);
            }
            if (kernel.array_makes_state) {
                update_registers(kernel, codes, registers);
            }
            if (kernel_options.form == OutputForm::delayed) {
                load_array_inputs(kernel, registers, nullptr, inputs);
                exact_product(driven, inputs, sums);
                convert_all(kernel.array, sums, codes);
            }
            if (kernel.digital_feedthrough()) {
                add_feedthrough(kernel, u.row(0), 127.0F, codes.row(kernel.output_column()), 1);
            }
            const float y = codes(kernel.output_column(), 0);
            ASSERT_EQ(y, static_cast<float>(naive.step(u(0, 0), dither))) << "step " << step;
            for (int component = 0; component < kernel.state_components(); ++component) {
                ASSERT_EQ(registers.row(component)[0], naive.registers[static_cast<std::size_t>(component)])
                    << "step " << step << " component " << component;
            }
        }
    }
}

TEST(DeployedKernel, PlanesGiveTheDecayOfSlowModesCodesOfItsOwn) {
    const testing::RandomNetwork network = testing::random_network(small_model(), 6);
    KernelOptions kernel_options;
    kernel_options.mapping = KernelMapping::fused;
    kernel_options.form = OutputForm::immediate;
    kernel_options.input_matrix = InputMatrix::cells;
    double error[3] = {};
    for (const StateRange range : {StateRange::mode, StateRange::head, StateRange::planes}) {
        DeploymentOptions options;
        options.kernel = kernel_options;
        options.kernel.state_range = range;
        const std::vector<DeployedKernel> kernels =
            deploy_layer_kernels(network.parameters.layers[0], network.ranges.layers[0], 0.02, 0.02, options);
        for (int head = 0; head < 3; ++head) {
            const DiscreteKernel exact = discretize(network.parameters.layers[0], head);
            for (std::size_t mode = 0; mode < exact.abar.size(); ++mode) {
                error[static_cast<int>(range)] += std::abs(
                    kernels[static_cast<std::size_t>(head)].effective_a[mode].real() - exact.abar[mode].real());
            }
        }
    }
    EXPECT_LT(error[static_cast<int>(StateRange::planes)], error[static_cast<int>(StateRange::mode)]);
    EXPECT_LT(error[static_cast<int>(StateRange::mode)], error[static_cast<int>(StateRange::head)]);
}

/// Abar - 1 in one code a part: what the codes cannot hold ends with an error, and what they can is stable.
TEST(DeployedKernel, PolesWithoutAStableCodeEndWithAnError) {
    testing::RandomNetwork network = testing::random_network(small_model(), 2);
    DeploymentOptions options;
    options.kernel.mapping = KernelMapping::fused;
    options.kernel.input_matrix = InputMatrix::cells;
    options.kernel.form = OutputForm::immediate;
    options.kernel.weight_bits = 2;
    options.kernel.weight_range = WeightRange::array;
    options.kernel.state_scale = ScaleGranularity::tensor;
    int refused = 0, stable = 0;
    for (const float spread : {1.0F, 10.0F, 100.0F, 1e4F, 1e6F}) {
        LayerRanges ranges = network.ranges.layers[0];
        ranges.state.row(0) *= spread;  // a unit of the codes that the modes of the other heads do not need
        ranges.increment *= spread;
        try {
            for (const DeployedKernel& kernel :
                 deploy_layer_kernels(network.parameters.layers[0], ranges, 0.02 * spread, 0.02, options)) {
                for (const std::complex<double>& a : kernel.effective_a) {
                    EXPECT_LT(std::abs(a), 1.0);
                }
            }
            ++stable;
        } catch (const UserError& error) {
            EXPECT_NE(std::string(error.what()).find("no code inside the unit circle"), std::string::npos);
            ++refused;
        }
    }
    EXPECT_GT(refused, 0);
    EXPECT_GT(stable, 0);
}

TEST(DeployedKernel, NamesAnUncalibratedState) {
    testing::RandomNetwork network = testing::random_network(small_model(), 5);
    network.ranges.layers[0].folded_state.setZero();
    EXPECT_THROW(
        deploy_layer_kernels(network.parameters.layers[0], network.ranges.layers[0], 0.02, 0.02, DeploymentOptions{}),
        UserError);
    DeploymentOptions accumulating;
    accumulating.kernel.mapping = KernelMapping::fused;
    accumulating.kernel.input_matrix = InputMatrix::cells;
    accumulating.kernel.form = OutputForm::immediate;
    for (const float increment : {0.0F, std::nanf("")}) {
        network.ranges.layers[0].increment(1, 2) = increment;
        EXPECT_THROW(
            deploy_layer_kernels(network.parameters.layers[0], network.ranges.layers[0], 0.02, 0.02, accumulating),
            UserError);
    }
}

}  // namespace
}  // namespace imssa
