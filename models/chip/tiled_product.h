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

namespace imssa {

/// A matrix on as many tiles as it needs: blocks of outputs on tiles side by side, blocks of inputs on tiles one above
/// the other, whose column currents add ahead of the converter. Pure: no time, no counters.
class TiledProduct {
public:
    TiledProduct(const QuantizedMatrix& whole, const ChipConfig& config, std::uint64_t seed, std::uint32_t first_tile,
                 const std::string& name);

    /// Sums of all outputs with the errors of the converters, ready for `convert`.
    void read(const LaneMatrix& inputs, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
              LaneMatrix& sums);
    ReadEnergy read_energy(const LaneMatrix& inputs);
    /// Conversions since the last call, and how many of them saturated.
    ConversionCounts take_conversions() { return std::exchange(conversions_, ConversionCounts{}); }

    /// Start-up calibration of the columns of one tile, if the chip does it.
    void calibrate_columns(int tile);

    int inputs() const { return inputs_; }
    int outputs() const { return outputs_ / slices_; }
    int tiles() const { return static_cast<int>(blocks_.size()); }
    Crossbar& tile(int index) { return *blocks_[static_cast<std::size_t>(index)].crossbar; }

private:
    struct Block {
        int first_input = 0;
        int first_output = 0;
        std::unique_ptr<Crossbar> crossbar;
    };

    const LaneMatrix& block_inputs(const Block& block, const LaneMatrix& inputs);

    void read_sliced(const LaneMatrix& inputs, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
                     LaneMatrix& sums);

    int inputs_, outputs_;  ///< outputs with all slices
    int slices_, slice_bits_;
    ColumnCalibration calibration_;
    std::vector<Block> blocks_;
    AdcErrors adc_errors_;
    ConversionCounts conversions_;
    LaneMatrix block_inputs_, block_sums_, sliced_sums_;
};

}  // namespace imssa
