#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/array/column_calibration.h"
#include "models/array/converters.h"
#include "models/array/crossbar.h"
#include "models/chip/chip_config.h"
#include "models/mapping/kernel_placement.h"

namespace imssa {

/// One head's array inputs and sums on their way through an operation.
struct HeadRead {
    LaneMatrix inputs, sums;
};

/// Numbers of the tiles of a group, which key their errors, and of the sites that serve them.
struct TileNumbers {
    std::uint32_t first_of_layer = 0, first = 0;
    int sites = 0;  ///< sets of drivers and converters that the tiles of the layer share; 0: one a tile

    std::uint32_t site_of(std::uint32_t tile) const {
        return sites > 0 ? first_of_layer + (tile - first_of_layer) % static_cast<std::uint32_t>(sites) : tile;
    }
};

/// The tiles of a group of heads, programmed, with the errors of their converters, and the exact digital products of
/// what is not in cells. Pure: no time, no counters.
class KernelTiles {
public:
    KernelTiles(const TileGroup& group, const std::vector<DeployedKernel>& kernels, const ChipConfig& config,
                std::uint64_t seed, const TileNumbers& numbers, const std::vector<std::string>& names);

    /// reads[k]: inputs of the group's k-th head, on return its sums with the errors of the converters, ready for
    /// `convert`. Adds the energy of the reads to `energy` unless it is null.
    void read(std::vector<HeadRead>& reads, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
              ReadEnergy* energy);

    /// Conversions since the last call, and how many of them saturated.
    ConversionCounts take_conversions() { return std::exchange(conversions_, ConversionCounts{}); }

    /// Codes of the network that a code of each output's converter stands for; 1 where the converter is as wide as the
    /// codes, where sums of several conversions are rounded digitally, and where nothing is converted.
    const std::vector<float>& code_steps(int head) const {
        return code_steps_[static_cast<std::size_t>(head - heads_.front())];
    }

    /// Start-up calibration of the columns of one tile, if the chip does it.
    void calibrate_columns(int tile);

    const std::vector<int>& heads() const { return heads_; }
    int tiles() const { return static_cast<int>(tiles_.size()); }
    Crossbar& tile(int index) { return *tiles_[static_cast<std::size_t>(index)].crossbar; }
    const TilePlan& plan(int index) const { return tiles_[static_cast<std::size_t>(index)].plan; }

    /// What a head's array became: programmed weights in codes (inputs x outputs of its DeployedKernel::array), exact
    /// where they are digital. For inspection.
    Eigen::MatrixXd programmed_codes(int head, const std::vector<DeployedKernel>& kernels) const;

private:
    struct Tile {
        TilePlan plan;
        std::unique_ptr<Crossbar> crossbar;
        std::vector<AdcErrors> adc_errors;  ///< one a read
    };

    void read_tile(const Tile& tile, int read, std::vector<HeadRead>& reads,
                   const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step, ReadEnergy* energy);
    /// By output of every head: whether one conversion makes all of its sum.
    std::vector<std::vector<bool>> whole_sums(const TileGroup& group, const std::vector<DeployedKernel>& kernels) const;
    HeadRead& of_head(std::vector<HeadRead>& reads, int head) const;
    void add_digital(std::vector<HeadRead>& reads) const;

    std::vector<int> heads_;
    std::vector<Tile> tiles_;
    std::vector<std::vector<float>> code_steps_;  ///< by head of the group and output
    std::vector<MatrixRM> digital_;  ///< by head of the group: driven codes outside cells; empty when all are in cells
    int slices_, slice_bits_;
    ColumnCalibration calibration_;
    bool one_whole_head_ = false;  ///< one head, all of it on one tile: no copies
    ConversionCounts conversions_;
    LaneMatrix tile_inputs_, tile_sums_, sliced_sums_;
};

}  // namespace imssa
