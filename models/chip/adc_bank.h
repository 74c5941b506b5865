#pragma once

#include <systemc>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/array/converter_bits.h"
#include "models/chip/chip_context.h"

namespace imssa {

/// Throws NumericalError naming the unit, output and step when a sum is not finite. Padding lanes do not count.
void check_finite(const LaneMatrix& sums, const std::string& unit, int step);

/// Sample and hold, column multiplexer and analog-to-digital converters of one head.
class AdcBank final : public sc_core::sc_module {
public:
    /// first_unit keys the dither: (layer * heads + head) * modes.
    AdcBank(const sc_core::sc_module_name& name, const DeployedKernel& kernel, std::uint32_t first_unit)
        : sc_core::sc_module(name), kernel_(kernel), first_unit_(first_unit) {}

    /// Codes that a code of each output's converter stands for (KernelTiles::code_steps).
    void set_code_steps(const std::vector<float>& steps);

    /// Gains of the state columns' references, by mode: where conversions replace the registers, calibration sets them.
    void set_reference_gains(std::vector<float> gains) { reference_gains_ = std::move(gains); }

    /// sums (with the errors of the converters) are changed by the reference gains.
    void convert(const Batch& batch, int step, LaneMatrix& sums, LaneMatrix& codes) const;

    /// Rounds sums, without dither and reference gains, to those of the codes that the converters make of them.
    void round(LaneMatrix& sums) const;
    /// Largest step of a converter.
    float largest_step() const;

private:
    const DeployedKernel& kernel_;
    std::uint32_t first_unit_;
    std::vector<float> reference_gains_;
    std::unique_ptr<DeployedKernel> own_codes_;  ///< the kernel behind converters of fewer bits; null: none has
    std::unique_ptr<CoarseOutputs> coarse_;
};

}  // namespace imssa
