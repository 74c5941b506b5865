#include "trainer/thread_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "trainer/flush_subnormals.h"

namespace imssa {
namespace {

TEST(ThreadPool, RunsEveryItemOnceInManyRounds) {
    ThreadPool pool(3);
    constexpr int kItems = 7;
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::atomic<int>> runs(kItems);
        pool.run(kItems, [&](int item, int /*thread*/) { ++runs[static_cast<std::size_t>(item)]; });
        for (const std::atomic<int>& count : runs) {
            ASSERT_EQ(count, 1) << "round " << round;
        }
    }
}

TEST(ThreadPool, WakesThreadsThatFellAsleep) {
    ThreadPool pool(2, std::chrono::milliseconds(0));
    for (int round = 0; round < 5; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        std::atomic<int> runs = 0;
        // One thread is done long before the other and falls asleep.
        pool.run(2, [&](int item, int /*thread*/) {
            if (item == 0) {
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
            ++runs;
        });
        ASSERT_EQ(runs, 2);
    }
}

TEST(ThreadPool, TakesSubnormalNumbersForZeroWithinItemsOnly) {
    ThreadPool pool(2);
    const volatile float least_normal = std::numeric_limits<float>::min();
    const volatile float subnormal = std::numeric_limits<float>::denorm_min();
    std::array<float, 64> results{}, operands{};
    pool.run(64, [&](int item, int) {
        results[static_cast<std::size_t>(item)] = least_normal * 0.5F;
        operands[static_cast<std::size_t>(item)] = subnormal * 0x1p100F;
    });
    for (std::size_t item = 0; item < results.size(); ++item) {
        EXPECT_EQ(results[item] == 0.0F, FlushSubnormals::kFlushes);
        EXPECT_EQ(operands[item] == 0.0F, FlushSubnormals::kFlushes);
    }
    EXPECT_GT(least_normal * 0.5F, 0.0F);
    EXPECT_GT(subnormal * 0x1p100F, 0.0F);
}

TEST(ThreadPool, ThrowsTheExceptionOfTheLowestItem) {
    ThreadPool pool(2);
    for (int round = 0; round < 100; ++round) {
        try {
            pool.run(8, [](int item, int /*thread*/) {
                if (item >= 3) {
                    throw std::runtime_error(std::to_string(item));
                }
            });
            FAIL() << "nothing was thrown";
        } catch (const std::runtime_error& error) {
            EXPECT_STREQ(error.what(), "3");
        }
    }
}

TEST(ThreadPool, EndsWithoutEverRunning) {
    const ThreadPool pool(4);
    EXPECT_EQ(pool.threads(), 4);
}

}  // namespace
}  // namespace imssa
