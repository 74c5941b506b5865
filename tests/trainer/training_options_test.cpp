#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "models/common/error.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"
#include "trainer/post_training.h"

namespace imssa {
namespace {

namespace fs = std::filesystem;

class TrainingOptionsTest : public testing::Test {
protected:
    TrainingOptionsTest() {
        std::string pattern = (fs::temp_directory_path() / "imssa_options_XXXXXX").string();
        folder = mkdtemp(pattern.data());
        options.out_folder = folder.string();
        options.quiet = true;
        options.threads = 1;
        TrainConfig& config = options.config;
        config.name = "tiny";
        config.data.name = "glyphs";
        config.data.train_count = 40;
        config.data.validation_count = 16;
        config.data.test_count = 16;
        config.model.layers = 1;
        config.model.heads = 4;
        config.model.states = 4;
        config.training.epochs = 1;
        config.training.batch = 16;
        config.training.warmup_steps = 2;
        config.training.calibration_sequences = 16;
        config.finetune = config.training;
        config.finetune.precision = Precision::quantized;
        config.complete();
    }
    ~TrainingOptionsTest() override { fs::remove_all(folder); }

    std::string file(const std::string& name) const { return (folder / name).string(); }

    /// Parameters after training with the options as they are, into a folder of its own.
    test::NaiveParameters trained(const std::string& name, int threads) {
        TrainingOptions run = options;
        run.out_folder = file(name);
        run.threads = threads;
        const TrainingOutcome outcome = run_training(run);
        return test::naive_parameters(load_checkpoint(outcome.checkpoints.back()).parameters);
    }

