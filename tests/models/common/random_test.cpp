#include "models/common/random.h"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace imssa {
namespace {

constexpr std::uint64_t kSeed = 0x123456789abcdef0ULL;
constexpr double kTwoPi = 6.283185307179586476925;

LanesUint sixteen_from(std::uint32_t first) {
    LanesUint lanes{};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        lanes[lane] = first + static_cast<std::uint32_t>(lane);
    }
    return lanes;
}

/// Normals of `groups` x 16 sequences, four outputs each.
std::vector<double> many_normals(std::uint32_t groups, std::uint32_t step = 3) {
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(groups) * 64);
    for (std::uint32_t group = 0; group < groups; ++group) {
        const NormalQuad quad = normal_quad(kSeed, RandomPurpose::read_noise, 7, sixteen_from(16 * group), step, 5);
        for (const Lanes& normals : quad.values) {
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                values.push_back(static_cast<double>(normals[lane]));
            }
        }
    }
    return values;
}

double normal_cdf(double x) {
    return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// Kolmogorov-Smirnov distance times sqrt(n) to the standard normal. Above 1.95 with probability 0.1 %.
double kolmogorov_smirnov(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const double n = static_cast<double>(values.size());
    double distance = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double p = normal_cdf(values[i]);
        const double rank = static_cast<double>(i);
        distance = std::max({distance, p - rank / n, (rank + 1.0) / n - p});
    }
    return distance * std::sqrt(n);
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    double product = 0.0;
    double squares_a = 0.0;
    double squares_b = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        product += a[i] * b[i];
        squares_a += a[i] * a[i];
        squares_b += b[i] * b[i];
    }
    return product / std::sqrt(squares_a * squares_b);
}

TEST(PhiloxLanes, EveryLaneEqualsRandom123) {
    const r123::Philox4x32 reference;
    for (std::uint32_t trial = 0; trial < 200; ++trial) {
        PhiloxLanes counter{};
        const std::uint32_t key_low = trial * 0x9e3779b9U + 1U;
        const std::uint32_t key_high = trial * 0x85ebca6bU + 0xfffffff0U;
        for (std::uint32_t word = 0; word < 4; ++word) {
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                counter.words[word][lane] = (trial + 1U) * 0xc2b2ae35U * (static_cast<std::uint32_t>(lane) * 4U + word);
            }
        }
        const PhiloxLanes result = philox_lanes(counter, key_low, key_high);
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            const r123::Philox4x32::ctr_type expected = reference(
                {{counter.words[0][lane], counter.words[1][lane], counter.words[2][lane], counter.words[3][lane]}},
                {{key_low, key_high}});
            for (std::uint32_t word = 0; word < 4; ++word) {
                ASSERT_EQ(result.words[word][lane], expected[word]) << "trial " << trial << " lane " << lane;
            }
        }
    }
}

TEST(NormalQuad, IsTheExactBoxMullerTransformToOneMillionth) {
    const r123::Philox4x32 reference;
    double worst = 0.0;
    for (std::uint32_t group = 0; group < 20000; ++group) {
        const LanesUint sequences = sixteen_from(16 * group);
        const NormalQuad quad = normal_quad(kSeed, RandomPurpose::read_noise, 7, sequences, 3, 5);
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            const r123::Philox4x32::ctr_type bits =
                reference({{sequences[lane], 3, 7, (static_cast<std::uint32_t>(RandomPurpose::read_noise) << 24) | 5U}},
                          {{static_cast<std::uint32_t>(kSeed), static_cast<std::uint32_t>(kSeed >> 32)}});
            for (std::size_t half = 0; half < 2; ++half) {
                const double uniform = (bits[2 * half] + 0.5) * 0x1p-32;
                const double radius = std::sqrt(-2.0 * std::log(uniform));
                const double angle = kTwoPi * 0x1p-32 * bits[2 * half + 1];
                const double first = static_cast<double>(quad.values[2 * half][lane]);
                const double second = static_cast<double>(quad.values[2 * half + 1][lane]);
                worst = std::max(
                    {worst, std::abs(first - radius * std::cos(angle)), std::abs(second - radius * std::sin(angle))});
            }
        }
    }
    EXPECT_LT(worst, 1e-6);
}

