#include "scenarios/support/work_progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace imssa {

namespace {

double seconds_since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

}  // namespace

WorkProgress::WorkProgress(std::string title, int total, bool quiet)
    : title_(std::move(title)),
      total_(total),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

void WorkProgress::add(int done) {
    done_ += done;
    if (!quiet_ && seconds_since(last_) > (terminal_ ? 0.1 : 10.0)) {
        print();
    }
}

void WorkProgress::print() {
    last_ = std::chrono::steady_clock::now();
    const double elapsed = seconds_since(start_);
    const double rate = done_ / (elapsed > 0.0 ? elapsed : 1e-9);
    std::fprintf(stderr, "%s%s: %d of %d sequences, %.3g/s, %.0f s left%s", terminal_ ? "\r\033[K" : "", title_.c_str(),
                 done_, total_, rate, rate > 0.0 ? (total_ - done_) / rate : 0.0, terminal_ ? "" : "\n");
    std::fflush(stderr);
    printed_ = true;
}

void WorkProgress::finish() {
    if (terminal_ && printed_) {
        std::fprintf(stderr, "\r\033[K");
        std::fflush(stderr);
    }
}

}  // namespace imssa
