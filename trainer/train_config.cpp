#include "trainer/train_config.h"

#include <cmath>
#include <utility>

#include "models/common/error.h"
#include "trainer/training_schedule.h"

namespace imssa {

namespace {

void require(bool holds, const std::string& message) {
    if (!holds) {
        throw UserError(message);
    }
}

bool positive(double value) {
    return std::isfinite(value) && value > 0.0;
}

}  // namespace

void PhaseConfig::validate() const {
    require(epochs >= 0 && epochs <= 100000, "key 'epochs' must lie in [0, 100000]");
    require(batch >= 1 && batch <= 65536, "key 'batch' must lie in [1, 65536]");
    require(positive(learning_rate), "key 'learning_rate' must be above 0");
    require(std::isfinite(state_space_learning_rate) && state_space_learning_rate >= 0.0,
            "key 'state_space_learning_rate' must be finite and must not be negative");
    require(std::isfinite(weight_decay) && weight_decay >= 0.0,
            "key 'weight_decay' must be finite and must not be negative");
    require(warmup_steps >= 0, "key 'warmup_steps' must not be negative");
    require(positive(gradient_clip), "key 'gradient_clip' must be above 0");
    require(dropout >= 0.0 && dropout < 1.0, "key 'dropout' must lie in [0, 1)");
    require(dropout == 0.0 || precision != Precision::quantized,
            "'dropout' needs precision 'float' or 'fake_quantized': it multiplies what it leaves by 1 / (1 - dropout), "
            "which no code of the chip does");
    require(calibration_sequences >= 1, "key 'calibration_sequences' must be at least 1");
    ranges.validate();
    require(noise.cell_errors == 0.0 || precision == Precision::quantized,
            "noise.cell_errors needs precision 'quantized': the errors are those of deployed cells; in float use "
            "noise.continuous_a");
    require(mode != EvaluationMode::automatic || precision == Precision::in_float,
            "mode 'automatic' needs precision 'float', in which both modes compute the same; with rounded states they "
            "do not: choose 'recurrent' or 'convolution'");
    require(mode == EvaluationMode::recurrent || precision != Precision::quantized,
            "mode 'convolution' needs precision 'float' or 'fake_quantized': the codes, registers and roundings of a "
            "chip's states exist step by step only");
    require(mode == EvaluationMode::recurrent || noise.states == 0.0,
            "noise.states needs mode 'recurrent': a convolution has no states");
    require(
        noise.states == 0.0 || precision == Precision::fake_quantized,
        "noise.states needs precision 'fake_quantized' (with every quantizer off it is float): deployed states have "
        "no conversion of their own, and the float scan keeps no place for it");
    require(noise.activations == 0.0 || precision != Precision::in_float,
            "noise.activations needs precision 'quantized' or 'fake_quantized': it is relative to calibrated ranges");
    require(lower_bits_from == 0 || (lower_bits_from >= 2 && lower_bits_from <= 16),
            "key 'lower_bits_from' must lie in [2, 16], or be 0 for off");
    require(epochs_per_bit >= 1, "key 'epochs_per_bit' must be at least 1");
    require(checkpoint.find('/') == std::string::npos,
            "key 'checkpoint' is '" + checkpoint + "': give a file name; its folder is what --out says");
}

void check_noise(const PhaseConfig& phase, const DeploymentOptions& quantization) {
    require(phase.noise.continuous_a == 0.0 || phase.precision != Precision::quantized ||
                quantization.kernel.representation != StateRepresentation::a_continuous,
            "noise.continuous_a disturbs A before it becomes codes, and representation 'a_continuous' would round the "
            "errors away or up to whole codes: use precision 'fake_quantized', which adds them behind the rounding");
}

void TrainConfig::complete() {
    if (training.checkpoint.empty()) {
        training.checkpoint = name + (training.precision == Precision::in_float ? "_float.h5" : "_quantized.h5");
    }
    if (finetune.checkpoint.empty()) {
        finetune.checkpoint =
            name + (finetune.precision == Precision::in_float ? "_float_finetuned.h5" : "_quantized.h5");
    }
}

void TrainConfig::validate() const {
    require(!name.empty() && name.find('/') == std::string::npos, "key 'name' must be a file name without folders");
    require(training.epochs + finetune.epochs > 0 || post_training,
            "both training.epochs and finetune.epochs are 0: there is nothing to train; to quantize only, set "
            "post_training = true");
    require(!post_training || finetune.epochs == 0,
            "'post_training' quantizes without training any further: set finetune.epochs 0");
    check_scales(fake_quantization, model);
    for (const PhaseConfig* phase : {&training, &finetune}) {
        if (phase->epochs > 0) {
            check_noise(*phase, quantization);
        }
        require(phase->epochs == 0 || phase->pruning.method == PruningMethod::off ||
                    phase->pruning.kind != PruningKind::modes || model.states > 2,
                "pruning.kind 'modes' leaves every kernel one mode, and model.states 2 has no other");
        require(phase->epochs == 0 || phase->pruning.method != PruningMethod::greedy || data.validation_count > 0,
                "greedy pruning looks at the validation split: set data.validation_count above 0");
        if (phase->mode == EvaluationMode::convolution && phase->precision == Precision::fake_quantized) {
            check_convolution(fake_quantization);
        }
    }
    require(training.epochs == 0 || finetune.epochs == 0 || training.pruning.method == PruningMethod::off ||
                finetune.pruning.method != PruningMethod::off,
            "finetune would train back what training.pruning sets to zero: set finetune.pruning.method 'keep'");
    require(model.norm != Norm::layer || model.heads > 1,
            "model.norm 'layer' normalises over the heads of a step, and of one head it leaves nothing but beta: use "
            "norm 'batch' or 'none'");
    require(model.norm != Norm::batch || training.epochs == 0 || training.precision == Precision::in_float,
            "model.norm 'batch' collects its running statistics in float: set training.precision 'float', or leave the "
            "phase out and fine-tune the checkpoint of --init");
    for (const auto& [phase, table] : {std::pair(&training, "[training]"), std::pair(&finetune, "[finetune]")}) {
        try {
            check_bit_schedule(*phase, quantization, fake_quantization);
        } catch (const UserError& error) {
            throw UserError(std::string(table) + ": " + error.what());
        }
    }
    require(training.epochs == 0 || finetune.epochs == 0 || training.checkpoint.empty() ||
                training.checkpoint != finetune.checkpoint,
            "training.checkpoint and finetune.checkpoint must differ");
}

}  // namespace imssa
