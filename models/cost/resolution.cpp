#include "models/cost/resolution.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "models/common/error.h"

namespace imssa {

namespace {

constexpr const char* kSampleHold = "sample_hold_ktc";

/// Ratios do not depend on these, but the model asks for them; inside of the range of all models.
ModelParameters any_parameters() {
    ModelParameters any;
    any.values.fill(1.0);
    any[Parameter::technology_nm] = 28.0;
    any[Parameter::rate_hz] = 1e8;
    return any;
}

std::string text_of(double value) {
    char text[24];
    std::snprintf(text, sizeof(text), "%.4g", value);
    return text;
}

}  // namespace

void Resolution::validate(const std::string& what, const char* usual) const {
    if (bits == 0.0 && bits_model.empty()) {
        return;
    }
    if (usual == nullptr) {
        throw UserError(what + ": bits and bits_model are for converters, their amplifiers and samples: remove them");
    }
    if (!(bits >= 1.0 && bits <= ConverterBits::kMost)) {
        throw UserError(what + ": bits = " + text_of(bits) + " is out of range: set the bits of the codes for which " +
                        "the price holds, 1 to " + std::to_string(ConverterBits::kMost));
    }
    if (!bits_model.empty() && !find_component_model(bits_model).uses(Parameter::bits)) {
        throw UserError(what + ": the model '" + bits_model + "' knows no bits: name another in bits_model");
    }
}

const char* usual_bits_model(Action action) {
    switch (action) {
        case Action::dac_conversion:
            return "dac_zigzag";
        case Action::transimpedance:
            return "tia_bias";
        case Action::sample_hold:
            return kSampleHold;
        case Action::adc_conversion:
            return "adc_survey_sar";
        default:
            return nullptr;
    }
}

const char* usual_bits_model(Component component) {
    switch (component) {
        case Component::dac:
            return "dac_area";
        case Component::transimpedance:
            return "tia_bias";  // transistors as wide as their current asks
        case Component::sample_hold:
            return kSampleHold;  // the capacitor
        case Component::adc:
            return "adc_survey_sar_area";
        default:
            return nullptr;
    }
}

ResolutionLaw::ResolutionLaw(const Resolution& resolution, const char* usual, const std::string& own_model,
                             const ModelParameters& own_parameters) {
    if (usual == nullptr) {
        return;
    }
    const ComponentModel* own = own_model.empty() ? nullptr : &find_component_model(own_model);
    const bool own_bits = own != nullptr && own->uses(Parameter::bits);
    if (resolution.bits == 0.0 && !own_bits) {
        return;
    }
    const bool by_own = resolution.bits_model.empty() && own_bits;
    model_ = by_own ? own : &find_component_model(resolution.bits_model.empty() ? usual : resolution.bits_model);
    bits_ = resolution.bits > 0.0 ? resolution.bits : own_parameters[Parameter::bits];
    parameters_ = (by_own ? own_parameters : ModelParameters{}).with_defaults(any_parameters());
    if (!by_own) {
        parameters_[Parameter::bits] = bits_;
    }
}

ModelParameters ResolutionLaw::at(int bits) const {
    // The parameter may be effective bits, or those of magnitudes: it moves with the codes.
    ModelParameters parameters = parameters_;
    parameters[Parameter::bits] += bits - bits_;
    return parameters;
}

double ResolutionLaw::factor(int bits) const {
    if (!follows() || bits == 0 || bits == bits_) {
        return 1.0;
    }
    const double ratio = evaluate(*model_, at(bits)).nominal / evaluate(*model_, parameters_).nominal;
    return std::strcmp(model_->name, kSampleHold) == 0 ? std::max(ratio, kLeastSampleHoldFactor) : ratio;
}

double ResolutionLaw::mean_factor(const ConverterBits& bits) const {
    const double factor_of_most = factor(bits.bits);
    return bits.other_share > 0.0 ? factor_of_most + bits.other_share * (factor(bits.other_bits) - factor_of_most)
                                  : factor_of_most;
}

std::string ResolutionLaw::note(double factor, const std::string& codes, int bits, int other_bits) const {
    if (factor == 1.0) {
        return "";
    }
    const bool holds = model_->holds(at(bits)) && model_->holds(at(other_bits));
    return text_of(bits_) + "-bit price x " + text_of(factor) + " for " + codes + " bits, " + model_->name +
           (holds ? "" : ", extrapolated") + "; ";
}

std::string ResolutionLaw::mean_note(const ConverterBits& bits) const {
    if (!(bits.other_share > 0.0)) {
        return note(mean_factor(bits), std::to_string(bits.bits), bits.bits, bits.bits);
    }
    return note(mean_factor(bits),
                std::to_string(bits.bits) + " and (" + text_of(100.0 * bits.other_share) + " % of the codes) " +
                    std::to_string(bits.other_bits),
                bits.bits, bits.other_bits);
}

std::string ResolutionLaw::widest_note(const ConverterBits& bits) const {
    return note(widest_factor(bits), std::to_string(bits.widest()), bits.widest(), bits.widest());
}

}  // namespace imssa
