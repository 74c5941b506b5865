#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace imssa {

/// A fixed number of threads that share numbered work items. Which thread takes which item is open; results must not
/// depend on it. A thread that waits looks for a while, giving its core to others but taking CPU time, before it
/// sleeps.
class ThreadPool {
public:
    /// Longer than threads of one step of training wait for each other. A core that halts in between comes back with a
    /// lower clock and makes the next wait longer (measured on a virtual machine; docs/decisions/0003).
    static constexpr std::chrono::milliseconds kLinger{20};

    /// `linger`: how long a waiting thread looks before it sleeps.
    explicit ThreadPool(int threads, std::chrono::milliseconds linger = kLinger);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int threads() const { return static_cast<int>(workers_.size()) + 1; }

    /// Calls work(item, thread) for every item in [0, items) and returns when all are done. The caller is thread 0. An
    /// exception of the item with the lowest number is thrown on. Work sees no subnormal numbers (FlushSubnormals).
    void run(int items, const std::function<void(int item, int thread)>& work);

private:
    void serve(int thread);
    void take_items(int thread);
    template <class Ready>
    void linger(const Ready& ready) const;

    const std::chrono::milliseconds linger_;
    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable start_, done_;
    const std::function<void(int, int)>* work_ = nullptr;
    int items_ = 0, next_ = 0;
    // Written under the mutex, read without it while a thread lingers.
    std::atomic<int> busy_ = 0;
    std::atomic<unsigned long> round_ = 0;
    std::atomic<bool> stopping_ = false;
    int failed_item_ = 0;
    std::exception_ptr failure_;
};

}  // namespace imssa