    fs::path folder;
    TrainingOptions options;
};

TEST_F(TrainingOptionsTest, AutomaticModeIsTheFasterOneOfSequencesAndStates) {
    using Mode = EvaluationMode;
    EXPECT_EQ(definite_mode(Mode::automatic, 16, 60), Mode::convolution);
    EXPECT_EQ(definite_mode(Mode::automatic, 16, 61), Mode::recurrent);
    EXPECT_EQ(definite_mode(Mode::automatic, 4, 1), Mode::recurrent);
    EXPECT_EQ(definite_mode(Mode::recurrent, 256, 10), Mode::recurrent);
    EXPECT_EQ(definite_mode(Mode::convolution, 4, 10000), Mode::convolution);
    // Glyphs have 784 steps.
    options.config.data.train_count = 16;
    options.config.finetune.epochs = 0;
    options.config.model.heads = 2;
    for (const auto& [states, mode] : {std::pair(16, Mode::recurrent), std::pair(162, Mode::convolution)}) {
        options.config.model.states = states;
        options.config.training.mode = Mode::automatic;
        const auto chosen = trained("automatic" + std::to_string(states), 1);
        options.config.training.mode = mode;
        EXPECT_EQ(chosen, trained("given" + std::to_string(states), 1)) << states;
    }
}

TEST_F(TrainingOptionsTest, NoiseAwareTrainingDoesNotDependOnThreads) {
    NoiseConfig& noise = options.config.finetune.noise;
    noise.cell_errors = 1.0;
    noise.continuous_a = 0.01;
    noise.activations = 0.01;
    noise.input = 0.05;
    noise.device.programming_sigma_siemens = 3.9e-6;
    EXPECT_EQ(trained("one", 1), trained("two", 2));
}

TEST_F(TrainingOptionsTest, FakeQuantizedTrainingDoesNotDependOnThreads) {
    options.config.finetune.precision = Precision::fake_quantized;
    for (QuantizerOptions* group :
         {&options.config.fake_quantization.c, &options.config.fake_quantization.state,
          &options.config.fake_quantization.activations, &options.config.fake_quantization.mixing}) {
        group->quantizer = Quantizer::max_scale;
        group->bits = 6;
    }
    options.config.fake_quantization.state.rounding = StateRounding::dithered;
    options.config.finetune.noise.states = 0.001;
    EXPECT_EQ(trained("one", 1), trained("two", 2));
}

TEST_F(TrainingOptionsTest, DropoutOnGridsChangesWhatIsTrainedAndDoesNotDependOnThreads) {
    options.config.finetune.precision = Precision::fake_quantized;
    options.config.fake_quantization.state.quantizer = Quantizer::max_scale;
    options.config.fake_quantization.activations.quantizer = Quantizer::max_scale;
    for (const StateRounding rounding : {StateRounding::nearest, StateRounding::dithered}) {
        options.config.fake_quantization.state.rounding = rounding;
        options.config.finetune.epochs = 2;
        options.config.finetune.dropout = 0.0;
        const test::NaiveParameters without = trained("without", 1);
        options.config.finetune.dropout = 0.2;
        const test::NaiveParameters straight = trained("straight", 1);
        EXPECT_NE(straight, without);
        EXPECT_EQ(trained("two", 2), straight);
    }
}

TEST_F(TrainingOptionsTest, RangesThatFollowTrainingSurviveInTheCheckpoint) {
    options.config.finetune.precision = Precision::fake_quantized;
    options.config.finetune.epochs = 2;
    QuantizerOptions& activations = options.config.fake_quantization.activations;
    activations.quantizer = Quantizer::asymmetric;
    activations.ranges = RangeSource::ema;
    activations.momentum = 0.5;
    options.config.fake_quantization.state = activations;
    options.config.fake_quantization.state.quantizer = Quantizer::max_scale;
    const test::NaiveParameters straight = trained("straight", 1);
    const Checkpoint whole = load_checkpoint(file("straight/" + options.config.finetune.checkpoint));
    ASSERT_TRUE(whole.bounds.has_value());
    // Stop after one epoch: what the run writes then, and what it goes on to, is the same.
    TrainingOptions half = options;
    half.out_folder = file("half");
    half.config.finetune.epochs = 2;
    run_training(half);
    fs::remove(file("half/" + options.config.finetune.checkpoint));
    half.resume = true;
    const TrainingOutcome outcome = run_training(half);
    const Checkpoint resumed = load_checkpoint(outcome.checkpoints.back());
    EXPECT_EQ(test::naive_parameters(resumed.parameters), straight);
    for (int place = 0; place < whole.bounds->count(); ++place) {
        EXPECT_EQ((*whole.bounds)[place].low, (*resumed.bounds)[place].low);
        EXPECT_EQ((*whole.bounds)[place].high, (*resumed.bounds)[place].high);
    }
}

TEST_F(TrainingOptionsTest, BatchNormDropoutAndUnequalLengthsDoNotDependOnThreads) {
    options.config.model.norm = Norm::batch;
    options.config.model.channels = 28;
    options.config.data.layout = SequenceLayout::rows;
    options.config.data.lengths = SequenceLengths::content;
    options.config.training.dropout = 0.2;
    const test::NaiveParameters one = trained("one", 1);
    EXPECT_EQ(one, trained("two", 2));
    EXPECT_NE(one.at("layers.0.running_mean"), std::vector<double>(4, 0.0));
    EXPECT_NE(one.at("layers.0.running_variance"), std::vector<double>(4, 1.0));
}

TEST_F(TrainingOptionsTest, DropoutChangesWhatIsTrained) {
    options.config.finetune.epochs = 0;
    const test::NaiveParameters without = trained("without", 1);
    options.config.training.dropout = 0.2;
    EXPECT_NE(trained("with", 1), without);
}

TEST_F(TrainingOptionsTest, FrozenPolesStayAndDiscreteOnesMoveWithoutTheirSteps) {
    options.config.finetune.epochs = 0;
    const NetworkParameters initial = initialize_parameters(options.config.model, options.config.seed);
    const test::NaiveParameters start = test::naive_parameters(initial);
    options.config.training.parameterization = Parameterization::frozen;
    const test::NaiveParameters frozen = trained("frozen", 1);
    EXPECT_EQ(frozen.at("layers.0.im"), start.at("layers.0.im"));
    EXPECT_EQ(frozen.at("layers.0.log_dt"), start.at("layers.0.log_dt"));
    EXPECT_NE(frozen.at("layers.0.c_re"), start.at("layers.0.c_re"));
    options.config.training.parameterization = Parameterization::discrete;
    const test::NaiveParameters discrete = trained("discrete", 1);
    EXPECT_NE(discrete.at("layers.0.im"), start.at("layers.0.im"));
    EXPECT_EQ(discrete.at("layers.0.log_dt"), start.at("layers.0.log_dt"));
}

TEST_F(TrainingOptionsTest, PrunedWeightsStayZeroThroughRetraining) {
    options.config.finetune.pruning.method = PruningMethod::magnitude;
    options.config.finetune.pruning.kind = PruningKind::linear;
    options.config.finetune.pruning.fraction = 0.5;
    const TrainingOutcome outcome = run_training(options);
    const PruningCount count = count_pruned(load_checkpoint(outcome.checkpoints.back()).parameters);
    EXPECT_EQ(count.pruned_weights, count.weights / 2);
}

TEST_F(TrainingOptionsTest, AFinetunePhaseKeepsWhatTheFirstPhaseHasPruned) {
    options.config.training.pruning.method = PruningMethod::magnitude;
    options.config.training.pruning.fraction = 0.5;
    options.config.finetune.pruning.method = PruningMethod::keep;
    const TrainingOutcome outcome = run_training(options);
    const int pruned = count_pruned(load_checkpoint(outcome.checkpoints.front()).parameters).pruned_kernels;
    EXPECT_EQ(pruned, 2);
    EXPECT_EQ(count_pruned(load_checkpoint(outcome.checkpoints.back()).parameters).pruned_kernels, pruned);
}

TEST_F(TrainingOptionsTest, NoPruningBringsBackWhatTheFirstPhaseHasPruned) {
    const auto sum = [](const PruningCount& count) {
        return std::array{count.pruned_kernels, count.pruned_modes, count.pruned_weights};
    };
    int run = 0;
    for (const PruningKind first : {PruningKind::structured, PruningKind::linear}) {
        for (const PruningKind second : {PruningKind::structured, PruningKind::linear}) {
            for (const PruningMethod method : {PruningMethod::keep, PruningMethod::magnitude, PruningMethod::greedy}) {
                options.out_folder = file(std::to_string(run++));
                PruningConfig& training = options.config.training.pruning;
                training.method = PruningMethod::magnitude;
                training.kind = first;
                training.fraction = 0.5;
                PruningConfig& finetune = options.config.finetune.pruning;
                finetune = training;
                finetune.method = method;
                finetune.kind = second;
                finetune.accuracy_loss = 0.0;
                finetune.candidates_at_once = 100;
                const TrainingOutcome outcome = run_training(options);
                const auto before = sum(count_pruned(load_checkpoint(outcome.checkpoints.front()).parameters));
                const auto after = sum(count_pruned(load_checkpoint(outcome.checkpoints.back()).parameters));
                for (std::size_t kind = 0; kind < before.size(); ++kind) {
                    EXPECT_GE(after[kind], before[kind]) << run << ", " << kind;
                }
            }
        }
    }
}

TEST_F(TrainingOptionsTest, GreedyPruningKeepsTheValidationAccuracy) {
    options.config.finetune.epochs = 0;
    options.config.training.pruning.method = PruningMethod::greedy;
    options.config.training.pruning.accuracy_loss = 0.5;
    const TrainingOutcome outcome = run_training(options);
    EXPECT_GT(count_pruned(load_checkpoint(outcome.checkpoints.back()).parameters).pruned_kernels, 0);
}

TEST_F(TrainingOptionsTest, PolesThatArePulledBackAreNamedOnceAndCounted) {
    options.config.training.parameterization = Parameterization::discrete;
    options.config.training.state_space_learning_rate = 1e10;
    options.config.finetune.epochs = 0;
    options.quiet = false;
    testing::internal::CaptureStdout();
    run_training(options);
    const std::string log = testing::internal::GetCapturedStdout();
    const std::size_t first = log.find("warning: pole of layers.0, head ");
    ASSERT_NE(first, std::string::npos) << log;
    EXPECT_NE(log.find("pulled back to 0.9999 at training epoch 1/1, step ", first), std::string::npos) << log;
    EXPECT_EQ(log.find("warning: pole", first + 1), std::string::npos) << log;
    EXPECT_NE(log.find("poles were pulled back to |Abar| = 0.9999 "), std::string::npos) << log;
}

TEST_F(TrainingOptionsTest, DeadParameterGridsAreNamedWithPhaseEpochAndStep) {
    options.config.finetune.precision = Precision::fake_quantized;
    options.config.fake_quantization.c.quantizer = Quantizer::max_scale;
    options.config.fake_quantization.c.bits = 1;
    options.config.fake_quantization.c.range = 1000.0;
    try {
        run_training(options);
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("'layers.0.c' is dead"), std::string::npos) << text;
        EXPECT_NE(text.find("finetune epoch 1/1, test before step 1"), std::string::npos) << text;
    }
}

TEST_F(TrainingOptionsTest, TheLastEpochOfAGreedilyPrunedPhaseHasTheAccuracyOfWhatIsLeft) {
    options.config.finetune.epochs = 0;
    options.config.training.pruning.method = PruningMethod::greedy;
    options.config.training.pruning.accuracy_loss = 0.99;
    const TrainingOutcome outcome = run_training(options);
    const Checkpoint pruned = load_checkpoint(outcome.checkpoints.back());
    const Dataset test = load_dataset(options.config.data, Split::kTest);
    GradientEngine engine(options.config.model, test.steps, false, 1);
    const BatchLoss left = engine.evaluate(StepNetwork::in_float(options.config.model, pruned.parameters, test.steps),
                                           test, options.config.seed);
    EXPECT_EQ(outcome.history.back().test_accuracy, left.accuracy());
    EXPECT_EQ(outcome.history.back().test_loss, left.mean_loss());
    EXPECT_EQ(pruned.history.back().test_loss, left.mean_loss());
}

TEST_F(TrainingOptionsTest, PostTrainingQuantizationMakesAFloatModelDeployable) {
    options.config.finetune.epochs = 0;
    options.init = run_training(options).checkpoints.back();
    const PostTrainingOutcome outcome = quantize_after_training(options);
    EXPECT_EQ(outcome.test_sequences, 16);
    const Checkpoint checkpoint = load_checkpoint(outcome.checkpoint);
    ASSERT_TRUE(checkpoint.ranges.has_value());
    EXPECT_EQ(test::naive_parameters(checkpoint.parameters),
              test::naive_parameters(load_checkpoint(*options.init).parameters));
    // On the grids of [fake_quantization]: what a fine-tuning would start from.
    options.config.finetune.precision = Precision::fake_quantized;
    EXPECT_EQ(quantize_after_training(options).quantized_accuracy, outcome.float_accuracy) << "nothing is quantized";
    QuantizerOptions& mixing = options.config.fake_quantization.mixing;
    mixing.quantizer = Quantizer::max_scale;
    mixing.bits = 1;
    const PostTrainingOutcome ternary = quantize_after_training(options);
    EXPECT_EQ(load_checkpoint(ternary.checkpoint).config.finetune.precision, Precision::fake_quantized);
    const Dataset test = load_dataset(options.config.data, Split::kTest);
    const Dataset train = load_dataset(options.config.data, Split::kTrain);
    const CalibrationRanges ranges = calibrate(options.config.model, checkpoint.parameters, train, 16);
    GradientEngine engine(options.config.model, test.steps, false, 1, true);
    const BatchLoss expected = engine.evaluate(
        StepNetwork::fake_quantized(fake_network(options.config.model, checkpoint.parameters, ranges,
                                                 options.config.fake_quantization, test.steps, options.config.seed)),
        test, options.config.seed);
    EXPECT_EQ(ternary.quantized_accuracy, static_cast<double>(expected.correct) / 16.0);
    options.init.reset();
    EXPECT_THROW(quantize_after_training(options), UserError);
}

TEST_F(TrainingOptionsTest, QuantizersThatNoPhaseUsesAreRefused) {
    options.config.fake_quantization.c.quantizer = Quantizer::max_scale;
    try {
        run_training(options);
        FAIL() << "not refused";
    } catch (const UserError& error) {
        EXPECT_NE(std::string(error.what()).find("precision 'fake_quantized'"), std::string::npos) << error.what();
    }
}

TEST_F(TrainingOptionsTest, NoiseSweepTakesOneDrawAtZeroAndSpreadsBeyond) {
    options.config.finetune.epochs = 0;
    options.init = run_training(options).checkpoints.back();
    options.config.finetune.noise.device.programming_sigma_siemens = 20e-6;
    const std::vector<NoiseSweepRow> rows = sweep_noise(options, parse_noise_sweep("cell_errors=0,2", 3));
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].low, rows[0].high);
    EXPECT_LE(rows[1].low, rows[1].mean);
    EXPECT_TRUE(fs::exists(file("tiny_noise_sweep.csv")));
}

