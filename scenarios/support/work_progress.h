#pragma once

#include <chrono>
#include <string>

namespace imssa {

/// Progress of a run over sequences on stderr: on a terminal one line that is rewritten (rate, time left), elsewhere a
/// plain line at most every ten seconds.
class WorkProgress {
public:
    WorkProgress(std::string title, int total, bool quiet);
    void add(int done);
    void finish();

private:
    void print();

    std::string title_;
    int total_;
    bool quiet_, terminal_;
    int done_ = 0;
    bool printed_ = false;
    std::chrono::steady_clock::time_point start_, last_;
};

}  // namespace imssa
