#pragma once

#include <array>
#include <utility>

namespace imssa {

/// How a converter makes its levels, and so what its unit-element mismatch does.
enum class AdcType {
    sar,   ///< binary-weighted capacitors, one array a converter
    ramp,  ///< one ramp of equal steps for all converters of a tile
    cco    ///< current-controlled oscillator, a ring of stages a converter; codes count stage delays
};
constexpr auto enum_names(AdcType) {
    return std::array{std::pair{"sar", AdcType::sar}, std::pair{"ramp", AdcType::ramp}, std::pair{"cco", AdcType::cco}};
}

/// Resolution of the analog-to-digital converters and their errors beyond quantization and saturation, in codes of the
/// network or fractions. Zero switches an effect off, and all zero is exactly the ideal path.
struct AdcConfig {
    /// 0: as wide as the codes that the converter makes. With fewer it makes every 2^(code bits - bits)-th of them,
    /// with the same full scale.
    int bits = 0;
    double input_noise_codes = 0.0;   ///< standard deviation of the noise of one conversion, in output codes
    double offset_sigma_codes = 0.0;  ///< standard deviation of the offset of a converter, in output codes
    double gain_sigma = 0.0;          ///< standard deviation of the relative gain error of a converter
    AdcType type = AdcType::sar;
    double unit_mismatch_sigma = 0.0;  ///< relative standard deviation of one unit capacitor, ramp step or ring stage
    int cco_stages = 16;               ///< stages of the ring
    double cco_compression = 0.0;      ///< relative loss of oscillator frequency at full scale, quadratic in the input

    /// Start-up calibration: each converter measures its offset and its gain with references and trims them in steps.
    bool calibrate = false;
    double calibration_step_codes = 0.125;  ///< step of the offset trim, and of the gain trim at full scale
    int calibration_samples = 64;           ///< conversions averaged by each measurement

    void validate() const;
    bool has_no_errors() const {
        return input_noise_codes == 0.0 && offset_sigma_codes == 0.0 && gain_sigma == 0.0 && has_linear_levels();
    }
    bool has_linear_levels() const {
        return unit_mismatch_sigma == 0.0 && (type != AdcType::cco || cco_compression == 0.0);
    }
};

template <class Visitor>
void visit_fields(Visitor& visit, AdcConfig& config) {
    visit("bits", config.bits);
    visit("input_noise_codes", config.input_noise_codes);
    visit("offset_sigma_codes", config.offset_sigma_codes);
    visit("gain_sigma", config.gain_sigma);
    visit("type", config.type);
    visit("unit_mismatch_sigma", config.unit_mismatch_sigma);
    visit("cco_stages", config.cco_stages);
    visit("cco_compression", config.cco_compression);
    visit("calibrate", config.calibrate);
    visit("calibration_step_codes", config.calibration_step_codes);
    visit("calibration_samples", config.calibration_samples);
}

}  // namespace imssa
