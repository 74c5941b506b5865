#pragma once

#include <systemc>

#include "models/chip/action_model.h"
#include "models/chip/chip_context.h"
#include "models/chip/tiled_product.h"

namespace imssa {

/// DACs, tiles and ADCs of a dense matrix (encoder, mixing, decoder). Untimed: the unit around it spends the cycles.
class DenseArray final : public sc_core::sc_module {
public:
    DenseArray(const sc_core::sc_module_name& name, const QuantizedMatrix& matrix, ChipContext& context);

    /// Codes of all outputs for one step of a batch.
    void read(const LaneMatrix& inputs, const Batch& batch, int step, LaneMatrix& codes);

private:
    void publish(const LaneMatrix& inputs);

    ChipContext& context_;
    const QuantizedMatrix& matrix_;
    TiledProduct product_;
    ArrayActionCounts counts_;
    std::int32_t dac_unit_, tile_unit_, adc_unit_;
    LaneMatrix sums_;
};

}  // namespace imssa
