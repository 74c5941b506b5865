#pragma once

namespace imssa {

/// While it lives, SIGINT and SIGTERM only set a flag; a second one ends the program as usual.
class InterruptGuard {
public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;
    /// Number of the signal that came, 0 for none.
    static int signal_number();
};

}  // namespace imssa
