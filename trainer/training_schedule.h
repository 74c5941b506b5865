#pragma once

#include <string>

#include "trainer/train_config.h"

namespace imssa {

/// Bits of one epoch when they are lowered step by step: `lower_bits_from` in the first `epochs_per_bit` epochs, one
/// fewer in the next, ...; no group goes below the bits that the configuration asks for. 0 when the phase does not
/// lower bits.
int bits_of_epoch(const PhaseConfig& phase, int epoch);

/// The options with every bit count raised to at least `bits`; registers only as far as their states need.
DeploymentOptions with_at_least(const DeploymentOptions& options, int bits);
FakeQuantization with_at_least(const FakeQuantization& options, int bits);

/// Throws UserError when the last epoch of a phase would not have reached the bits asked for, or the options of an
/// epoch would be refused.
void check_bit_schedule(const PhaseConfig& phase, const DeploymentOptions& deployed, const FakeQuantization& fake);

/// Throws NumericalError naming layer, head and mode of a pole that is not finite or does not decay, or a parameter
/// that is not finite; `where` tells epoch and step.
void check_poles(const NetworkParameters& parameters, const std::string& where);

}  // namespace imssa
