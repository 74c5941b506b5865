#include "trainer/phase_trainer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <numeric>

#include "models/common/error.h"
#include "models/common/random.h"
#include "models/network/quantizer.h"
#include "trainer/calibration.h"
#include "trainer/interrupt.h"
#include "trainer/tensor_checks.h"
#include "trainer/training_schedule.h"
#include "trainer/weight_noise.h"

namespace imssa {

namespace {

/// work(), whose errors say where in training they appeared.
template <class Work>
auto at(const std::string& where, Work&& work) {
    try {
        return work();
    } catch (const NumericalError& error) {
        throw NumericalError(std::string(error.what()) + " (at " + where + ")");
    } catch (const UserError& error) {
        throw UserError(std::string(error.what()) + " (at " + where + ")");
    }
}

std::string epoch_title(const TrainConfig& config, int phase, int epoch) {
    return std::string(phase_name(phase)) + " epoch " + std::to_string(epoch) + "/" +
           std::to_string(phase_config(config, phase).epochs);
}

std::string pulled_text(const PulledPoles& pulled) {
    char text[160];
    std::snprintf(text, sizeof(text),
                  "warning: pole of layers.%d, head %d, mode %d moved to |Abar| = %.6g and is pulled back to %g",
                  pulled.layer, pulled.head, pulled.mode, pulled.magnitude, kLargestPole);
    return text;
}

}  // namespace

double process_cpu_seconds() {
    std::timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

const PhaseConfig& phase_config(const TrainConfig& config, int phase) {
    return phase == 0 ? config.training : config.finetune;
}

PhaseConfig definite_phase(PhaseConfig phase, const ModelConfig& model, int steps) {
    phase.mode = definite_mode(phase.mode, model.states, steps);
    return phase;
}

const char* phase_name(int phase) {
    return phase == 0 ? "training" : "finetune";
}

std::vector<int> shuffled_indices(int count, std::uint64_t seed, int phase, int epoch) {
    std::vector<int> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), 0);
    const CounterRandom random(seed, RandomPurpose::shuffle, static_cast<std::uint32_t>(phase * 1000000 + epoch));
    for (int last = count - 1; last > 0; --last) {
        const int other = static_cast<int>(random.uniform(static_cast<std::uint64_t>(last)) * (last + 1));
        std::swap(indices[static_cast<std::size_t>(last)], indices[static_cast<std::size_t>(other)]);
    }
    return indices;
}

std::uint64_t epoch_dither_seed(std::uint64_t seed, int phase, int epoch) {
    const std::uint32_t place = static_cast<std::uint32_t>(phase * 1000000 + epoch);
    return seed ^ (static_cast<std::uint64_t>(mix32(place + 1U)) << 32 | mix32(place + 0x51ed270bU));
}

PhaseTrainer::PhaseTrainer(Checkpoint& checkpoint, const Dataset& train, const Dataset& test, int threads)
    : checkpoint_(checkpoint),
      phase_(definite_phase(phase_config(checkpoint.config, checkpoint.phase), checkpoint.config.model, train.steps)),
      train_(train),
      test_(test),
      engine_(checkpoint.config.model, train.steps, phase_.precision == Precision::quantized, threads,
              phase_.precision == Precision::fake_quantized, phase_.mode),
      steps_per_epoch_((train.count() + phase_.batch - 1) / phase_.batch) {
    const ModelConfig& model = checkpoint.config.model;
    if (model.channels != train.channels || model.classes < train.classes) {
        throw UserError("data set '" + train.name + "' has " + std::to_string(train.channels) + " channels and " +
                        std::to_string(train.classes) + " classes, the model " + std::to_string(model.channels) +
                        " and " + std::to_string(model.classes) + "; mend [model]");
    }
    if (phase_.precision != Precision::in_float && !checkpoint_.ranges) {
        checkpoint_.ranges =
            calibrate(model, checkpoint_.parameters, train_, phase_.calibration_sequences, phase_.ranges);
    }
    const FakeQuantization& quantization = checkpoint.config.fake_quantization;
    if (phase_.precision == Precision::fake_quantized && needs_bounds(quantization) && !checkpoint_.bounds) {
        checkpoint_.bounds =
            calibrate_bounds(model, checkpoint_.parameters, quantization, train_, phase_.calibration_sequences);
    }
    if (phase_.pruning.method == PruningMethod::magnitude && checkpoint_.epochs_done == 0) {
        prune_by_magnitude(phase_.pruning, checkpoint_.parameters);
    }
    if (!checkpoint_.optimizer) {
        checkpoint_.optimizer = AdamW(model, {}).state();
    }
}

StepNetwork PhaseTrainer::step_network(const NetworkParameters& parameters, int epoch,
                                       const ObservedBounds* bounds) const {
    PhaseConfig clean = phase_;
    clean.noise = {};
    clean.dropout = 0.0;
    return draw_step(checkpoint_.config, clean, parameters, checkpoint_.ranges ? &*checkpoint_.ranges : nullptr,
                     train_.steps, bits_of_epoch(phase_, epoch), checkpoint_.config.seed, bounds)
        .network;
}

