#pragma once

#include <initializer_list>
#include <string>

#include "models/cost/component_model.h"

namespace imssa {

/// A component model in the place of numbers: evaluated when the table is loaded, with the table's technology and
/// supply where the parameters do not give others. The provenance then tells model, parameters and source.
struct ModelUse {
    std::string model;  ///< empty: the entry gives numbers
    ModelParameters parameters;
    double calibration = 1.0;  ///< factor on the model's figures, from silicon

    bool given() const { return !model.empty(); }
    /// A model of one of these quantities, a factor above zero, and no parameter that the model does not use:
    /// UserError otherwise. `what` names the entry. Parameters of the entry's own, before others complete them.
    void check(std::initializer_list<Quantity> quantities, const std::string& what) const;
};

template <class Visitor>
void visit_model(Visitor& visit, ModelUse& use) {
    visit("model", use.model);
    visit("calibration", use.calibration);
    visit.table("parameters", use.parameters);
}

/// A numeric key of an entry, for its checks.
struct NamedNumber {
    const char* key;
    double value;
};

/// For entries with a model: none of the numbers that it stands for may be given as well (UserError naming the key).
/// For entries without: no calibration and no parameters either.
void check_model_or_numbers(const ModelUse& use, std::initializer_list<NamedNumber> numbers, const std::string& what);

}  // namespace imssa
