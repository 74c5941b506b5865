#pragma once

#include <systemc>

#include <string>

#include "models/array/converters.h"
#include "models/chip/chip_context.h"

namespace imssa {

/// Throws NumericalError naming the unit, output and step when a sum is not finite. Padding lanes do not count.
void check_finite(const LaneMatrix& sums, const std::string& unit, int step);

/// Sample and hold, column multiplexer and analog-to-digital converters of one head.
class AdcBank final : public sc_core::sc_module {
public:
    /// first_unit keys the dither: (layer * heads + head) * modes.
    AdcBank(const sc_core::sc_module_name& name, const DeployedKernel& kernel, std::uint32_t first_unit,
            std::uint32_t tile, ChipContext& context);

    /// sums are changed by the errors of the converters.
    void convert(const Batch& batch, int step, LaneMatrix& sums, LaneMatrix& codes) const;

private:
    const DeployedKernel& kernel_;
    std::uint32_t first_unit_;
    AdcErrors errors_;
    ConversionCounts& conversions_;
};

}  // namespace imssa