BatchLoss PhaseTrainer::test() {
    const int epoch = checkpoint_.epochs_done;
    const std::string where = epoch == 0
                                  ? epoch_title(checkpoint_.config, checkpoint_.phase, 1) + ", test before step 1"
                                  : epoch_title(checkpoint_.config, checkpoint_.phase, epoch) + ", test after it";
    return at(where, [&] {
        return engine_.evaluate(step_network(checkpoint_.parameters, epoch + 1, own_bounds()), test_,
                                checkpoint_.config.seed);
    });
}

TrainingStep draw_step(const TrainConfig& config, const PhaseConfig& phase, const NetworkParameters& parameters,
                       const CalibrationRanges* ranges, int steps, int bits, std::uint64_t seed,
                       const ObservedBounds* bounds, NormStatistics statistics) {
    const NoiseConfig& noise = phase.noise;
    TrainingStep result;
    result.parameters = parameters;
    if (phase.precision == Precision::fake_quantized) {
        result.network = StepNetwork::fake_quantized(fake_network(config.model, parameters, *ranges,
                                                                  with_at_least(config.fake_quantization, bits), steps,
                                                                  seed, noise.continuous_a, phase.mode, bounds));
    } else if (phase.mode == EvaluationMode::convolution) {
        result.network =
            StepNetwork::fake_quantized(fake_network(config.model, parameters, zero_ranges(config.model), {}, steps,
                                                     seed, noise.continuous_a, phase.mode, nullptr, statistics));
    } else {
        if (noise.continuous_a > 0.0) {
            add_continuous_a_noise(noise.continuous_a, seed, result.parameters);
        }
        if (phase.precision == Precision::quantized) {
            DeployedNetwork deployed =
                deploy(config.model, result.parameters, *ranges, with_at_least(config.quantization, bits), steps);
            if (noise.cell_errors > 0.0) {
                add_cell_errors(noise, seed, deployed);
            }
            result.network = StepNetwork::quantized(std::move(deployed));
        } else {
            result.network = StepNetwork::in_float(config.model, result.parameters, steps, statistics);
        }
    }
    PassNoise pass = PassNoise::of(noise, seed);
    pass.dropout = phase.dropout;
    result.network.set_noise(pass);
    return result;
}

const ObservedBounds* PhaseTrainer::own_bounds() const {
    return checkpoint_.bounds ? &*checkpoint_.bounds : nullptr;
}

TrainingStep PhaseTrainer::training_step(const NetworkParameters& parameters, int epoch, std::int64_t step,
                                         const ObservedBounds* bounds) const {
    const TrainConfig& config = checkpoint_.config;
    TrainingStep drawn =
        draw_step(config, phase_, parameters, checkpoint_.ranges ? &*checkpoint_.ranges : nullptr, train_.steps,
                  bits_of_epoch(phase_, epoch), step_noise_seed(config.seed, checkpoint_.phase, epoch, step), bounds,
                  config.model.norm == Norm::batch ? NormStatistics::batch : NormStatistics::running);
    if (drawn.network.deployed() != nullptr) {
        check_dead_weights(drawn.parameters, drawn.network.effective());
    }
    return drawn;
}

void PhaseTrainer::step_gradient(const TrainingStep& drawn, const NetworkParameters& parameters,
                                 const EffectiveTensors& effective, NetworkParameters& gradient) const {
    if (drawn.network.fake() != nullptr) {
        fake_parameter_gradient(*drawn.network.fake(), parameters, effective, phase_.parameterization, gradient);
        return;
    }
    parameter_gradient(checkpoint_.config.model, drawn.parameters, drawn.network.deployed(), effective, gradient,
                       phase_.parameterization, InputMatrix::folded, drawn.network.effective().statistics);
    if (phase_.parameterization == Parameterization::continuous) {
        straight_through_a(parameters, drawn.parameters, gradient);
    }
}

PulledPoles PhaseTrainer::update(AdamW& optimizer, const NetworkParameters& gradient, double factor,
                                 NetworkParameters& parameters) const {
    PulledPoles pulled;
    const bool discrete = phase_.parameterization == Parameterization::discrete;
    NetworkParameters coordinates = discrete ? to_discrete(parameters) : parameters;
    optimizer.step(coordinates, gradient, factor * phase_.learning_rate, factor * phase_.state_space_learning_rate);
    if (discrete) {
        coordinates = from_discrete(coordinates, &pulled);
    }
    if (phase_.pruning.method != PruningMethod::off) {
        keep_pruned(parameters, coordinates);
    }
    parameters = std::move(coordinates);
    return pulled;
}

