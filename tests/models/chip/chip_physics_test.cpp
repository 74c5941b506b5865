/// Physical effects inside the running chip: all of them off is the reference,
/// all of them on stays a function of each lane alone.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
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
    config.read.dac = {0.01, mode == InputMode::bit_serial ? 0.0 : 0.02};
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
        {"converter gain", [](ChipConfig& c) { c.adc.gain_sigma = 0.05; }},
        {"converter noise", [](ChipConfig& c) { c.adc.input_noise_codes = 1.0; }},
        {"relative programming error", [](ChipConfig& c) { c.device.programming_sigma_relative = 0.05; }},
        {"relaxation",
         [](ChipConfig& c) {
             c.device.relaxation_sigma_siemens = 4e-6;
             c.device.time_since_programming_s = 1.0;
         }},
        {"drift",
         [](ChipConfig& c) {
             c.device.drift_exponent = 0.1;
             c.device.time_since_programming_s = 1e4;
         }},
        {"levels", [](ChipConfig& c) { c.device.conductance_levels = 8; }},
        {"rows", [](ChipConfig& c) { c.read.wires.row_ohm_per_cell = 50.0; }},
        {"drivers", [](ChipConfig& c) { c.read.wires.driver_ohm = 500.0; }},
        {"sense amplifiers", [](ChipConfig& c) { c.read.wires.sense_ohm = 500.0; }},
        {"elements of input converters", [](ChipConfig& c) { c.read.dac.unit_mismatch_sigma = 0.2; }},
        {"thermal noise",
         [](ChipConfig& c) {
             c.read.thermal_noise = true;
             c.read.noise_bandwidth_hz = 1e14;
         }},
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

/// A random choice of error sources, each weak, strong or absurd, on a random device, read mode and converter.
ChipConfig random_errors(std::uint32_t seed) {
    std::mt19937 engine(seed);
    const auto pick = [&engine](int last) { return std::uniform_int_distribution<int>(0, last)(engine); };
    const auto strength = [&pick](double weak, double strong, double absurd) {
        return std::array{0.0, weak, strong, absurd}[static_cast<std::size_t>(pick(3))];
    };
    const auto devices = devices_and_modes();
    ChipConfig config;
    config.device = device_preset(devices[static_cast<std::size_t>(pick(static_cast<int>(devices.size()) - 1))].first);
    config.device.time_since_programming_s = strength(1e-6, 86400.0, 1e15);
    config.device.read_noise_relative = strength(0.01, 0.2, 1.0);
    config.device.stuck_low_fraction = strength(0.001, 0.05, 0.5);
    config.device.stuck_high_fraction = strength(0.001, 0.05, 0.5);
    config.device.known_fault_fraction = 0.5 * pick(2);
    config.device.parallel_cells = 1 + pick(1);
    if (config.device.parallel_cells == 1) {
        config.device.fault_remap =
            std::array{FaultRemap::none, FaultRemap::zero, FaultRemap::swap, FaultRemap::compensate}[pick(3)];
    }
    config.device.temperature_coefficient_per_kelvin = 1e-3;
    config.device.temperature_kelvin = 300.0 + strength(1.0, 50.0, -250.0);
    config.read.input = std::array{InputMode::amplitude, InputMode::pulse_width, InputMode::bit_serial}[pick(2)];
    config.read.iv_quadratic_per_volt = strength(0.05, 0.5, -0.5);
    config.read.iv_cubic_per_volt2 = strength(0.1, 1.0, 50.0);
    config.read.thermal_noise = pick(1) == 1;
    config.read.shot_noise = pick(1) == 1;
    config.read.noise_bandwidth_hz = strength(1e6, 1e10, 1e16);
    config.read.gain_calibration = pick(1) == 1;
    config.read.dac = {strength(0.01, 0.1, 1.0), strength(0.01, 0.1, 1.0)};
    if (config.read.input == InputMode::bit_serial) {
        config.read.dac.unit_mismatch_sigma = 0.0;  // one-bit drivers have no elements
    }
    config.read.wires.row_ohm_per_cell = strength(1.0, 50.0, 1e5);
    config.read.wires.column_ohm_per_cell = strength(1.0, 50.0, 1e5);
    config.read.wires.driver_ohm = strength(10.0, 1e3, 1e7);
    config.read.wires.sense_ohm = strength(10.0, 1e3, 1e7);
    config.read.wires.driver_side = std::array{DriverSide::left, DriverSide::right, DriverSide::both}[pick(2)];
    config.read.wires.sense_side = std::array{SenseSide::bottom, SenseSide::top, SenseSide::both}[pick(2)];
    config.adc.input_noise_codes = strength(0.1, 2.0, 1e4);
    config.adc.offset_sigma_codes = strength(0.5, 5.0, 1e4);
    config.adc.gain_sigma = strength(0.01, 0.1, 2.0);
    config.adc.unit_mismatch_sigma = strength(0.01, 0.1, 2.0);
    config.adc.type = std::array{AdcType::sar, AdcType::ramp, AdcType::cco}[pick(2)];
    config.adc.calibrate = pick(1) == 1;
    config.mapping.cells_per_weight = 2 + 2 * pick(1);
    config.mapping.packing = std::array{Packing::one_head, Packing::diagonal, Packing::row_gated}[pick(2)];
    return config;
}

