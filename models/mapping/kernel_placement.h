#pragma once

#include <string>
#include <vector>

#include "models/mapping/tile_mapping.h"
#include "models/network/deployed_kernel.h"

namespace imssa {

/// A block of one head's array on a tile: its inputs and outputs (numbers in DeployedKernel::array) on neighbouring
/// input and output positions of the tile.
struct HeadBlock {
    int head = 0;
    std::vector<int> inputs, outputs;
    int first_input = 0, first_output = 0;
};

/// The blocks of one tile. All are read together, or one after another when they are gated.
struct TilePlan {
    std::vector<HeadBlock> blocks;
    int inputs = 0, outputs = 0;  ///< positions in use
    bool gated = false;

    int reads() const { return gated ? static_cast<int>(blocks.size()) : 1; }
};

/// Heads and the tiles that hold them: one head on one or more tiles, or several heads on one.
struct TileGroup {
    std::vector<int> heads;
    std::vector<TilePlan> tiles;
};

/// Which entries of a head's array are in cells; the others are digital products on the same codes.
struct CellRegion {
    std::vector<int> inputs, outputs;
};
CellRegion cell_region(const DeployedKernel& kernel, const MappingOptions& options);

/// Where the heads of a layer go. Consecutive heads share tiles. Throws UserError naming `name` when a head does not
/// fit a tile (and may not be split), or when options contradict each other.
std::vector<TileGroup> place_kernels(const std::vector<DeployedKernel>& kernels, const MappingOptions& options,
                                     const std::string& name);

/// Codes and drives of a tile: the blocks of the plan, zero elsewhere. Gains, offsets and limits are those of the
/// blocks' outputs (of the first block on columns that gated blocks share).
QuantizedMatrix tile_matrix(const TilePlan& plan, const std::vector<DeployedKernel>& kernels);

/// What a layer's kernels need of converters and time: pure counts for timing, area and energy.
struct KernelTileCounts {
    int tiles = 0;
    int reads_per_step = 0;                                ///< of all tiles
    int passes = 0;                                        ///< reads of the busiest tile, one after another
    int outputs = 0;                                       ///< outputs of the widest tile, slices included
    double dac_conversions = 0, adc_conversions = 0;       ///< of one step of all heads
    double input_conversions = 0, output_conversions = 0;  ///< of these: of u, and to y; the others are of states
    double partial_sums_added = 0;  ///< of one step of all heads: conversions beyond the first of a sum (slices, parts)
    double dacs = 0, outputs_of_tiles = 0;  ///< hardware: drivers, and output positions of all tiles
    double weights = 0;  ///< input x output positions in use, without slices; each is read once a step
    struct Width {
        int outputs = 0, tiles = 0;
    };
    std::vector<Width> widths;    ///< tiles by their outputs, slices included
    double digital_products = 0;  ///< of one step of all heads, outside cells and decay
    int digital_products_of_head = 0;
};
KernelTileCounts count_kernel_tiles(const std::vector<TileGroup>& groups, const std::vector<DeployedKernel>& kernels,
                                    const MappingOptions& options);
/// The same for `heads` heads of one shape, without placing all of them.
KernelTileCounts count_kernel_tiles(const DeployedKernel& kernel, int heads, const MappingOptions& options,
                                    const std::string& name);

}  // namespace imssa