double PhaseTrainer::prune(const Dataset& validation) {
    const double accuracy = prune_greedily(
        phase_.pruning,
        [&](const NetworkParameters& parameters) {
            const BatchLoss result = engine_.evaluate(step_network(parameters, phase_.epochs, own_bounds()), validation,
                                                      checkpoint_.config.seed);
            return static_cast<double>(result.correct) / result.sequences;
        },
        checkpoint_.parameters);
    return accuracy;
}

bool PhaseTrainer::run_epoch(ProgressReport& progress) {
    const auto wall_start = std::chrono::steady_clock::now();
    const double cpu_start = process_cpu_seconds();
    const TrainConfig& config = checkpoint_.config;
    const int epoch = checkpoint_.epochs_done + 1;
    const std::string title = epoch_title(config, checkpoint_.phase, epoch);
    const std::vector<int> order = shuffled_indices(train_.count(), config.seed, checkpoint_.phase, epoch);
    const std::uint64_t dither_seed = epoch_dither_seed(config.seed, checkpoint_.phase, epoch);
    NetworkParameters parameters = checkpoint_.parameters;
    NetworkParameters gradient = zero_parameters(config.model);
    EffectiveTensors effective = zero_effective_tensors(config.model);
    AdamWOptions adamw_options;
    adamw_options.weight_decay = phase_.weight_decay;
    AdamW optimizer(config.model, adamw_options);
    optimizer.state() = *checkpoint_.optimizer;
    std::optional<ObservedBounds> bounds = checkpoint_.bounds;
    const bool moves_bounds = bounds && follows_training(config.fake_quantization);
    const auto bounds_now = [&bounds] { return bounds ? &*bounds : nullptr; };
    EpochMetrics metrics;
    metrics.phase = checkpoint_.phase;
    metrics.epoch = epoch;
    BatchLoss total;
    progress.start_epoch(title, train_.count());
    for (std::int64_t step = 0; step < steps_per_epoch_; ++step) {
        const std::string where = title + ", step " + std::to_string(step + 1);
        const std::size_t first = static_cast<std::size_t>(step * phase_.batch);
        const std::size_t last = std::min(first + static_cast<std::size_t>(phase_.batch), order.size());
        const std::vector<int> batch(order.begin() + static_cast<std::ptrdiff_t>(first),
                                     order.begin() + static_cast<std::ptrdiff_t>(last));
        const TrainingStep drawn = at(where, [&] { return training_step(parameters, epoch, step, bounds_now()); });
        at(where, [&] {
            const BatchLoss result = engine_.gradient(drawn.network, train_, batch, dither_seed, effective);
            total.loss_sum += result.loss_sum;
            total.correct += result.correct;
            total.sequences += result.sequences;
            if (moves_bounds) {
                bounds->follow(engine_.observed(), config.fake_quantization);
            }
        });
        step_gradient(drawn, parameters, effective, gradient);
        const double norm = gradient_norm(gradient, where);
        clip_gradient(gradient, norm, phase_.gradient_clip);
        const double factor =
            cosine_schedule(optimizer.state().steps, steps_per_epoch_ * phase_.epochs, phase_.warmup_steps);
        const PulledPoles pulled = update(optimizer, gradient, factor, parameters);
        if (pulled.count > 0 && pulled_poles_ == 0) {
            progress.message(pulled_text(pulled) + " at " + where);
        }
        pulled_poles_ += pulled.count;
        if (drawn.network.effective().statistics == NormStatistics::batch) {
            update_running_statistics(engine_.batch_statistics(), parameters);
        }
        if (phase_.precision != Precision::in_float) {
            check_finite(parameters, where);  // in float the loss tells
        }
        check_poles(parameters, where);
        metrics.learning_rate = factor * phase_.learning_rate;
        metrics.gradient_norm += norm / static_cast<double>(steps_per_epoch_);
        progress.update(total.sequences, total.loss_sum / total.sequences,
                        static_cast<double>(total.correct) / total.sequences);
        if (InterruptGuard::signal_number() != 0) {
            return false;
        }
    }
    metrics.train_loss = total.loss_sum / total.sequences;
    metrics.train_accuracy = static_cast<double>(total.correct) / total.sequences;
    const BatchLoss test = at(title + ", test after step " + std::to_string(steps_per_epoch_), [&] {
        return engine_.evaluate(step_network(parameters, epoch, bounds_now()), test_, config.seed);
    });
    metrics.test_loss = test.mean_loss();
    metrics.test_accuracy = test.accuracy();
    metrics.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_start).count();
    metrics.cpu_s = process_cpu_seconds() - cpu_start;
    checkpoint_.parameters = std::move(parameters);
    checkpoint_.bounds = std::move(bounds);
    checkpoint_.optimizer = optimizer.state();
    checkpoint_.epochs_done = epoch;
    checkpoint_.history.push_back(metrics);
    progress.finish_epoch(title, metrics);
    return true;
}

}  // namespace imssa
