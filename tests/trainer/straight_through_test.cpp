#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/network/deployed_kernel.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

/// A tensor on its grid, and what the straight-through estimator makes of it: Q(x0) + mask (x - x0).
struct StraightThrough {
    MatrixRM re, im;  ///< x0
    MatrixRM grid_re, grid_im;
    std::vector<unsigned char> mask;

    StraightThrough(const QuantizerOptions& options, const MatrixRM& own_re, const MatrixRM& own_im)
        : re(own_re), im(own_im), grid_re(own_re), grid_im(own_im) {
        mask = quantize_tensor(options, "tensor", grid_re.data(), grid_im.data(), static_cast<int>(re.rows()),
                               static_cast<int>(re.cols()), 0);
    }
    std::complex<double> operator()(int n, std::complex<double> x) const {
        const std::size_t at = static_cast<std::size_t>(n);
        const double re_passed = mask[at] * (x.real() - re.data()[n]);
        const double im_passed = mask[at + static_cast<std::size_t>(re.size())] * (x.imag() - im.data()[n]);
        return {grid_re.data()[n] + re_passed, grid_im.data()[n] + im_passed};
    }
    int cut() const { return static_cast<int>(std::count(mask.begin(), mask.end(), 0)); }
};

StraightThrough straight_through(const QuantizerOptions& options, const LayerParameters& layer, bool bbar) {
    MatrixRM re = layer.im, im = layer.im;
    for (int head = 0; head < re.rows(); ++head) {
        const DiscreteKernel kernel = discretize(layer, head);
        for (int mode = 0; mode < re.cols(); ++mode) {
            const std::complex<double> value = (bbar ? kernel.bbar : kernel.abar)[static_cast<std::size_t>(mode)];
            re(head, mode) = static_cast<float>(value.real());
            im(head, mode) = static_cast<float>(value.imag());
        }
    }
    return {options, re, im};
}

/// Central differences of the naive network with the estimator's Abar and Bbar, against the backward pass.
void expect_straight_through_gradient(const FakeQuantization& options, bool trained_b = false) {
    ModelConfig config = test::small_model();
    config.trained_b = trained_b;
    const Dataset data = test::random_dataset(16, 21, config.channels, config.classes, 7);
    const NetworkParameters parameters = test::random_parameters(config, 3);
    const CalibrationRanges ranges = calibrate(config, parameters, data, 16);
    GradientEngine engine(config, data.steps, false, 1, true);
    const StepNetwork step =
        StepNetwork::fake_quantized(fake_network(config, parameters, ranges, options, data.steps, 0));
    const std::vector<int> indices = test::first_indices(16);
    EffectiveTensors effective = zero_effective_tensors(config);
    NetworkParameters computed = zero_parameters(config);
    engine.gradient(step, data, indices, 0, effective);
    fake_parameter_gradient(*step.fake(), parameters, effective, Parameterization::continuous, computed);
    std::vector<StraightThrough> abar, bbar;
    for (const LayerParameters& layer : parameters.layers) {
        abar.push_back(straight_through(options.abar, layer, false));
        bbar.push_back(straight_through(options.bbar, layer, true));
        const int all = static_cast<int>(layer.im.size());
        EXPECT_GT(abar.back().cut() + bbar.back().cut(), 0);
        EXPECT_LT(abar.back().cut() + bbar.back().cut(), 2 * all) << "some pass";
    }
    const test::NaiveDiscretization change = [&](int layer, int n, std::complex<double>& a, std::complex<double>& b) {
        a = abar[static_cast<std::size_t>(layer)](n, a);
        b = bbar[static_cast<std::size_t>(layer)](n, b);
    };
    test::NaiveParameters naive = test::naive_parameters(parameters);
    const test::NaiveParameters gradient = test::naive_parameters(computed);
    for (auto& [name, values] : naive) {
        if (name.find("running") != std::string::npos) {
            continue;
        }
        double difference = 0.0, size = 0.0;
        for (std::size_t index = 0; index < values.size(); ++index) {
            const double kept = values[index];
            values[index] = kept + 1e-5;
            const double above = test::naive_loss(config, naive, data, data.count(), change);
            values[index] = kept - 1e-5;
            const double below = test::naive_loss(config, naive, data, data.count(), change);
            values[index] = kept;
            const double expected = (above - below) / 2e-5;
            difference += std::pow(gradient.at(name)[index] - expected, 2);
            size += expected * expected;
        }
        EXPECT_LT(std::sqrt(difference), 1e-3 * std::sqrt(size) + 1e-6) << name << ", norm " << std::sqrt(size);
    }
}

QuantizerOptions quantizer(Quantizer kind, double range, double percentile) {
    QuantizerOptions options;
    options.quantizer = kind;
    options.bits = 12;
    options.range = range;
    options.percentile = percentile;
    return options;
}

TEST(StraightThrough, PassesNoGradientToAbarBeyondItsRange) {
    FakeQuantization options;
    options.abar = quantizer(Quantizer::symmetric, 0.7, 100.0);
    expect_straight_through_gradient(options);
    options.abar = quantizer(Quantizer::asymmetric, 0.0, 80.0);
    expect_straight_through_gradient(options);
}

TEST(StraightThrough, PassesNoGradientToBbarBeyondItsRange) {
    FakeQuantization options;
    options.bbar = quantizer(Quantizer::symmetric, 0.0, 70.0);
    expect_straight_through_gradient(options);
    options.bbar = quantizer(Quantizer::asymmetric, 0.0, 80.0);
    expect_straight_through_gradient(options);
    expect_straight_through_gradient(options, true);
}

}  // namespace
}  // namespace imssa
