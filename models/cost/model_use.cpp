#include "models/cost/model_use.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "models/common/error.h"

namespace imssa {

namespace {

std::string text_of(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", value);
    return text;
}

void check_parameters(const ComponentModel& model, const ModelParameters& parameters, const std::string& what) {
    for (const auto& [key, parameter] : parameter_names()) {
        if (parameters.has(parameter) && !model.uses(parameter)) {
            throw UserError(what + ": the model '" + model.name + "' does not use parameters." + key + ": it uses " +
                            names_of_used(model) + "; remove it, or name another model");
        }
    }
}

}  // namespace

void ModelUse::check(std::initializer_list<Quantity> quantities, const std::string& what) const {
    if (!given()) {
        throw UserError(what + ": no model is named: set model");
    }
    if (!(calibration > 0.0) || !std::isfinite(calibration)) {
        throw UserError(what + ": calibration = " + text_of(calibration) + " is out of range: set a factor above zero");
    }
    const ComponentModel& used = find_component_model(model);
    if (std::find(quantities.begin(), quantities.end(), used.quantity) == quantities.end()) {
        std::string wanted;
        for (const Quantity quantity : quantities) {
            wanted += (wanted.empty() ? "" : " or ") + std::string(to_string(quantity));
        }
        throw UserError(what + ": the model '" + model + "' gives " + to_string(used.quantity) + ", not " + wanted +
                        ": name a model of that");
    }
    check_parameters(used, parameters, what);
}

void check_model_or_numbers(const ModelUse& use, std::initializer_list<NamedNumber> numbers, const std::string& what) {
    if (use.given()) {
        for (const NamedNumber& number : numbers) {
            if (number.value != 0.0) {
                throw UserError(what + ": both the model '" + use.model + "' and " + number.key + " = " +
                                text_of(number.value) + " are given: keep one");
            }
        }
        return;
    }
    if (use.calibration != 1.0) {
        throw UserError(what + ": calibration is given without a model: name the model or remove it");
    }
    for (const auto& [key, parameter] : parameter_names()) {
        if (use.parameters.has(parameter)) {
            throw UserError(what + ": parameters." + key + " is given without a model: name the model or remove it");
        }
    }
}

}  // namespace imssa
