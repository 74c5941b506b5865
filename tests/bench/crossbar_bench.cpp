/// Reads of one 64 x 64 tile, four cells a weight (32 inputs x 32 outputs), with all errors of the TaOx device.
/// `array_ops` counts reads of the tile for one lane per second of CPU time.
#include <benchmark/benchmark.h>

#include <random>

#include "models/array/converters.h"
#include "models/array/crossbar.h"
#include "models/common/random.h"
#include "models/device/device_presets.h"

namespace imssa {
namespace {

constexpr int kInputs = 32;
constexpr int kOutputs = 32;

QuantizedMatrix random_matrix() {
    std::mt19937 engine(1);
    std::uniform_int_distribution<int> code(-127, 127);
    QuantizedMatrix matrix;
    matrix.codes.resize(kInputs, kOutputs);
    for (Eigen::Index at = 0; at < matrix.codes.size(); ++at) {
        matrix.codes.data()[at] = static_cast<float>(code(engine));
    }
    matrix.drive.assign(kInputs, 1.0F);
    matrix.gain.assign(kOutputs, 0.01F);
    matrix.offset.assign(kOutputs, 0.0F);
    matrix.output_limit.assign(kOutputs, 127.0F);
    return matrix;
}

LaneMatrix random_codes(int lanes) {
    std::mt19937 engine(2);
    std::uniform_int_distribution<int> code(-127, 127);
    LaneMatrix codes(kInputs, lanes);
    for (int input = 0; input < kInputs; ++input) {
        for (int lane = 0; lane < lanes; ++lane) {
            codes(input, lane) = static_cast<float>(code(engine));
        }
    }
    return codes;
}

void set_array_ops(benchmark::State& state, int lanes) {
    state.counters["array_ops"] = benchmark::Counter(
        static_cast<double>(lanes) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void read_tile(benchmark::State& state, const DeviceConfig& device) {
    const int lanes = static_cast<int>(state.range(0));
    const Crossbar tile(random_matrix(), MappingOptions{}, device, ReadConfig{}, 1, 0, "tile");
    const LaneMatrix inputs = random_codes(lanes);
    std::vector<std::uint64_t> sequences(static_cast<std::size_t>(lanes));
    for (std::size_t lane = 0; lane < sequences.size(); ++lane) {
        sequences[lane] = lane;
    }
    LaneMatrix sums(kOutputs, lanes);
    std::uint32_t step = 0;
    for (auto _ : state) {
        tile.read(inputs, sequences, step++, sums);
        benchmark::DoNotOptimize(sums.row(0));
    }
    set_array_ops(state, lanes);
}

void crossbar_read_with_noise(benchmark::State& state) {
    read_tile(state, device_preset("taox_imssa"));
}
BENCHMARK(crossbar_read_with_noise)->Arg(1)->Arg(16)->Arg(64)->Arg(256);

void crossbar_read_ideal(benchmark::State& state) {
    read_tile(state, DeviceConfig{});
}
BENCHMARK(crossbar_read_ideal)->Arg(1)->Arg(256);

void crossbar_read_energy(benchmark::State& state) {
    const int lanes = static_cast<int>(state.range(0));
    const Crossbar tile(random_matrix(), MappingOptions{}, DeviceConfig{}, ReadConfig{}, 1, 0, "tile");
    const LaneMatrix inputs = random_codes(lanes);
    for (auto _ : state) {
        benchmark::DoNotOptimize(tile.read_energy(inputs));
    }
    set_array_ops(state, lanes);
}
BENCHMARK(crossbar_read_energy)->Arg(1)->Arg(256);

void crossbar_programming(benchmark::State& state) {
    const QuantizedMatrix matrix = random_matrix();
    for (auto _ : state) {
        const Crossbar tile(matrix, MappingOptions{}, device_preset("taox_imssa"), ReadConfig{}, 1, 0, "tile");
        benchmark::DoNotOptimize(tile.inputs());
    }
}
BENCHMARK(crossbar_programming);

ReadConfig with_wires() {
    ReadConfig read;
    read.wires.row_ohm_per_cell = 2.0;
    read.wires.column_ohm_per_cell = 2.0;
    return read;
}

void crossbar_programming_with_wires(benchmark::State& state) {
    const QuantizedMatrix matrix = random_matrix();
    const ReadConfig read = with_wires();
    for (auto _ : state) {
        const Crossbar tile(matrix, MappingOptions{}, device_preset("taox_imssa"), read, 1, 0, "tile");
        benchmark::DoNotOptimize(tile.inputs());
    }
}
BENCHMARK(crossbar_programming_with_wires)->Unit(benchmark::kMillisecond);

void crossbar_read_energy_with_wires(benchmark::State& state) {
    const int lanes = static_cast<int>(state.range(0));
    const Crossbar tile(random_matrix(), MappingOptions{}, DeviceConfig{}, with_wires(), 1, 0, "tile");
    const LaneMatrix inputs = random_codes(lanes);
    for (auto _ : state) {
        benchmark::DoNotOptimize(tile.read_energy(inputs));
    }
    set_array_ops(state, lanes);
}
BENCHMARK(crossbar_read_energy_with_wires)->Arg(1)->Arg(256);

/// Programming error, read noise, wires, input converters with mismatch, non-linear cells, thermal and shot noise, and
/// output converters with noise, offset, gain error and mismatch; with the read's energy and the saturation count.
void crossbar_read_with_every_error(benchmark::State& state) {
    const int lanes = static_cast<int>(state.range(0));
    ReadConfig read = with_wires();
    read.iv_quadratic_per_volt = 0.05;
    read.iv_cubic_per_volt2 = 0.1;
    read.thermal_noise = true;
    read.shot_noise = true;
    read.dac = {0.005, 0.01};
    AdcConfig adc;
    adc.input_noise_codes = 0.3;
    adc.offset_sigma_codes = 1.0;
    adc.gain_sigma = 0.01;
    adc.unit_mismatch_sigma = 0.02;
    const QuantizedMatrix matrix = random_matrix();
    const Crossbar tile(matrix, MappingOptions{}, device_preset("taox"), read, 1, 0, "tile");
    const AdcErrors converters(adc, matrix, 8, 1, 0);
    const LaneMatrix inputs = random_codes(lanes);
    std::vector<std::uint64_t> sequences(static_cast<std::size_t>(lanes));
    for (std::size_t lane = 0; lane < sequences.size(); ++lane) {
        sequences[lane] = lane;
    }
    LaneMatrix sums(kOutputs, lanes);
    std::uint32_t step = 0;
    for (auto _ : state) {
        tile.read(inputs, sequences, step, sums);
        benchmark::DoNotOptimize(converters.apply(sequences, step++, sums));
        benchmark::DoNotOptimize(tile.read_energy(inputs));
    }
    set_array_ops(state, lanes);
}
BENCHMARK(crossbar_read_with_every_error)->Arg(1)->Arg(16)->Arg(256);

void normal_draws(benchmark::State& state) {
    LanesUint sequences{};
    for (int lane = 0; lane < kLaneWidth; ++lane) {
        sequences[lane] = static_cast<std::uint32_t>(lane);
    }
    std::uint32_t step = 0;
    for (auto _ : state) {
        NormalQuad quad = normal_quad(1, RandomPurpose::read_noise, 0, sequences, step++, 0);
        benchmark::DoNotOptimize(quad);
    }
    state.counters["draws"] =
        benchmark::Counter(64.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(normal_draws);

}  // namespace
}  // namespace imssa

BENCHMARK_MAIN();
