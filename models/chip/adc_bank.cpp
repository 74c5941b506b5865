#include "models/chip/adc_bank.h"

#include <algorithm>
#include <cmath>

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

void AdcBank::convert(const Batch& batch, int step, LaneMatrix& sums, LaneMatrix& codes) const {
    for (std::size_t mode = 0; mode < reference_gains_.size(); ++mode) {
        const int columns = kernel_.state_columns_per_mode();
        float* first = sums.row(columns * static_cast<int>(mode));
        std::transform(first, first + columns * sums.stride(), first,
                       [gain = reference_gains_[mode]](float sum) { return sum * gain; });
    }
    check_finite(sums, name(), step);
    const DeployedKernel& kernel = own_codes_ != nullptr ? *own_codes_ : kernel_;
    convert_kernel_outputs(kernel, sums, batch.dither_keys, first_unit_, static_cast<std::uint32_t>(step), codes);
    if (coarse_ != nullptr) {
        coarse_->expand(codes);
    }
}

void AdcBank::set_code_steps(const std::vector<float>& steps) {
    if (any_coarse(steps)) {
        own_codes_ = std::make_unique<DeployedKernel>(kernel_);
        coarse_ = std::make_unique<CoarseOutputs>(own_codes_->array, steps);
    }
}

void AdcBank::round(LaneMatrix& sums) const {
    if (coarse_ == nullptr) {
        return;
    }
    LaneMatrix codes(sums.channels(), sums.lanes());
    convert_all(own_codes_->array, sums, codes);
    coarse_->expand(codes);
    for (int output = 0; output < sums.channels(); ++output) {
        const std::size_t at = static_cast<std::size_t>(output);
        const float gain = kernel_.array.gain[at];
        for (int lane = 0; lane < sums.lanes() && gain != 0.0F; ++lane) {
            sums(output, lane) = (codes(output, lane) - kernel_.array.offset[at]) / gain;
        }
    }
}

float AdcBank::largest_step() const {
    return coarse_ == nullptr ? 1.0F : *std::max_element(coarse_->steps().begin(), coarse_->steps().end());
}

}  // namespace imssa
