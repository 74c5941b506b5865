// Runs the executables as a user does, on a small model that is trained on generated digits first.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>

namespace {

namespace fs = std::filesystem;

struct CommandResult {
    int status = 0;
    std::string output;  ///< stdout and stderr
};

CommandResult run(const std::string& command) {
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

std::string read_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

class CommandLine : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = fs::temp_directory_path() / ("imssa_command_line_" + std::to_string(::getpid()));
        fs::create_directories(folder_);
        const CommandResult trained =
            run(binary("train") + " --config " + source("scenarios/glyphs_small.toml") +
                " --set data.train_count=256 --set data.test_count=64 --set model.heads=6 --set model.states=8"
                " --set training.epochs=1 --set finetune.epochs=1 --set training.calibration_sequences=64"
                " --set finetune.calibration_sequences=64 --threads 1 --quiet --out " +
                folder_.string());
        ASSERT_EQ(trained.status, 0) << trained.output;
    }
    static void TearDownTestSuite() { fs::remove_all(folder_); }

    static std::string binary(const std::string& name) { return std::string(IMSSA_BINARY_DIR) + "/" + name; }
    static std::string source(const std::string& path) { return std::string(IMSSA_SOURCE_DIR) + "/" + path; }
    static std::string checkpoint() { return (folder_ / "glyphs_small_8bit.h5").string(); }
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
        const fs::path file = folder_ / "result.json";
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

    static fs::path folder_;
};
fs::path CommandLine::folder_;

constexpr const char* kFused =
    " --set kernel.mapping=fused --set kernel.input_matrix=cells --set kernel.state_scale=mode";

TEST_F(CommandLine, IdealChipMatchesTheReferenceForEveryFormLanesAndThreads) {
    const std::string fused = kFused;
    const std::string kernels[] = {
        "",
        " --set kernel.form=immediate --set kernel.input_matrix=cells",
        fused +
            " --set kernel.form=immediate --set kernel.representation=abar_cartesian --set kernel.registers=replace",
        fused + " --set kernel.form=delayed --set kernel.representation=abar_cartesian --set kernel.registers=replace",
        fused + " --set kernel.form=immediate --set kernel.rounding=dithered",
        fused + " --set kernel.form=delayed"};
    for (const std::string& kernel : kernels) {
        nlohmann::json first;
        for (const int lanes : {1, 7, 64}) {
            for (const int threads : {1, 2}) {
                const nlohmann::json result =
                    infer_json("ideal.toml", "--sequences 12 --lanes " + std::to_string(lanes) + " --threads " +
                                                 std::to_string(threads) + kernel);
                EXPECT_EQ(result.at("mismatched_codes"), 0) << kernel << " lanes " << lanes;
                EXPECT_GT(result.at("codes").at("state").at("compared"), 12 * 784 * 6 * 8 - 1);
                EXPECT_EQ(result.at("accuracy"), result.at("accuracy_reference"));
                if (first.is_null()) {
                    first = result;
                }
                EXPECT_EQ(result.at("latency_s"), first.at("latency_s"));
                EXPECT_EQ(result.at("accuracy"), first.at("accuracy"));
            }
        }
    }
}

TEST_F(CommandLine, BatchNormLastStepAndUnequalLengthsRunOnTheChipAndBehindTheBus) {
    const CommandResult trained =
        run(binary("train") + " --config " + source("scenarios/glyphs_rows.toml") +
            " --set data.train_count=256 --set data.test_count=32 --set model.heads=6 --set training.epochs=2"
            " --set finetune.epochs=1 --set finetune.calibration_sequences=64 --threads 1 --quiet --out " +
            folder_.string());
    ASSERT_EQ(trained.status, 0) << trained.output;
    const std::string options = " --checkpoint " + (folder_ / "glyphs_rows_8bit.h5").string() + " --chip " +
                                source("scenarios/chips/ideal.toml") + " --sequences 24 --quiet --json ";
    const fs::path on_chip = folder_ / "rows_chip.json";
    const fs::path on_bus = folder_ / "rows_bus.json";
    ASSERT_EQ(run(binary("infer") + options + on_chip.string()).status, 0);
    ASSERT_EQ(run(binary("platform") + options + on_bus.string()).status, 0);
    const nlohmann::json chip = nlohmann::json::parse(read_file(on_chip));
    const nlohmann::json bus = nlohmann::json::parse(read_file(on_bus));
    EXPECT_EQ(chip.at("mismatched_codes"), 0);
    EXPECT_GT(chip.at("compared_codes"), 24 * 28 * 6);
    for (std::size_t index = 0; index < 10; ++index) {
        EXPECT_EQ(chip.at("first_logits").at(index), bus.at("results").at(index).at("logits")) << index;
    }
}

