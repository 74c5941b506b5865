#pragma once

#include <cstdint>

#include "models/network/deployed_network.h"
#include "trainer/noise_config.h"

namespace imssa {

/// Replaces the weight codes that `noise.mapping` puts into cells by what one programming with `noise.device` would
/// hold: placement, slices, spare lines, targets, errors, faults and ageing are those of the chip's own functions, tile
/// by tile in its order, so that the codes are those of a chip programmed with this seed. Programming errors are scaled
/// by `noise.cell_errors`. What is digital, and what was pruned and takes no cells, keeps its codes. The kernels'
/// effective tensors follow. Throws UserError when a kernel does not fit its tiles.
void add_cell_errors(const NoiseConfig& noise, std::uint64_t seed, DeployedNetwork& network);

/// Adds Gaussian errors to continuous A in every layer (QS4D, section 5.1):
///   Re A += (max Re A - min Re A) N(0, sigma),  Im A += (max Im A - min Im A) N(0, sigma),
/// the ranges over the whole layer. QS4D does not say what happens to a pole that crosses the axis; here Re A stays at
/// or below -1e-4.
void add_continuous_a_noise(double sigma, std::uint64_t seed, NetworkParameters& parameters);

/// Straight-through estimator of a change of continuous A: turns the gradient at `used` into one for `parameters`, with
/// d Re A used / d Re A = 1, thus d/d log(-Re A) scales by the ratio of both.
void straight_through_a(const NetworkParameters& parameters, const NetworkParameters& used,
                        NetworkParameters& gradient);

/// Seed of the errors of one optimisation step; no two steps share one, and none is a chip's.
std::uint64_t step_noise_seed(std::uint64_t seed, int phase, int epoch, std::int64_t step);

}  // namespace imssa
