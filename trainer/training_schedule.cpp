#include "trainer/training_schedule.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"

namespace imssa {

namespace {

/// Widest codes of a deployed network.
constexpr int kMostCodeBits = 12;

/// Calls work(bits&) for every bit count that a schedule lowers.
template <class Work>
void for_each_bits(DeploymentOptions& options, Work&& work) {
    for (int* bits : {&options.input_bits, &options.activation_bits, &options.weight_bits, &options.logit_bits,
                      &options.kernel.weight_bits, &options.kernel.state_bits}) {
        work(*bits);
    }
    const StateRepresentation representation = options.kernel.representation;
    if (representation == StateRepresentation::abar_log_polar) {
        work(options.kernel.magnitude_bits);
        work(options.kernel.phase_bits);
    } else {
        work(options.kernel.a_bits);
    }
    if (representation == StateRepresentation::a_continuous) {
        work(options.kernel.step_bits);
    }
    for (int* bits : {&options.encoder_bits, &options.mixing_bits, &options.decoder_bits, &options.bias_bits,
                      &options.kernel.d_bits}) {
        if (*bits != 0) {
            work(*bits);
        }
    }
}

template <class Work>
void for_each_bits(FakeQuantization& options, Work&& work) {
    for (QuantizerOptions* group :
         {&options.a_re, &options.a_im, &options.step, &options.abar, &options.bbar, &options.c, &options.d,
          &options.state, &options.activations, &options.mixing, &options.encoder, &options.decoder, &options.biases}) {
        if (group->active()) {
            work(group->bits);
        }
    }
}

/// What has no bits of its own to train at, but holds those that have.
void raise_holders(DeploymentOptions& options) {
    options.kernel.register_bits = std::max(options.kernel.register_bits, options.kernel.state_bits);
}

void raise_holders(FakeQuantization& /*options*/) {}

template <class Options>
Options raised(Options options, int bits) {
    for_each_bits(options, [bits](int& own) { own = std::max(own, bits); });
    raise_holders(options);
    return options;
}

template <class Options>
int fewest_bits(Options options) {
    int fewest = 32;
    for_each_bits(options, [&fewest](int& own) { fewest = std::min(fewest, own); });
    return fewest;
}

/// Throws UserError naming the epoch and the bits at which the options make no sense.
template <class Options>
void check_stages(const PhaseConfig& phase, const Options& options) {
    for (int epoch = 1; epoch <= phase.epochs; ++epoch) {
        const int bits = bits_of_epoch(phase, epoch);
        if (epoch > 1 && bits == bits_of_epoch(phase, epoch - 1)) {
            continue;
        }
        try {
            with_at_least(options, bits).validate();
        } catch (const UserError& error) {
            throw UserError("epoch " + std::to_string(epoch) + ", which 'lower_bits_from' gives at least " +
                            std::to_string(bits) + " bits: " + error.what());
        }
    }
}

}  // namespace

int bits_of_epoch(const PhaseConfig& phase, int epoch) {
    return phase.lower_bits_from == 0 ? 0 : std::max(1, phase.lower_bits_from - (epoch - 1) / phase.epochs_per_bit);
}

DeploymentOptions with_at_least(const DeploymentOptions& options, int bits) {
    return raised(options, bits);
}

FakeQuantization with_at_least(const FakeQuantization& options, int bits) {
    return raised(options, bits);
}

void check_bit_schedule(const PhaseConfig& phase, const DeploymentOptions& deployed, const FakeQuantization& fake) {
    if (phase.lower_bits_from == 0 || phase.epochs == 0) {
        return;
    }
    if (phase.precision == Precision::in_float) {
        throw UserError(
            "'lower_bits_from' needs precision 'quantized' or 'fake_quantized': float has no bits to lower");
    }
    if (phase.precision == Precision::quantized && phase.lower_bits_from > kMostCodeBits) {
        throw UserError("key 'lower_bits_from' starts above " + std::to_string(kMostCodeBits) +
                        " bits, the most that precision 'quantized' has");
    }
    if (phase.precision == Precision::quantized) {
        check_stages(phase, deployed);
    } else {
        check_stages(phase, fake);
    }
    const int fewest = phase.precision == Precision::quantized ? fewest_bits(deployed) : fewest_bits(fake);
    const int last = bits_of_epoch(phase, phase.epochs);
    if (last > fewest) {
        throw UserError("the last of " + std::to_string(phase.epochs) + " epochs would still train at " +
                        std::to_string(last) + " bits, but " + std::to_string(fewest) +
                        " are asked for: give more epochs, a smaller lower_bits_from or fewer epochs_per_bit");
    }
}

void check_poles(const NetworkParameters& parameters, const std::string& where) {
    for (std::size_t index = 0; index < parameters.layers.size(); ++index) {
        const LayerParameters& layer = parameters.layers[index];
        for (Eigen::Index head = 0; head < layer.im.rows(); ++head) {
            const double step = std::exp(static_cast<double>(layer.log_dt(head)));
            for (Eigen::Index mode = 0; mode < layer.im.cols(); ++mode) {
                const double decay = step * std::exp(static_cast<double>(layer.log_neg_re(head, mode)));
                const double turn = step * layer.im(head, mode);
                if (std::isfinite(turn) && std::isfinite(decay) && std::exp(-decay) < 1.0) {
                    continue;
                }
                throw NumericalError("pole of layers." + std::to_string(index) + ", head " + std::to_string(head) +
                                     ", mode " + std::to_string(mode) + " explodes at " + where +
                                     ": dt A = " + std::to_string(-decay) + " + " + std::to_string(turn) +
                                     "j; use a smaller state_space_learning_rate or gradient_clip");
            }
        }
    }
}

}  // namespace imssa
