#include "models/chip/timing_model.h"

#include <algorithm>
#include <cmath>

namespace imssa {

namespace {

int ceil_divide(int a, int b) {
    return (a + b - 1) / b;
}

}  // namespace

int settle_cycles(const TimingConfig& timing, const ReadConfig& read, int input_limit) {
    constexpr double kMostCycles = 1e7;  // sums of phases stay far within an int
    // The tolerance keeps 20 ns at 1 GHz at 20 cycles, whatever the last bit of the product is.
    const double cycles = std::ceil(read.read_time_s(input_limit) * timing.clock_hz - 1e-6);
    if (!(cycles <= kMostCycles)) {
        throw UserError("a read takes more than 1e7 cycles: lower read.t_read_s or timing.clock_hz");
    }
    return static_cast<int>(cycles);
}

int adc_count(int outputs, const TimingConfig& timing) {
    return ceil_divide(outputs, timing.columns_per_adc);
}

int conversion_rounds(int outputs, const TimingConfig& timing) {
    return ceil_divide(outputs, adc_count(outputs, timing));
}

ArrayReadCycles array_read_cycles(int outputs, const TimingConfig& timing, const ReadConfig& read, int input_limit) {
    ArrayReadCycles cycles;
    cycles.load = timing.load_cycles;
    cycles.drive = timing.drive_cycles;
    cycles.settle = settle_cycles(timing, read, input_limit);
    cycles.sample = timing.sample_cycles;
    cycles.rounds = conversion_rounds(outputs, timing);
    cycles.cycles_per_round = timing.adc_cycles_per_conversion;
    cycles.write_back = timing.write_back_cycles;
    return cycles;
}

ArrayReadCycles dense_read_cycles(const QuantizedMatrix& matrix, MatrixPlace place, const TimingConfig& timing,
                                  const ReadConfig& read, const MappingOptions& mapping) {
    if (place == MatrixPlace::cells) {
        return array_read_cycles(matrix.outputs() * mapping.weight_slices, timing, read, matrix.input_limit);
    }
    ArrayReadCycles cycles;
    cycles.load = timing.load_cycles;
    cycles.digital = ceil_divide(matrix.inputs() * matrix.outputs(), timing.dense_multipliers) + 1;
    cycles.write_back = timing.write_back_cycles;
    return cycles;
}

KernelStepCycles kernel_step_cycles(const DeployedKernel& kernel, const TimingConfig& timing, const ReadConfig& read) {
    KernelStepCycles cycles;
    cycles.array = array_read_cycles(kernel.array.outputs(), timing, read, kernel.array.input_limit);
    if (kernel.options.mapping == KernelMapping::digital_decay) {
        cycles.decay = ceil_divide(4 * kernel.modes, timing.decay_multipliers) + 1;
        cycles.decay_overlaps = kernel.options.form != OutputForm::current;
    }
    return cycles;
}

KernelStepCycles kernel_step_cycles(const DeployedLayer& layer, const ChipConfig& config) {
    const DeployedKernel& kernel = layer.kernels.front();
    const int heads = static_cast<int>(layer.kernels.size());
    return kernel_step_cycles(kernel, count_kernel_tiles(kernel, heads, config.mapping, "the kernel"), config);
}

KernelStepCycles kernel_step_cycles(const DeployedKernel& kernel, const KernelTileCounts& tiles,
                                    const ChipConfig& config) {
    const TimingConfig& timing = config.timing;
    KernelStepCycles cycles = kernel_step_cycles(kernel, timing, config.read);
    if (tiles.tiles == 0) {
        cycles.array.drive = cycles.array.settle = cycles.array.sample = cycles.array.rounds = 0;
    } else {
        cycles.array.rounds = conversion_rounds(tiles.outputs, timing);
        cycles.reads = tiles.passes;
    }
    if (timing.kernel_sites > 0 && tiles.tiles > timing.kernel_sites) {
        cycles.banks = ceil_divide(tiles.tiles, timing.kernel_sites);
        cycles.swap = timing.swap_cycles;
    }
    if (tiles.digital_products_of_head > 0) {
        cycles.digital = ceil_divide(tiles.digital_products_of_head, timing.decay_multipliers) + 1;
    }
    if (config.calibration.poles != PoleCalibration::none && !kernel.array_replaces_state) {
        cycles.gain = ceil_divide(kernel.state_components(), timing.decay_multipliers) + 1;
    }
    cycles.double_buffered = timing.double_buffering;
    return cycles;
}

MixingCycles mixing_cycles(const DeployedLayer& layer, const TimingConfig& timing, const ReadConfig& read,
                           const MappingOptions& mapping) {
    MixingCycles cycles;
    cycles.array = dense_read_cycles(layer.mixing, mapping.mixing_matrix, timing, read, mapping);
    cycles.table = timing.table_cycles;
    return cycles;
}

int layer_unit_cycles(const LayerUnitParameters& unit, int heads, const TimingConfig& timing) {
    const int passes = unit.norm == Norm::layer ? 3 : 1;
    return passes * ceil_divide(heads, timing.layer_unit_elements_per_cycle) + 1;
}

ArrayReadCycles encoder_cycles(const DeployedNetwork& network, const TimingConfig& timing, const ReadConfig& read,
                               const MappingOptions& mapping) {
    return dense_read_cycles(network.encoder, mapping.encoder, timing, read, mapping);
}

int pooling_cycles(const TimingConfig& timing) {
    return timing.pooling_cycles;
}

ArrayReadCycles classifier_cycles(const DeployedNetwork& network, const TimingConfig& timing, const ReadConfig& read,
                                  const MappingOptions& mapping) {
    return dense_read_cycles(network.decoder, mapping.decoder, timing, read, mapping);
}

Pipeline pipeline_of(const DeployedNetwork& network, const ChipConfig& config) {
    const TimingConfig& timing = config.timing;
    Pipeline pipeline;
    pipeline.channel_capacity = timing.channel_capacity;
    pipeline.input_interval = timing.input_interval_cycles;
    pipeline.stages.push_back({"encoder", encoder_cycles(network, timing, config.read, config.mapping).total(), false});
    for (std::size_t index = 0; index < network.layers.size(); ++index) {
        const DeployedLayer& layer = network.layers[index];
        const std::string prefix = "layer" + std::to_string(index) + ".";
        const DeployedKernel& kernel = layer.kernels.front();  // of a shape without weights the only one
        const KernelTileCounts tiles = count_kernel_tiles(kernel, layer.mixing.inputs(), config.mapping, "the kernel");
        pipeline.stages.push_back({prefix + "kernel", kernel_step_cycles(kernel, tiles, config).total(),
                                   kernel.options.form == OutputForm::delayed});
        pipeline.stages.push_back(
            {prefix + "mixing", mixing_cycles(layer, timing, config.read, config.mapping).total(), false});
        pipeline.stages.push_back({prefix + "unit", layer_unit_cycles(layer.unit, network.model.heads, timing), false});
    }
    pipeline.stages.push_back({"pooling", pooling_cycles(timing), false});
    pipeline.classifier = classifier_cycles(network, timing, config.read, config.mapping).total();
    return pipeline;
}

int steady_state_interval_cycles(const Pipeline& pipeline) {
    int interval = pipeline.input_interval;
    for (const PipelineStage& stage : pipeline.stages) {
        interval = std::max(interval, stage.cycles);
    }
    return interval;
}

std::int64_t sequence_interval_cycles(const Pipeline& pipeline, int steps) {
    std::int64_t interval =
        std::max<std::int64_t>(pipeline.classifier, static_cast<std::int64_t>(steps) * pipeline.input_interval);
    for (const PipelineStage& stage : pipeline.stages) {
        interval = std::max(interval, static_cast<std::int64_t>(steps + (stage.delayed ? 1 : 0)) * stage.cycles);
    }
    return interval;
}

std::int64_t sequence_latency_cycles(const Pipeline& pipeline, int steps) {
    const int stages = static_cast<int>(pipeline.stages.size());
    std::vector<int> offset(stages, 0);  // a delayed stage makes everything behind it one operation late
    for (int i = 1; i < stages; ++i) {
        offset[i] = offset[i - 1] + (pipeline.stages[i - 1].delayed ? 1 : 0);
    }
    std::vector<std::vector<std::int64_t>> start(stages), leave(stages, std::vector<std::int64_t>(steps, 0));
    std::vector<std::int64_t> free_at(stages, 0);
    const int waves = steps + offset[stages - 1] + 1;
    for (int wave = 0; wave < waves; ++wave) {
        for (int i = 0; i < stages; ++i) {
            const PipelineStage& stage = pipeline.stages[i];
            const int operation = wave - offset[i];
            if (operation < 0 || operation >= steps + (stage.delayed ? 1 : 0)) {
                continue;
            }
            const std::int64_t arrival = i > 0 && operation < steps ? leave[i - 1][operation] : 0;
            std::int64_t earliest = std::max(free_at[i], arrival);
            if (i == 0 && operation > 0) {
                earliest = std::max(earliest, start[i].back() + pipeline.input_interval);
            }
            start[i].push_back(earliest);
            free_at[i] = start[i].back() + stage.cycles;
            const int emitted = operation - (stage.delayed ? 1 : 0);
            if (emitted < 0) {
                continue;
            }
            const int makes_room = emitted - pipeline.channel_capacity;
            if (i + 1 < stages && makes_room >= 0) {
                free_at[i] = std::max(free_at[i], start[i + 1][makes_room]);
            }
            leave[i][emitted] = free_at[i];
        }
    }
    return leave[stages - 1][steps - 1] + pipeline.classifier;
}

}  // namespace imssa
