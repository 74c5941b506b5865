#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace imssa::testing {

namespace fs = std::filesystem;

struct CommandResult {
    int status = 0;
    std::string output;  ///< stdout and stderr
};

inline CommandResult run(const std::string& command) {
    CommandResult result;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    char buffer[4096];
    std::size_t size = 0;
    while ((size = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
        result.output.append(buffer, size);
    }
    const int status = ::pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

inline std::string read_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// Runs the executables as a user does, on a small model that is trained on generated digits first.
class CommandLine : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        shared_folder = fs::temp_directory_path() / ("imssa_command_line_" + std::to_string(::getpid()));
        fs::create_directories(shared_folder);
        const CommandResult trained =
            run(binary("train") + " --config " + source("scenarios/glyphs_small.toml") +
                " --set data.train_count=256 --set data.test_count=64 --set model.heads=6 --set model.states=8"
                " --set training.epochs=1 --set finetune.epochs=1 --set training.calibration_sequences=64"
                " --set finetune.calibration_sequences=64 --threads 1 --quiet --out " +
                shared_folder.string());
        ASSERT_EQ(trained.status, 0) << trained.output;
    }
    static void TearDownTestSuite() { fs::remove_all(shared_folder); }

    static std::string binary(const std::string& name) { return std::string(IMSSA_BINARY_DIR) + "/" + name; }
    static std::string source(const std::string& path) { return std::string(IMSSA_SOURCE_DIR) + "/" + path; }
    static std::string checkpoint() { return (shared_folder / "glyphs_small_8bit.h5").string(); }
    static std::string infer(const std::string& chip, const std::string& options) {
        return binary("infer") + " --checkpoint " + checkpoint() + " --chip " + source("scenarios/chips/" + chip) +
               " --quiet " + options;
    }
    static std::string platform(const std::string& chip, const std::string& options) {
        return binary("platform") + " --checkpoint " + checkpoint() + " --chip " + source("scenarios/chips/" + chip) +
               " --quiet " + options;
    }
    /// One epoch of a tiny model.
    static std::string train(const std::string& options) {
        return binary("train") + " --config " + source("scenarios/glyphs_small.toml") +
               " --set data.train_count=64 --set data.test_count=16 --set model.heads=6 --set model.states=8"
               " --set training.epochs=1 --set finetune.epochs=0 --threads 1 --quiet " +
               options;
    }
    static nlohmann::json infer_json(const std::string& chip, const std::string& options) {
        const fs::path file = shared_folder / "result.json";
        const CommandResult result = run(infer(chip, options + " --json " + file.string()));
        EXPECT_EQ(result.status, 0) << result.output;
        return nlohmann::json::parse(read_file(file));
    }
    /// One line on stderr that begins with "error:" and holds `needle`; exit status 2.
    static void expect_user_error(const std::string& command, const std::string& needle) {
        const CommandResult result = run(command);
        EXPECT_EQ(result.status, 2) << command << '\n' << result.output;
        EXPECT_EQ(result.output.rfind("error:", 0), 0U) << result.output;
        EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
        EXPECT_NE(result.output.find(needle), std::string::npos) << result.output;
    }

    static inline fs::path shared_folder;
};

inline constexpr const char* kFused =
    " --set kernel.mapping=fused --set kernel.input_matrix=cells --set kernel.state_scale=mode";

}  // namespace imssa::testing
