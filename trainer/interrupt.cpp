#include "trainer/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace imssa {

namespace {

volatile std::sig_atomic_t received = 0;

void install(void (*handler)(int)) {
    for (const int number : {SIGINT, SIGTERM}) {
        struct sigaction action {};
        action.sa_handler = handler;
        action.sa_flags = handler == SIG_DFL ? 0 : static_cast<int>(SA_RESETHAND);
        sigaction(number, &action, nullptr);
    }
}

void on_signal(int number) {
    received = number;
}

}  // namespace

InterruptGuard::InterruptGuard() {
    received = 0;
    install(on_signal);
}

InterruptGuard::~InterruptGuard() {
    install(SIG_DFL);
}

int InterruptGuard::signal_number() {
    return received;
}

}  // namespace imssa
