// Chips whose converters have fewer bits than the network's codes, against rounding written out.
#include <cmath>
#include <cstring>
#include <memory>

#include "tests/models/chip/chip_bench.h"

namespace imssa::testing {
namespace {

/// Multiples of 2^(8 - bits), half to even, with the levels that the bits have.
double rounded(double code, int bits) {
    const double step = std::pow(2.0, 8 - bits);
    const double levels = std::pow(2.0, bits - 1) - 1.0;
    return step * std::min(levels, std::max(-levels, std::nearbyint(code / step)));
}

/// What the converters make of a matrix and codes ahead of it. Product and sum in float, as the codes are defined.
std::vector<float> naive_read(const QuantizedMatrix& matrix, const std::vector<float>& inputs, int adc_bits,
                              int dac_bits) {
    std::vector<float> codes;
    for (int o = 0; o < matrix.outputs(); ++o) {
        double sum = 0.0;
        for (int i = 0; i < matrix.inputs(); ++i) {
            const std::size_t at = static_cast<std::size_t>(i);
            sum += static_cast<double>(matrix.codes(i, o)) * static_cast<double>(matrix.drive[at]) *
                   rounded(static_cast<double>(inputs[at]), dac_bits);
        }
        const std::size_t at = static_cast<std::size_t>(o);
        const float code = static_cast<float>(sum) * matrix.gain[at] + matrix.offset[at];
        codes.push_back(static_cast<float>(rounded(static_cast<double>(code), adc_bits)));
    }
    return codes;
}

/// Repeats every read of a chip with folded input and digital D from what went into it.
class NaiveProbe final : public ChipProbe {
public:
    NaiveProbe(const DeployedNetwork& network, const BatchInput& input, const ChipConfig& chip)
        : network_(network), input_(input), chip_(chip) {}

    void on_encoder(const Batch& batch, int step, const LaneMatrix& codes) override {
        LaneMatrix inputs(network_.model.channels, batch.lanes());
        step_input_codes(network_, input_.values, step, inputs);
        expect(network_.encoder, inputs, codes, "encoder");
        encoded_ = codes;
    }
    void on_state(const Batch& batch, int layer, int /*step*/,
                  const std::vector<const StateRegisterFile*>& heads) override {
        if (layer > 0) {
            return;
        }
        outputs_.clear();
        for (std::size_t head = 0; head < heads.size(); ++head) {
            const DeployedKernel& kernel = network_.layers[0].kernels[head];
            LaneMatrix inputs(kernel.array.inputs(), batch.lanes());
            load_array_inputs(kernel, *heads[head], encoded_.row(static_cast<int>(head)), inputs);
            LaneMatrix y(1, batch.lanes());
            for (int lane = 0; lane < batch.lanes(); ++lane) {
                y(0, lane) = naive_read(kernel.array, column(inputs, lane), chip_.adc.bits, chip_.read.dac.bits)[0];
            }
            add_feedthrough(kernel, encoded_.row(static_cast<int>(head)), network_.activation_limit(), y.row(0),
                            batch.lanes());
            outputs_.push_back(y);
        }
    }
    void on_kernel_output(const Batch& batch, int layer, int /*step*/, const LaneMatrix& codes) override {
        for (std::size_t head = 0; layer == 0 && head < outputs_.size(); ++head) {
            for (int lane = 0; lane < batch.lanes(); ++lane) {
                ASSERT_EQ(codes(static_cast<int>(head), lane), outputs_[head](0, lane)) << "head " << head;
                ++compared;
            }
        }
    }
    void on_layer_output(const Batch&, int, int, const LaneMatrix&) override {}
    void on_logits(const Batch&, const LaneMatrix& pooled, const LaneMatrix& logits) override {
        expect(network_.decoder, pooled, logits, "logits");
    }

