// infer and platform on chips: exactness, seeds, options.
#include <utility>

#include "tests/scenarios/command_line.h"

namespace imssa::testing {
namespace {

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
            shared_folder.string());
    ASSERT_EQ(trained.status, 0) << trained.output;
    const std::string options = " --checkpoint " + (shared_folder / "glyphs_rows_8bit.h5").string() + " --chip " +
                                source("scenarios/chips/ideal.toml") + " --sequences 24 --quiet --json ";
    const fs::path on_chip = shared_folder / "rows_chip.json";
    const fs::path on_bus = shared_folder / "rows_bus.json";
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
            shared_folder.string());
    ASSERT_EQ(trained.status, 0) << trained.output;
    const auto result = [&](const std::string& pruned) {
        const fs::path file = shared_folder / ("pruned_" + pruned + ".json");
        const CommandResult done =
            run(binary("infer") + " --checkpoint " + (shared_folder / "pruned_8bit.h5").string() + " --chip " +
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

TEST_F(CommandLine, AHostOnTheBusReadsTheLogitsOfInfer) {
    const std::string digital =
        " --set mapping.encoder=digital --set mapping.decoder=digital --set mapping.mixing_matrix=digital"
        " --set mapping.kernel_output=digital";
    for (const auto& [chip, options] :
         {std::pair<std::string, std::string>{"ideal.toml", ""}, {"imssa_28nm.toml", ""}, {"ideal.toml", digital}}) {
        const nlohmann::json inferred = infer_json(chip, "--sequences 10 --seed 3" + options);
        const fs::path file = shared_folder / "platform.json";
        const CommandResult driven = run(platform(chip, "--sequences 10 --seed 3 --json " + file.string() + options));
        ASSERT_EQ(driven.status, 0) << driven.output;
        const nlohmann::json platform = nlohmann::json::parse(read_file(file));
        ASSERT_EQ(platform.at("results").size(), 10U);
        for (std::size_t index = 0; index < 10; ++index) {
            EXPECT_EQ(platform.at("results").at(index).at("logits"), inferred.at("first_logits").at(index)) << chip;
        }
    }
}

}  // namespace
}  // namespace imssa::testing
