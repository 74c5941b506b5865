#pragma once

#include <memory>
#include <vector>

#include "models/chip/chip_config.h"
#include "models/chip/chip_system.h"
#include "models/chip/kernel_tiles.h"
#include "models/chip/tiled_product.h"
#include "models/network/deployed_network.h"

namespace imssa::bench {

/// The arithmetic of a chip with fused, immediate kernels and a digital encoder and decoder as plain loops over the
/// same pure kernels on the same programmed arrays: no SystemC, no time, no ledger. What the shell of the chip is
/// measured against. Logits equal those of the chip.
class BareChip {
public:
    /// `network` must outlive it.
    BareChip(const DeployedNetwork& network, const ChipConfig& config, std::uint64_t seed);

    /// One batch through all steps; classes x lanes logit codes.
    LaneMatrix run(const BatchInput& input);

    /// What the arrays alone do in one step of every head and mixing matrix: reads, errors of converters, saturation
    /// counts, energy. Inputs are those of the last run.
    void read_arrays(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step);

    int tiles_per_step() const;

private:
    struct Layer {
        std::vector<std::unique_ptr<KernelTiles>> heads;
        std::vector<std::vector<HeadRead>> reads;  ///< one a head
        std::vector<StateRegisterFile> registers;
        std::unique_ptr<TiledProduct> mixing;
        LaneMatrix kernel_codes, activated, mixing_sums, mixing_codes, output;
    };

    void reset(int lanes);
    void step(std::size_t layer, const LaneMatrix& input, const std::vector<std::uint64_t>& sequence_ids,
              const std::vector<std::uint32_t>& keys, std::uint32_t step);

    const DeployedNetwork& network_;
    std::uint64_t seed_;
    std::vector<Layer> layers_;
    ReadEnergy energy_;
    ConversionCounts conversions_;
};

}  // namespace imssa::bench
