#include "trainer/stored_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "models/common/error.h"

namespace imssa {
namespace {

namespace fs = std::filesystem;

/// Runs of a tiny model that begin with one of two checkpoints.
class StoredRun : public testing::Test {
protected:
    StoredRun() {
        std::string pattern = (fs::temp_directory_path() / "imssa_stored_XXXXXX").string();
        folder = mkdtemp(pattern.data());
        options.quiet = true;
        TrainConfig& config = options.config;
        config.name = "tiny";
        config.data.name = "glyphs";
        config.data.train_count = 32;
        config.data.test_count = 16;
        config.model.layers = 1;
        config.model.heads = 3;
        config.model.states = 4;
        config.training.epochs = 1;
        config.training.batch = 16;
        config.training.warmup_steps = 2;
        config.training.calibration_sequences = 16;
        config.finetune = config.training;
        config.finetune.epochs = 0;
        config.finetune.precision = Precision::quantized;
        config.complete();
        for (const char* name : {"first", "second"}) {
            TrainingOptions run = options;
            run.config.seed = static_cast<unsigned char>(name[0]);
            run.out_folder = file(name);
            init.push_back(run_training(run).checkpoints.back());
        }
        options.config.training.epochs = 0;
        options.config.finetune.epochs = 1;
        options.out_folder = file("out");
    }
    ~StoredRun() override { fs::remove_all(folder); }

    std::string file(const std::string& name) const { return (folder / name).string(); }
    std::string refusal() const {
        try {
            stored_checkpoint(options);
        } catch (const UserError& error) {
            return error.what();
        }
        return "";
    }

    fs::path folder;
    TrainingOptions options;
    std::vector<std::string> init;
};

TEST_F(StoredRun, ThatBeganWithOtherParametersIsNotResumed) {
    options.init = init[0];
    run_training(options);
    const Checkpoint written = load_checkpoint(checkpoint_path(options, 1));
    EXPECT_EQ(written.init_checksum, parameters_checksum(load_checkpoint(init[0]).parameters));
    EXPECT_EQ(written.init_checksum.size(), 64U);
    options.resume = true;
    EXPECT_EQ(run_training(options).history.size(), 1U) << "the same one";
    options.init = init[1];
    EXPECT_THROW(run_training(options), UserError);
    EXPECT_NE(refusal().find("began with other parameters"), std::string::npos) << refusal();
    options.init.reset();
    EXPECT_NE(refusal().find("the same --init"), std::string::npos) << refusal();
}

TEST_F(StoredRun, OfAnUnknownBeginningGoesOnWithoutInitOnly) {
    options.init = init[0];
    run_training(options);
    Checkpoint older = load_checkpoint(checkpoint_path(options, 1));
    older.init_checksum.clear();
    save_checkpoint(older, checkpoint_path(options, 1));
    EXPECT_TRUE(load_checkpoint(checkpoint_path(options, 1)).init_checksum.empty());
    EXPECT_NE(refusal().find("leave --init out"), std::string::npos) << refusal();
    options.init.reset();
    EXPECT_TRUE(stored_checkpoint(options).has_value());
}

TEST_F(StoredRun, IsTheNewerOneWhereAnOlderOneLeftALaterPhase) {
    options.config.training.epochs = 1;
    options.init = init[0];
    run_training(options);
    const std::string later = checkpoint_path(options, 1);
    fs::copy_file(later, file("later.h5"));
    options.init = init[1];
    run_training(options);
    fs::copy_file(file("later.h5"), later, fs::copy_options::overwrite_existing);
    // As if the second run had been killed in its second phase.
    const std::optional<Checkpoint> stored = stored_checkpoint(options);
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(stored->phase, 0);
    EXPECT_EQ(stored->init_checksum, parameters_checksum(load_checkpoint(init[1]).parameters));
}

TEST_F(StoredRun, ThatIsCompleteWritesItsMissingLogAgain) {
    options.config.training.epochs = 1;
    run_training(options);
    const auto log = [this] {
        std::ifstream stream(file("out/tiny.csv"));
        return std::string(std::istreambuf_iterator<char>(stream), {});
    };
    const std::string whole = log();
    ASSERT_EQ(std::count(whole.begin(), whole.end(), '\n'), 3) << whole;
    fs::remove(file("out/tiny.csv"));
    options.resume = true;
    run_training(options);
    EXPECT_EQ(log(), whole);
}

TEST_F(StoredRun, ThatOverwritesItsOwnBeginningIsResumed) {
    fs::create_directories(options.out_folder);
    options.init = checkpoint_path(options, 1);
    fs::copy_file(init[0], *options.init);
    run_training(options);
    options.resume = true;
    EXPECT_EQ(run_training(options).history.size(), 1U);
}

}  // namespace
}  // namespace imssa
