#include "scenarios/support/command_line.h"

#include <charconv>
#include <cstdio>
#include <iostream>
#include <new>
#include <system_error>
#include <thread>

#include "models/common/error.h"

namespace imssa {

int CommonOptions::worker_count() const {
    if (threads > 0) {
        return threads;
    }
    const unsigned available = std::thread::hardware_concurrency();
    return available == 0U ? 1 : static_cast<int>(available);
}

CLI::Validator whole_number() {
    return {[](const std::string& text) -> std::string {
                std::uint64_t value = 0;
                const std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), value);
                return result.ec == std::errc() && result.ptr == text.data() + text.size()
                           ? ""
                           : "'" + text + "' is not a whole number from 0 to 2^64 - 1";
            },
            "UINT64", "whole number"};
}

void add_common_options(CLI::App& app, CommonOptions& options) {
    app.add_option("--set", options.overrides,
                   "Override one key of the configuration, e.g. --set device.read_noise_relative=0")
        ->type_name("KEY=VALUE")
        ->take_all();
    app.add_option("--data", options.data, "Folder with data sets (default: $IMSSA_DATA, then ../shared/data)")
        ->type_name("DIR");
    app.add_option("--out", options.out, "Folder for pictures and tables")->type_name("DIR");
    app.add_option("--seed", options.seed, "Seed of every random stream")->capture_default_str()->check(whole_number());
    app.add_option("--threads", options.threads,
                   "Worker processes or threads (0: one a core); results do not depend on it")
        ->check(CLI::Range(0, 1024));
    app.add_option("--json", options.json, "Write the result as JSON, SI units in the keys")->type_name("FILE");
    app.add_flag("--quiet", options.quiet, "Print nothing but errors");
    app.set_version_flag("--version", "imssa " IMSSA_VERSION);
}

int run_command(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
    constexpr int kUserErrorStatus = 2;
    constexpr int kInternalErrorStatus = 70;
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            return app.exit(error);  // --help, --version
        }
        std::cerr << "error: " << error.what() << " (see " << app.get_name() << " --help)\n";
        return kUserErrorStatus;
    }
    try {
        body();
        std::cout.flush();
        if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
            throw UserError("cannot write the output: is the disk full?");
        }
        return 0;
    } catch (const std::bad_alloc&) {
        std::cerr << "error: " << kOutOfMemory << '\n';
        return kUserErrorStatus;
    } catch (const UserError& error) {
        std::cerr << "error: " << error.what() << '\n';
        return kUserErrorStatus;
    } catch (const std::exception& error) {
        std::cerr << "internal error (please report it): " << error.what() << '\n';
        return kInternalErrorStatus;
    }
}

}  // namespace imssa
