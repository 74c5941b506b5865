// A chip without what was pruned: the same codes from fewer tiles, and the estimate knows it.
#include <memory>

#include "models/chip/estimate.h"
#include "models/network/remove_pruned.h"
#include "tests/models/chip/chip_bench.h"
#include "tests/models/chip/ledger_observer.h"

namespace imssa::testing {
namespace {

constexpr std::uint64_t kSeed = 3;

DeployedNetwork pruned_network(const KernelOptions& kernel) {
    ModelConfig model = small_model();
    model.heads = 6;
    model.states = 8;
    RandomNetwork network = random_network(model, 5);
    for (const int head : {0, 2, 5}) {
        prune_kernel(network.parameters.layers[0], head);
    }
    prune_mode(network.parameters.layers[0], 1);
    prune_mode(network.parameters.layers[1], 3);
    prune_mode(network.parameters.layers[1], 0);
    DeploymentOptions options;
    options.kernel = kernel;
    return deploy(model, network.parameters, network.ranges, options, 9);
}

KernelOptions fused_kernel(OutputForm form) {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = form;
    kernel.input_matrix = InputMatrix::cells;
    return kernel;
}

double area_parts(const Chip& chip, Component component) {
    double total = 0.0;
    for (const CostUnit& unit : chip.units()) {
        total += unit.parts[component];
    }
    return total;
}

TEST(PrunedChip, GivesTheLogitsOfTheWholeNetworkFromFewerTilesConvertersAndRegisters) {
    const KernelOptions kernels[] = {KernelOptions{}, fused_kernel(OutputForm::immediate),
                                     fused_kernel(OutputForm::delayed)};
    std::vector<std::unique_ptr<DeployedNetwork>> networks;
    std::vector<std::unique_ptr<ChipSystem>> systems;
    std::vector<std::unique_ptr<EnergyLedger>> ledgers;
    std::vector<std::unique_ptr<LedgerObserver>> observers;
    for (const KernelOptions& kernel : kernels) {
        for (const bool removed : {false, true}) {
            const DeployedNetwork whole = pruned_network(kernel);
            networks.push_back(std::make_unique<DeployedNetwork>(removed ? remove_pruned(whole) : whole));
            systems.push_back(std::make_unique<ChipSystem>(*networks.back(), ChipConfig{}, kSeed,
                                                           ("chip" + std::to_string(systems.size())).c_str()));
            ledgers.push_back(std::make_unique<EnergyLedger>(systems.back()->chip().units()));
            observers.push_back(std::make_unique<LedgerObserver>(*ledgers.back()));
            systems.back()->chip().observe(*observers.back());
        }
    }
    for (std::size_t index = 0; index < networks.size(); index += 2) {
        const Sequences sequences(*networks[index], 5, 2);
        BatchResult results[2];
        for (std::size_t k = 0; k < 2; ++k) {
            ReferenceProbe probe(*networks[index + k], sequences.batch, kSeed);
            systems[index + k]->chip().set_probe(&probe);
            results[k] = systems[index + k]->run({sequences.batch}).front();
            EXPECT_EQ(probe.mismatches, 0);
            EXPECT_GT(probe.compared_codes, 0);
        }
        EXPECT_EQ(results[0].logits, results[1].logits);
        const Chip& whole = systems[index]->chip();
        const Chip& smaller = systems[index + 1]->chip();
        EXPECT_EQ(whole.tiles().size() - smaller.tiles().size(), 3U);
        for (const Component component :
             {Component::cell, Component::dac, Component::register_bit, Component::buffer_bit, Component::link_bit}) {
            EXPECT_LT(area_parts(smaller, component), area_parts(whole, component));
        }
        const ActivityStatistics activity;
        const EnergyLedger estimated =
            estimated_ledger(*networks[index + 1], systems[index + 1]->chip().config(), activity, 5);
        ASSERT_EQ(estimated.units().size(), ledgers[index + 1]->units().size());
        for (std::size_t unit = 0; unit < estimated.units().size(); ++unit) {
            for (const auto& [name, component] : enum_names(Component{})) {
                EXPECT_DOUBLE_EQ(estimated.units()[unit].parts[component], smaller.units()[unit].parts[component])
                    << smaller.units()[unit].name << " " << name;
            }
            for (const auto& [name, action] : enum_names(Action{})) {
                const std::int32_t at = static_cast<std::int32_t>(unit);
                EXPECT_NEAR(ledgers[index + 1]->count(at, action), estimated.count(at, action),
                            1e-9 * estimated.count(at, action))
                    << smaller.units()[unit].name << " " << name;
            }
        }
    }
}

TEST(PrunedChip, PacksSmallerBlocksOntoFewerTiles) {
    ChipConfig config;
    config.mapping.packing = Packing::diagonal;
    config.mapping.tile_rows = 36;
    config.mapping.tile_columns = 64;
    const DeployedNetwork whole = pruned_network(KernelOptions{});
    const DeployedNetwork smaller = remove_pruned(whole);
    ChipSystem all(whole, config, kSeed, "all"), fewer(smaller, config, kSeed, "fewer");
    EXPECT_LT(fewer.chip().tiles().size(), all.chip().tiles().size());
    const Sequences sequences(whole, 3, 2);
    EXPECT_EQ(all.run({sequences.batch}).front().logits, fewer.run({sequences.batch}).front().logits);
}

}  // namespace
}  // namespace imssa::testing
