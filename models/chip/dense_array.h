#pragma once

#include <systemc>

#include <memory>
#include <vector>

#include "models/array/converter_bits.h"
#include "models/chip/action_model.h"
#include "models/chip/chip_context.h"
#include "models/chip/tiled_product.h"

namespace imssa {

/// DACs, tiles and ADCs of a dense matrix (encoder, mixing, decoder), or its digital multipliers. Untimed: the unit
/// around it spends the cycles.
class DenseArray final : public sc_core::sc_module {
public:
    DenseArray(const sc_core::sc_module_name& name, const QuantizedMatrix& matrix, MatrixPlace place,
               ChipContext& context);

    /// Codes of all outputs for one step of a batch.
    void read(const LaneMatrix& inputs, const Batch& batch, int step, LaneMatrix& codes);

private:
    void add_array_units();
    void add_digital_unit();
    void publish(const LaneMatrix& inputs);
    void publish_digital(double lanes);

    ChipContext& context_;
    const QuantizedMatrix& matrix_;
    std::unique_ptr<TiledProduct> product_;  ///< null: digital
    std::vector<std::unique_ptr<CrossbarTile>> tiles_;
    MatrixRM digital_codes_;
    QuantizedMatrix converters_;  ///< with gains and limits of converters of fewer bits than the codes
    CoarseOutputs coarse_;
    ArrayActionCounts counts_;
    std::int32_t dac_unit_ = 0, tile_unit_ = 0, adc_unit_ = 0, digital_unit_ = 0, coefficient_unit_ = 0;
    LaneMatrix sums_;
};

}  // namespace imssa
