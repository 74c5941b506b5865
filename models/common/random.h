#pragma once

#include <cstdint>

#include "models/common/lanes.h"

namespace imssa {

/// What a stream of random numbers is for. Draws of one purpose never shift another's.
enum class RandomPurpose : std::uint32_t {
    programming = 1,
    faults = 2,
    read_noise = 3,
    converter = 4,
    initialisation = 5,
    shuffle = 6
};

/// Counter-based generator (Philox 4x32-10, Salmon et al., SC 2011; Random123): value = f(seed, purpose, place,
/// counter).
class CounterRandom {
public:
    CounterRandom(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place);
    /// Uniform in [0, 1) with 32 bits.
    double uniform(std::uint64_t counter) const;
    /// Standard normal (Box-Muller).
    double normal(std::uint64_t counter) const;

private:
    std::uint32_t key_[2];
    std::uint32_t purpose_;
    std::uint32_t place_;
};

/// Sixteen standard normals, one per sequence, of output `output` at `step`: vectorised Philox and Box-Muller with the
/// same arithmetic for every lane. Lane i depends only on (seed, purpose, place, sequence_low[i], step, output). Two
/// outputs (2k and 2k + 1) come from one call.
struct NormalPair {
    Lanes first, second;
};
NormalPair normal_pair(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place, LanesUint sequences,
                       std::uint32_t step, std::uint32_t output_pair);

}  // namespace imssa