TEST_F(CommandLine, APrunedNetworkTakesFewerArraysAndGivesTheSameLogits) {
    const CommandResult trained =
        run(binary("train") + " --config " + source("scenarios/glyphs_rows.toml") +
            " --set name=pruned --set data.train_count=256 --set data.test_count=32 --set model.heads=8"
            " --set training.epochs=1 --set finetune.epochs=1 --set finetune.calibration_sequences=64"
            " --set finetune.pruning.method=magnitude --set finetune.pruning.fraction=0.5"
            " --set finetune.checkpoint=pruned_8bit.h5 --threads 1 --quiet --out " +
            folder_.string());
    ASSERT_EQ(trained.status, 0) << trained.output;
    const auto result = [&](const std::string& pruned) {
        const fs::path file = folder_ / ("pruned_" + pruned + ".json");
        const CommandResult done =
            run(binary("infer") + " --checkpoint " + (folder_ / "pruned_8bit.h5").string() + " --chip " +
                source("scenarios/chips/ideal.toml") + " --sequences 16 --quiet --set mapping.pruned=" + pruned +
                " --json " + file.string());
        EXPECT_EQ(done.status, 0) << done.output;
        return nlohmann::json::parse(read_file(file));
    };
    const nlohmann::json kept = result("kept");
    const nlohmann::json removed = result("removed");
    EXPECT_EQ(kept.at("kernels").at("on_chip"), 16);
    EXPECT_EQ(removed.at("kernels").at("on_chip"), 8);
    EXPECT_EQ(removed.at("mismatched_codes"), 0);
    EXPECT_EQ(removed.at("first_logits"), kept.at("first_logits"));
    EXPECT_EQ(removed.at("accuracy"), kept.at("accuracy"));
    EXPECT_LT(removed.at("area_mm2").at("total").get<double>(), kept.at("area_mm2").at("total").get<double>());
    EXPECT_LT(removed.at("energy_j").at("sequence").get<double>(), kept.at("energy_j").at("sequence").get<double>());
}

TEST_F(CommandLine, SameSeedGivesTheSameResultToTheBitForAnyNumberOfWorkers) {
    nlohmann::json one = infer_json("imssa_28nm.toml", "--sequences 40 --chips 2 --lanes 8 --threads 1 --seed 5");
    nlohmann::json two = infer_json("imssa_28nm.toml", "--sequences 40 --chips 2 --lanes 8 --threads 2 --seed 5");
    const nlohmann::json other =
        infer_json("imssa_28nm.toml", "--sequences 40 --chips 2 --lanes 8 --threads 2 --seed 6");
    EXPECT_GT(one.at("mismatched_codes"), 0);
    EXPECT_NE(one.at("mismatched_codes"), other.at("mismatched_codes"));
    one.erase("simulation");
    two.erase("simulation");
    EXPECT_EQ(one, two);
}

TEST_F(CommandLine, WithEveryErrorTheResultIsTheSameForAnyNumberOfLanesAndWorkers) {
    const std::string errors =
        " --set wires.row_ohm_per_cell=2.0 --set wires.column_ohm_per_cell=2.0 --set read.thermal_noise=true"
        " --set read.shot_noise=true --set read.iv_cubic_per_volt2=0.3 --set dac.gain_sigma=0.01"
        " --set adc.input_noise_codes=0.3 --set adc.offset_sigma_codes=1.0 --set adc.gain_sigma=0.01"
        " --set adc.unit_mismatch_sigma=0.02 --set device.stuck_low_fraction=0.001 --set mapping.packing=diagonal";
    nlohmann::json first;
    for (const auto& [lanes, threads] : {std::pair{23, 1}, {7, 3}, {16, 2}, {1, 2}}) {
        nlohmann::json result = infer_json("imssa_28nm.toml", "--sequences 23 --lanes " + std::to_string(lanes) +
                                                                  " --threads " + std::to_string(threads) + errors);
        EXPECT_GT(result.at("mismatched_codes"), 0);
        result.erase("simulation");
        if (first.is_null()) {
            first = result;
        }
        EXPECT_EQ(result, first) << "lanes " << lanes << ", workers " << threads;
    }
}

