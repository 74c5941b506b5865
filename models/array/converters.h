#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/array/adc_config.h"
#include "models/array/adc_levels.h"
#include "models/common/lane_matrix.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// Conversions, and how many of them had an input beyond the range by more than half a code.
struct ConversionCounts {
    std::int64_t conversions = 0;
    std::int64_t saturated = 0;

    ConversionCounts& operator+=(const ConversionCounts& other) {
        conversions += other.conversions;
        saturated += other.saturated;
        return *this;
    }
};

/// The converters behind one tile, as a function on the analog sums ahead of `convert`:
///
///     sum' = (1 + gain_error_a) sum + (offset_error_a + noise) / gain_o      (weight-code x input-code units)
///     sum'' = (distorted_a(gain_o sum' + offset_o) - offset_o) / gain_o      with unit-element mismatch
///
/// so that convert(sum'', gain_o, offset_o, limit) sees the errors in output codes. Converters with fewer bits than the
/// codes have elements and saturation of their own bits, and errors of the same size in codes of the network. What
/// converts a partial sum, to which others are added, is as wide as the sum needs unless `bits` are given: then it
/// rounds and saturates here, with the range of the output. Converter a = o / outputs_per_adc serves neighbouring
/// outputs through its multiplexer. Gain, offset and levels are drawn once with (seed, site, converter), noise with
/// (seed, tile, sequence, step, output): tiles that take turns at a site have the same converters. An output whose gain
/// is zero converts to a constant and has no errors.
class AdcErrors {
public:
    /// Uses gain, offset and output_limit of the matrix. partial: by output; empty: all sums are whole. Without a site
    /// the converters are the tile's own.
    AdcErrors(const AdcConfig& config, const QuantizedMatrix& matrix, int outputs_per_adc, std::uint64_t seed,
              std::uint32_t tile, const std::vector<bool>& partial = {}, std::optional<std::uint32_t> site = {});

    /// In place on sums (outputs x lanes). A lane's result does not depend on the other lanes. Padding lanes are
    /// undefined afterwards. Counts the conversions, and those that saturate, partial sums among them.
    ConversionCounts apply(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step, LaneMatrix& sums) const;

    /// In place on sums with their errors: what the codes of the converters stand for. A partial sum without `bits`
    /// becomes the nearest whole number.
    void digitize(LaneMatrix& sums) const;

    /// What converting these sums, errors included and not yet rounded, counts; outputs whose gain is zero are not
    /// converted.
    ConversionCounts count(const LaneMatrix& sums) const;

    /// What an output's converter takes before it saturates, in units of the sum; infinite where it is as wide as
    /// needed.
    double largest_sum(int output) const;

    int outputs() const { return static_cast<int>(gain_factor_.size()); }
    double gain_error(int output) const { return gain_factor_[static_cast<std::size_t>(output)] - 1.0; }

private:
    void set_grids(int bits, const std::vector<bool>& partial);
    void add_levels(const AdcConfig& config, int outputs_per_adc, std::uint32_t site);
    void add_errors(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step, LaneMatrix& sums) const;
    void round_partial_sums(LaneMatrix& sums) const;
    void digitize_output(int output, LaneMatrix& sums) const;
    /// A partial sum whose converter is as wide as it needs.
    bool is_wide(std::size_t output) const { return !partial_.empty() && partial_[output] && !rounds_[output]; }
    void distort(int output, LaneMatrix& sums) const;

    std::vector<double> gain_factor_;  ///< per output: 1 + gain error
    std::vector<float> offset_;        ///< per output: offset error in units of the sum
    std::vector<float> noise_sigma_;   ///< per output, in units of the sum; empty when off
    std::vector<AdcLevels> levels_;    ///< of different converters and ranges; empty when linear
    std::vector<int> levels_of_;       ///< per output: index into levels_
    std::vector<float> code_gain_, code_offset_, code_limit_;  ///< per output, of the conversion, in its own codes
    std::vector<bool> partial_;                                ///< per output; empty: all sums are whole
    std::vector<bool> rounds_;                                 ///< per output: a partial sum in fewer bits
    bool ideal_ = true;
    std::uint64_t seed_ = 0;
    std::uint32_t tile_ = 0;
};

}  // namespace imssa
