// libsystemc's own main() prints a banner before sc_main; ours switches it off first.
#include <cstdlib>
#include <systemc>

int main(int argc, char* argv[]) {
    ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
    return sc_core::sc_elab_and_sim(argc, argv);
}
