#include "trainer/progress.h"

#include <unistd.h>

#include <algorithm>

namespace imssa {

namespace {

constexpr double kTerminalInterval = 0.2;  ///< s between updates of the line
constexpr double kPlainInterval = 30.0;    ///< s between plain lines

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

ProgressReport::ProgressReport(std::FILE* out, bool quiet)
    : out_(out), quiet_(quiet), terminal_(::isatty(::fileno(out)) != 0) {}

void ProgressReport::erase_line() {
    if (line_open_) {
        std::fputs("\r\033[K", out_);
        line_open_ = false;
    }
}

void ProgressReport::message(const std::string& text) {
    if (!quiet_) {
        erase_line();
        std::fprintf(out_, "%s\n", text.c_str());
        std::fflush(out_);
    }
}

void ProgressReport::start_epoch(const std::string& title, int sequences) {
    title_ = title;
    sequences_ = sequences;
    start_ = last_ = Clock::now();
}

void ProgressReport::update(int done, double loss, double accuracy) {
    const Clock::time_point now = Clock::now();
    if (quiet_ || seconds(now - last_) < (terminal_ ? kTerminalInterval : kPlainInterval)) {
        return;
    }
    last_ = now;
    const double rate = done / std::max(seconds(now - start_), 1e-9);
    erase_line();
    std::fprintf(out_, "%s  %d/%d sequences  %.0f /s  %.0f s left  loss %.4f  accuracy %.2f %%", title_.c_str(), done,
                 sequences_, rate, (sequences_ - done) / rate, loss, 100.0 * accuracy);
    if (terminal_) {
        line_open_ = true;
    } else {
        std::fputc('\n', out_);
    }
    std::fflush(out_);
}

void ProgressReport::finish_epoch(const std::string& title, const EpochMetrics& metrics) {
    if (quiet_) {
        return;
    }
    erase_line();
    std::fprintf(out_, "%s  train loss %.4f  train %.2f %%  test %.2f %%  %.1f s (%.1f s CPU)\n", title.c_str(),
                 metrics.train_loss, 100.0 * metrics.train_accuracy, 100.0 * metrics.test_accuracy, metrics.wall_s,
                 metrics.cpu_s);
    std::fflush(out_);
}

}  // namespace imssa
