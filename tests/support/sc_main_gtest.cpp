// libsystemc owns main(): GoogleTest starts from sc_main. Any SystemC warning or error fails the running test.
#include <gtest/gtest.h>

#include <systemc>

namespace {

void fail_test_on_report(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
    if (report.get_severity() >= sc_core::SC_WARNING) {
        ADD_FAILURE() << report.get_msg_type() << ": " << report.get_msg();
    }
    sc_core::sc_report_handler::default_handler(report, actions & ~(sc_core::SC_STOP | sc_core::SC_ABORT));
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    ::testing::InitGoogleTest(&argc, argv);
    sc_core::sc_report_handler::set_handler(fail_test_on_report);
    return RUN_ALL_TESTS();
}
