#include "scenarios/support/worker_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "models/common/error.h"

namespace imssa {
namespace {

const auto kNoProgress = [](int) {};

TEST(WorkerPool, ReturnsResultsInTheOrderOfJobsForAnyNumberOfWorkers) {
    for (const int workers : {1, 3, 8}) {
        int done = 0;
        const std::vector<std::string> results = run_in_processes(
            6, workers,
            [](int job, const std::function<void(int)>& progress) {
                ::usleep(static_cast<useconds_t>((6 - job) * 2000));
                progress(1);
                return std::string(100000, static_cast<char>('a' + job));
            },
            [&done](int count) { done += count; });
        ASSERT_EQ(results.size(), 6U);
        for (int job = 0; job < 6; ++job) {
            EXPECT_EQ(results[static_cast<std::size_t>(job)], std::string(100000, static_cast<char>('a' + job)));
        }
        EXPECT_EQ(done, 6);
    }
}

TEST(WorkerPool, HandsOnAUsersMistake) {
    const auto fail = [](int job, const std::function<void(int)>&) -> std::string {
        if (job == 2) {
            throw UserError("tile too small");
        }
        return "fine";
    };
    try {
        run_in_processes(4, 2, fail, kNoProgress);
        FAIL() << "no error";
    } catch (const UserError& error) {
        EXPECT_STREQ(error.what(), "tile too small");
    }
}

TEST(WorkerPool, OutOfMemoryInAWorkerIsAUsersMistake) {
    const auto fail = [](int, const std::function<void(int)>&) -> std::string { throw std::bad_alloc(); };
    EXPECT_THROW(run_in_processes(2, 2, fail, kNoProgress), UserError);
}

TEST(WorkerPool, NamesAWorkerThatDies) {
    const auto die = [](int, const std::function<void(int)>&) -> std::string {
        ::raise(SIGKILL);
        return "";
    };
    try {
        run_in_processes(1, 1, die, kNoProgress);
        FAIL() << "no error";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("signal 9"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace imssa
