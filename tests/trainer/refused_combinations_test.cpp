#include <gtest/gtest.h>

#include "models/common/config.h"
#include "models/common/error.h"
#include "trainer/train_config.h"

namespace imssa {
namespace {

/// Options that make no sense together, and a part of the reason that is given.
struct Refusal {
    std::vector<std::string> overrides;
    std::string reason;
};

void read_scenario(const std::vector<std::string>& overrides) {
    TrainConfig config;
    ConfigReader reader = ConfigReader::from_file(IMSSA_SOURCE_DIR "/scenarios/glyphs_small.toml", overrides);
    reader.read(config);
    reader.reject_unknown_keys();
    config.complete();
    config.validate();
}

TEST(RefusedCombinations, AreNamedWithTheirReasonInOneLine) {
    const Refusal refusals[] = {
        {{"training.dropout=1"}, "[0, 1)"},
        {{"finetune.dropout=0.1"}, "which no code of the chip does"},
        {{"model.norm=batch", "training.precision=quantized"}, "collects its running statistics in float"},
        {{"model.heads=1"}, "nothing but beta"},
        {{"model.norm=group"}, "batch"},
        {{"model.pooling=max"}, "last"},
        {{"model.activation=swish"}, "qgelu"},
        {{"model.states=7"}, "even"},
        {{"data.layout=columns"}, "rows"},
        {{"data.lengths=random"}, "content"},
        {{"training.pruning.method=greedy"}, "validation split"},
        {{"training.pruning.method=magnitude"}, "train back"},
        {{"finetune.pruning.method=magnitude", "finetune.pruning.kind=modes", "model.states=2"}, "has no other"},
        {{"finetune.pruning.method=magnitude", "finetune.pruning.fraction=1"}, "fraction"},
        {{"training.noise.cell_errors=1", "training.noise.device.programming_sigma_siemens=1e-6"},
         "cell_errors needs precision 'quantized'"},
        {{"training.noise.activations=0.1"}, "noise.activations needs precision"},
        {{"finetune.noise.states=0.1"}, "noise.states needs"},
        {{"training.lower_bits_from=8"}, "float has no bits"},
        {{"finetune.mode=convolution"}, "step by step only"},
        {{"finetune.mode=automatic"}, "needs precision 'float'"},
        {{"fake_quantization.step.quantizer=max_scale", "fake_quantization.step.scale=head"}, "use 'tensor'"},
        {{"fake_quantization.d.quantizer=max_scale", "fake_quantization.d.scale=mode"}, "scale of its own"},
        {{"fake_quantization.mixing.quantizer=symmetric", "fake_quantization.mixing.scale=mode"}, "'head' or 'tensor'"},
        {{"fake_quantization.encoder.quantizer=symmetric", "fake_quantization.encoder.scale=head"}, "use 'tensor'"},
        {{"finetune.noise.continuous_a=0.01", "quantization.kernel.representation=a_continuous"}, "rounding"},
        {{"finetune.lower_bits_from=14"}, "[finetune]: key 'lower_bits_from' starts above 12"},
        {{"post_training=true"}, "finetune.epochs 0"},
        {{"fake_quantization.requantize_products=true"}, "set state.quantizer"},
        {{"fake_quantization.state.quantizer=symmetric", "fake_quantization.state.ranges=ema",
          "fake_quantization.state_limit=5"},
         "shrink without end"},
        {{"fake_quantization.output_limit=-1"}, "must not be negative"},
        {{"fake_quantization.state_limit=inf"}, "'state_limit' must be finite"},
        {{"training.epochs=0", "finetune.epochs=0"}, "nothing to train"},
    };
    for (const Refusal& refusal : refusals) {
        std::string given;
        for (const std::string& override : refusal.overrides) {
            given += override + " ";
        }
        try {
            read_scenario(refusal.overrides);
            ADD_FAILURE() << given << "was accepted";
        } catch (const UserError& error) {
            const std::string message = error.what();
            EXPECT_NE(message.find(refusal.reason), std::string::npos) << given << ": " << message;
            EXPECT_EQ(message.find('\n'), std::string::npos) << given << ": " << message;
        }
    }
    EXPECT_NO_THROW(read_scenario({}));
}

}  // namespace
}  // namespace imssa
