#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "models/network/deployed_network.h"
#include "models/network/parameters.h"
#include "trainer/datasets/data_config.h"
#include "trainer/evaluation_mode.h"
#include "trainer/fake_quantization.h"
#include "trainer/initialize.h"
#include "trainer/noise_config.h"
#include "trainer/parameterization.h"
#include "trainer/pruning.h"
#include "trainer/range_config.h"

namespace imssa {

/// Numbers in the forward pass: real, the integer codes of the chip with a straight-through backward pass, or real on
/// the grids of [fake_quantization].
enum class Precision { in_float, quantized, fake_quantized };

constexpr std::array<std::pair<const char*, Precision>, 3> enum_names(Precision) {
    return {{{"float", Precision::in_float},
             {"quantized", Precision::quantized},
             {"fake_quantized", Precision::fake_quantized}}};
}

/// One phase of training: an optimiser, a cosine schedule and a checkpoint of its own.
struct PhaseConfig {
    Precision precision = Precision::in_float;
    EvaluationMode mode = EvaluationMode::recurrent;
    int epochs = 0;                           ///< 0: the phase is left out
    int batch = 64;                           ///< sequences an optimisation step
    double learning_rate = 1e-2;              ///< at the top of the schedule
    double state_space_learning_rate = 1e-3;  ///< of A, the step sizes and B
    double weight_decay = 0.01;               ///< of encoder, mixing and decoder weights
    int warmup_steps = 200;
    double gradient_clip = 1.0;       ///< largest norm of the gradient over all parameters
    double dropout = 0.0;             ///< probability that an output of the activation is dropped
    int calibration_sequences = 512;  ///< quantized: sequences that set the converter ranges before the first step
    RangeConfig ranges;               ///< how those sequences set them
    Parameterization parameterization = Parameterization::continuous;
    int lower_bits_from = 0;  ///< bits of the first epochs, lowered one by one to those asked for; 0: off
    int epochs_per_bit = 1;   ///< epochs at each of them
    PruningConfig pruning;
    NoiseConfig noise;       ///< errors of training, fresh every step
    std::string checkpoint;  ///< file name in the output folder

    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, PhaseConfig& c) {
    visit("precision", c.precision);
    visit("mode", c.mode);
    visit("epochs", c.epochs);
    visit("batch", c.batch);
    visit("learning_rate", c.learning_rate);
    visit("state_space_learning_rate", c.state_space_learning_rate);
    visit("weight_decay", c.weight_decay);
    visit("warmup_steps", c.warmup_steps);
    visit("gradient_clip", c.gradient_clip);
    visit("dropout", c.dropout);
    visit("calibration_sequences", c.calibration_sequences);
    visit.table("ranges", c.ranges);
    visit("checkpoint", c.checkpoint);
    visit("parameterization", c.parameterization);
    visit("lower_bits_from", c.lower_bits_from);
    visit("epochs_per_bit", c.epochs_per_bit);
    visit.table("pruning", c.pruning);
    visit.table("noise", c.noise);
}

/// Throws UserError where the errors of a phase do not go with what its numbers are rounded to.
void check_noise(const PhaseConfig& phase, const DeploymentOptions& quantization);

/// What `train --config` reads: data, model, one or two phases, and how the model is quantized.
struct TrainConfig {
    std::string name = "model";  ///< of the CSV file and of checkpoints without a name
    std::uint64_t seed = 0;
    Initialization initialization = Initialization::s4d_lin;  ///< of the poles
    DataConfig data;
    ModelConfig model;
    PhaseConfig training;
    PhaseConfig finetune;
    DeploymentOptions quantization;
    FakeQuantization fake_quantization;
    /// Quantizes the checkpoint of --init, or what [training] leaves, in the precision of [finetune] without training
    /// it further.
    bool post_training = false;

    /// Fills in names of checkpoints that are not given.
    void complete();
    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, TrainConfig& c) {
    visit("name", c.name);
    visit("seed", c.seed);
    visit("initialization", c.initialization);
    visit("post_training", c.post_training);
    visit.table("data", c.data);
    visit.table("model", c.model);
    visit.table("training", c.training);
    visit.table("finetune", c.finetune);
    visit.table("quantization", c.quantization);
    visit.table("fake_quantization", c.fake_quantization);
}

}  // namespace imssa
