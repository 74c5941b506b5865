#include "trainer/initialize.h"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <complex>

#include "models/common/random.h"

namespace imssa {

namespace {

constexpr double kPi = 3.14159265358979323846;

/// Streams of random numbers: one a tensor.
class TensorRandom {
public:
    explicit TensorRandom(std::uint64_t seed) : seed_(seed) {}
    CounterRandom next() { return CounterRandom(seed_, RandomPurpose::initialisation, place_++); }

private:
    std::uint64_t seed_;
    std::uint32_t place_ = 0;
};

void fill_uniform(float* values, Eigen::Index size, double bound, const CounterRandom& random) {
    for (Eigen::Index index = 0; index < size; ++index) {
        values[index] = static_cast<float>(bound * (2.0 * random.uniform(static_cast<std::uint64_t>(index)) - 1.0));
    }
}

void fill_normal(float* values, Eigen::Index size, double deviation, const CounterRandom& random) {
    for (Eigen::Index index = 0; index < size; ++index) {
        values[index] = static_cast<float>(deviation * random.normal(static_cast<std::uint64_t>(index)));
    }
}

/// Normal part of HiPPO-LegS, A + P P^T with P_n = sqrt(n + 1/2) (Gu et al., arXiv 2111.00396, appendix): -1/2 I plus a
/// skew-symmetric S, S_nk = -P_n P_k below the diagonal. j S is Hermitian, so its eigenvalues are real.
InitialModes legs_modes(int modes) {
    using Complex = std::complex<double>;
    const int size = 2 * modes;
    Eigen::MatrixXcd hermitian = Eigen::MatrixXcd::Zero(size, size);
    Eigen::VectorXcd b(size);
    for (int row = 0; row < size; ++row) {
        b(row) = std::sqrt(2.0 * row + 1.0);
        for (int column = 0; column < row; ++column) {
            const double value = std::sqrt((row + 0.5) * (column + 0.5));
            hermitian(row, column) = Complex(0.0, -value);
            hermitian(column, row) = Complex(0.0, value);
        }
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(hermitian);
    InitialModes result;
    for (int mode = 0; mode < modes; ++mode) {  // eigenvalues rise: the upper half is positive
        const int at = modes + mode;
        result.re.push_back(-0.5);
        result.im.push_back(solver.eigenvalues()(at));
        result.b.push_back(std::abs(solver.eigenvectors().col(at).dot(b)));
    }
    return result;
}

}  // namespace

InitialModes initial_modes(Initialization initialization, int modes) {
    if (initialization == Initialization::s4d_legs) {
        return legs_modes(modes);
    }
    InitialModes result;
    const double states = 2.0 * modes;
    for (int mode = 0; mode < modes; ++mode) {
        const bool real = initialization == Initialization::s4d_real;
        double im = real ? 0.0 : kPi * mode;
        if (initialization == Initialization::s4d_inv) {
            im = states / kPi * (states / (2.0 * mode + 1.0) - 1.0);
        }
        result.re.push_back(real ? -(mode + 1.0) : -0.5);
        result.im.push_back(im);
        result.b.push_back(1.0);
    }
    return result;
}

NetworkParameters initialize_parameters(const ModelConfig& config, std::uint64_t seed, Initialization initialization) {
    const InitialModes poles = initial_modes(initialization, config.modes());
    NetworkParameters parameters = zero_parameters(config);
    TensorRandom random(seed);
    const double channel_bound = 1.0 / std::sqrt(static_cast<double>(config.channels));
    const double head_bound = 1.0 / std::sqrt(static_cast<double>(config.heads));
    fill_uniform(parameters.encoder.data(), parameters.encoder.size(), channel_bound, random.next());
    fill_uniform(parameters.encoder_bias.data(), parameters.encoder_bias.size(), channel_bound, random.next());
    for (LayerParameters& layer : parameters.layers) {
        for (int mode = 0; mode < config.modes(); ++mode) {
            const std::size_t n = static_cast<std::size_t>(mode);
            layer.log_neg_re.col(mode).setConstant(static_cast<float>(std::log(-poles.re[n])));
            layer.im.col(mode).setConstant(static_cast<float>(poles.im[n]));
        }
        const CounterRandom steps = random.next();
        const double low = std::log(config.dt_min);
        const double high = std::log(config.dt_max);
        for (int head = 0; head < config.heads; ++head) {
            layer.log_dt(head) =
                static_cast<float>(low + (high - low) * steps.uniform(static_cast<std::uint64_t>(head)));
        }
        // A complex normal of variance 1 has variance 1/2 in each part.
        fill_normal(layer.c_re.data(), layer.c_re.size(), std::sqrt(0.5), random.next());
        fill_normal(layer.c_im.data(), layer.c_im.size(), std::sqrt(0.5), random.next());
        for (int mode = 0; mode < config.modes(); ++mode) {
            const float b = static_cast<float>(poles.b[static_cast<std::size_t>(mode)]);
            if (layer.trains_b()) {
                layer.b_re.col(mode).setConstant(b);
            } else {
                layer.c_re.col(mode) *= b;
                layer.c_im.col(mode) *= b;
            }
        }
        fill_normal(layer.d.data(), layer.d.size(), 1.0, random.next());
        fill_uniform(layer.mixing.data(), layer.mixing.size(), head_bound, random.next());
        fill_uniform(layer.mixing_bias.data(), layer.mixing_bias.size(), head_bound, random.next());
        layer.gamma.setOnes();
        layer.running_variance.setOnes();
        layer.beta.setZero();
    }
    fill_uniform(parameters.decoder.data(), parameters.decoder.size(), head_bound, random.next());
    fill_uniform(parameters.decoder_bias.data(), parameters.decoder_bias.size(), head_bound, random.next());
    return parameters;
}

}  // namespace imssa
