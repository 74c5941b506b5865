#include "trainer/run_checks.h"

#include <string>

#include "models/common/error.h"
#include "models/mapping/kernel_placement.h"
#include "models/network/deployed_kernel.h"

namespace imssa {

namespace {

constexpr const char* kGroups[] = {"a_re",  "a_im",        "step",   "abar",    "bbar",    "c",     "d",
                                   "state", "activations", "mixing", "encoder", "decoder", "biases"};

bool trains(const PhaseConfig& phase, Precision precision) {
    return phase.epochs > 0 && phase.precision == precision;
}

bool prunes_anew(const PhaseConfig& phase) {
    return phase.pruning.method == PruningMethod::magnitude || phase.pruning.method == PruningMethod::greedy;
}

void check_checkpoint_name(const TrainConfig& config, const PhaseConfig& phase, const std::string& table) {
    const std::string ending = ".h5";
    const std::string& name = phase.checkpoint;
    const std::string where = "key '" + table + ".checkpoint' is '" + name + "': ";
    if (name.size() <= ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0) {
        throw UserError(where + "give a name that ends in .h5, which no other output has");
    }
    if (name == config.name + "_ptq.h5") {
        throw UserError(where + "post-training quantization writes this file; give another name");
    }
}

void check_quantizers_are_used(const TrainConfig& config) {
    const bool used = trains(config.training, Precision::fake_quantized) ||
                      trains(config.finetune, Precision::fake_quantized) ||
                      (config.post_training && config.finetune.precision == Precision::fake_quantized);
    if (any_active(config.fake_quantization) && !used) {
        throw UserError(
            "[fake_quantization] quantizes, but no phase that trains has precision 'fake_quantized': set it, or leave "
            "the table out ([quantization] is that of precision 'quantized')");
    }
}

/// Kernels that pruning may make smaller are looked at when they are programmed.
void check_tiles(const TrainConfig& config, const PhaseConfig& phase, const std::string& table) {
    const bool pruned =
        config.training.pruning.method != PruningMethod::off || config.finetune.pruning.method != PruningMethod::off;
    if (trains(phase, Precision::quantized) && phase.noise.cell_errors > 0.0 && !pruned) {
        place_kernels({kernel_of_zeros(config.quantization.kernel, config.model.modes())}, phase.noise.mapping,
                      table + ".noise.mapping: layer0");
    }
}

}  // namespace

void check_run(const TrainConfig& config) {
    if (config.post_training) {
        check_post_training(config);
    }
    for (const auto& [table, phase] :
         {std::pair<const char*, const PhaseConfig*>{"training", &config.training}, {"finetune", &config.finetune}}) {
        if (phase->epochs > 0) {
            check_checkpoint_name(config, *phase, table);
        }
        check_tiles(config, *phase, table);
    }
    if (config.finetune.epochs == 0 && prunes_anew(config.finetune)) {
        throw UserError(
            "finetune.pruning prunes nothing with finetune.epochs 0: set training.pruning, or epochs above 0");
    }
    check_quantizers_are_used(config);
}

void check_post_training(const TrainConfig& config) {
    if (prunes_anew(config.finetune)) {
        throw UserError(
            "post-training quantization prunes nothing: set finetune.pruning.method 'off', or give finetune epochs and "
            "train without --ptq and post_training");
    }
    TrainConfig own = config;
    own.post_training = true;
    check_quantizers_are_used(own);
}

void check_given_groups(const ConfigReader& reader) {
    for (const char* group : kGroups) {
        const std::string table = std::string("fake_quantization.") + group;
        if (reader.has(table + ".quantizer")) {
            continue;
        }
        for (const char* key : {"bits", "scale", "range", "percentile", "rounding", "ranges", "momentum"}) {
            if (reader.has(table + "." + key)) {
                throw UserError("key '" + table + "." + key + "' has no effect: the group has no quantizer; set " +
                                table + ".quantizer (off, max_scale, symmetric or asymmetric)");
            }
        }
    }
}

void check_exact_sums(const TrainConfig& config, const NetworkParameters& parameters) {
    const bool quantizes_later = trains(config.training, Precision::in_float) &&
                                 (trains(config.finetune, Precision::quantized) ||
                                  (config.post_training && config.finetune.precision != Precision::fake_quantized));
    if (!quantizes_later) {
        return;
    }
    const DeploymentOptions& options = config.quantization;
    const auto check = [&options](const std::string& name, const char* keys, const MatrixRM& weights, int own_bits,
                                  int input_bits) {
        const Eigen::VectorXf no_bias = Eigen::VectorXf::Zero(weights.rows());
        const double sum = quantize_matrix(weights, no_bias, 1.0, 1.0, options.bits_of(own_bits), input_bits,
                                           options.activation_bits, options.weight_range)
                               .largest_sum();
        if (sum > 2.0 * QuantizedMatrix::kExactLimit) {
            throw UserError(name + ": sums of " + std::to_string(weights.cols()) + " inputs reach about " +
                            std::to_string(static_cast<long long>(sum)) +
                            " weight-code x input-code units, beyond the 2^24 that are exact; lower " + keys +
                            " or take fewer inputs");
        }
    };
    check("encoder", "quantization.encoder_bits (or weight_bits) or input_bits", parameters.encoder,
          options.encoder_bits, options.input_bits);
    for (std::size_t layer = 0; layer < parameters.layers.size(); ++layer) {
        check("layers." + std::to_string(layer) + ".mixing",
              "quantization.mixing_bits (or weight_bits) or activation_bits", parameters.layers[layer].mixing,
              options.mixing_bits, options.activation_bits);
    }
    check("decoder", "quantization.decoder_bits (or weight_bits) or activation_bits", parameters.decoder,
          options.decoder_bits, options.activation_bits);
}

}  // namespace imssa
