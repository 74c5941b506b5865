/// With every error on, each code of a lane is the same whatever runs beside it.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/device/device_presets.h"
#include "tests/models/chip/chip_bench.h"

namespace imssa::testing {
namespace {

constexpr std::uint64_t kSeed = 11;
constexpr int kLanes = 200;
constexpr int kSteps = 5;

/// All codes of every unit, by unit and sequence, in the order of steps.
class CodesBySequence final : public ChipProbe {
public:
    using Key = std::pair<std::string, std::uint64_t>;

    void on_encoder(const Batch& batch, int /*step*/, const LaneMatrix& all) override { append("encoder", batch, all); }
    void on_state(const Batch& batch, int layer, int /*step*/,
                  const std::vector<const StateRegisterFile*>& heads) override {
        for (const StateRegisterFile* head : heads) {
            for (int component = 0; component < head->components(); ++component) {
                append("state" + std::to_string(layer), batch, head->row(component));
            }
        }
    }
    void on_kernel_output(const Batch& batch, int layer, int /*step*/, const LaneMatrix& all) override {
        append("kernel" + std::to_string(layer), batch, all);
    }
    void on_layer_output(const Batch& batch, int layer, int /*step*/, const LaneMatrix& all) override {
        append("layer" + std::to_string(layer), batch, all);
    }
    void on_logits(const Batch& batch, const LaneMatrix& pooled, const LaneMatrix& logits) override {
        append("pooled", batch, pooled);
        append("logits", batch, logits);
    }

