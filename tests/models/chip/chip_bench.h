#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "models/chip/chip_system.h"
#include "models/network/reference_inference.h"
#include "tests/support/random_network.h"

namespace imssa::testing {

inline ModelConfig small_model() {
    ModelConfig model;
    model.channels = 2;
    model.classes = 3;
    model.layers = 2;
    model.heads = 3;
    model.states = 4;
    return model;
}

inline DeployedNetwork small_network(const ModelConfig& model, const DeploymentOptions& options, int steps,
                                     std::uint32_t seed = 1) {
    const RandomNetwork network = random_network(model, seed);
    return deploy(network.model, network.parameters, network.ranges, options, steps);
}
inline DeployedNetwork small_network(const ModelConfig& model, const KernelOptions& kernel, int steps,
                                     std::uint32_t seed = 1) {
    DeploymentOptions options;
    options.kernel = kernel;
    return small_network(model, options, steps, seed);
}

/// Random sequences with the pointers and ids that chip and reference take.
struct Sequences {
    Sequences(const DeployedNetwork& network, int lanes, std::uint32_t seed, std::uint64_t first_id = 0)
        : data(random_sequences(lanes, network.steps, network.model.channels, seed)) {
        for (std::size_t lane = 0; lane < data.size(); ++lane) {
            batch.values.push_back(data[lane].data());
            batch.sequence_ids.push_back(first_id + lane);
        }
    }
    /// Gives the sequences lengths of their own, from 1 to the steps of the network.
    void shorten(const DeployedNetwork& network) {
        for (std::size_t lane = 0; lane < data.size(); ++lane) {
            batch.lengths.push_back(1 + static_cast<int>(5 * lane + 2) % network.steps);
        }
    }
    Sequences(const Sequences&) = delete;
    Sequences& operator=(const Sequences&) = delete;

    std::vector<std::vector<float>> data;
    BatchInput batch;
};

inline std::string describe(const KernelOptions& kernel) {
    std::string text;
    for (const char* part : {kernel.mapping == KernelMapping::fused ? "fused" : "digital",
                             kernel.representation == StateRepresentation::abar_delta ? "delta" : "cartesian",
                             kernel.form == OutputForm::delayed   ? "delayed"
                             : kernel.form == OutputForm::current ? "current"
                                                                  : "immediate",
                             kernel.input_matrix == InputMatrix::folded ? "folded" : "cells",
                             kernel.feedthrough == Feedthrough::digital ? "d_digital" : "d_cells",
                             kernel.registers == RegisterUpdate::replace ? "replace" : "accumulate",
                             kernel.rounding == StateRounding::dithered ? "dithered" : "nearest"}) {
        text += std::string(part) + " ";
    }
    return text;
}

/// Compares every code of a running chip with the reference inference, step by step.
class ReferenceProbe final : public ChipProbe {
public:
    ReferenceProbe(const DeployedNetwork& network, const BatchInput& input, std::uint64_t seed)
        : network_(network), keys_(dither_keys(seed, input.sequence_ids)) {
        const int lanes = static_cast<int>(input.values.size());
        LaneMatrix codes(network.model.channels, lanes);
        LaneMatrix sums(network.model.heads, lanes);
        std::vector<ReferenceLayer> layers;
        layers.reserve(network.layers.size());
        for (int layer = 0; layer < network.model.layers; ++layer) {
            layers.emplace_back(network, layer, lanes);
        }
        for (int step = 0; step < network.steps; ++step) {
            LaneMatrix encoded(network.model.heads, lanes);
            step_input_codes(network, input.values, step, codes);
            encode(network, network.encoder.driven_codes(), codes, sums, encoded);
            encoder_.push_back(encoded);
            const LaneMatrix* layer_input = &encoder_.back();
            for (ReferenceLayer& layer : layers) {
                layer.step(*layer_input, static_cast<std::uint32_t>(step), keys_);
                registers_.push_back(layer.registers());
                kernel_outputs_.push_back(layer.kernel_output());
                layer_outputs_.push_back(layer.output());
                layer_input = &layer.output();
            }
        }
        result_ = ReferenceInference(network).run(input.values, input.sequence_ids, seed, input.lengths);
    }

    void on_encoder(const Batch& batch, int step, const LaneMatrix& codes) override {
        compare(codes, encoder_[static_cast<std::size_t>(step)], batch.lanes(), "encoder");
    }
    void on_state(const Batch& batch, int layer, int step,
                  const std::vector<const StateRegisterFile*>& heads) override {
        const std::vector<StateRegisterFile>& expected = registers_[at(layer, step)];
        for (std::size_t head = 0; head < heads.size(); ++head) {
            for (int component = 0; component < heads[head]->components(); ++component) {
                for (int lane = 0; lane < batch.lanes(); ++lane) {
                    compared_codes += 1;
                    mismatches += heads[head]->row(component)[lane] != expected[head].row(component)[lane] ? 1 : 0;
                }
            }
        }
    }
    void on_kernel_output(const Batch& batch, int layer, int step, const LaneMatrix& codes) override {
        compare(codes, kernel_outputs_[at(layer, step)], batch.lanes(), "kernel output");
    }
    void on_layer_output(const Batch& batch, int layer, int step, const LaneMatrix& codes) override {
        compare(codes, layer_outputs_[at(layer, step)], batch.lanes(), "layer output");
    }
    void on_logits(const Batch& batch, const LaneMatrix& pooled, const LaneMatrix& logits) override {
        compare(pooled, result_.pooled, batch.lanes(), "pooled");
        compare(logits, result_.logits, batch.lanes(), "logits");
    }

    const ReferenceResult& result() const { return result_; }
    const std::vector<StateRegisterFile>& registers(int layer, int step) const { return registers_[at(layer, step)]; }

    long compared_codes = 0;
    long mismatches = 0;

private:
    std::size_t at(int layer, int step) const { return static_cast<std::size_t>(step * network_.model.layers + layer); }

    void compare(const LaneMatrix& codes, const LaneMatrix& expected, int lanes, const char* what) {
        ASSERT_EQ(codes.channels(), expected.channels()) << what;
        for (int channel = 0; channel < codes.channels(); ++channel) {
            for (int lane = 0; lane < lanes; ++lane) {
                compared_codes += 1;
                mismatches += codes(channel, lane) != expected(channel, lane) ? 1 : 0;
            }
        }
    }

    const DeployedNetwork& network_;
    std::vector<std::uint32_t> keys_;
    std::vector<LaneMatrix> encoder_, kernel_outputs_, layer_outputs_;
    std::vector<std::vector<StateRegisterFile>> registers_;
    ReferenceResult result_;
};

}  // namespace imssa::testing
