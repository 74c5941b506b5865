#include "models/chip/adc_bank.h"

#include <cmath>

#include "models/chip/timing_model.h"

namespace imssa {

void check_finite(const LaneMatrix& sums, const std::string& unit, int step) {
    for (int output = 0; output < sums.channels(); ++output) {
        const float* row = sums.row(output);
        float poison = 0.0F;  // 0 * x is NaN for NaN and infinity
        for (int lane = 0; lane < sums.lanes(); ++lane) {
            poison += row[lane] * 0.0F;
        }
        if (std::isnan(poison)) {
            throw NumericalError(unit + ": the analog sum of output " + std::to_string(output) +
                                 " is not finite at step " + std::to_string(step) +
                                 ": check the device and read conditions");
        }
    }
}

AdcBank::AdcBank(const sc_core::sc_module_name& name, const DeployedKernel& kernel, std::uint32_t first_unit,
                 std::uint32_t tile, ChipContext& context)
    : sc_core::sc_module(name),
      kernel_(kernel),
      first_unit_(first_unit),
      errors_(context.config.adc, kernel.array, conversion_rounds(kernel.array.outputs(), context.config.timing),
              context.seed, tile),
      conversions_(context.conversions) {}

void AdcBank::convert(const Batch& batch, int step, LaneMatrix& sums, LaneMatrix& codes) const {
    errors_.apply(batch.sequence_ids, static_cast<std::uint32_t>(step), sums);
    check_finite(sums, name(), step);
    conversions_ += errors_.count(sums);
    convert_kernel_outputs(kernel_, sums, batch.dither_keys, first_unit_, static_cast<std::uint32_t>(step), codes);
}

}  // namespace imssa