TEST_F(CommandLine, EnergyRowsAddUpToTheTotal) {
    const nlohmann::json result = infer_json("imssa_28nm.toml", "--sequences 8 --lanes 8");
    double total = 0.0;
    for (const nlohmann::json& row : result.at("energy_j").at("rows")) {
        EXPECT_FALSE(row.at("source").get<std::string>().empty());
        EXPECT_GE(row.at("energy_per_sequence_j"), 0.0);
        total += row.at("energy_per_sequence_j").get<double>();
    }
    EXPECT_NEAR(total, result.at("energy_j").at("sequence").get<double>(), 1e-12 * total);
    EXPECT_GT(result.at("area_mm2").at("total"), 0.0);
}

TEST_F(CommandLine, LinesOfTheReportFitATerminal) {
    const CommandResult result = run(binary("infer") + " --checkpoint " + checkpoint() + " --chip " +
                                     source("scenarios/chips/imssa_28nm_delta.toml") + " --sequences 2");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("ADC complexity"), std::string::npos);
    std::istringstream lines(result.output);
    int number = 0;
    for (std::string line; std::getline(lines, line); ++number) {
        EXPECT_LE(line.size(), 120U) << line;
    }
    EXPECT_GT(number, 50);
}

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
    expect_user_error(train("--seed 99999999999999999999 --out " + (folder_ / "seed").string()), "whole number");
    expect_user_error(train("--json /proc/none/result.json --out " + (folder_ / "json").string()), "/proc/none");
    fs::create_directories(folder_ / "taken" / "glyphs_small.csv");
    expect_user_error(train("--out " + (folder_ / "taken").string()), "it is a folder");
}

/// A disk that is full, as far as a program can tell: no file may grow beyond some blocks of 1 KiB.
std::string on_a_full_disk(int blocks, const std::string& command) {
    return "bash -c \"trap '' XFSZ; ulimit -f " + std::to_string(blocks) + "; " + command + "\"";
}

TEST_F(CommandLine, AFullDiskIsOneLineAndLeavesNothingHalfWritten) {
    const fs::path folder = folder_ / "full";
    const fs::path waveform = folder / "wave.vcd";
    for (const int blocks : {0, 1, 8, 20}) {
        expect_user_error(on_a_full_disk(blocks, train("--out " + folder.string())), "cannot write");
        EXPECT_TRUE(fs::is_empty(folder)) << fs::directory_iterator(folder)->path();
        expect_user_error(on_a_full_disk(blocks, platform("ideal.toml", "--sequences 1 --vcd " + waveform.string())),
                          "cannot write");
        EXPECT_TRUE(fs::is_empty(folder)) << fs::directory_iterator(folder)->path();
    }
}

TEST_F(CommandLine, ACheckpointCutAnywhereIsOneLineAndStatusTwo) {
    const std::string whole = read_file(checkpoint());
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{10}, std::size_t{511}, std::size_t{513}, whole.size() / 2, whole.size() - 1}) {
        const fs::path cut = folder_ / "cut.h5";
        std::ofstream(cut, std::ios::binary) << whole.substr(0, size);
        expect_user_error(
            binary("infer") + " --checkpoint " + cut.string() + " --chip " + source("scenarios/chips/ideal.toml"),
            "cut.h5");
    }
}

TEST_F(CommandLine, WritesPicturesAndAWaveform) {
    const CommandResult result = run(infer("imssa_28nm.toml", "--sequences 4 --out " + (folder_ / "out").string() +
                                                                  " --vcd " + (folder_ / "wave.vcd").string()));
    ASSERT_EQ(result.status, 0) << result.output;
    for (const char* picture : {"imssa_28nm_confusion.png", "imssa_28nm_energy.png", "imssa_28nm_state.png"}) {
        EXPECT_GT(fs::file_size(folder_ / "out" / picture), 2000U) << picture;
    }
    EXPECT_GT(fs::file_size(folder_ / "wave.vcd"), 10000U);
}

