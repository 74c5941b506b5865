#include "trainer/state_dither.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>

namespace imssa {
namespace {

LanesUint keys_from(std::uint32_t first) {
    LanesUint keys = {};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        keys[lane] = dither_sequence_key(7, first + static_cast<std::uint32_t>(lane));
    }
    return keys;
}

/// Dither of one component of mode `mode` of head `head` at one step.
Lanes dither(LanesUint keys, int head, int mode, int component, std::uint32_t step) {
    const std::uint32_t unit = static_cast<std::uint32_t>(head * 32 + mode / kDitherModes * kDitherModes);
    const DitherLanes both = dither_above_one(dither_word(keys, dither_unit_key(unit), step), dither_factor(mode));
    return (component == 0 ? both.re : both.im) - 1.0F;
}

TEST(StateDither, IsUniform) {
    constexpr int kBins = 64;
    int counts[kBins] = {};
    int total = 0;
    for (int mode = 0; mode < 8; ++mode) {
        for (std::uint32_t step = 0; step < 784; ++step) {
            for (int component = 0; component < 2; ++component, total += kLaneWidth) {
                const Lanes values = dither(keys_from(3), 5, mode, component, step);
                for (int lane = 0; lane < kLaneWidth; ++lane) {
                    ASSERT_GE(values[lane], 0.0F);
                    ASSERT_LT(values[lane], 1.0F);
                    ++counts[static_cast<int>(values[lane] * kBins)];
                }
            }
        }
    }
    const double expected = static_cast<double>(total) / kBins;
    double chi_squared = 0.0;
    for (const int count : counts) {
        chi_squared += (count - expected) * (count - expected) / expected;
    }
    // 63 degrees of freedom: mean 63, deviation 11.2.
    EXPECT_NEAR(chi_squared, 63.0, 5.0 * 11.2);
}

/// Correlation coefficient of two dithers over 64 x 784 places x 16 sequences: its deviation is 1 / sqrt(802816).
double correlation(const std::function<Lanes(LanesUint, std::uint32_t)>& one,
                   const std::function<Lanes(LanesUint, std::uint32_t)>& other) {
    Lanes sum = {};
    for (std::uint32_t group = 0; group < 64; ++group) {
        const LanesUint keys = keys_from(100 * group);
        Lanes part = {};
        for (std::uint32_t step = 0; step < 784; ++step) {
            part += (one(keys, step) - 0.5F) * (other(keys, step) - 0.5F);
        }
        sum += part;
    }
    return 12.0 * static_cast<double>(horizontal_sum(sum)) / (64.0 * 784.0 * kLaneWidth);
}
constexpr double kFiveDeviations = 5.0 * 0.00112;

TEST(StateDither, DoesNotCorrelateBetweenModesAndComponents) {
    for (int first = 0; first < 16; ++first) {
        for (int second = first + 1; second < 20; second += 3) {
            const double found = correlation(
                [&](LanesUint keys, std::uint32_t step) { return dither(keys, 1, first / 2, first % 2, step); },
                [&](LanesUint keys, std::uint32_t step) { return dither(keys, 1, second / 2, second % 2, step); });
            EXPECT_NEAR(found, 0.0, kFiveDeviations) << first << " and " << second;
        }
    }
}

TEST(StateDither, DoesNotCorrelateBetweenStepsHeadsAndSequences) {
    const auto here = [](LanesUint keys, std::uint32_t step) { return dither(keys, 1, 3, 0, step); };
    for (const std::uint32_t apart : {1U, 2U, 3U, 8U, 112U}) {
        EXPECT_NEAR(correlation(here, [=](LanesUint keys, std::uint32_t step) { return here(keys, step + apart); }),
                    0.0, kFiveDeviations)
            << apart;
    }
    for (const int head : {0, 2, 9}) {
        EXPECT_NEAR(
            correlation(here, [=](LanesUint keys, std::uint32_t step) { return dither(keys, head, 3, 0, step); }), 0.0,
            kFiveDeviations)
            << head;
    }
    const auto next_sequence = [&](LanesUint keys, std::uint32_t step) {
        return here(__builtin_shufflevector(keys, keys, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0), step);
    };
    EXPECT_NEAR(correlation(here, next_sequence), 0.0, kFiveDeviations);
    EXPECT_GT(correlation(here, here), 0.99);
}

TEST(StateDither, ComponentsOfOneWordLieOnOneSideAsRarelyAsIndependentOnes) {
    // All 16 below or above 1/2: of 802,816 words 24.5, deviation 4.9.
    int together = 0;
    for (std::uint32_t group = 0; group < 64; ++group) {
        const LanesUint keys = keys_from(100 * group);
        for (std::uint32_t step = 0; step < 784; ++step) {
            Lanes above = {};
            for (int component = 0; component < 2 * kDitherModes; ++component) {
                above += dither(keys, 1, component / 2, component % 2, step) < 0.5F ? Lanes{} : broadcast(1.0F);
            }
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                together += above[lane] == 0.0F || above[lane] == 2.0F * kDitherModes ? 1 : 0;
            }
        }
    }
    EXPECT_GT(together, 5);
    EXPECT_LT(together, 50);
}

