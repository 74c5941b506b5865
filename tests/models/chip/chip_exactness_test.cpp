// Random networks on ideal devices: every code equals the reference, whatever the mapping.
#include <memory>
#include <random>

#include "models/chip/timing_model.h"
#include "tests/models/chip/chip_bench.h"

namespace imssa::testing {
namespace {

constexpr int kDesignsPerTest = 20;

struct Design {
    ModelConfig model;
    KernelOptions kernel;
    ChipConfig chip;
    int steps = 0, lanes = 0;
    bool unequal_lengths = false;
    std::uint32_t seed = 0;

    std::string text() const {
        return describe(kernel) + "heads " + std::to_string(model.heads) + " states " + std::to_string(model.states) +
               " tile " + std::to_string(chip.mapping.tile_rows) + "x" + std::to_string(chip.mapping.tile_columns) +
               " cells " + std::to_string(chip.mapping.cells_per_weight) + " slices " +
               std::to_string(chip.mapping.weight_slices) + " packing " +
               std::to_string(static_cast<int>(chip.mapping.packing)) + " calibration " +
               std::to_string(static_cast<int>(chip.calibration.poles)) + " sites " +
               std::to_string(chip.timing.kernel_sites) + " lanes " + std::to_string(lanes) + " seed " +
               std::to_string(seed);
    }
};

class Choice {
public:
    explicit Choice(std::uint32_t seed) : generator_(seed) {}
    int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator_); }
    bool yes() { return between(0, 1) == 1; }
    template <class T>
    const T& of(const std::vector<T>& all) {
        return all[static_cast<std::size_t>(between(0, static_cast<int>(all.size()) - 1))];
    }

private:
    std::mt19937 generator_;
};

Design random_design(std::uint32_t seed) {
    static const std::vector<KernelOptions> kKernels = all_kernel_options();
    Choice choice(seed);
    Design design;
    design.seed = seed;
    design.model.channels = choice.between(1, 3);
    design.model.classes = choice.between(2, 4);
    design.model.layers = choice.between(1, 2);
    design.model.heads = choice.between(1, 7);
    design.model.states = 2 * choice.between(1, 5);
    design.model.glu = choice.yes();
    design.model.residual = choice.yes();
    design.model.norm = choice.yes() ? Norm::layer : Norm::none;
    design.model.activation = choice.of(std::vector<Activation>{Activation::none, Activation::relu, Activation::gelu});
    design.kernel = choice.of(kKernels);
    design.steps = choice.between(1, 7);
    design.lanes = choice.of(std::vector<int>{1, 2, 7, 15, 16, 17, 33, 64, 200});
    MappingOptions& mapping = design.chip.mapping;
    mapping.cells_per_weight = choice.yes() ? 4 : 2;
    mapping.weight_slices = choice.between(1, 3);
    mapping.packing = choice.of(std::vector<Packing>{Packing::one_head, Packing::diagonal, Packing::row_gated});
    mapping.tile_rows = choice.between(12, 64);
    mapping.tile_columns = choice.between(20, 128);
    mapping.encoder = choice.yes() ? MatrixPlace::cells : MatrixPlace::digital;
    mapping.mixing_matrix = choice.yes() ? MatrixPlace::cells : MatrixPlace::digital;
    mapping.decoder = choice.yes() ? MatrixPlace::cells : MatrixPlace::digital;
    mapping.kernel_output = choice.yes() ? MatrixPlace::cells : MatrixPlace::digital;
    mapping.kernel_input = choice.yes() ? MatrixPlace::cells : MatrixPlace::digital;
    if (design.kernel.mapping == KernelMapping::fused) {
        if (design.kernel.rounding == StateRounding::nearest && design.kernel.weight_range == WeightRange::column) {
            design.kernel.state_range =
                choice.of(std::vector<StateRange>{StateRange::mode, StateRange::head, StateRange::planes});
        }
        design.chip.calibration.poles = choice.of(std::vector<PoleCalibration>{
            PoleCalibration::none, PoleCalibration::none, PoleCalibration::stability, PoleCalibration::exact_radius});
        design.chip.calibration.reads_per_mode = 64;
    }
    mapping.split_heads = mapping.packing == Packing::one_head;
    if (!mapping.split_heads) {  // packed heads fit a tile
        const int inputs = design.model.states + 2;
        const int outputs = 2 * design.model.states + 1;
        mapping.tile_rows = std::max(mapping.tile_rows, inputs * mapping.rows_per_input());
        mapping.tile_columns = std::max(mapping.tile_columns, 2 * outputs * mapping.weight_slices);
    }
    design.chip.timing.kernel_sites = choice.between(0, 3);
    design.chip.timing.double_buffering = choice.yes();
    design.chip.timing.input_interval_cycles = choice.yes() ? 0 : choice.between(1, 200);
    design.model.pooling = choice.yes() ? Pooling::last : Pooling::mean;
    design.unequal_lengths = choice.yes();
    if (choice.yes()) {
        design.model.activation = Activation::qgelu;
    }
    if (design.model.norm == Norm::none && choice.yes()) {
        design.model.norm = Norm::batch;
    }
    design.model.trained_b = choice.yes();
    return design;
}