TEST_F(CommandLine, EveryChipFileRunsTheModelAndReportsItsTiles) {
    for (const char* chip : {"ideal.toml", "imssa_180nm.toml", "imssa_28nm.toml", "imssa_28nm_fused.toml",
                             "imssa_28nm_delta.toml", "pcm_14nm.toml", "sram_65nm.toml", "sram_22nm.toml"}) {
        const nlohmann::json result = infer_json(chip, "--sequences 4 --lanes 4");
        EXPECT_EQ(result.at("sequences"), 4) << chip;
        EXPECT_GT(result.at("tiles").at("count"), 0) << chip;
        EXPECT_GT(result.at("tiles").at("utilisation"), 0.0) << chip;
        EXPECT_GT(result.at("energy_j").at("sequence"), 0.0) << chip;
    }
}

TEST_F(CommandLine, MappingOptionsKeepAnIdealChipExact) {
    for (const char* options :
         {"--set mapping.packing='\"diagonal\"'", "--set mapping.packing='\"row_gated\"' --set timing.kernel_sites=1",
          "--set mapping.split_heads=true --set mapping.tile_rows=10", "--set mapping.weight_slices=3",
          "--set mapping.kernel_output='\"digital\"' --set mapping.mixing_matrix='\"digital\"'",
          "--set timing.input_interval_cycles=100"}) {
        const nlohmann::json result = infer_json("ideal.toml", std::string("--sequences 4 --lanes 4 ") + options);
        EXPECT_EQ(result.at("mismatched_codes"), 0) << options;
    }
}

TEST_F(CommandLine, PoleCalibrationIsReportedWithItsPrice) {
    const nlohmann::json result = infer_json("imssa_28nm_delta.toml", "--sequences 4 --lanes 4");
    const nlohmann::json& calibration = result.at("programming").at("calibration");
    EXPECT_EQ(calibration.at("poles"), 2 * 6 * 4);
    EXPECT_GT(calibration.at("corrected_poles"), 0);
    EXPECT_GT(calibration.at("energy_j"), 0.0);
    EXPECT_GT(calibration.at("time_s"), 0.0);
    expect_user_error(infer("imssa_28nm.toml", "--set calibration.poles='\"stability\"'"), "fused");
}

TEST_F(CommandLine, AWaveformShowsWhatWasChosen) {
    const std::string all = (folder_ / "all.vcd").string();
    const std::string part = (folder_ / "part.vcd").string();
    ASSERT_EQ(run(infer("ideal.toml", "--sequences 1 --vcd " + all)).status, 0);
    ASSERT_EQ(run(infer("ideal.toml",
                        "--sequences 1 --vcd-layers 1 --vcd-heads 2,3 --vcd-modes 0 --vcd-from 10 "
                        "--vcd-to 12 --vcd " +
                            part))
                  .status,
              0);
    EXPECT_LT(fs::file_size(part), fs::file_size(all));
    const std::string text = read_file(part);
    EXPECT_NE(text.find("head3"), std::string::npos);
    EXPECT_EQ(text.find("head0"), std::string::npos);
    EXPECT_EQ(text.find("re_1 "), std::string::npos);
    expect_user_error(infer("ideal.toml", "--sequences 1 --vcd-heads 99 --vcd " + part), "head 99");
    expect_user_error(infer("ideal.toml", "--sequences 1 --vcd-from 9 --vcd-to 3 --vcd " + part), "steps 9 to 3");
}

TEST_F(CommandLine, InspectShowsModelChipResultAndPoles) {
    const fs::path json = folder_ / "inspected.json";
    ASSERT_EQ(run(infer("imssa_28nm_fused.toml", "--sequences 4 --json " + json.string())).status, 0);
    const CommandResult inspected = run(binary("inspect") + " --checkpoint " + checkpoint() + " --chip " +
                                        source("scenarios/chips/imssa_28nm_fused.toml") + " --result " + json.string() +
                                        " --out " + (folder_ / "inspect").string());
    ASSERT_EQ(inspected.status, 0) << inspected.output;
    for (const char* part : {"parameters", "poles", "head0.tile", "programming_sigma_siemens", "accuracy"}) {
        EXPECT_NE(inspected.output.find(part), std::string::npos) << part;
    }
    EXPECT_GT(fs::file_size(folder_ / "inspect" / "imssa_28nm_fused_poles.png"), 2000U);
    EXPECT_GT(fs::file_size(folder_ / "inspect" / "imssa_28nm_fused_tile.png"), 2000U);
    expect_user_error(binary("inspect"), "nothing to inspect");
    expect_user_error(binary("inspect") + " --result missing.json", "missing.json");
}

