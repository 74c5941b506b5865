#pragma once

#include "tests/models/chip/chip_bench.h"

namespace imssa::testing {

/// The example of docs/timing.md: one layer of 2 heads with 2 modes each, one input channel, 2 classes.
inline ModelConfig hand_worked_model() {
    ModelConfig model;
    model.channels = 1;
    model.classes = 2;
    model.layers = 1;
    model.heads = 2;
    model.states = 4;
    return model;
}

inline ChipConfig hand_worked_chip() {
    ChipConfig config;
    config.read.t_read_s = 20e-9;
    config.timing.clock_hz = 100e6;
    config.timing.load_cycles = 1;
    config.timing.drive_cycles = 1;
    config.timing.sample_cycles = 1;
    config.timing.adc_cycles_per_conversion = 2;
    config.timing.columns_per_adc = 2;
    config.timing.write_back_cycles = 1;
    config.timing.decay_multipliers = 4;
    config.timing.table_cycles = 1;
    config.timing.layer_unit_elements_per_cycle = 2;
    config.timing.pooling_cycles = 1;
    config.timing.channel_capacity = 2;
    return config;
}

constexpr int kHandWorkedSteps = 3;

inline KernelOptions fused(OutputForm form) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = form;
    kernel.input_matrix = InputMatrix::cells;
    return kernel;
}

inline KernelOptions digital_immediate() {
    KernelOptions kernel;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    return kernel;
}

}  // namespace imssa::testing
