#include "models/cost/operating_law.h"

#include <cstdio>

namespace imssa {

namespace {

constexpr const char* kUsualRateModel = "adc_survey_sar";

}  // namespace

OperatingLaw::OperatingLaw(double settle_s, double rate_hz, const ModelUse& use)
    : settle_s_(settle_s), rate_hz_(rate_hz) {
    const ComponentModel* own = use.given() ? &find_component_model(use.model) : nullptr;
    if (settle_s_ == 0.0 && own != nullptr && own->uses(Parameter::settle_s)) {
        settle_s_ = use.parameters[Parameter::settle_s];
    }
    const bool own_rate = own != nullptr && own->uses(Parameter::rate_hz);
    if (rate_hz_ == 0.0 && own_rate) {
        rate_hz_ = use.parameters[Parameter::rate_hz];
    }
    if (rate_hz_ == 0.0) {
        return;
    }
    model_ = own_rate ? own : &find_component_model(kUsualRateModel);
    if (own_rate) {
        parameters_ = use.parameters;
    } else {  // the ratio depends on the rate alone, but the model asks for these
        parameters_[Parameter::bits] = 8.0;
        parameters_[Parameter::technology_nm] = 28.0;
    }
    parameters_[Parameter::rate_hz] = rate_hz_;
}

bool OperatingLaw::too_short(const PricingConditions& conditions) const {
    return conditions.settle_time_s > 0.0 && conditions.settle_time_s < settle_s_;
}

bool OperatingLaw::too_fast(const PricingConditions& conditions) const {
    constexpr double kRounding = 1.0 + 1e-9;  // of clock / cycles
    return model_ != nullptr && conditions.conversion_rate_hz > rate_hz_ * kRounding;
}

double OperatingLaw::rate_factor(double rate_hz) const {
    ModelParameters fast = parameters_;
    fast[Parameter::rate_hz] = rate_hz;
    return evaluate(*model_, fast).nominal / evaluate(*model_, parameters_).nominal;
}

double OperatingLaw::factor(const PricingConditions& conditions) const {
    const double settling = too_short(conditions) ? settle_s_ / conditions.settle_time_s : 1.0;
    return too_fast(conditions) ? settling * rate_factor(conditions.conversion_rate_hz) : settling;
}

std::string OperatingLaw::note(const PricingConditions& conditions) const {
    char text[200] = "";
    if (too_short(conditions)) {
        std::snprintf(text, sizeof(text), "extrapolated: %.4g s to settle, price holds from %.4g s: power x %.4g; ",
                      conditions.settle_time_s, settle_s_, settle_s_ / conditions.settle_time_s);
        return text;
    }
    if (too_fast(conditions)) {
        ModelParameters fast = parameters_;
        fast[Parameter::rate_hz] = conditions.conversion_rate_hz;
        std::snprintf(text, sizeof(text), "extrapolated: %.4g conversions/s, price holds to %.4g: x %.4g, %s%s; ",
                      conditions.conversion_rate_hz, rate_hz_, rate_factor(conditions.conversion_rate_hz), model_->name,
                      model_->holds(fast) ? "" : " (outside of its range)");
    }
    return text;
}

}  // namespace imssa
