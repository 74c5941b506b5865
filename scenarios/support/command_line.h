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

/// What executables say when memory runs out.
constexpr char kOutOfMemory[] =
    "not enough memory for this run; lower --sequences, --lanes, or the size of the model or its tiles";

/// Refuses signs and numbers beyond 64 bits, which the conversion would wrap around.
CLI::Validator whole_number();

/// Adds --set, --data, --out, --seed, --threads, --json, --quiet and --version.
void add_common_options(CLI::App& app, CommonOptions& options);

/// Parses the command line and runs the body. A user's mistake becomes one line on stderr and exit status 2; a fault of
/// ours is named as such, exit status 70.
int run_command(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace imssa
