#include "models/network/digital_pole.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/random.h"
#include "models/network/quantizer.h"

namespace imssa {
namespace {

using Complex = std::complex<double>;

DeployedKernel kernel_with(int a_bits) {
    DeployedKernel kernel;
    kernel.options.mapping = KernelMapping::digital_decay;
    kernel.options.representation = StateRepresentation::abar_delta;
    kernel.options.a_bits = a_bits;
    kernel.register_limit = code_limit(12);
    return kernel;
}

Complex decoded(const DigitalPole& pole) {
    return 1.0 + Complex(pole.re, pole.im) / std::pow(2.0, pole.shift);
}

TEST(DigitalPole, OfTheLeftHalfMovesTowardsZero) {
    // Abar - 1 = -1.985759 + 0.0765j in 8 bits: -63.54 / 2^5 and 78.3 / 2^10. -64 / 2^5 gives |Abar| = 1.003; -63 / 2^5
    // = -1.96875 lies inside.
    const DigitalPole pole = digital_pole({-0.985759, 0.0765}, kernel_with(8), 8);
    EXPECT_EQ(decoded(pole), Complex(-0.96875, 78.0 / 1024.0));
}

TEST(DigitalPole, OfTheRightHalfDecaysByAtLeastOneCode) {
    // Abar - 1 = -1e-6: 2^24 x 1e-6 = 16.8 codes; a real part of 0 would not decay.
    EXPECT_LT(decoded(digital_pole({1.0 - 1e-6, 0.0}, kernel_with(8), 8)).real(), 1.0);
    EXPECT_LT(decoded(digital_pole({1.0 - 1e-9, 0.0}, kernel_with(8), 8)).real(), 1.0);
}

TEST(DigitalPole, LiesInsideTheCircleAndNearTheOneAskedFor) {
    const CounterRandom random(3, RandomPurpose::initialisation, 0);
    for (std::uint64_t index = 0; index < 20000; ++index) {
        const int bits = 3 + static_cast<int>(index % 10);
        // Half of them on the last part in 1,000 of the radius.
        const double radius = index % 2 == 0 ? random.uniform(2 * index) : 1.0 - 1e-3 * random.uniform(2 * index);
        const Complex abar = std::polar(radius, 3.141592653589793 * random.uniform(2 * index + 1));
        const Complex held = decoded(digital_pole(abar, kernel_with(bits), 8));
        EXPECT_LT(std::abs(held), 1.0) << abar << ", " << bits << " bits";
        // A code is at most 4 / limit wide (|Abar - 1| < 2 in up to half the codes): half a code each way, and up to
        // two codes inwards.
        EXPECT_LT(std::abs(held - abar), 3.0 * 4.0 / code_limit(bits)) << abar << ", " << bits << " bits";
    }
}

}  // namespace
}  // namespace imssa
