// The estimate without simulation against the simulated chip: units, parts and counts, latency and rate must be equal.
#include "models/chip/estimate.h"

#include <array>
#include <memory>
#include <random>

#include "models/cost/area.h"
#include "tests/models/chip/estimate_design.h"
#include "tests/models/chip/hand_worked.h"
#include "tests/models/chip/ledger_observer.h"
#include "tests/models/cost/small_table.h"

namespace imssa::testing {
namespace {

Design random_design(std::uint32_t seed) {
    std::mt19937 engine(seed);
    const auto pick = [&engine](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
    Design design;
    design.model = small_model();
    design.model.channels = pick(1, 40);
    design.model.classes = pick(2, 6);
    design.model.layers = pick(1, 3);
    design.model.heads = pick(1, 9);
    design.model.states = 2 * pick(1, 4);
    design.model.glu = pick(0, 1) == 1;
    design.model.residual = pick(0, 1) == 1;
    design.model.norm = pick(0, 1) == 1 ? Norm::layer : Norm::none;
    KernelOptions cartesian = fused(OutputForm::delayed);
    cartesian.representation = StateRepresentation::abar_cartesian;
    cartesian.registers = RegisterUpdate::replace;
    KernelOptions planes = fused(OutputForm::immediate);
    planes.state_scale = ScaleGranularity::mode;
    planes.state_range = StateRange::planes;
    const KernelOptions kernels[] = {
        KernelOptions{}, digital_immediate(), fused(OutputForm::immediate), fused(OutputForm::delayed), cartesian,
        planes};
    design.options.kernel = kernels[seed % 6];
    std::mt19937 bits_engine(1000 + seed);
    const auto bits = [&bits_engine](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(bits_engine);
    };
    design.options.kernel.state_bits = bits(6, 10);
    design.options.input_bits = bits(4, 8);
    design.options.activation_bits = bits(6, 9);
    design.options.logit_bits = bits(6, 10);
    design.chip.adc.bits = bits(0, 2) == 0 ? 0 : bits(2, 6);
    design.chip.read.dac.bits = bits(0, 2) == 0 ? 0 : bits(2, 6);
    TimingConfig& timing = design.chip.timing;
    timing.load_cycles = pick(1, 3);
    timing.drive_cycles = pick(1, 3);
    timing.adc_cycles_per_conversion = pick(1, 6);
    timing.columns_per_adc = pick(1, 9);
    timing.decay_multipliers = pick(1, 8);
    timing.table_cycles = pick(1, 4);
    timing.layer_unit_elements_per_cycle = pick(1, 4);
    timing.pooling_cycles = pick(1, 30);
    timing.channel_capacity = pick(1, 3);
    timing.double_buffering = pick(0, 1) == 1;
    timing.kernel_sites = pick(0, 3);
    timing.swap_cycles = pick(0, 2);
    timing.dense_multipliers = pick(1, 20);
    timing.input_interval_cycles = pick(0, 2) == 2 ? pick(1, 120) : 0;
    const bool fused_array = design.options.kernel.mapping == KernelMapping::fused;
    const auto place = [&pick] { return pick(0, 3) == 0 ? MatrixPlace::digital : MatrixPlace::cells; };
    MappingOptions& mapping = design.chip.mapping;
    mapping.cells_per_weight = pick(0, 1) == 1 ? 2 : 4;
    mapping.weight_slices = std::max(1, pick(-1, 3));
    mapping.packing = std::array{Packing::one_head, Packing::diagonal, Packing::row_gated}[pick(0, 2)];
    mapping.encoder = place();
    mapping.mixing_matrix = place();
    mapping.decoder = place();
    mapping.kernel_output = place();
    mapping.kernel_input = place();
    mapping.tile_columns = 64 * mapping.weight_slices;
    if (pick(0, 3) == 0) {  // too small for a head of several modes
        mapping.packing = Packing::one_head;
        mapping.split_heads = true;
        mapping.tile_rows = 16;
        mapping.tile_columns = 12 * mapping.weight_slices;
    }
    if (fused_array && pick(0, 1) == 1) {
        design.chip.calibration.poles = PoleCalibration::exact_radius;
        design.chip.calibration.reads_per_mode = 8;
    }
    if (pick(0, 1) == 1) {
        design.chip.device.programming_sigma_siemens = 4e-6;
        design.chip.device.parallel_cells = pick(1, 2);
    }
    design.steps = pick(1, 12);
    design.model.pooling = pick(0, 1) == 1 ? Pooling::last : Pooling::mean;
    if (design.model.norm == Norm::none && pick(0, 1) == 1) {
        design.model.norm = Norm::batch;
    }
    return design;
}

std::string after_top(const std::string& name) {
    return name.substr(name.find_first_of("._", 1) == std::string::npos ? 0 : name.find('.'));
}

void expect_same_bits(const ConverterBits& a, const ConverterBits& b, const std::string& name) {
    EXPECT_EQ(a.bits, b.bits) << name;
    EXPECT_EQ(a.other_bits, b.other_bits) << name;
    EXPECT_DOUBLE_EQ(a.other_share, b.other_share) << name;
}

void expect_same_counts(const EnergyLedger& simulated, const EnergyLedger& estimated) {
    ASSERT_EQ(simulated.units().size(), estimated.units().size());
    for (std::size_t unit = 0; unit < simulated.units().size(); ++unit) {
        const CostUnit& a = simulated.units()[unit];
        const CostUnit& b = estimated.units()[unit];
        EXPECT_EQ(after_top(a.name), after_top(b.name));
        EXPECT_EQ(a.digital, b.digital) << a.name;
        expect_same_bits(a.adc_bits, b.adc_bits, a.name);
        expect_same_bits(a.dac_bits, b.dac_bits, a.name);
        for (const auto& [name, component] : enum_names(Component{})) {
            EXPECT_DOUBLE_EQ(a.parts[component], b.parts[component]) << a.name << " " << name;
        }
        for (const auto& [name, action] : enum_names(Action{})) {
            const std::int32_t index = static_cast<std::int32_t>(unit);
            EXPECT_NEAR(simulated.count(index, action), estimated.count(index, action),
                        1e-9 * estimated.count(index, action))
                << a.name << " " << name;
        }
    }
}

// SystemC elaborates once a process: all chips are built before the first one runs.
void compare_designs(std::uint32_t first, std::uint32_t last) {
    struct Run {
        Design design;
        DeployedNetwork network;
        std::unique_ptr<ChipSystem> system;
        std::unique_ptr<EnergyLedger> ledger;
        std::unique_ptr<LedgerObserver> observer;
    };
    std::vector<std::unique_ptr<Run>> runs;
    for (std::uint32_t seed = first; seed < last; ++seed) {
        auto run = std::make_unique<Run>();
        run->design = random_design(seed);
        run->network = small_network(run->design.model, run->design.options, run->design.steps, seed);
        run->system =
            std::make_unique<ChipSystem>(run->network, run->design.chip, 1, ("chip" + std::to_string(seed)).c_str());
        run->ledger = std::make_unique<EnergyLedger>(run->system->chip().units());
        run->observer = std::make_unique<LedgerObserver>(*run->ledger);
        run->system->chip().observe(*run->observer);
        runs.push_back(std::move(run));
    }
    const CostTable table = testing_support::small_table();
    const CompiledPrices prices(table);
    for (const std::unique_ptr<Run>& run : runs) {
        const Design& design = run->design;
        SCOPED_TRACE(describe(design.options.kernel) + std::to_string(design.steps) + " steps");
        const int lanes = 3;
        const Sequences sequences(run->network, lanes, 7);
        const BatchResult result = run->system->run({sequences.batch}).at(0);
        const ActivityStatistics activity = measured_activity(*run->ledger, run->network, design.chip, lanes);
        const DeployedNetwork shape = shape_of(design.model, run->network.options, design.steps);
        expect_same_counts(*run->ledger, estimated_ledger(shape, design.chip, activity, lanes));

        const DesignEstimate estimate =
            estimate_design(design.model, run->network.options, design.chip, design.steps, activity, prices);
        EXPECT_EQ(estimate.latency_cycles, result.finish_cycle - result.start_cycle);
        const Pipeline pipeline = pipeline_of(run->network, design.chip);
        EXPECT_EQ(estimate.interval_cycles, sequence_interval_cycles(pipeline, design.steps));
        const std::vector<AreaRow> area = area_rows(run->system->chip().units(), table);
        EXPECT_NEAR(estimate.area.area_mm2, total_area(area).area_mm2, 1e-12 * estimate.area.area_mm2);
        // Measured activities give the simulated energy back, with leakage over one interval a sequence.
        const double interval_s = static_cast<double>(estimate.interval_cycles) / design.chip.timing.clock_hz;
        const EnergyTotal energy =
            total_energy(run->ledger->price(table, {design.chip.read.t_read_s, lanes * interval_s}));
        EXPECT_NEAR(estimate.sequence.energy_j, energy.energy_j / lanes, 1e-9 * estimate.sequence.energy_j);
        EXPECT_NEAR(estimate.sequence.energy_low_j, energy.energy_low_j / lanes, 1e-9 * estimate.sequence.energy_j);
        EXPECT_NEAR(estimate.sequence.energy_high_j, energy.energy_high_j / lanes,
                    1e-9 * estimate.sequence.energy_high_j);
    }
}

TEST(Estimate, EqualsTheSimulatedChipForEveryMappingAndRandomConfigurations) {
    compare_designs(0, 30);
}

TEST(Estimate, EqualsTheSimulatedChipForMoreRandomConfigurations) {
    compare_designs(30, 60);
}

TEST(Estimate, ClosedLatencyIsTheLatencyOfTheStepwiseRecurrence) {
    std::mt19937 engine(3);
    const auto pick = [&engine](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
    for (int trial = 0; trial < 3000; ++trial) {
        Pipeline pipeline;
        pipeline.channel_capacity = pick(1, 3);
        pipeline.classifier = pick(1, 20);
        pipeline.input_interval = pick(0, 1) == 1 ? pick(1, 40) : 0;
        const int stages = pick(1, 9);
        for (int stage = 0; stage < stages; ++stage) {
            pipeline.stages.push_back({"", pick(1, 20), stage > 0 && pick(0, 2) == 0});
        }
        const int steps = pick(1, 40);
        ASSERT_EQ(closed_latency_cycles(pipeline, steps), sequence_latency_cycles(pipeline, steps))
            << "trial " << trial << ", " << steps << " steps";
    }
}

}  // namespace
}  // namespace imssa::testing
