// Mistakes, full disks and cut files end with one line.
#include "tests/scenarios/command_line.h"

namespace imssa::testing {
namespace {

TEST_F(CommandLine, MistakesEndWithOneLineAndStatusTwo) {
    expect_user_error(infer("ideal.toml", "--set timing.clok_hz=1e8"), "clok_hz");
    expect_user_error(infer("ideal.toml", "--set timing.clock_hz=fast"), "clock_hz");
    expect_user_error(infer("ideal.toml", "--set mapping.tile_rows=8"), "tile");
    expect_user_error(infer("missing.toml", ""), "missing.toml");
    expect_user_error(infer("ideal.toml", "--json /proc/none/result.json"), "/proc/none");
    expect_user_error(infer("ideal.toml", "--sequences -3"), "sequences");
    expect_user_error(binary("infer") + " --checkpoint missing.h5 --chip " + source("scenarios/chips/ideal.toml"),
                      "missing.h5");
    expect_user_error(binary("infer") + " --chip " + source("scenarios/chips/ideal.toml"), "checkpoint");
    expect_user_error(infer("ideal.toml", std::string(kFused)), "form");
    expect_user_error(infer("ideal.toml", "--set read.t_read_s=1e30"), "t_read_s");
    expect_user_error(infer("ideal.toml", "--set read.t_read_s=1e-3 --set timing.clock_hz=1e11"), "t_read_s");
    expect_user_error(platform("ideal.toml", "--seed -1"), "whole number");
    expect_user_error(train("--seed 99999999999999999999 --out " + (shared_folder / "seed").string()), "whole number");
    expect_user_error(train("--json /proc/none/result.json --out " + (shared_folder / "json").string()), "/proc/none");
    expect_user_error(infer("ideal.toml", "--split validation"), "without a validation split");
    expect_user_error(binary("infer") + " --checkpoint /dev/zero", "no regular file");
    expect_user_error(binary("inspect") + " --chip /dev/zero", "is a device");
    fs::create_directories(shared_folder / "taken" / "glyphs_small.csv");
    expect_user_error(train("--out " + (shared_folder / "taken").string()), "it is a folder");
}

/// A disk that is full, as far as a program can tell: no file may grow beyond some blocks of 1 KiB.
std::string on_a_full_disk(int blocks, const std::string& command) {
    return "bash -c \"trap '' XFSZ; ulimit -f " + std::to_string(blocks) + "; " + command + "\"";
}

TEST_F(CommandLine, AFullDiskIsOneLineAndLeavesNothingHalfWritten) {
    const fs::path folder = shared_folder / "full";
    const fs::path waveform = folder / "wave.vcd";
    for (const int blocks : {0, 1, 8, 20}) {
        expect_user_error(on_a_full_disk(blocks, train("--out " + folder.string())), "cannot write");
        EXPECT_TRUE(fs::is_empty(folder)) << fs::directory_iterator(folder)->path();
        expect_user_error(on_a_full_disk(blocks, platform("ideal.toml", "--sequences 1 --vcd " + waveform.string())),
                          "cannot write");
        EXPECT_TRUE(fs::is_empty(folder)) << fs::directory_iterator(folder)->path();
    }
}

TEST_F(CommandLine, WithoutGnuplotTheResultIsThereAndTheErrorSaysWhatIsMissing) {
    const fs::path tools = shared_folder / "tools";
    fs::create_directories(tools);
    const fs::path json = shared_folder / "no_pictures.json";
    for (int trial = 0; trial < 5; ++trial) {
        fs::remove(json);
        expect_user_error("env PATH=" + tools.string() + " " +
                              infer("ideal.toml", "--sequences 2 --out " + (shared_folder / "no_pictures").string() +
                                                      " --json " + json.string()),
                          "gnuplot-nox");
        EXPECT_EQ(nlohmann::json::parse(read_file(json)).at("sequences"), 2);
    }
}

TEST_F(CommandLine, ACheckpointCutAnywhereIsOneLineAndStatusTwo) {
    const std::string whole = read_file(checkpoint());
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{10}, std::size_t{511}, std::size_t{513}, whole.size() / 2, whole.size() - 1}) {
        const fs::path cut = shared_folder / "cut.h5";
        std::ofstream(cut, std::ios::binary) << whole.substr(0, size);
        expect_user_error(
            binary("infer") + " --checkpoint " + cut.string() + " --chip " + source("scenarios/chips/ideal.toml"),
            "cut.h5");
    }
}

}  // namespace
}  // namespace imssa::testing