TEST_F(CommandLine, AHostOnTheBusReadsTheLogitsOfInfer) {
    const std::string digital =
        " --set mapping.encoder=digital --set mapping.decoder=digital --set mapping.mixing_matrix=digital"
        " --set mapping.kernel_output=digital";
    for (const auto& [chip, options] :
         {std::pair<std::string, std::string>{"ideal.toml", ""}, {"imssa_28nm.toml", ""}, {"ideal.toml", digital}}) {
        const nlohmann::json inferred = infer_json(chip, "--sequences 10 --seed 3" + options);
        const fs::path file = folder_ / "platform.json";
        const CommandResult driven = run(platform(chip, "--sequences 10 --seed 3 --json " + file.string() + options));
        ASSERT_EQ(driven.status, 0) << driven.output;
        const nlohmann::json platform = nlohmann::json::parse(read_file(file));
        ASSERT_EQ(platform.at("results").size(), 10U);
        for (std::size_t index = 0; index < 10; ++index) {
            EXPECT_EQ(platform.at("results").at(index).at("logits"), inferred.at("first_logits").at(index)) << chip;
        }
    }
}

TEST_F(CommandLine, HelpTeaches) {
    for (const char* program : {"infer", "train", "inspect"}) {
        const CommandResult help = run(binary(program) + " --help");
        EXPECT_EQ(help.status, 0);
        EXPECT_NE(help.output.find("examples:"), std::string::npos);
        EXPECT_NE(help.output.find("exit status"), std::string::npos);
    }
}

TEST_F(CommandLine, ExplainedRowsAreCountTimesUnitCostAndAddUpToTheTotalToTheBit) {
    const CommandResult result =
        run(binary("infer") + " --checkpoint " + checkpoint() + " --chip " + source("scenarios/chips/imssa_28nm.toml") +
            " --sequences 3 --threads 1 --no-compare --explain energy");
    ASSERT_EQ(result.status, 0) << result.output;
    std::istringstream lines(result.output);
    std::string line;
    double sum = 0.0;
    double total = -1.0;
    int rows = 0;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string unit, item;
        words >> unit >> item;
        if (line.rfind("chip.", 0) == 0 && rows >= 0) {
            if (item == "leakage") {
                std::string of, component;
                words >> of >> component;
            }
            double count = 0.0, cost = 0.0, energy = 0.0, low = 0.0, high = 0.0;
            words >> count >> cost >> energy >> low >> high;
            EXPECT_NEAR(energy, count * cost, 1e-14 * energy) << line;
            EXPECT_LE(low, energy * 1.001) << line;
            EXPECT_GE(high, energy * 0.999) << line;
            EXPECT_NE(line.find(", not calibrated]"), std::string::npos) << line;
            sum += energy;
            ++rows;
        } else if (line.rfind("sum of the rows", 0) == 0) {
            std::istringstream(line.substr(15)) >> total;
        }
    }
    EXPECT_GT(rows, 100);
    EXPECT_EQ(sum, total);
    EXPECT_NE(result.output.find("per sequence, by phase of a step"), std::string::npos);
    EXPECT_NE(result.output.find("operations counted"), std::string::npos);
}

TEST_F(CommandLine, InspectExplainsEveryRowOfAResultAndOfADesign) {
    const fs::path file = folder_ / "explained.json";
    const std::string design = " --checkpoint " + source("scenarios/checkpoints/glyphs_small_8bit.h5") + " --chip " +
                               source("scenarios/chips/imssa_28nm.toml");
    const CommandResult made = run(binary("infer") + design + " --engine estimate --quiet --json " + file.string());
    ASSERT_EQ(made.status, 0) << made.output;
    const nlohmann::json result = nlohmann::json::parse(read_file(file));
    const auto sum_of = [](const std::string& output) {
        std::size_t rows = 0;
        double total = 0.0;
        std::istringstream lines(output);
        for (std::string line; std::getline(lines, line);) {
            rows += line.rfind("chip.", 0) == 0 ? 1 : 0;
            if (line.rfind("sum of the rows", 0) == 0) {
                std::istringstream(line.substr(15)) >> total;
            }
        }
        return std::pair(rows, total);
    };
    const double energy = result.at("energy_j").at("sequence");
    const double area = result.at("area_mm2").at("total");
    for (const auto& [what, total, rows] : {std::tuple("energy", energy, result.at("energy_j").at("rows").size()),
                                            std::tuple("area", area, result.at("area_mm2").at("rows").size())}) {
        const CommandResult of_result = run(binary("inspect") + " --result " + file.string() + " --explain " + what);
        EXPECT_EQ(sum_of(of_result.output), std::pair(rows, total)) << what;
        const CommandResult of_design = run(binary("inspect") + design + " --explain " + what);
        EXPECT_EQ(sum_of(of_design.output), std::pair(rows, total)) << what;
    }
    expect_user_error(binary("inspect") + " --chip " + source("scenarios/chips/ideal.toml") + " --explain energy",
                      "--explain needs --result");
}

