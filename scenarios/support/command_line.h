#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace imssa {

/// Options that every executable has.
struct CommonOptions {
    std::vector<std::string> overrides;  ///< --set key=value
    std::optional<std::string> data;     ///< --data DIR
    std::string out;                     ///< --out DIR
    std::uint64_t seed = 1;
    int threads = 0;   ///< 0: as many as the machine has
    std::string json;  ///< --json FILE
    bool quiet = false;

    int worker_count() const;
};

/// Adds --set, --data, --out, --seed, --threads, --json, --quiet and --version.
void add_common_options(CLI::App& app, CommonOptions& options);

/// Parses the command line and runs the body. A user's mistake becomes one line on stderr and exit status 2; a fault of
/// ours is named as such, exit status 70.
int run_command(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// Writes text to a file through a temporary file beside it, so that nothing half-written is left (to devices and pipes
/// directly). Creates folders.
/// Throws UserError when the place cannot be written.
void write_file_atomically(const std::string& path, const std::string& text);

/// Renames a file that a library has written without reporting errors, after a check that the disk was not full. Throws
/// UserError and removes the temporary file otherwise.
void commit_streamed_file(const std::string& temporary, const std::string& path);

/// Creates a folder for output; throws UserError when that fails.
void create_output_folder(const std::string& path);

}  // namespace imssa
