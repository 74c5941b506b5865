#pragma once

#include <string>

#include "models/cost/component.h"
#include "models/cost/component_model.h"

namespace imssa {

/// How the price of a converter follows the resolution of its codes: price(bits) = price x model(bits) / model(bits for
/// which the price holds).
struct Resolution {
    double bits = 0.0;       ///< of the codes for which the price holds; 0: those of its model, or any
    std::string bits_model;  ///< the component model whose ratio it takes; empty: its own one, or the usual one

    /// `usual`: the model for this kind of price; null: prices of this kind know no resolution. Throws UserError.
    void validate(const std::string& what, const char* usual) const;
};

template <class Visitor>
void visit_resolution(Visitor& visit, Resolution& resolution) {
    visit("bits", resolution.bits);
    visit("bits_model", resolution.bits_model);
}

/// Models that prices follow unless they name another; null: what is no part of a converter.
const char* usual_bits_model(Action action);
const char* usual_bits_model(Component component);

/// A price's law, resolved: which model, from which bits.
class ResolutionLaw {
public:
    /// own_model: the component model that the price itself comes from, or empty.
    ResolutionLaw(const Resolution& resolution, const char* usual, const std::string& own_model,
                  const ModelParameters& own_parameters);

    bool follows() const { return model_ != nullptr; }
    /// 1 for the bits of the price, for 0 bits (not known), and for prices that do not follow.
    double factor(int bits) const;
    /// Of an energy: the mean over the codes.
    double mean_factor(const ConverterBits& bits) const;
    /// Of an area or a leakage: of the widest codes.
    double widest_factor(const ConverterBits& bits) const { return factor(bits.widest()); }

    /// "8-bit price x 0.36 for 6 bits, adc_survey_sar; ", empty for a factor of 1.
    std::string mean_note(const ConverterBits& bits) const;
    std::string widest_note(const ConverterBits& bits) const;

private:
    ModelParameters at(int bits) const;
    std::string note(double factor, const std::string& codes, int bits, int other_bits) const;

    const ComponentModel* model_ = nullptr;
    ModelParameters parameters_;  ///< with the bits of the price
    double bits_ = 0.0;
};

/// Least factor of a sample and hold: switch and wire of some 2 fF beside the 20 fF of 8 bits (assumption).
constexpr double kLeastSampleHoldFactor = 0.1;

}  // namespace imssa
