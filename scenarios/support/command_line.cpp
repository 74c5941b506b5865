#include "scenarios/support/command_line.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
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

namespace {

/// Refuses signs and numbers beyond 64 bits, which the conversion would wrap around.
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

}  // namespace

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
        return 0;
    } catch (const std::bad_alloc&) {
        std::cerr << "error: not enough memory for this run; lower --sequences or --lanes\n";
        return kUserErrorStatus;
    } catch (const UserError& error) {
        std::cerr << "error: " << error.what() << '\n';
        return kUserErrorStatus;
    } catch (const std::exception& error) {
        std::cerr << "internal error (please report it): " << error.what() << '\n';
        return kInternalErrorStatus;
    }
}

void create_output_folder(const std::string& path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code || !std::filesystem::is_directory(path)) {
        throw UserError("cannot create the output folder '" + path + "': " + code.message() +
                        "; choose another with --out");
    }
}

namespace {

void write_stream(const std::string& path, const std::string& text) {
    std::ofstream stream(path, std::ios::binary);
    stream << text;
    stream.close();
    if (!stream) {
        throw UserError("cannot write '" + path + "': is the folder writable and the disk not full?");
    }
}

}  // namespace

void write_file_atomically(const std::string& path, const std::string& text) {
    const std::filesystem::path target(path);
    if (target.has_parent_path()) {
        create_output_folder(target.parent_path().string());
    }
    std::error_code code;
    const std::filesystem::file_status status = std::filesystem::status(target, code);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        // A device or pipe (/dev/stdout) is written to; a rename would replace it.
        write_stream(path, text);
        return;
    }
    const std::string temporary = path + ".tmp" + std::to_string(::getpid());
    try {
        write_stream(temporary, text);
    } catch (const UserError&) {
        std::remove(temporary.c_str());
        throw UserError("cannot write '" + path + "': is the folder writable and the disk not full?");
    }
    std::filesystem::rename(temporary, target, code);
    if (code) {
        std::remove(temporary.c_str());
        throw UserError("cannot write '" + path + "': " + code.message());
    }
}

void commit_streamed_file(const std::string& temporary, const std::string& path) {
    // The writer of the file does not report errors. A full disk cuts it, and then refuses this block, too.
    constexpr std::size_t kProbeBytes = 65536;
    std::error_code code;
    const std::uintmax_t size = std::filesystem::file_size(temporary, code);
    bool whole = !code;
    if (whole) {
        std::ofstream probe(temporary, std::ios::binary | std::ios::app);
        probe << std::string(kProbeBytes, '\n');
        probe.close();
        whole = static_cast<bool>(probe);
        std::filesystem::resize_file(temporary, size, code);
    }
    if (whole) {
        std::filesystem::rename(temporary, path, code);
        whole = !code;
    }
    if (!whole) {
        std::remove(temporary.c_str());
        throw UserError("cannot write '" + path + "': is the folder writable and the disk not full?");
    }
}

}  // namespace imssa