KernelOptions random_kernel(std::uint32_t seed) {
    KernelOptions kernel;
    if (seed % 3 == 0) {
        return kernel;
    }
    kernel.mapping = KernelMapping::fused;
    kernel.input_matrix = InputMatrix::cells;
    kernel.form = seed % 2 == 0 ? OutputForm::delayed : OutputForm::immediate;
    if (seed % 3 == 1) {
        kernel.representation = StateRepresentation::abar_cartesian;
        kernel.registers = RegisterUpdate::replace;
        kernel.rounding = StateRounding::dithered;
    }
    return kernel;
}

/// Watches every code of every unit for values that are no whole numbers.
class WholeNumbers final : public ChipProbe {
public:
    void on_encoder(const Batch&, int, const LaneMatrix& codes) override { check(codes); }
    void on_state(const Batch&, int, int, const std::vector<const StateRegisterFile*>&) override {}
    void on_kernel_output(const Batch&, int, int, const LaneMatrix& codes) override { check(codes); }
    void on_layer_output(const Batch&, int, int, const LaneMatrix& codes) override { check(codes); }
    void on_logits(const Batch&, const LaneMatrix&, const LaneMatrix& logits) override { check(logits); }
    long checked = 0, wrong = 0;

private:
    void check(const LaneMatrix& codes) {
        for (int channel = 0; channel < codes.channels(); ++channel) {
            for (int lane = 0; lane < codes.lanes(); ++lane) {
                const float code = codes(channel, lane);
                ++checked;
                wrong += std::isfinite(code) && std::nearbyint(code) == code ? 0 : 1;
            }
        }
    }
};

TEST(ChipPhysics, RandomCombinationsOfErrorsKeepEveryCodeAWholeNumberOfItsLane) {
    constexpr std::uint32_t kChips = 60;
    std::vector<std::unique_ptr<DeployedNetwork>> networks;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (std::uint32_t seed = 0; seed < kChips; ++seed) {
        ChipConfig config = random_errors(seed);
        config.kernel = random_kernel(seed);
        ASSERT_NO_THROW(config.validate()) << seed;
        networks.push_back(std::make_unique<DeployedNetwork>(small_network(small_model(), config.kernel, 6, seed)));
        systems.push_back(
            std::make_unique<ChipSystem>(*networks.back(), config, kSeed, ("chip" + std::to_string(seed)).c_str()));
    }
    for (std::size_t at = 0; at < systems.size(); ++at) {
        SCOPED_TRACE(at);
        const Sequences all(*networks[at], 17, 1);
        BatchInput alone;
        alone.values = {all.batch.values[16]};
        alone.sequence_ids = {all.batch.sequence_ids[16]};
        WholeNumbers watch;
        systems[at]->chip().set_probe(&watch);
        const BatchResult together = systems[at]->run({all.batch}).front();
        const BatchResult single = systems[at]->run({alone}).front();
        EXPECT_GT(watch.checked, 0);
        EXPECT_EQ(watch.wrong, 0);
        for (int label = 0; label < together.logits.channels(); ++label) {
            EXPECT_EQ(single.logits(label, 0), together.logits(label, 16));
        }
        const ConversionCounts counts = systems[at]->chip().conversions();
        EXPECT_GT(counts.conversions, 0);
        EXPECT_LE(counts.saturated, counts.conversions);
    }
}

}  // namespace
}  // namespace imssa::testing
