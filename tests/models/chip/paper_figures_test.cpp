// The published metrics of deployed networks, against counts by hand and against what the simulated chip counts.
#include "models/chip/paper_figures.h"

#include <memory>

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