TEST_F(CommandLine, ValidationPageIsWhatTheMacrosGiveAndIsNeverHalfWritten) {
    const fs::path page = folder_ / "validation.md";
    const CommandResult made =
        run(binary("validate_costs") + " --macros " + source("scenarios/macros") + " --out " + page.string());
    EXPECT_EQ(made.status, 0) << made.output;
    EXPECT_EQ(read_file(page), read_file(source("docs/results/cost-validation.md")))
        << "make it again: validate_costs --out docs/results/cost-validation.md";
    const fs::path macros = folder_ / "macros";
    fs::create_directories(macros);
    std::ofstream(macros / "mine.toml") << "name = \"mine\"\ntechnology_nm = 28\nv_supply_volt = 0.9\n[[component]]\n"
                                           "name = \"adc\"\nmodel = \"adc_survey_sar\"\nparameters = { bits = 8 }\n"
                                           "[[point]]\nname = \"read\"\ncounts = [64]\nmeasured_total_j = 1e-10\n";
    expect_user_error(
        binary("validate_costs") + " --macros " + macros.string() + " --out " + (macros / "page.md").string(),
        "macro mine, component adc: the model 'adc_survey_sar' needs rate_hz");
    EXPECT_FALSE(fs::exists(macros / "page.md"));
}

TEST_F(CommandLine, EstimateHasTheLatencyAndAreaOfTheSimulationAndItsEnergyWithinThreePercent) {
    for (const char* chip : {"imssa_28nm.toml", "imssa_28nm_fused.toml"}) {
        const auto result = [chip](const std::string& options) {
            const fs::path file = folder_ / "estimate.json";
            const CommandResult done =
                run(binary("infer") + " --checkpoint " + source("scenarios/checkpoints/glyphs_small_8bit.h5") +
                    " --chip " + source(std::string("scenarios/chips/") + chip) +
                    " --sequences 32 --threads 1 --quiet " + options + " --json " + file.string());
            EXPECT_EQ(done.status, 0) << done.output;
            return nlohmann::json::parse(read_file(file));
        };
        const std::string activity = (folder_ / "activity.toml").string();
        const nlohmann::json simulated = result("--no-compare --write-activity " + activity);
        const nlohmann::json estimate = result("--engine estimate");
        const nlohmann::json informed = result("--engine estimate --activity " + activity);
        EXPECT_EQ(estimate.at("engine"), "estimate");
        EXPECT_FALSE(estimate.contains("accuracy"));
        EXPECT_EQ(estimate.at("latency_s"), simulated.at("latency_s"));
        EXPECT_EQ(estimate.at("throughput_sequences_per_s"), simulated.at("throughput_sequences_per_s"));
        EXPECT_EQ(estimate.at("area_mm2"), simulated.at("area_mm2"));
        const double energy = simulated.at("energy_j").at("sequence");
        EXPECT_NEAR(estimate.at("energy_j").at("sequence").get<double>(), energy, 0.03 * energy) << chip;
        EXPECT_NEAR(informed.at("energy_j").at("sequence").get<double>(), energy, 1e-4 * energy) << chip;
        const nlohmann::json& draws = estimate.at("energy_j").at("monte_carlo");
        EXPECT_LT(draws.at("quantile_05_j"), draws.at("median_j"));
        EXPECT_LT(draws.at("median_j"), draws.at("quantile_95_j"));
        EXPECT_EQ(estimate.at("baselines").at("computed").size(), 2U);
    }
    expect_user_error(infer("ideal.toml", "--activity nowhere.toml"), "--activity needs --engine estimate");
    expect_user_error(infer("ideal.toml", "--engine estimate --activity nowhere.toml"), "nowhere.toml");
}

