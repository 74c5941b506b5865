#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "trainer/checkpoint.h"

namespace imssa {

/// What a training run tells: on a terminal one line that is rewritten, elsewhere a plain line now and then; a line an
/// epoch in both.
class ProgressReport {
public:
    ProgressReport(std::FILE* out, bool quiet);

    void message(const std::string& text);
    void start_epoch(const std::string& title, int sequences);
    /// Running means over the epoch so far.
    void update(int sequences_done, double loss, double accuracy);
    void finish_epoch(const std::string& title, const EpochMetrics& metrics);

private:
    using Clock = std::chrono::steady_clock;
    void erase_line();

    std::FILE* out_;
    bool quiet_, terminal_;
    bool line_open_ = false;
    std::string title_;
    int sequences_ = 0;
    Clock::time_point start_, last_;
};

}  // namespace imssa