TEST(NormalPair, GivesTheSameDrawsAsTheQuad) {
    for (std::uint32_t quad_index = 0; quad_index < 9; ++quad_index) {
        const NormalQuad quad = normal_quad(kSeed, RandomPurpose::read_noise, 2, sixteen_from(100), 11, quad_index);
        for (std::uint32_t half = 0; half < 2; ++half) {
            const NormalPair pair =
                normal_pair(kSeed, RandomPurpose::read_noise, 2, sixteen_from(100), 11, 2 * quad_index + half);
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                ASSERT_EQ(pair.first[lane], quad.values[2 * half][lane]);
                ASSERT_EQ(pair.second[lane], quad.values[2 * half + 1][lane]);
            }
        }
    }
}

TEST(NormalQuad, ALaneDependsOnItsOwnSequenceOnly) {
    const NormalQuad base = normal_quad(kSeed, RandomPurpose::read_noise, 1, sixteen_from(50), 4, 0);
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        LanesUint others{};
        others += 0xdeadbeefU;
        const int elsewhere = (lane * 7 + 3) % kLaneWidth;
        others[elsewhere] = 50U + static_cast<std::uint32_t>(lane);
        const NormalQuad moved = normal_quad(kSeed, RandomPurpose::read_noise, 1, others, 4, 0);
        for (int k = 0; k < 4; ++k) {
            ASSERT_EQ(moved.values[k][elsewhere], base.values[k][lane]);
        }
    }
}

// 1.28 million draws; every bound is five standard errors (two-sided probability 6e-7 a moment).
TEST(NormalQuad, HasTheMomentsOfAStandardNormal) {
    const std::vector<double> values = many_normals(20000);
    const double n = static_cast<double>(values.size());
    double sums[4] = {};
    for (const double x : values) {
        sums[0] += x;
        sums[1] += x * x;
        sums[2] += x * x * x;
        sums[3] += x * x * x * x;
    }
    EXPECT_NEAR(sums[0] / n, 0.0, 5.0 * std::sqrt(1.0 / n));
    EXPECT_NEAR(sums[1] / n, 1.0, 5.0 * std::sqrt(2.0 / n));
    EXPECT_NEAR(sums[2] / n, 0.0, 5.0 * std::sqrt(15.0 / n));
    EXPECT_NEAR(sums[3] / n, 3.0, 5.0 * std::sqrt(96.0 / n));
}

TEST(NormalQuad, PassesKolmogorovSmirnovAtOneInAThousand) {
    EXPECT_LT(kolmogorov_smirnov(many_normals(4000)), 1.95);
}

// Counts beyond k sigma are Poisson to good accuracy; the bounds are five standard deviations of the count.
TEST(NormalQuad, HasTheTailsOfANormalToFiveSigma) {
    const std::uint32_t groups = 500000;
    std::int64_t beyond[6] = {};
    for (std::uint32_t group = 0; group < groups; ++group) {
        const NormalQuad quad = normal_quad(kSeed, RandomPurpose::read_noise, 9, sixteen_from(16 * group), 1, 0);
        for (const Lanes& normals : quad.values) {
            const Lanes magnitude = maximum(normals, -normals);
            for (int k = 1; k <= 5; ++k) {
                const LanesInt hit = magnitude > static_cast<float>(k);
                for (int lane = 0; lane < kLaneWidth; ++lane) {
                    beyond[k] -= hit[lane];
                }
            }
        }
    }
    const double n = 64.0 * groups;
    for (int k = 1; k <= 5; ++k) {
        const double expected = n * std::erfc(k / std::sqrt(2.0));
        EXPECT_NEAR(static_cast<double>(beyond[k]), expected, 5.0 * std::sqrt(expected)) << k << " sigma";
    }
    EXPECT_GT(beyond[5], 0);
}