TEST_F(TrainingOptionsTest, ARefusedNoiseSweepSaysWhichStrengthAndWritesNothing) {
    options.config.finetune.epochs = 0;
    options.init = run_training(options).checkpoints.back();
    const auto refusal = [this](const std::string& sweep) {
        try {
            sweep_noise(options, parse_noise_sweep(sweep, 1));
        } catch (const UserError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    const std::pair<const char*, const char*> cases[] = {{"cell_errors=0,1", "needs the errors of a device"},
                                                         {"input=0,0.1,11", "at input=11: key 'input'"},
                                                         {"states=0,0.1", "noise.states needs"}};
    for (const auto& [sweep, reason] : cases) {
        EXPECT_NE(refusal(sweep).find(reason), std::string::npos) << sweep << ": " << refusal(sweep);
    }
    options.config.quantization.kernel.representation = StateRepresentation::a_continuous;
    EXPECT_NE(refusal("continuous_a=0,0.01").find("at continuous_a=0.01"), std::string::npos);
    EXPECT_FALSE(fs::exists(file("tiny_noise_sweep.csv")));
}

TEST(NoiseSweepRequestTest, IsReadFromText) {
    const NoiseSweepRequest request = parse_noise_sweep("continuous_a=0,0.01,1e-1", 4);
    EXPECT_EQ(request.key, "continuous_a");
    EXPECT_EQ(request.values, (std::vector<double>{0.0, 0.01, 0.1}));
    EXPECT_EQ(request.draws, 4);
    EXPECT_THROW(parse_noise_sweep("gain=1", 4), UserError);
    EXPECT_THROW(parse_noise_sweep("input", 4), UserError);
    EXPECT_THROW(parse_noise_sweep("input=1,x", 4), UserError);
    EXPECT_THROW(parse_noise_sweep("input=-1", 4), UserError);
    EXPECT_THROW(parse_noise_sweep("input=1", 0), UserError);
}

}  // namespace
}  // namespace imssa
