#include "trainer/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "models/common/config.h"
#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/phase_trainer.h"
#include "trainer/training_run.h"

namespace imssa {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (fs::temp_directory_path() / "imssa_checkpoint_XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~TemporaryFolder() { fs::remove_all(path_); }
    std::string file(const std::string& name) const { return (path_ / name).string(); }
    std::string path() const { return path_.string(); }

private:
    fs::path path_;
};

TrainConfig tiny_config() {
    TrainConfig config;
    config.name = "tiny";
    config.seed = 3;
    config.data.name = "glyphs";
    config.data.train_count = 48;
    config.data.test_count = 16;
    config.model.layers = 1;
    config.model.heads = 3;
    config.model.states = 4;
    config.training.epochs = 2;
    config.training.batch = 16;
    config.training.warmup_steps = 2;
    config.finetune = config.training;
    config.finetune.precision = Precision::quantized;
    config.finetune.calibration_sequences = 16;
    config.complete();
    return config;
}

Checkpoint example() {
    Checkpoint checkpoint;
    checkpoint.config = tiny_config();
    checkpoint.steps = 40;
    checkpoint.epochs_done = 1;
    checkpoint.parameters = test::random_parameters(checkpoint.config.model, 1);
    checkpoint.ranges =
        calibrate(checkpoint.config.model, checkpoint.parameters, test::random_dataset(4, 40, 1, 10, 2), 4);
    checkpoint.optimizer = AdamWState{test::random_parameters(checkpoint.config.model, 2),
                                      test::random_parameters(checkpoint.config.model, 3), 17};
    EpochMetrics row;
    row.epoch = 1;
    row.test_accuracy = 0.25;
    checkpoint.history.push_back(row);
    return checkpoint;
}

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
    EXPECT_EQ(config_to_json(a.config).dump(), config_to_json(b.config).dump());
    EXPECT_EQ(a.steps, b.steps);
    EXPECT_EQ(a.phase, b.phase);
    EXPECT_EQ(a.epochs_done, b.epochs_done);
    EXPECT_EQ(test::naive_parameters(a.parameters), test::naive_parameters(b.parameters));
    ASSERT_EQ(a.ranges.has_value(), b.ranges.has_value());
    if (a.ranges) {
        std::vector<float> left, right;
        for_each_range(*a.ranges, [&](const std::string&, const float* data, Eigen::Index n) {
            left.insert(left.end(), data, data + n);
        });
        for_each_range(*b.ranges, [&](const std::string&, const float* data, Eigen::Index n) {
            right.insert(right.end(), data, data + n);
        });
        EXPECT_EQ(left, right);
    }
    ASSERT_EQ(a.optimizer.has_value(), b.optimizer.has_value());
    if (a.optimizer) {
        EXPECT_EQ(a.optimizer->steps, b.optimizer->steps);
        EXPECT_EQ(test::naive_parameters(a.optimizer->first), test::naive_parameters(b.optimizer->first));
        EXPECT_EQ(test::naive_parameters(a.optimizer->second), test::naive_parameters(b.optimizer->second));
    }
    ASSERT_EQ(a.history.size(), b.history.size());
    for (std::size_t row = 0; row < a.history.size(); ++row) {
        EXPECT_EQ(a.history[row].test_accuracy, b.history[row].test_accuracy);
        EXPECT_EQ(a.history[row].train_loss, b.history[row].train_loss);
    }
}

std::string error_of(const std::string& path) {
    try {
        load_checkpoint(path);
    } catch (const UserError& error) {
        return error.what();
    }
    return "";
}

std::string read_all(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Checkpoint, ComesBackAsItWasSaved) {
    const TemporaryFolder folder;
    Checkpoint checkpoint = example();
    save_checkpoint(checkpoint, folder.file("a.h5"));
    expect_equal(load_checkpoint(folder.file("a.h5")), checkpoint);
    checkpoint.optimizer.reset();
    checkpoint.ranges.reset();
    save_checkpoint(checkpoint, folder.file("a.h5"));
    expect_equal(load_checkpoint(folder.file("a.h5")), checkpoint);
    checkpoint.config.model.trained_b = true;
    checkpoint.parameters = test::random_parameters(checkpoint.config.model, 4);
    save_checkpoint(checkpoint, folder.file("a.h5"));
    expect_equal(load_checkpoint(folder.file("a.h5")), checkpoint);
}

TEST(Checkpoint, WithEqualContentHasEqualBytes) {
    const TemporaryFolder folder;
    save_checkpoint(example(), folder.file("a.h5"));
    save_checkpoint(example(), folder.file("b.h5"));
    EXPECT_EQ(read_all(folder.file("a.h5")), read_all(folder.file("b.h5")));
}

TEST(Checkpoint, CutAtAnyByteIsOneError) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    save_checkpoint(example(), path);
    for (std::uintmax_t size = fs::file_size(path); size-- > 0;) {
        fs::resize_file(path, size);
        const std::string error = error_of(path);
        ASSERT_NE(error, "") << "cut to " << size << " bytes";
        ASSERT_EQ(error.find('\n'), std::string::npos);
    }
}

TEST(Checkpoint, WithAnyByteChangedIsOneError) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    save_checkpoint(example(), path);
    const std::string content = read_all(path);
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    for (std::size_t at = 0; at < content.size(); at += at < 600 ? 1 : 7) {
        const auto put = [&](char value) {
            file.seekp(static_cast<std::streamoff>(at));
            file.put(value);
            file.flush();
        };
        put(static_cast<char>(content[at] ^ 0x20));
        ASSERT_NE(error_of(path), "") << "byte " << at;
        put(content[at]);
    }
    EXPECT_EQ(error_of(path), "");
}