class RandomDesigns : public ::testing::TestWithParam<int> {};

TEST_P(RandomDesigns, EqualTheReferenceCodeForCode) {
    std::vector<Design> designs;
    std::vector<std::unique_ptr<DeployedNetwork>> networks;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (int index = 0; index < kDesignsPerTest; ++index) {
        designs.push_back(random_design(static_cast<std::uint32_t>(1000 * GetParam() + index)));
        const Design& design = designs.back();
        SCOPED_TRACE(design.text());
        networks.push_back(
            std::make_unique<DeployedNetwork>(small_network(design.model, design.kernel, design.steps, design.seed)));
        systems.push_back(std::make_unique<ChipSystem>(*networks.back(), design.chip, design.seed,
                                                       ("chip" + std::to_string(index)).c_str()));
    }
    for (std::size_t index = 0; index < designs.size(); ++index) {
        const Design& design = designs[index];
        Sequences sequences(*networks[index], design.lanes, design.seed, 100);
        if (design.unequal_lengths) {
            sequences.shorten(*networks[index]);
        }
        ReferenceProbe probe(*networks[index], sequences.batch, design.seed);
        systems[index]->chip().set_probe(&probe);
        const BatchResult result = systems[index]->run({sequences.batch}).front();
        EXPECT_EQ(probe.mismatches, 0) << design.text();
        EXPECT_GT(probe.compared_codes, 0) << design.text();
        const Pipeline pipeline = pipeline_of(*networks[index], design.chip);
        EXPECT_EQ(result.finish_cycle - result.start_cycle, sequence_latency_cycles(pipeline, design.steps))
            << design.text();
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomDesigns, ::testing::Range(0, 15));

void expect_exact(const ModelConfig& model, const ChipConfig& chip, int lanes) {
    const DeployedNetwork network = small_network(model, KernelOptions{}, 5, 3);
    const Sequences sequences(network, lanes, 5);
    ReferenceProbe probe(network, sequences.batch, 1);
    ChipSystem system(network, chip, 1);
    system.chip().set_probe(&probe);
    system.run({sequences.batch});
    EXPECT_EQ(probe.mismatches, 0);
}

TEST(OddShapes, OneHeadWithOneModeIsExact) {
    ModelConfig model = small_model();
    model.heads = 1;
    model.states = 2;
    expect_exact(model, ChipConfig{}, 1);
}

TEST(OddShapes, StatesThatDoNotDivideTheTileAreExact) {
    ModelConfig model = small_model();
    model.states = 22;
    ChipConfig chip;
    chip.mapping.tile_rows = 18;  // four modes a tile: 4 + 4 + 3
    chip.mapping.split_heads = true;
    expect_exact(model, chip, 3);
}

TEST(OddShapes, TwoHundredLanesAreExact) {
    expect_exact(small_model(), ChipConfig{}, 200);
}

TEST(OddShapes, TilesOfOneWeightAreExact) {
    const DeployedNetwork network = small_network(small_model(), KernelOptions{}, 5, 3);
    const Sequences sequences(network, 3, 5);
    std::vector<std::unique_ptr<ChipSystem>> systems;
    for (const int rows : {1, 2}) {
        ChipConfig chip;
        chip.mapping.cells_per_weight = 2 * rows;
        chip.mapping.tile_rows = rows;
        chip.mapping.tile_columns = 2;
        chip.mapping.kernel_output = MatrixPlace::digital;  // a mode of C needs two inputs
        systems.push_back(std::make_unique<ChipSystem>(network, chip, 1, ("chip" + std::to_string(rows)).c_str()));
    }
    for (const std::unique_ptr<ChipSystem>& system : systems) {
        ReferenceProbe probe(network, sequences.batch, 1);
        system->chip().set_probe(&probe);
        system->run({sequences.batch});
        EXPECT_EQ(probe.mismatches, 0);
    }
}

TEST(OddShapes, ATileOfOneCellIsRefusedInOneLine) {
    ChipConfig chip;
    chip.mapping.tile_rows = chip.mapping.tile_columns = 1;
    try {
        chip.validate();
        FAIL() << "expected a UserError";
    } catch (const UserError& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("1 x 1"), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
}

}  // namespace
}  // namespace imssa::testing
