#include "models/chip/unit_table.h"

namespace imssa {

std::int32_t UnitTable::add(const std::string& name, const ComponentCounts& parts, ComponentGroup digital) {
    units_.push_back({name, digital, parts});
    return static_cast<std::int32_t>(units_.size()) - 1;
}

std::int32_t UnitTable::add_converters(const std::string& name, const ComponentCounts& parts,
                                       const ConverterBits& adc_bits, const ConverterBits& dac_bits) {
    units_.push_back({name, ComponentGroup::digital, parts, adc_bits, dac_bits});
    return static_cast<std::int32_t>(units_.size()) - 1;
}

void UnitTable::observe(tlm::tlm_analysis_if<ActionEvent>& observer) {
    port_.bind(observer);
    observed_ = true;
}

}  // namespace imssa