    int compared = 0;

private:
    static std::vector<float> column(const LaneMatrix& codes, int lane) {
        std::vector<float> values;
        for (int channel = 0; channel < codes.channels(); ++channel) {
            values.push_back(codes(channel, lane));
        }
        return values;
    }
    void expect(const QuantizedMatrix& matrix, const LaneMatrix& inputs, const LaneMatrix& codes, const char* what) {
        for (int lane = 0; lane < codes.lanes(); ++lane) {
            ASSERT_EQ(column(codes, lane),
                      naive_read(matrix, column(inputs, lane), chip_.adc.bits, chip_.read.dac.bits))
                << what;
            ++compared;
        }
    }

    const DeployedNetwork& network_;
    const BatchInput& input_;
    const ChipConfig& chip_;
    LaneMatrix encoded_;
    std::vector<LaneMatrix> outputs_;
};

ChipConfig with_bits(int adc_bits, int dac_bits) {
    ChipConfig config;
    config.adc.bits = adc_bits;
    config.read.dac.bits = dac_bits;
    return config;
}

/// Chips of one simulation: all are built before one runs.
class Systems {
public:
    Systems(const DeployedNetwork& network, const std::vector<ChipConfig>& configs) {
        for (const ChipConfig& config : configs) {
            const std::string name = "chip" + std::to_string(systems_.size());
            systems_.push_back(std::make_unique<ChipSystem>(network, config, 4, name.c_str()));
        }
    }
    ChipSystem& at(std::size_t index) const { return *systems_[index]; }

private:
    std::vector<std::unique_ptr<ChipSystem>> systems_;
};

std::vector<float> logits_of(ChipSystem& system, const BatchInput& input) {
    const BatchResult result = system.run({input}).front();
    std::vector<float> values;
    for (int label = 0; label < result.logits.channels(); ++label) {
        for (int lane = 0; lane < result.logits.lanes(); ++lane) {
            values.push_back(result.logits(label, lane));
        }
    }
    return values;
}

TEST(ChipConverterBits, EveryReadIsRoundedAsItsConvertersAre) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 12);
    const Sequences sequences(network, 19, 3);
    std::vector<ChipConfig> configs;
    for (const auto& [adc_bits, dac_bits] : {std::pair{8, 8}, {6, 8}, {8, 6}, {5, 4}, {2, 3}}) {
        configs.push_back(with_bits(adc_bits, dac_bits));
    }
    const Systems systems(network, configs);
    for (std::size_t index = 0; index < configs.size(); ++index) {
        NaiveProbe probe(network, sequences.batch, configs[index]);
        systems.at(index).chip().set_probe(&probe);
        systems.at(index).run({sequences.batch});
        EXPECT_EQ(probe.compared, 19 * (12 + 12 * 3 + 1)) << "configuration " << index;
    }
}

TEST(ChipConverterBits, AsManyBitsAsTheCodesHaveChangeNothingAndFewerChangeCodes) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 8);
    const Sequences sequences(network, 5, 1);
    const std::vector<ChipConfig> configs = {with_bits(0, 0), with_bits(8, 0), with_bits(0, 8),
                                             with_bits(8, 8), with_bits(6, 0), with_bits(0, 5)};
    const Systems systems(network, configs);
    for (std::size_t index = 0; index < configs.size(); ++index) {
        ReferenceProbe probe(network, sequences.batch, 1);
        systems.at(index).chip().set_probe(&probe);
        systems.at(index).run({sequences.batch});
        EXPECT_EQ(probe.mismatches > 0, index >= 4) << "configuration " << index;
    }
}

TEST(ChipConverterBits, EightBitsWithEveryErrorAreTheSameBitsAsTheDefault) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 8);
    const Sequences sequences(network, 20, 1);
    std::vector<ChipConfig> configs;
    for (const int bits : {0, 8}) {
        ChipConfig config = with_bits(bits, bits);
        config.device.programming_sigma_siemens = 3e-6;
        config.device.read_noise_relative = 0.01;
        config.read.dac.unit_mismatch_sigma = 0.01;
        config.adc.input_noise_codes = 0.5;
        config.adc.offset_sigma_codes = 2.0;
        config.adc.unit_mismatch_sigma = 0.02;
        config.adc.calibrate = true;
        configs.push_back(config);
    }
    const Systems systems(network, configs);
    EXPECT_EQ(logits_of(systems.at(0), sequences.batch), logits_of(systems.at(1), sequences.batch));
}