    std::map<Key, std::vector<float>> codes;

private:
    void append(const std::string& unit, const Batch& batch, const LaneMatrix& all) {
        for (int channel = 0; channel < all.channels(); ++channel) {
            append(unit, batch, all.row(channel));
        }
    }
    template <class Code>
    void append(const std::string& unit, const Batch& batch, const Code* row) {
        for (int lane = 0; lane < batch.lanes(); ++lane) {
            const Key key(unit, batch.sequence_ids[static_cast<std::size_t>(lane)]);
            codes[key].push_back(static_cast<float>(row[lane]));
        }
    }
};

ChipConfig chip_with_every_error(InputMode mode, AdcType type) {
    ChipConfig chip;
    chip.device = device_preset("taox_imssa");
    chip.device.time_since_programming_s = 3600.0;
    chip.device.temperature_coefficient_per_kelvin = 1e-3;
    chip.device.temperature_kelvin = 330.0;
    chip.read.input = mode;
    chip.read.iv_quadratic_per_volt = 0.1;
    chip.read.iv_cubic_per_volt2 = 0.3;
    chip.read.thermal_noise = chip.read.shot_noise = true;
    chip.read.gain_calibration = true;
    chip.read.dac = {0.01, mode == InputMode::bit_serial ? 0.0 : 0.02};
    chip.read.wires = {2.0, 1.5, 50.0, 30.0, DriverSide::both, SenseSide::top, ColumnOrder::separate};
    chip.adc.input_noise_codes = 0.3;
    chip.adc.offset_sigma_codes = 1.0;
    chip.adc.gain_sigma = 0.02;
    chip.adc.type = type;
    chip.adc.unit_mismatch_sigma = 0.05;
    chip.adc.calibrate = true;
    return chip;
}

KernelOptions fused_kernel(OutputForm form, StateRepresentation representation, StateRounding rounding) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = form;
    kernel.representation = representation;
    kernel.input_matrix = InputMatrix::cells;
    kernel.rounding = rounding;
    kernel.registers =
        representation == StateRepresentation::abar_delta ? RegisterUpdate::accumulate : RegisterUpdate::replace;
    return kernel;
}

struct Design {
    const char* name;
    KernelOptions kernel;
    ChipConfig chip;
};

/// Every form, packing, slicing, input mode and converter at least once.
std::vector<Design> designs() {
    std::vector<Design> list;
    list.push_back({"digital_decay", KernelOptions{}, chip_with_every_error(InputMode::amplitude, AdcType::sar)});
    list.push_back({"diagonal",
                    fused_kernel(OutputForm::immediate, StateRepresentation::abar_delta, StateRounding::dithered),
                    chip_with_every_error(InputMode::pulse_width, AdcType::ramp)});
    list.back().chip.mapping.packing = Packing::diagonal;
    list.back().chip.mapping.weight_slices = 2;
    list.push_back({"row_gated",
                    fused_kernel(OutputForm::delayed, StateRepresentation::abar_cartesian, StateRounding::nearest),
                    chip_with_every_error(InputMode::bit_serial, AdcType::cco)});
    list.back().chip.mapping.packing = Packing::row_gated;
    list.back().chip.calibration.poles = PoleCalibration::exact_radius;
    list.push_back({"split",
                    fused_kernel(OutputForm::immediate, StateRepresentation::abar_cartesian, StateRounding::dithered),
                    chip_with_every_error(InputMode::amplitude, AdcType::sar)});
    list.back().chip.mapping.split_heads = true;
    list.back().chip.mapping.tile_rows = 6;
    list.back().chip.mapping.tile_columns = 12;
    list.back().chip.timing.kernel_sites = 2;
    return list;
}

std::vector<BatchInput> cut(const BatchInput& all, int lanes) {
    std::vector<BatchInput> batches;
    for (std::size_t first = 0; first < all.values.size(); first += static_cast<std::size_t>(lanes)) {
        BatchInput batch;
        for (std::size_t at = first; at < std::min(first + lanes, all.values.size()); ++at) {
            batch.values.push_back(all.values[at]);
            batch.sequence_ids.push_back(all.sequence_ids[at]);
        }
        batches.push_back(batch);
    }
    return batches;
}

TEST(ChipLanes, EveryCodeIsTheSameForAnyNumberOfLanesWithEveryError) {
    std::vector<std::unique_ptr<DeployedNetwork>> networks;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (const Design& design : designs()) {
        networks.push_back(std::make_unique<DeployedNetwork>(small_network(small_model(), design.kernel, kSteps)));
        systems.push_back(std::make_unique<ChipSystem>(*networks.back(), design.chip, kSeed, design.name));
    }
    for (std::size_t at = 0; at < systems.size(); ++at) {
        const Sequences sequences(*networks[at], kLanes, 3, 1000);
        CodesBySequence together;
        systems[at]->chip().set_probe(&together);
        systems[at]->run({sequences.batch});
        ASSERT_EQ(together.codes.size(), static_cast<std::size_t>(kLanes) * 9);  // units that the probe sees
        ASSERT_EQ(together.codes.at({"state1", 1000}).size(), static_cast<std::size_t>(kSteps) * 3 * 4);
        for (const int lanes : {1, 7, 16, 33, 64, 199}) {  // the last batch holds what is left over
            CodesBySequence parted;
            systems[at]->chip().set_probe(&parted);
            systems[at]->run(cut(sequences.batch, lanes));
            EXPECT_TRUE(parted.codes == together.codes) << designs()[at].name << ", lanes " << lanes;
        }
    }
}

TEST(ChipLanes, ErrorsChangeTheCodesOfEveryDesign) {
    std::vector<std::unique_ptr<DeployedNetwork>> networks;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (const Design& design : designs()) {
        networks.push_back(std::make_unique<DeployedNetwork>(small_network(small_model(), design.kernel, kSteps)));
        systems.push_back(std::make_unique<ChipSystem>(*networks.back(), design.chip, kSeed, design.name));
    }
    for (std::size_t at = 0; at < systems.size(); ++at) {
        const Sequences sequences(*networks[at], 8, 3);
        ReferenceProbe probe(*networks[at], sequences.batch, kSeed);
        systems[at]->chip().set_probe(&probe);
        const BatchResult result = systems[at]->run({sequences.batch}).front();
        EXPECT_GT(probe.mismatches, 0) << designs()[at].name;
        for (int label = 0; label < result.logits.channels(); ++label) {
            EXPECT_TRUE(std::isfinite(result.logits(label, 0)));
        }
    }
}

}  // namespace
}  // namespace imssa::testing
