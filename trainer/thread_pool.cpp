#include "trainer/thread_pool.h"

#include "trainer/flush_subnormals.h"

namespace imssa {

/// Returns when `ready` or after a while.
template <class Ready>
void ThreadPool::linger(const Ready& ready) const {
    const auto end = std::chrono::steady_clock::now() + linger_;
    while (!ready() && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
    }
}

ThreadPool::ThreadPool(int threads, std::chrono::milliseconds linger) : linger_(linger) {
    for (int thread = 1; thread < threads; ++thread) {
        workers_.emplace_back([this, thread] { serve(thread); });
    }
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = true;
    }
    start_.notify_all();
    for (std::thread& worker : workers_) {
        worker.join();
    }
}

void ThreadPool::run(int items, const std::function<void(int, int)>& work) {
    std::unique_lock<std::mutex> lock(mutex_);
    work_ = &work;
    items_ = items;
    next_ = 0;
    failure_ = nullptr;
    busy_ = static_cast<int>(workers_.size());
    ++round_;
    lock.unlock();
    start_.notify_all();
    take_items(0);
    linger([this] { return busy_ == 0; });
    lock.lock();
    done_.wait(lock, [this] { return busy_ == 0; });
    work_ = nullptr;
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

void ThreadPool::serve(int thread) {
    unsigned long seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        lock.unlock();
        linger([&] { return stopping_ || round_ != seen; });
        lock.lock();
        start_.wait(lock, [&] { return stopping_ || round_ != seen; });
        if (stopping_) {
            return;
        }
        seen = round_;
        lock.unlock();
        take_items(thread);
        lock.lock();
        if (--busy_ == 0) {
            done_.notify_one();
        }
    }
}

void ThreadPool::take_items(int thread) {
    const FlushSubnormals flush;
    std::unique_lock<std::mutex> lock(mutex_);
    while (next_ < items_) {
        const int item = next_++;
        lock.unlock();
        try {
            (*work_)(item, thread);
        } catch (...) {
            lock.lock();
            if (!failure_ || item < failed_item_) {
                failure_ = std::current_exception();
                failed_item_ = item;
            }
            continue;
        }
        lock.lock();
    }
}

}  // namespace imssa
