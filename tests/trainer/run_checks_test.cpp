#include "trainer/run_checks.h"

#include <gtest/gtest.h>

#include "models/common/error.h"
#include "trainer/initialize.h"

namespace imssa {
namespace {

/// Reads an example with overrides and runs all checks; returns the refusal, or nothing.
std::string refusal(const std::vector<std::string>& overrides) {
    try {
        TrainConfig config;
        ConfigReader reader = ConfigReader::from_file(IMSSA_SOURCE_DIR "/scenarios/glyphs_small.toml", overrides);
        reader.read(config);
        reader.reject_unknown_keys();
        config.complete();
        check_given_groups(reader);
        check_run(config);
        check_exact_sums(config, initialize_parameters(config.model, config.seed));
    } catch (const UserError& error) {
        return error.what();
    }
    return "";
}

TEST(RunChecks, RefuseWhatWouldHaveNoEffectOrComeLate) {
    const std::string cells = "finetune.noise.cell_errors=1";
    const std::string device = "finetune.noise.device.programming_sigma_siemens=1e-6";
    const std::string large = "finetune.noise.mapping.tile_rows=4";
    const std::pair<std::vector<std::string>, std::string> refusals[] = {
        {{"training.checkpoint=glyphs_small.csv"}, "key 'training.checkpoint' is 'glyphs_small.csv'"},
        {{"finetune.checkpoint=model"}, "ends in .h5"},
        {{"training.checkpoint=.h5"}, "ends in .h5"},
        {{"training.checkpoint=glyphs_small_ptq.h5"}, "post-training quantization writes this file"},
        {{"finetune.epochs=0", "finetune.pruning.method=greedy", "data.validation_count=10"}, "prunes nothing"},
        {{"finetune.epochs=0", "post_training=true", "finetune.pruning.method=magnitude"}, "finetune.pruning.method"},
        {{"finetune.epochs=0", "post_training=true", "fake_quantization.c.quantizer=max_scale"}, "'fake_quantized'"},
        {{"fake_quantization.c.quantizer=max_scale"}, "'fake_quantized'"},
        {{"fake_quantization.c.bits=99"}, "fake_quantization.c.quantizer"},
        {{"fake_quantization.state.ranges=ema"}, "'fake_quantization.state.ranges' has no effect"},
        {{cells, device, large}, "finetune.noise.mapping: layer0"},
        {{"quantization.input_bits=12", "quantization.weight_bits=12", "quantization.activation_bits=12"},
         "quantization.mixing_bits"},
    };
    for (const auto& [overrides, reason] : refusals) {
        const std::string message = refusal(overrides);
        EXPECT_NE(message.find(reason), std::string::npos) << overrides.front() << ": " << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
}

TEST(RunChecks, AcceptWhatHasAnEffect) {
    const std::vector<std::string> accepted[] = {
        {},
        {"fake_quantization.c.quantizer=off", "fake_quantization.c.bits=4"},
        {"finetune.precision=fake_quantized", "fake_quantization.c.quantizer=max_scale"},
        {"finetune.epochs=0", "post_training=true", "finetune.pruning.method=keep"},
        {"finetune.epochs=0", "training.pruning.method=magnitude"},
        {"finetune.noise.cell_errors=1", "finetune.noise.device.programming_sigma_siemens=1e-6"},
        // Pruning leaves smaller kernels; a phase of no epochs writes no checkpoint.
        {"finetune.noise.cell_errors=1", "finetune.noise.device.programming_sigma_siemens=1e-6",
         "finetune.noise.mapping.tile_rows=4", "finetune.pruning.method=magnitude", "finetune.pruning.kind=modes"},
        {"finetune.epochs=0", "finetune.checkpoint=other"},
        {"quantization.weight_bits=12", "quantization.activation_bits=8"},
    };
    for (const std::vector<std::string>& overrides : accepted) {
        EXPECT_EQ(refusal(overrides), "") << (overrides.empty() ? "nothing" : overrides.front());
    }
}

}  // namespace
}  // namespace imssa
