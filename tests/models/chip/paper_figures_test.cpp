// The published metrics of deployed networks, against counts by hand and against what the simulated chip counts.
#include "models/chip/paper_figures.h"

#include <memory>

#include "models/network/remove_pruned.h"
#include "tests/models/chip/hand_worked.h"
#include "tests/models/chip/ledger_observer.h"

namespace imssa::testing {
namespace {

TEST(PaperFigures, OfTheHandWorkedNetworkAreTheFormulas) {
    // H = 2, N = 4, one input, two classes, 8 bits throughout, B folded: r_B = 0.
    const DeployedNetwork network = small_network(hand_worked_model(), KernelOptions{}, kHandWorkedSteps);
    const PaperFigures figures = paper_figures(network, hand_worked_chip());
    EXPECT_DOUBLE_EQ(figures.ace, 2 * (4 * 64 + 4 * 64) + 4 * 64 + 2 * (1 + 2) * 64);
    EXPECT_DOUBLE_EQ(figures.model_size_bits, 4 * 2 * 16 + 4 * 8 + 2 * 2 * 8);
    EXPECT_DOUBLE_EQ(figures.adc_complexity, 2 * (4 * 8 + 8) + 2 * 8 + 2 * 8 + 2 * 8);
    EXPECT_DOUBLE_EQ(figures.memory.states, 2 * 4 * 16) << "registers of 16 bits";
    // Converted a step: encoder 2, kernels 2, mixing 2, two logits in three steps.
    EXPECT_DOUBLE_EQ(figures.chip_conversions, 6.0 + 2.0 / 3.0);
    EXPECT_DOUBLE_EQ(figures.chip_converted_bits, 8.0 * (6.0 + 2.0 / 3.0));
    // Four cells a weight: encoder 1 x 2, kernels 2 x 4 x 1, mixing 2 x 2, decoder 2 x 2 weights.
    EXPECT_DOUBLE_EQ(figures.chip_weight_cells, 4.0 * (2 + 8 + 4 + 4));
}

TEST(PaperFigures, BInCellsAndOtherRepresentationsCountTheirBits) {
    KernelOptions kernel = digital_immediate();
    kernel.weight_bits = 5;
    kernel.a_bits = 7;
    kernel.state_bits = 6;
    const PaperBits bits = paper_bits(small_network(small_model(), kernel, 3));
    EXPECT_EQ(bits.a, 7.0);
    EXPECT_EQ(bits.b, 5.0);
    EXPECT_EQ(bits.c, 5.0);
    EXPECT_EQ(bits.state, 6.0);
}

TEST(PaperFigures, EveryGroupHasItsOwnBits) {
    DeploymentOptions options;
    options.input_bits = 7;
    options.encoder_bits = 2;
    options.mixing_bits = 3;
    options.decoder_bits = 4;
    options.logit_bits = 9;
    const auto figures_of = [&options] {
        return paper_figures(small_network(hand_worked_model(), options, kHandWorkedSteps), hand_worked_chip());
    };
    const PaperFigures figures = figures_of();
    EXPECT_DOUBLE_EQ(figures.ace, 2 * (4 * 64 + 4 * 64) + 4 * 8 * 3 + 2 * 2 * 7 + 2 * 2 * 4 * 8);
    EXPECT_DOUBLE_EQ(figures.model_size_bits, 4 * 2 * 16 + 4 * 3 + 2 * (2 + 4));
    EXPECT_DOUBLE_EQ(figures.adc_complexity, 2 * (4 * 8 + 8) + 2 * 3 + 2 * 8 + 2 * 9);
    // D, biases (2 of the encoder, 2 of mixing, 2 of the decoder) and the norm's 4 numbers in float.
    EXPECT_DOUBLE_EQ(figures.memory.parameters, 8 * 16 + 2 * 32 + 4 * 3 + 2 * 2 + 4 * 4 + 6 * 32 + 4 * 32);
    options.kernel.d_bits = 2;
    options.bias_bits = 5;
    EXPECT_DOUBLE_EQ(figures_of().memory.parameters, figures.memory.parameters - 2 * 30 - 6 * 27);
    options.kernel.feedthrough = Feedthrough::cells;
    options.kernel.d_bits = 0;
    EXPECT_DOUBLE_EQ(figures_of().memory.parameters, figures.memory.parameters - 2 * 24 - 6 * 27);
    options.kernel.representation = StateRepresentation::a_continuous;
    options.kernel.step_bits = 6;
    EXPECT_DOUBLE_EQ(figures_of().memory.parameters, figures.memory.parameters - 2 * 24 - 6 * 27 + 2 * 6)
        << "a step size a head";
}

TEST(PaperFigures, CountKernelsAndModesThatAreLeft) {
    RandomNetwork network = random_network(small_model(), 1);
    prune_kernel(network.parameters.layers[0], 1);
    prune_mode(network.parameters.layers[1], 0);
    const DeployedNetwork whole = deploy(network.model, network.parameters, network.ranges, {}, 4);
    const ChipConfig chip = hand_worked_chip();
    const PaperFigures kept = paper_figures(whole, chip);
    const PaperFigures removed = paper_figures(remove_pruned(whole), chip);
    // 2 layers of 3 kernels of 4 states; then 2 of 4 and 3 of 2.
    EXPECT_DOUBLE_EQ(kept.ace, 64 * (24 * 2 + 18 + 3 * 2 + 3 * 3));
    EXPECT_DOUBLE_EQ(removed.ace, 64 * (14 * 2 + 15 + 3 * 2 + 3 * 3));
    EXPECT_DOUBLE_EQ(kept.model_size_bits - removed.model_size_bits, 10 * 16 + 3 * 8);
    EXPECT_DOUBLE_EQ(kept.adc_complexity - removed.adc_complexity, 10 * 8 + 8);
    EXPECT_DOUBLE_EQ(kept.memory.states - removed.memory.states, 10 * 16);
    // Four cells a weight: C of 10 states and a row of 3 of the mixing matrix.
    EXPECT_DOUBLE_EQ(kept.chip_weight_cells - removed.chip_weight_cells, 4 * (10 + 3));
}

TEST(PaperFigures, ConversionsAndCellsAreThoseOfTheSimulatedChip) {
    struct Case {
        KernelOptions kernel;
        MappingOptions mapping;
    };
    std::vector<Case> cases(6);
    cases[1].kernel = fused(OutputForm::delayed);
    cases[2].kernel = fused(OutputForm::immediate);
    cases[2].mapping.packing = Packing::row_gated;
    cases[3].kernel = fused(OutputForm::immediate);
    cases[3].mapping.weight_slices = 2;
    cases[3].mapping.cells_per_weight = 2;
    cases[4].kernel = fused(OutputForm::immediate);
    cases[4].mapping.tile_rows = 8;
    cases[4].mapping.tile_columns = 8;
    cases[4].mapping.split_heads = true;
    cases[5].mapping.encoder = MatrixPlace::digital;
    cases[5].mapping.kernel_output = MatrixPlace::digital;
    // SystemC elaborates once a process: all chips are built before the first one runs.
    constexpr int kSteps = 4;
    std::vector<DeployedNetwork> networks;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    std::vector<std::unique_ptr<EnergyLedger>> ledgers;
    std::vector<std::unique_ptr<LedgerObserver>> observers;
    for (const Case& one : cases) {
        networks.push_back(small_network(small_model(), one.kernel, kSteps));
    }
    for (std::size_t index = 0; index < cases.size(); ++index) {
        ChipConfig config;
        config.mapping = cases[index].mapping;
        systems.push_back(
            std::make_unique<ChipSystem>(networks[index], config, 1, ("chip" + std::to_string(index)).c_str()));
        ledgers.push_back(std::make_unique<EnergyLedger>(systems.back()->chip().units()));
        observers.push_back(std::make_unique<LedgerObserver>(*ledgers.back()));
        systems.back()->chip().observe(*observers.back());
    }
    for (std::size_t index = 0; index < cases.size(); ++index) {
        SCOPED_TRACE(index);
        const PaperFigures figures = paper_figures(networks[index], systems[index]->chip().config());
        EXPECT_EQ(static_cast<double>(systems[index]->chip().programming().cells), figures.chip_weight_cells);
        constexpr int kLanes = 2;
        const Sequences sequences(networks[index], kLanes, 7);
        systems[index]->run({sequences.batch});
        const EnergyLedger& ledger = *ledgers[index];
        double conversions = 0.0;
        for (std::size_t unit = 0; unit < ledger.units().size(); ++unit) {
            conversions += ledger.count(static_cast<std::int32_t>(unit), Action::adc_conversion);
        }
        EXPECT_NEAR(conversions, figures.chip_conversions * kSteps * kLanes, 1e-9);
    }
}

}  // namespace
}  // namespace imssa::testing
