#pragma once

#include <string>

#include "models/cost/component_model.h"
#include "models/cost/model_use.h"

namespace imssa {

/// Conditions under which actions are priced.
struct PricingConditions {
    double read_time_s = 0.0;         ///< time that amplifiers are active per array read
    double duration_s = 0.0;          ///< simulated time for leakage; 0 leaves leakage out
    double settle_time_s = 0.0;       ///< that amplifiers have to settle: of one pulse; 0: as long as their price needs
    double conversion_rate_hz = 0.0;  ///< of one analog-to-digital converter; 0: what its price holds for
};

/// What a price costs outside of the speed for which it holds: nothing gets cheaper because it is faster.
///
/// An amplifier that must settle in a shorter time needs as much more bandwidth (GBW ~ 1 / t), and as much more bias:
/// its energy a read does not fall below the one at `settle_s`. A converter beyond `rate_hz` costs as much more as a
/// model of converters says, extrapolated from the price. Slower ones cost what the price says.
class OperatingLaw {
public:
    /// Holds at every speed.
    OperatingLaw() = default;
    /// settle_s, rate_hz: for which the price holds, 0: those of its model, or any.
    OperatingLaw(double settle_s, double rate_hz, const ModelUse& use);

    /// Of the energy in all; exactly 1 where the price holds.
    double factor(const PricingConditions& conditions) const;
    /// "extrapolated: 1e+09 conversions/s, price holds to 1e+08: x 1.883, adc_survey_sar; ", or empty.
    std::string note(const PricingConditions& conditions) const;

private:
    bool too_short(const PricingConditions& conditions) const;
    bool too_fast(const PricingConditions& conditions) const;
    double rate_factor(double rate_hz) const;

    double settle_s_ = 0.0;
    double rate_hz_ = 0.0;
    const ComponentModel* model_ = nullptr;  ///< of the converter's energy over its rate
    ModelParameters parameters_;
};

}  // namespace imssa