TEST(ChipConverterBits, PartialSumsNeedTheirRangeToBeExact) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    const DeployedNetwork network = small_network(small_model(), kernel, 8);
    const Sequences sequences(network, 5, 1);
    std::vector<ChipConfig> configs;
    for (const int slices : {1, 2}) {
        for (const MatrixPlace input : {MatrixPlace::cells, MatrixPlace::digital}) {
            for (const int bits : {0, 8}) {  // the codes have 8
                ChipConfig config = with_bits(bits, 0);
                config.mapping.weight_slices = slices;
                config.mapping.kernel_input = input;
                config.mapping.split_heads = true;
                config.mapping.tile_rows = 8;
                configs.push_back(config);
            }
        }
    }
    const Systems systems(network, configs);
    for (std::size_t index = 0; index < configs.size(); ++index) {
        ReferenceProbe probe(network, sequences.batch, 1);
        systems.at(index).chip().set_probe(&probe);
        systems.at(index).run({sequences.batch});
        EXPECT_EQ(probe.mismatches > 0, configs[index].adc.bits == 8) << "configuration " << index;
    }
}

/// Registers that conversions replace hold multiples of the converters' step.
class StateProbe final : public ChipProbe {
public:
    void on_encoder(const Batch&, int, const LaneMatrix&) override {}
    void on_state(const Batch& batch, int, int, const std::vector<const StateRegisterFile*>& heads) override {
        for (const StateRegisterFile* head : heads) {
            for (int component = 0; component < head->components(); ++component) {
                for (int lane = 0; lane < batch.lanes(); ++lane) {
                    const std::int32_t code = head->row(component)[lane];
                    EXPECT_EQ(code % 8, 0);
                    moved += code != 0 ? 1 : 0;
                }
            }
        }
    }
    void on_kernel_output(const Batch&, int, int, const LaneMatrix&) override {}
    void on_layer_output(const Batch&, int, int, const LaneMatrix&) override {}
    void on_logits(const Batch&, const LaneMatrix&, const LaneMatrix&) override {}
    int moved = 0;
};

TEST(ChipConverterBits, DitherCountsInStepsOfTheConverter) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.representation = StateRepresentation::abar_cartesian;
    kernel.form = OutputForm::delayed;
    kernel.input_matrix = InputMatrix::cells;
    kernel.registers = RegisterUpdate::replace;
    kernel.rounding = StateRounding::dithered;
    kernel.register_bits = kernel.state_bits;
    const DeployedNetwork network = small_network(small_model(), kernel, 10);
    const Sequences sequences(network, 20, 1);
    ChipSystem system(network, with_bits(5, 0), 1);
    StateProbe probe;
    system.chip().set_probe(&probe);
    system.run({sequences.batch});
    EXPECT_GT(probe.moved, 100);
}

TEST(ChipConverterBits, PoleCalibrationOfCoarseConvertersLeavesAnIdealArrayAlone) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    const DeployedNetwork network = small_network(small_model(), kernel, 8);
    ChipConfig config = with_bits(5, 0);
    config.calibration.poles = PoleCalibration::exact_radius;
    const ChipSystem system(network, config, 7);
    EXPECT_GT(system.chip().calibration().poles, 0);
    EXPECT_EQ(system.chip().calibration().corrected_poles, 0);
}

TEST(ChipConverterBits, MoreBitsThanTheCodesHaveAreRefused) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 3);
    for (const auto& [config, key] :
         {std::pair{with_bits(9, 0), "adc.bits = 9"}, {with_bits(0, 10), "dac.bits = 10"}}) {
        try {
            const ChipSystem system(network, config, 1);
            FAIL() << key;
        } catch (const UserError& error) {
            EXPECT_NE(std::strstr(error.what(), key), nullptr) << error.what();
            EXPECT_NE(std::strstr(error.what(), "8 bits"), nullptr) << error.what();
        }
    }
}

}  // namespace
}  // namespace imssa::testing
