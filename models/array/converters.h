#pragma once

#include <cstdint>
#include <vector>

#include "models/common/lane_matrix.h"

namespace imssa {

/// Errors of the analog-to-digital converters beyond quantization and saturation; the bits come from the network.
/// All in ADC codes or fractions. Zero switches an effect off, and all zero is exactly the ideal path.
struct AdcConfig {
    double input_noise_codes = 0.0;   ///< standard deviation of the noise of one conversion, in output codes
    double offset_sigma_codes = 0.0;  ///< standard deviation of the offset of a converter, in output codes
    double gain_sigma = 0.0;          ///< standard deviation of the relative gain error of a converter

    void validate() const;
    bool is_ideal() const { return input_noise_codes == 0.0 && offset_sigma_codes == 0.0 && gain_sigma == 0.0; }
};

template <class Visitor>
void visit_fields(Visitor& visit, AdcConfig& config) {
    visit("input_noise_codes", config.input_noise_codes);
    visit("offset_sigma_codes", config.offset_sigma_codes);
    visit("gain_sigma", config.gain_sigma);
}

/// The converters behind one tile, as a function on the analog sums ahead of `convert`:
///
///     sum' = (1 + gain_error_a) sum + (offset_error_a + noise) / gain_o      (weight-code x input-code units)
///
/// so that convert(sum', gain_o, offset_o, limit) sees the errors in output codes. Converter a = o / outputs_per_adc
/// serves neighbouring outputs through its multiplexer. Gain and offset errors are drawn once with (seed, tile,
/// converter), noise with (seed, tile, sequence, step, output). An output whose gain is zero converts to a constant and
/// has no errors.
class AdcErrors {
public:
    /// `gain` per output as in QuantizedMatrix (output codes per unit of sum).
    AdcErrors(const AdcConfig& config, const std::vector<float>& gain, int outputs_per_adc, std::uint64_t seed,
              std::uint32_t tile);

    /// In place on sums (outputs x lanes). A lane's result does not depend on the other lanes. Padding lanes are
    /// undefined afterwards.
    void apply(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step, LaneMatrix& sums) const;

    double gain_error(int output) const { return gain_factor_[static_cast<std::size_t>(output)] - 1.0; }

private:
    std::vector<double> gain_factor_;  ///< per output: 1 + gain error
    std::vector<float> offset_;        ///< per output: offset error in units of the sum
    std::vector<float> noise_sigma_;   ///< per output, in units of the sum; empty when off
    bool ideal_ = true;
    std::uint64_t seed_ = 0;
    std::uint32_t tile_ = 0;
};

}  // namespace imssa
