// Options of train that measure and quantize trained models.
#include "tests/scenarios/command_line.h"

namespace imssa::testing {
namespace {

class TrainCommand : public CommandLine {
protected:
    static std::string float_checkpoint() { return (shared_folder / "glyphs_small_float.h5").string(); }
    /// Of the model that all tests share; evaluation alone unless told otherwise.
    static std::string train_shared(const std::string& folder, const std::string& options) {
        return binary("train") + " --config " + source("scenarios/glyphs_small.toml") +
               " --set data.train_count=64 --set data.test_count=16 --set model.heads=6 --set model.states=8"
               " --set training.calibration_sequences=16 --set finetune.calibration_sequences=16 --threads 1 --out " +
               (shared_folder / folder).string() + " " + options;
    }
    static std::string evaluate(const std::string& folder, const std::string& options) {
        return train_shared(folder, "--quiet --init " + float_checkpoint() + " " + options);
    }
};

TEST_F(TrainCommand, QuantizationWithoutTrainingWritesItsResult) {
    const fs::path json = shared_folder / "ptq" / "result.json";
    const CommandResult result = run(evaluate("ptq", "--ptq --json " + json.string()));
    ASSERT_EQ(result.status, 0) << result.output;
    const nlohmann::json written = nlohmann::json::parse(read_file(json));
    EXPECT_EQ(written.at("format"), "imssa-train");
    EXPECT_EQ(written.at("sequences"), 16);
    EXPECT_EQ(written.at("accuracy"), written.at("post_training").at("accuracy"));
    EXPECT_TRUE(written.at("post_training").contains("float_accuracy"));
    EXPECT_EQ(written.at("checkpoints").at(0), (shared_folder / "ptq" / "glyphs_small_ptq.h5").string());
}

TEST_F(TrainCommand, QuantizationWithoutTrainingRefusesWhatItWouldIgnore) {
    const std::pair<const char*, const char*> cases[] = {
        {"--ptq --resume", "--resume"},
        {"--ptq --set finetune.pruning.method=magnitude", "prunes nothing"},
        {"--ptq --set fake_quantization.c.quantizer=max_scale", "'fake_quantized'"},
        {"--ptq --draws 3", "--noise-sweep"},
        {"--ptq --set fake_quantization.c.bits=4", "has no effect"},
    };
    for (const auto& [options, reason] : cases) {
        expect_user_error(evaluate("refused", options), reason);
    }
    expect_user_error(evaluate("refused", "--noise-sweep input=0,0.1,11 --noise-sweep input=0"), "");
    EXPECT_FALSE(fs::exists(shared_folder / "refused" / "glyphs_small_ptq.h5"));
    EXPECT_FALSE(fs::exists(shared_folder / "refused" / "glyphs_small_noise_sweep.csv"));
    const std::string log = (shared_folder / "refused" / "glyphs_small.csv").string();
    expect_user_error(train_shared("refused", "--quiet --json " + log), "a file of the run itself");
}

constexpr const char* kSweep =
    " --set finetune.precision=fake_quantized --set fake_quantization.state.quantizer=max_scale";

TEST_F(TrainCommand, KeysOfEvaluationMeasureAsTheFlagsDo) {
    const std::string sweep = std::string(kSweep) + " --set data.train_count=32";
    const CommandResult by_flags =
        run(evaluate("flags", sweep + " --noise-sweep input=0,0.1 --draws 2 --compare-modes 4,8"));
    ASSERT_EQ(by_flags.status, 0) << by_flags.output;
    const std::string keys = sweep +
                             " --set 'evaluation.noise_sweep=[\"input=0,0.1\"]' --set evaluation.draws=2"
                             " --set 'evaluation.compare_modes=[4,8]'";
    const fs::path json = shared_folder / "keys" / "result.json";
    const CommandResult by_keys = run(evaluate("keys", keys + " --json " + json.string()));
    ASSERT_EQ(by_keys.status, 0) << by_keys.output;
    for (const char* name : {"glyphs_small_noise_sweep.csv", "glyphs_small_modes.csv"}) {
        EXPECT_FALSE(read_file(shared_folder / "flags" / name).empty()) << name;
        EXPECT_EQ(read_file(shared_folder / "flags" / name), read_file(shared_folder / "keys" / name)) << name;
    }
    const nlohmann::json written = nlohmann::json::parse(read_file(json));
    EXPECT_EQ(written.at("noise_sweeps").at(0).at("rows").size(), 2U);
    EXPECT_EQ(written.at("mode_comparison").at(1).at("bits"), 8);
    // A flag goes over the key; several sweeps have a file each.
    const CommandResult both =
        run(evaluate("both", keys + " --noise-sweep states=0,0.01 --noise-sweep input=0.2 --compare-modes 6"));
    ASSERT_EQ(both.status, 0) << both.output;
    EXPECT_FALSE(fs::exists(shared_folder / "both" / "glyphs_small_noise_sweep.csv"));
    EXPECT_EQ(read_file(shared_folder / "both" / "glyphs_small_noise_sweep_states.csv").rfind("states,", 0), 0U);
    EXPECT_EQ(read_file(shared_folder / "both" / "glyphs_small_noise_sweep_input.csv").rfind("input,", 0), 0U);
    expect_user_error(evaluate("both", "--set 'evaluation.noise_sweep=[\"gain=1\"]'"), "noise sweep over 'gain'");
    expect_user_error(evaluate("both", "--set evaluation.bits=3"), "evaluation.bits");
}

TEST_F(TrainCommand, KeysOfEvaluationMeasureWhatTheRunHasTrained) {
    const fs::path json = shared_folder / "trained" / "result.json";
    const std::string keys =
        " --set 'evaluation.noise_sweep=[\"input=0,0.1\"]' --set evaluation.draws=1"
        " --set finetune.epochs=0 --quiet --json " +
        json.string();
    const CommandResult trained = run(train_shared("trained", keys));
    ASSERT_EQ(trained.status, 0) << trained.output;
    const nlohmann::json written = nlohmann::json::parse(read_file(json));
    EXPECT_FALSE(written.at("history").empty());
    EXPECT_EQ(written.at("noise_sweeps").at(0).at("error"), "input");
    expect_user_error(train_shared("refused",
                                   "--quiet --set training.epochs=50 --set "
                                   "'evaluation.noise_sweep=[\"input=11\"]'"),
                      "at input=11");
    EXPECT_FALSE(fs::exists(shared_folder / "refused" / "glyphs_small_float.h5")) << "refused before training";
}

}  // namespace
}  // namespace imssa::testing