TEST(Checkpoint, WithBytesAppendedIsOneError) {
    const TemporaryFolder folder;
    save_checkpoint(example(), folder.file("a.h5"));
    std::ofstream(folder.file("a.h5"), std::ios::app | std::ios::binary) << 'x';
    EXPECT_NE(error_of(folder.file("a.h5")), "");
}

TEST(Checkpoint, WithANumberThatIsNotFiniteNamesIt) {
    const TemporaryFolder folder;
    for (const float value : {std::nanf(""), HUGE_VALF}) {
        Checkpoint weights = example();
        weights.parameters.layers[0].mixing(1, 2) = value;
        save_checkpoint(weights, folder.file("weights.h5"));
        Checkpoint ranges = example();
        ranges.ranges->layers[0].increment(0, 1) = value;
        save_checkpoint(ranges, folder.file("ranges.h5"));
        for (const auto& [file, tensor] :
             {std::pair<const char*, const char*>{"weights.h5", "parameters/layers.0.mixing"},
              {"ranges.h5", "ranges/layers.0.increment"}}) {
            try {
                load_checkpoint(folder.file(file));
                FAIL() << file;
            } catch (const UserError& error) {
                EXPECT_NE(std::string(error.what()).find(tensor), std::string::npos) << error.what();
            }
        }
    }
}

TEST(Checkpoint, OfANewerVersionSaysSo) {
    const TemporaryFolder folder;
    save_checkpoint(example(), folder.file("a.h5"));
    std::fstream file(folder.file("a.h5"), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(16);
    file.put(9);
    file.close();
    EXPECT_NE(error_of(folder.file("a.h5")).find("newer"), std::string::npos);
}

TEST(Checkpoint, ThatIsMissingOrAnotherFileIsOneError) {
    const TemporaryFolder folder;
    EXPECT_NE(error_of(folder.file("none.h5")).find("none.h5"), std::string::npos);
    std::ofstream(folder.file("text.h5")) << std::string(2000, 'a');
    EXPECT_NE(error_of(folder.file("text.h5")).find("not an imssa checkpoint"), std::string::npos);
    EXPECT_NE(error_of(folder.path()).find("folder"), std::string::npos);
}

TEST(Checkpoint, ThatCannotBeWrittenLeavesNothingBehind) {
    const TemporaryFolder folder;
    EXPECT_THROW(save_checkpoint(example(), folder.file("missing/a.h5")), UserError);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

void expect_resumed_runs_to_be_equal(const TrainConfig& config) {
    const TemporaryFolder whole, parts;
    TrainingOptions options;
    options.config = config;
    options.quiet = true;
    options.threads = 1;
    options.out_folder = whole.path();
    run_training(options);
    const Dataset train = load_dataset(options.config.data, Split::kTrain);
    const Dataset test = load_dataset(options.config.data, Split::kTest);
    ProgressReport silent(stdout, true);
    options.out_folder = parts.path();
    options.threads = 2;
    options.resume = true;
    for (int phase = 0; phase < 2; ++phase) {
        // An interruption after the first epoch of the phase: its checkpoint, with moments, is all that is left.
        Checkpoint checkpoint;
        if (phase == 0) {
            checkpoint.parameters = initialize_parameters(options.config.model, options.config.seed);
        } else {
            checkpoint = load_checkpoint(parts.file(options.config.training.checkpoint));
            checkpoint.ranges.reset();
        }
        checkpoint.config = options.config;
        checkpoint.steps = train.steps;
        checkpoint.phase = phase;
        checkpoint.epochs_done = 0;
        PhaseTrainer trainer(checkpoint, train, test, 2);
        ASSERT_TRUE(trainer.run_epoch(silent));
        save_checkpoint(checkpoint, parts.file(phase_config(options.config, phase).checkpoint));
        run_training(options);
    }
    for (const int phase : {0, 1}) {
        const std::string name = phase_config(options.config, phase).checkpoint;
        expect_equal(load_checkpoint(parts.file(name)), load_checkpoint(whole.file(name)));
    }
}

TEST(Training, ResumedAfterAnyEpochGivesTheSameBits) {
    expect_resumed_runs_to_be_equal(tiny_config());
}

TEST(Training, OnGridsWithDropoutAndDitherResumedAfterAnyEpochGivesTheSameBits) {
    TrainConfig config = tiny_config();
    config.finetune.precision = Precision::fake_quantized;
    config.finetune.dropout = 0.2;
    config.fake_quantization.state.quantizer = Quantizer::max_scale;
    config.fake_quantization.state.rounding = StateRounding::dithered;
    config.fake_quantization.activations.quantizer = Quantizer::max_scale;
    expect_resumed_runs_to_be_equal(config);
}

TEST(Training, WithAnotherConfigurationIsNotResumed) {
    const TemporaryFolder folder;
    TrainingOptions options;
    options.config = tiny_config();
    options.config.training.epochs = 1;
    options.config.finetune.epochs = 0;
    options.quiet = true;
    options.out_folder = folder.path();
    run_training(options);
    options.resume = true;
    options.config.training.learning_rate *= 2.0;
    EXPECT_THROW(run_training(options), UserError);
}

}  // namespace
}  // namespace imssa
