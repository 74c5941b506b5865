/// Times single steps of the trainer: training (forward, backward, gradient clipping, AdamW) and inference of one batch
/// of 64 random sequences of 784 steps.
///
/// train_step_bench LAYERS HEADS STATES GLU THREADS [SECONDS]
///     prints one row: minimum and median of wall and CPU time per training step in float, per training step with
///     everything at 8 bits and states quantized in the loop, and per inference in float.
/// train_step_bench LAYERS HEADS STATES GLU THREADS memory
///     prints how far one training step in float, with what it needs, raises the peak memory of the process.
/// train_step_bench LAYERS HEADS STATES GLU THREADS serve
///     takes one command a line, `train`, `quantized` or `infer`, and answers with wall and CPU milliseconds of one
///     step; train_step_vs_torch.py alternates it with PyTorch.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iostream>
#include <numeric>
#include <string>

#include "models/common/random.h"
#include "trainer/adamw.h"
#include "trainer/calibration.h"
#include "trainer/gradient_engine.h"
#include "trainer/initialize.h"

namespace imssa {
namespace {

constexpr int kBatch = 64;
constexpr int kSteps = 784;

struct StepTime {
    double wall_ms = 0.0, cpu_ms = 0.0;
};

double cpu_ms() {
    std::timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

StepTime timed(const std::function<void()>& step) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_ms();
    step();
    return {std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count(),
            cpu_ms() - cpu_start};
}

Dataset random_batch() {
    const CounterRandom random(1, RandomPurpose::initialisation, 1000);
    Dataset data;
    data.name = "random";
    data.steps = kSteps;
    data.classes = 10;
    for (std::uint64_t index = 0; index < static_cast<std::uint64_t>(kBatch) * kSteps; ++index) {
        data.values.push_back(static_cast<float>(std::clamp(random.normal(index), -1.0, 1.0)));
    }
    for (int index = 0; index < kBatch; ++index) {
        data.labels.push_back(index % data.classes);
    }
    return data;
}

/// A model with its optimiser; each call makes one step.
class Bench {
public:
    Bench(const ModelConfig& model, int threads)
        : model_(model),
          data_(random_batch()),
          parameters_(initialize_parameters(model, 1)),
          gradient_(zero_parameters(model)),
          effective_(zero_effective_tensors(model)),
          optimizer_(model, {}),
          engine_(model, kSteps, false, threads),
          quantized_engine_(model, kSteps, true, threads),
          indices_(kBatch),
          ranges_(calibrate(model, parameters_, data_, kBatch)) {
        std::iota(indices_.begin(), indices_.end(), 0);
    }

    void train() { step(StepNetwork::in_float(model_, parameters_, kSteps), engine_); }

    void quantized() {
        step(StepNetwork::quantized(model_, parameters_, ranges_, DeploymentOptions{}, kSteps), quantized_engine_);
    }

    void infer() { engine_.evaluate(StepNetwork::in_float(model_, parameters_, kSteps), data_, 1); }

private:
    void step(const StepNetwork& network, GradientEngine& engine) {
        engine.gradient(network, data_, indices_, 1, effective_);
        parameter_gradient(model_, parameters_, network.deployed(), effective_, gradient_);
        clip_gradient(gradient_, gradient_norm(gradient_, "the benchmark"), 1.0);
        optimizer_.step(parameters_, gradient_, 1e-4, 1e-4);
    }

    ModelConfig model_;
    Dataset data_;
    NetworkParameters parameters_, gradient_;
    EffectiveTensors effective_;
    AdamW optimizer_;
    GradientEngine engine_, quantized_engine_;
    std::vector<int> indices_;
    CalibrationRanges ranges_;
};

/// Minimum and median over as many steps as fit into `seconds`.
void print_times(const char* name, double seconds, const std::function<void()>& step) {
    step();
    std::vector<double> wall, cpu;
    for (double spent = 0.0; spent < seconds * 1e3 || wall.size() < 5;) {
        const StepTime time = timed(step);
        wall.push_back(time.wall_ms);
        cpu.push_back(time.cpu_ms);
        spent += time.wall_ms;
    }
    std::sort(wall.begin(), wall.end());
    std::sort(cpu.begin(), cpu.end());
    std::printf("  %s: wall %.1f (%.1f), CPU %.1f (%.1f)", name, wall.front(), wall[wall.size() / 2], cpu.front(),
                cpu[cpu.size() / 2]);
}

double peak_memory_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void print_memory(const ModelConfig& model, int threads) {
    const Dataset data = random_batch();
    const NetworkParameters parameters = initialize_parameters(model, 1);
    EffectiveTensors gradient = zero_effective_tensors(model);
    std::vector<int> indices(kBatch);
    std::iota(indices.begin(), indices.end(), 0);
    const double before = peak_memory_mib();
    GradientEngine engine(model, kSteps, false, threads);
    engine.gradient(StepNetwork::in_float(model, parameters, kSteps), data, indices, 1, gradient);
    std::printf("(%d, %d, %d)%s, %d thread(s): %.1f MiB\n", model.layers, model.heads, model.states,
                model.glu ? " GLU" : "", threads, peak_memory_mib() - before);
}

int run(int argc, char** argv) {
    if (argc < 6) {
        std::fputs("usage: train_step_bench LAYERS HEADS STATES GLU THREADS [SECONDS | memory | serve]\n", stderr);
        return 2;
    }
    ModelConfig model;
    model.layers = std::atoi(argv[1]);
    model.heads = std::atoi(argv[2]);
    model.states = std::atoi(argv[3]);
    model.glu = std::atoi(argv[4]) != 0;
    model.validate();
    if (argc > 6 && std::string(argv[6]) == "memory") {
        print_memory(model, std::atoi(argv[5]));
        return 0;
    }
    Bench bench(model, std::atoi(argv[5]));
    if (argc > 6 && std::string(argv[6]) == "serve") {
        for (std::string command; std::getline(std::cin, command);) {
            const StepTime time = timed([&] {
                if (command == "train") {
                    bench.train();
                } else if (command == "quantized") {
                    bench.quantized();
                } else {
                    bench.infer();
                }
            });
            std::printf("%.4f %.4f\n", time.wall_ms, time.cpu_ms);
            std::fflush(stdout);
        }
        return 0;
    }
    const double seconds = argc > 6 ? std::atof(argv[6]) : 2.0;
    std::printf("(%d, %d, %d)%s, %s thread(s), ms: min (median)", model.layers, model.heads, model.states,
                model.glu ? " GLU" : "", argv[5]);
    print_times("train", seconds, [&] { bench.train(); });
    print_times("8 bits", seconds, [&] { bench.quantized(); });
    print_times("infer", seconds, [&] { bench.infer(); });
    std::puts("");
    return 0;
}

}  // namespace
}  // namespace imssa

int main(int argc, char** argv) {
    try {
        return imssa::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "train_step_bench: %s\n", error.what());
        return 1;
    }
}
