#include "trainer/mode_comparison.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "models/common/error.h"

namespace imssa {
namespace {

namespace fs = std::filesystem;

class ModeComparisonTest : public testing::Test {
protected:
    ModeComparisonTest() {
        std::string pattern = (fs::temp_directory_path() / "imssa_modes_XXXXXX").string();
        folder = mkdtemp(pattern.data());
        options.out_folder = folder.string();
        options.quiet = true;
        options.threads = 1;
        TrainConfig& config = options.config;
        config.name = "tiny";
        config.data.name = "glyphs";
        config.data.train_count = 32;
        config.data.test_count = 20;
        config.model.layers = 2;
        config.model.heads = 4;
        config.model.states = 4;
        config.training.epochs = 1;
        config.training.batch = 16;
        config.finetune.calibration_sequences = 16;
        config.complete();
        options.init = run_training(options).checkpoints.back();
        config.fake_quantization.state.quantizer = Quantizer::max_scale;
        config.fake_quantization.state.scale = ScaleGranularity::head;
    }
    ~ModeComparisonTest() override { fs::remove_all(folder); }

    fs::path folder;
    TrainingOptions options;
};

TEST_F(ModeComparisonTest, BothModesApproachFloatWithMoreBits) {
    const std::vector<ModeComparisonRow> rows = compare_modes(options, {4, 10, 16}, 20);
    ASSERT_EQ(rows.size(), 3U);
    for (std::size_t at = 1; at < rows.size(); ++at) {
        EXPECT_LT(rows[at].recurrent_error, 0.2 * rows[at - 1].recurrent_error);
        EXPECT_LT(rows[at].convolution_error, 0.2 * rows[at - 1].convolution_error);
        EXPECT_LT(rows[at].state_error, 0.2 * rows[at - 1].state_error);
    }
    EXPECT_GT(rows[0].divergence, 0.01);
    EXPECT_LT(rows[2].divergence, 0.01);
    for (const ModeComparisonRow& row : rows) {
        EXPECT_LE(row.divergence, row.recurrent_error + row.convolution_error + 1e-6) << "triangle inequality";
    }
    std::ifstream file(folder / "tiny_modes.csv");
    std::string header, first;
    std::getline(file, header);
    std::getline(file, first);
    EXPECT_EQ(header.substr(0, 24), "bits,recurrent_accuracy,");
    EXPECT_EQ(first.substr(0, 2), "4,");
}

TEST_F(ModeComparisonTest, RefusesWhatCannotBeCompared) {
    EXPECT_THROW(compare_modes(options, {1}), UserError) << "half the levels of one bit";
    TrainingOptions without = options;
    without.init.reset();
    EXPECT_THROW(compare_modes(without, {4}), UserError);
    options.config.fake_quantization.state.quantizer = Quantizer::off;
    EXPECT_THROW(compare_modes(options, {4}), UserError);
    EXPECT_THROW(parse_bits("2,x"), UserError);
    EXPECT_EQ(parse_bits("2,10"), (std::vector<int>{2, 10}));
}

}  // namespace
}  // namespace imssa
