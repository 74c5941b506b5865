#pragma once

#include <cstdint>
#include <vector>

#include "models/common/lanes.h"

namespace imssa {

/// What a stream of random numbers is for. Draws of one purpose never shift another's.
enum class RandomPurpose : std::uint32_t {
    training_noise = 40,  ///< errors that training draws for every optimisation step
    programming = 1,
    faults = 2,
    read_noise = 3,
    converter = 4,  ///< static converter errors (offset, gain), drawn once per chip
    initialisation = 5,
    shuffle = 6,
    converter_noise = 7,  ///< noise of every single conversion
    relaxation = 20,
    drift = 21,
    write_verify = 22,
    unit_elements = 23,          ///< of analog-to-digital converters
    converter_calibration = 24,  ///< noise of the start-up calibration
    dac = 25                     ///< static errors of digital-to-analog converters
};

/// Counter-based generator (Philox 4x32-10, Salmon et al., SC 2011; Random123): value = f(seed, purpose, place,
/// counter). The Philox key is the seed (low, high word); the Philox counter is
/// {counter low, counter high, place, purpose << 24 | 0xffffff}; uniform and normal of one counter use different words
/// of it.
class CounterRandom {
public:
    CounterRandom(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place);
    /// Uniform in [0, 1) with 32 bits.
    double uniform(std::uint64_t counter) const;
    /// Standard normal (Box-Muller in double precision; magnitudes up to 9.5).
    double normal(std::uint64_t counter) const;

private:
    std::uint32_t key_[2];
    std::uint32_t purpose_;
    std::uint32_t place_;
};

/// Standard normals for 16 sequences at `step`: vectorised Philox and Box-Muller with the same arithmetic for every
/// lane. Lane i depends only on (seed, purpose, place, sequences[i], step, output). The Philox key is the seed, the
/// Philox counter {sequence, step, place, purpose << 24 | output / 4}; outputs must be below 4 * (2^24 - 1).
/// Magnitudes reach 6.7. Every draw is accurate to about 1e-6 of the exact Box-Muller transform of its bits.
struct NormalQuad {
    Lanes values[4];  ///< of outputs 4 k, 4 k + 1, 4 k + 2 and 4 k + 3
};
NormalQuad normal_quad(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place, LanesUint sequences,
                       std::uint32_t step, std::uint32_t output_quad);

/// The same draws, two outputs at a time (2k and 2k + 1). Half of a Philox call is thrown away: where four outputs
/// are wanted, normal_quad costs half as much.
struct NormalPair {
    Lanes first, second;
};
NormalPair normal_pair(std::uint64_t seed, RandomPurpose purpose, std::uint32_t place, LanesUint sequences,
                       std::uint32_t step, std::uint32_t output_pair);

/// Philox 4x32-10 on 16 counters at once, in place; lane i equals Random123's philox4x32(counter i, key).
struct PhiloxLanes {
    LanesUint words[4];
};
PhiloxLanes philox_lanes(const PhiloxLanes& counter, std::uint32_t key_low, std::uint32_t key_high);

/// The low words of sequence identities, sixteen to a vector; the padding has identity zero.
std::vector<LanesUint> sequence_lanes(const std::vector<std::uint64_t>& sequence_ids);

}  // namespace imssa
