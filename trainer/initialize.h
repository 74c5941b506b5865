#pragma once

#include <cstdint>

#include "models/network/parameters.h"

namespace imssa {

/// S4D-Lin initialisation (Gu et al., "On the parameterization and initialization of diagonal state space models",
/// NeurIPS 2022): A_n = -1/2 + j pi n, step sizes log-uniform in [dt_min, dt_max] per head, C complex normal of
/// variance 1, D standard normal. Encoder, mixing and decoder: uniform within 1 / sqrt(inputs), as PyTorch's Linear.
/// Reproducible from the seed.
NetworkParameters initialize_parameters(const ModelConfig& config, std::uint64_t seed);

}  // namespace imssa