TEST(StateDither, FactorsHaveNoShortRelations) {
    // Of re and im of every mode, modulo 2^32: im is made of 512 times what re is made of.
    std::array<std::uint32_t, 2 * kDitherModes> g;
    for (std::size_t mode = 0; mode < kDitherModes; ++mode) {
        g[2 * mode] = kDitherFactors[mode];
        g[2 * mode + 1] = 512U * kDitherFactors[mode];
    }
    const auto times = [&g](int factor, std::size_t index) { return static_cast<std::uint32_t>(factor) * g[index]; };
    for (std::size_t i = 0; i < g.size(); ++i) {
        for (std::size_t j = i + 1; j < g.size(); ++j) {
            for (int a = 1; a <= 64; ++a) {
                for (int b = -64; b <= 64; ++b) {
                    ASSERT_NE(times(a, i) + times(b, j), 0U) << i << ", " << j;
                }
            }
            for (std::size_t k = j + 1; k < g.size(); ++k) {
                for (int code = 0; code < 9 * 9 * 9; ++code) {
                    const int a = code % 9 - 4, b = code / 9 % 9 - 4, c = code / 81 - 4;
                    ASSERT_TRUE(times(a, i) + times(b, j) + times(c, k) != 0U || (a == 0 && b == 0 && c == 0))
                        << i << ", " << j << ", " << k;
                }
                for (std::size_t l = k + 1; l < g.size(); ++l) {
                    for (int code = 0; code < 5 * 5 * 5 * 5; ++code) {
                        const int a = code % 5 - 2, b = code / 5 % 5 - 2, c = code / 25 % 5 - 2, d = code / 125 - 2;
                        const std::uint32_t sum = times(a, i) + times(b, j) + times(c, k) + times(d, l);
                        ASSERT_TRUE(sum != 0U || (a == 0 && b == 0 && c == 0 && d == 0)) << i << ", " << j;
                    }
                }
            }
        }
    }
}

TEST(StateDither, TakesTheUpperAndTheLowerBitsOfTheProduct) {
    LanesUint word = {};
    word[0] = 0x80000000U;
    word[1] = 3U;
    word[2] = 0x00000200U;
    const DitherLanes dither = dither_above_one(word, 1U);
    EXPECT_EQ(dither.re[0], 1.5F);
    EXPECT_EQ(dither.im[0], 1.0F);
    EXPECT_EQ(dither.re[1], 1.0F);
    EXPECT_EQ(dither.im[1], 1.0F + 3.0F * 0x1p-23F);
    EXPECT_EQ(dither.re[2], 1.0F + 0x1p-23F);
    EXPECT_EQ(dither.im[2], 1.0F + 0x1p-14F);
}

TEST(StateDither, RoundsToTheNumberOnAverageAndKeepsCodes) {
    const Lanes low = broadcast(-128.0F), high = broadcast(127.0F);
    for (const float value : {-200.0F, -128.0F, -17.25F, -1.0F, -0.125F, 0.0F, 0.75F, 5.0F, 126.5F, 127.0F, 3000.0F}) {
        double sum = 0.0;
        int count = 0;
        for (std::uint32_t step = 0; step < 4000; ++step) {
            const Lanes code =
                dithered_code(broadcast(value) + (dither(keys_from(0), 0, 0, 0, step) + 1.0F), low, high);
            for (int lane = 0; lane < kLaneWidth; ++lane, ++count) {
                ASSERT_EQ(code[lane], std::floor(code[lane]));
                ASSERT_GE(code[lane], -128.0F);
                ASSERT_LE(code[lane], 127.0F);
                sum += code[lane];
            }
        }
        const double expected = std::min(std::max(value, -128.0F), 127.0F);
        const bool is_code = expected == std::floor(expected);
        EXPECT_NEAR(sum / count, expected, is_code ? 1e-4 : 5.0 * 0.5 / std::sqrt(count)) << value;
    }
}

TEST(Dither, IsMadeOfTheUpperAndTheLowerBitsOfAProduct) {
    for (std::uint32_t word = 1; word < 4000000000U; word += 9876543U) {
        const std::uint32_t product = word * dither_factor(3);
        const DitherLanes dither = dither_above_one(LanesUint{} + word, dither_factor(3));
        EXPECT_EQ(dither.re[5], 1.0F + std::ldexp(static_cast<float>(product >> 9), -23));
        EXPECT_EQ(dither.im[5], 1.0F + std::ldexp(static_cast<float>(product & 0x7fffffU), -23));
    }
}

}  // namespace
}  // namespace imssa
