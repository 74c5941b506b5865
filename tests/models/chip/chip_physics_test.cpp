/// Physical effects inside the running chip: all of them off is the reference,
/// all of them on stays a function of each lane alone.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "models/device/device_presets.h"
#include "tests/models/chip/chip_bench.h"

namespace imssa::testing {
namespace {

constexpr std::uint64_t kSeed = 5;

ChipConfig noisy_chip(const std::string& device, InputMode mode) {
    ChipConfig config;
    config.device = device_preset(device);
    config.device.time_since_programming_s = 3600.0;
    config.read.input = mode;
    config.read.iv_quadratic_per_volt = 0.1;
    config.read.iv_cubic_per_volt2 = 0.3;
    config.read.thermal_noise = true;
    config.read.shot_noise = true;
    config.read.dac = {0.01, 0.02};
    config.read.wires.row_ohm_per_cell = 2.0;
    config.read.wires.column_ohm_per_cell = 2.0;
    config.read.wires.driver_ohm = 50.0;
    config.adc.input_noise_codes = 0.3;
    config.adc.offset_sigma_codes = 1.0;
    config.adc.gain_sigma = 0.02;
    config.adc.unit_mismatch_sigma = 0.05;
    config.adc.calibrate = true;
    return config;
}

/// Every effect is configured, and scaled to nothing.
ChipConfig silent_chip(const std::string& device, InputMode mode) {
    ChipConfig config;
    config.device = device_preset(device);
    config.device.time_since_programming_s = 3600.0;
    config.device.programming_scale = 0.0;
    config.device.drift_scale = 0.0;
    config.device.read_noise_scale = 0.0;
    config.device.stuck_low_fraction = 0.0;
    config.device.stuck_high_fraction = 0.0;
    config.device.fault_remap = FaultRemap::none;
    config.device.parallel_cells = 3;
    config.read.input = mode;
    config.read.gain_calibration = true;
    config.read.wires.column_order = ColumnOrder::separate;
    config.adc.calibrate = true;
    return config;
}

std::vector<std::pair<std::string, InputMode>> devices_and_modes() {
    std::vector<std::pair<std::string, InputMode>> list;
    const InputMode modes[] = {InputMode::amplitude, InputMode::pulse_width, InputMode::bit_serial};
    for (const std::string& name : device_preset_names()) {
        list.emplace_back(name, modes[list.size() % 3]);
    }
    return list;
}

TEST(ChipPhysics, EveryDeviceWithoutItsErrorsEqualsTheReference) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 8, 3);
    const Sequences sequences(network, 20, 5);
    std::vector<std::unique_ptr<ChipSystem>> systems;
    std::vector<std::unique_ptr<ReferenceProbe>> probes;
    for (const auto& [device, mode] : devices_and_modes()) {
        const std::string name = "chip" + std::to_string(systems.size());
        systems.push_back(std::make_unique<ChipSystem>(network, silent_chip(device, mode), kSeed, name.c_str()));
        probes.push_back(std::make_unique<ReferenceProbe>(network, sequences.batch, kSeed));
        systems.back()->chip().set_probe(probes.back().get());
    }
    for (std::size_t at = 0; at < systems.size(); ++at) {
        systems[at]->run({sequences.batch});
        EXPECT_GT(probes[at]->compared_codes, 0);
        EXPECT_EQ(probes[at]->mismatches, 0) << devices_and_modes()[at].first;
    }
}

TEST(ChipPhysics, ALaneDoesNotDependOnItsNeighboursWithEveryErrorOfEveryDevice) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    kernel.rounding = StateRounding::dithered;
    const DeployedNetwork network = small_network(small_model(), kernel, 8);
    const Sequences all(network, 20, 1);
    BatchInput alone;
    alone.values = {all.batch.values[17]};
    alone.sequence_ids = {all.batch.sequence_ids[17]};
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (const auto& [device, mode] : devices_and_modes()) {
        const std::string name = "chip" + std::to_string(systems.size());
        systems.push_back(std::make_unique<ChipSystem>(network, noisy_chip(device, mode), kSeed, name.c_str()));
    }
    for (const std::unique_ptr<ChipSystem>& system : systems) {
        const BatchResult together = system->run({all.batch}).front();
        const BatchResult single = system->run({alone}).front();
        for (int label = 0; label < 3; ++label) {
            EXPECT_TRUE(std::isfinite(single.logits(label, 0)));
            EXPECT_EQ(single.logits(label, 0), together.logits(label, 17));
        }
        EXPECT_GT(system->chip().conversions().conversions, 0);
        EXPECT_LT(system->chip().conversions().saturated, system->chip().conversions().conversions);
    }
}

TEST(ChipPhysics, EachErrorAloneChangesCodes) {
    const std::vector<std::pair<const char*, std::function<void(ChipConfig&)>>> sources = {
        {"programming error", [](ChipConfig& c) { c.device.programming_sigma_siemens = 4e-6; }},
        {"read noise", [](ChipConfig& c) { c.device.read_noise_relative = 0.05; }},
        {"stuck cells", [](ChipConfig& c) { c.device.stuck_high_fraction = 0.05; }},
        {"temperature",
         [](ChipConfig& c) {
             c.device.temperature_coefficient_per_kelvin = 1e-3;
             c.device.temperature_kelvin = 350.0;
         }},
        {"wires", [](ChipConfig& c) { c.read.wires.column_ohm_per_cell = 50.0; }},
        {"input converters", [](ChipConfig& c) { c.read.dac.gain_sigma = 0.05; }},
        {"non-linear cells", [](ChipConfig& c) { c.read.iv_cubic_per_volt2 = 5.0; }},
        {"shot noise",
         [](ChipConfig& c) {
             c.read.shot_noise = true;
             c.read.noise_bandwidth_hz = 1e13;
         }},
        {"converter levels", [](ChipConfig& c) { c.adc.unit_mismatch_sigma = 0.2; }},
        {"converter offset", [](ChipConfig& c) { c.adc.offset_sigma_codes = 2.0; }},
    };
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 8, 3);
    const Sequences sequences(network, 20, 5);
    std::vector<std::unique_ptr<ChipSystem>> systems;
    std::vector<std::unique_ptr<ReferenceProbe>> probes;
    for (const auto& [what, change] : sources) {
        ChipConfig config;
        change(config);
        const std::string name = "chip" + std::to_string(systems.size());
        systems.push_back(std::make_unique<ChipSystem>(network, config, kSeed, name.c_str()));
        probes.push_back(std::make_unique<ReferenceProbe>(network, sequences.batch, kSeed));
        systems.back()->chip().set_probe(probes.back().get());
    }
    for (std::size_t at = 0; at < systems.size(); ++at) {
        systems[at]->run({sequences.batch});
        EXPECT_GT(probes[at]->mismatches, 0) << sources[at].first;
    }
}

}  // namespace
}  // namespace imssa::testing
