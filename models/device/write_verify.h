#pragma once

namespace imssa {

/// Programming as a loop of pulses and verify reads, instead of a programming error out of a distribution:
///
///     until |g_verified - target| <= tolerance or max_pulses:
///         g <- clip(g + step_gain (target - g_verified) + Normal(0, step_sigma), g_min, g_max)
///
/// with g_verified = g + Normal(0, verify_sigma); cells start at g_min. The defaults of the step are fitted to TaOx
/// cells of 100-400 uS, tolerance 5 uS (other process than the IMSSA chips): 91.6 % of the cells within 10 pulses,
/// 5.57 pulses a cell; the loop gives 92 % and 5.6.
struct WriteVerifyConfig {
    bool enabled = false;
    double tolerance_siemens = 5e-6;
    int max_pulses = 10;
    double step_gain = 0.5;             ///< mean part of the distance that a pulse covers
    double step_sigma_siemens = 10e-6;  ///< cycle-to-cycle spread of one pulse
    double verify_sigma_siemens = 0.0;  ///< noise of one verify read

    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, WriteVerifyConfig& config) {
    visit("enabled", config.enabled);
    visit("tolerance_siemens", config.tolerance_siemens);
    visit("max_pulses", config.max_pulses);
    visit("step_gain", config.step_gain);
    visit("step_sigma_siemens", config.step_sigma_siemens);
    visit("verify_sigma_siemens", config.verify_sigma_siemens);
}

}  // namespace imssa