// Correlations of 160 000 pairs have a standard error of 0.0025; five of them.
TEST(NormalQuad, LanesOutputsStepsTilesAndPurposesAreUncorrelated) {
    std::vector<double> base, next_lane, next_output, other_pair, next_step, next_tile, other_purpose, next_seed;
    for (std::uint32_t group = 0; group < 10000; ++group) {
        const LanesUint sequences = sixteen_from(16 * group);
        const NormalQuad a = normal_quad(kSeed, RandomPurpose::read_noise, 7, sequences, 3, 5);
        const NormalQuad b = normal_quad(kSeed, RandomPurpose::read_noise, 7, sequences, 4, 5);
        const NormalQuad c = normal_quad(kSeed, RandomPurpose::read_noise, 8, sequences, 3, 5);
        const NormalQuad d = normal_quad(kSeed, RandomPurpose::converter_noise, 7, sequences, 3, 5);
        const NormalQuad e = normal_quad(kSeed + 1, RandomPurpose::read_noise, 7, sequences, 3, 5);
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            base.push_back(static_cast<double>(a.values[0][lane]));
            next_lane.push_back(static_cast<double>(a.values[0][(lane + 1) % kLaneWidth]));
            next_output.push_back(static_cast<double>(a.values[1][lane]));
            other_pair.push_back(static_cast<double>(a.values[2][lane]));
            next_step.push_back(static_cast<double>(b.values[0][lane]));
            next_tile.push_back(static_cast<double>(c.values[0][lane]));
            other_purpose.push_back(static_cast<double>(d.values[0][lane]));
            next_seed.push_back(static_cast<double>(e.values[0][lane]));
        }
    }
    const double bound = 5.0 / std::sqrt(160000.0);
    for (const std::vector<double>* other :
         {&next_lane, &next_output, &other_pair, &next_step, &next_tile, &other_purpose, &next_seed}) {
        EXPECT_LT(std::abs(correlation(base, *other)), bound);
    }
}

TEST(CounterRandom, UniformStaysBelowOneAndHasItsMoments) {
    const CounterRandom random(11, RandomPurpose::faults, 2);
    const int n = 200000;
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < n; ++i) {
        const double u = random.uniform(static_cast<std::uint64_t>(i));
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
        sum += u;
        squares += u * u;
    }
    EXPECT_NEAR(sum / n, 0.5, 5.0 * std::sqrt(1.0 / 12.0 / n));
    EXPECT_NEAR(squares / n, 1.0 / 3.0, 5.0 * std::sqrt(4.0 / 45.0 / n));
}

TEST(CounterRandom, NormalPassesKolmogorovSmirnovAtOneInAThousand) {
    const CounterRandom random(12, RandomPurpose::programming, 3);
    std::vector<double> values;
    for (std::uint64_t i = 0; i < 200000; ++i) {
        values.push_back(random.normal(i << 20));
    }
    EXPECT_LT(kolmogorov_smirnov(values), 1.95);
}

TEST(CounterRandom, DrawsDifferBySeedPurposePlaceAndCounter) {
    std::set<double> values;
    for (const std::uint64_t seed : {1ULL, 2ULL, 1ULL << 32}) {
        for (const RandomPurpose purpose : {RandomPurpose::programming, RandomPurpose::faults}) {
            for (const std::uint32_t place : {0U, 1U}) {
                for (const std::uint64_t counter : {0ULL, 1ULL, 1ULL << 32}) {
                    values.insert(CounterRandom(seed, purpose, place).normal(counter));
                }
            }
        }
    }
    EXPECT_EQ(values.size(), 36U);
    EXPECT_EQ(CounterRandom(5, RandomPurpose::faults, 6).normal(7),
              CounterRandom(5, RandomPurpose::faults, 6).normal(7));
}

TEST(SequenceLanes, PadsWithZerosAndKeepsTheLowWord) {
    const std::vector<LanesUint> lanes = sequence_lanes({5, (1ULL << 32) + 6, 7});
    ASSERT_EQ(lanes.size(), 1U);
    EXPECT_EQ(lanes[0][0], 5U);
    EXPECT_EQ(lanes[0][1], 6U);
    EXPECT_EQ(lanes[0][2], 7U);
    EXPECT_EQ(lanes[0][3], 0U);
}

}  // namespace
}  // namespace imssa