TEST_F(CommandLine, EstimateOfEveryChipAndMappingIsWithinThreePercentOfTheSimulation) {
    const std::string fused = kFused;
    const std::string increments = fused + " --set kernel.form=immediate";
    const std::pair<const char*, std::string> designs[] = {
        {"imssa_28nm_delta.toml", ""},
        {"imssa_28nm_delta.toml", " --set mapping.kernel_input=digital"},
        {"ideal.toml", fused + " --set kernel.form=delayed --set kernel.representation=abar_cartesian --set "
                               "kernel.registers=replace --set kernel.rounding=dithered"},
        {"imssa_28nm_fused.toml", " --set device.programming_sigma_siemens=1.5e-6"},
        {"imssa_180nm.toml", ""},
        {"pcm_14nm.toml", ""},
        {"sram_65nm.toml", ""},
        {"sram_22nm.toml", ""},
        {"ideal.toml",
         " --set kernel.form=immediate --set kernel.input_matrix=cells --set mapping.weight_slices=2 "
         "--set mapping.tile_columns=128"},
        {"ideal.toml",
         " --set kernel.form=immediate --set kernel.input_matrix=cells --set mapping.kernel_input="
         "digital --set timing.double_buffering=true --set mapping.packing=row_gated"},
        {"ideal.toml", increments + " --set mapping.packing=diagonal --set mapping.cells_per_weight=2"},
        {"ideal.toml", increments + " --set mapping.tile_rows=18 --set mapping.split_heads=true --set "
                                    "timing.input_interval_cycles=90"},
        {"ideal.toml", increments + " --set mapping.packing=row_gated --set timing.kernel_sites=2 --set "
                                    "calibration.poles=stability --set calibration.reads_per_mode=16"},
    };
    for (const auto& [chip, options] : designs) {
        SCOPED_TRACE(chip + options);
        const auto result = [&, name = chip](const std::string& more) {
            const fs::path file = folder_ / "estimate.json";
            const CommandResult done =
                run(binary("infer") + " --checkpoint " + source("scenarios/checkpoints/glyphs_small_8bit.h5") +
                    " --chip " + source(std::string("scenarios/chips/") + name) +
                    " --sequences 2 --threads 1 --quiet --no-compare" + options + more + " --json " + file.string());
            EXPECT_EQ(done.status, 0) << done.output;
            return nlohmann::json::parse(read_file(file));
        };
        const nlohmann::json simulated = result("");
        const nlohmann::json estimate = result(" --engine estimate");
        EXPECT_EQ(estimate.at("latency_s"), simulated.at("latency_s"));
        EXPECT_EQ(estimate.at("throughput_sequences_per_s"), simulated.at("throughput_sequences_per_s"));
        EXPECT_DOUBLE_EQ(estimate.at("area_mm2").at("total"), simulated.at("area_mm2").at("total"));
        const double energy = simulated.at("energy_j").at("sequence");
        EXPECT_NEAR(estimate.at("energy_j").at("sequence"), energy, 0.03 * energy);
    }
}

TEST_F(CommandLine, PowerOverTimeIntegratesToTheEnergyOfTheSequence) {
    const fs::path csv = folder_ / "power.csv";
    const fs::path vcd = folder_ / "power.vcd";
    const nlohmann::json result = infer_json(
        "imssa_28nm.toml", "--sequences 1 --lanes 1 --no-compare --power " + csv.string() + " --power " + vcd.string());
    std::istringstream lines(read_file(csv));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line.rfind("time_s,adc_w,", 0), 0U) << line;
    double sum_w = 0.0;
    double first_s = -1.0;
    double bin_s = 0.0;
    while (std::getline(lines, line)) {
        std::vector<double> values;
        std::istringstream cells(line);
        for (std::string cell; std::getline(cells, cell, ',');) {
            values.push_back(std::stod(cell));
        }
        ASSERT_EQ(values.size(), 14U);
        sum_w += values[13] - values[12];  // all but leakage
        bin_s = first_s >= 0.0 && bin_s == 0.0 ? values[0] - first_s : bin_s;
        first_s = first_s < 0.0 ? values[0] : first_s;
    }
    const nlohmann::json& energy = result.at("energy_j");
    const double dynamic = energy.at("sequence").get<double>() - energy.at("by_component").at("leakage").get<double>();
    EXPECT_NEAR(sum_w * bin_s, dynamic, 1e-6 * dynamic);
    const std::string waveform = read_file(vcd);
    EXPECT_NE(waveform.find("$var real 64 ! adc $end"), std::string::npos);
    EXPECT_EQ(waveform.find("nan"), std::string::npos);
}

}  // namespace
