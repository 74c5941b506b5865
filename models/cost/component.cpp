#include "models/cost/component.h"

namespace imssa {

const char* to_string(Component component) {
    for (const auto& [name, candidate] : enum_names(component)) {
        if (candidate == component) {
            return name;
        }
    }
    return "?";
}

const char* to_string(ComponentGroup group) {
    switch (group) {
        case ComponentGroup::adc:
            return "adc";
        case ComponentGroup::dac_drivers:
            return "dac_drivers";
        case ComponentGroup::array:
            return "array";
        case ComponentGroup::tia_sample_hold:
            return "tia_sample_hold";
        case ComponentGroup::state_registers:
            return "state_registers";
        case ComponentGroup::coefficients:
            return "coefficients";
        case ComponentGroup::digital:
            return "digital";
        case ComponentGroup::layer_units:
            return "layer_units";
        case ComponentGroup::buffers:
            return "buffers";
        case ComponentGroup::interconnect:
            return "interconnect";
        case ComponentGroup::off_chip:
            return "off_chip";
        case ComponentGroup::control:
            return "control";
        case ComponentGroup::leakage:
            return "leakage";
        case ComponentGroup::count_:
            break;
    }
    return "?";
}

namespace {

/// The group of stored bits: `usual`, or that of the unit where it holds coefficients.
ComponentGroup group_of_bits(ComponentGroup usual, ComponentGroup unit) {
    return unit == ComponentGroup::coefficients ? unit : usual;
}

}  // namespace

ComponentGroup group_of(Action action, ComponentGroup digital) {
    switch (action) {
        case Action::dac_conversion:
        case Action::row_line_cell:
            return ComponentGroup::dac_drivers;
        case Action::array_read:
            return ComponentGroup::array;
        case Action::transimpedance:
        case Action::sample_hold:
            return ComponentGroup::tia_sample_hold;
        case Action::adc_conversion:
            return ComponentGroup::adc;
        case Action::register_bit_write:
        case Action::register_bit_read:
            return group_of_bits(ComponentGroup::state_registers, digital);
        case Action::digital_multiply:
        case Action::digital_add:
            return digital;
        case Action::table_lookup:
        case Action::norm_element:
            return ComponentGroup::layer_units;
        case Action::buffer_bit:
            return group_of_bits(ComponentGroup::buffers, digital);
        case Action::network_bit:
            return ComponentGroup::interconnect;
        case Action::off_chip_bit:
            return ComponentGroup::off_chip;
        case Action::control_cycle:
        case Action::count_:
            break;
    }
    return ComponentGroup::control;
}

ComponentGroup group_of(Component component, ComponentGroup digital) {
    switch (component) {
        case Component::cell:
            return ComponentGroup::array;
        case Component::dac:
            return ComponentGroup::dac_drivers;
        case Component::transimpedance:
        case Component::sample_hold:
            return ComponentGroup::tia_sample_hold;
        case Component::adc:
            return ComponentGroup::adc;
        case Component::register_bit:
            return group_of_bits(ComponentGroup::state_registers, digital);
        case Component::multiplier:
        case Component::adder:
            return digital;
        case Component::table:
        case Component::norm_element:
            return ComponentGroup::layer_units;
        case Component::buffer_bit:
            return group_of_bits(ComponentGroup::buffers, digital);
        case Component::link_bit:
            return ComponentGroup::interconnect;
        case Component::sequencer:
        case Component::count_:
            break;
    }
    return ComponentGroup::control;
}

ConverterBits bits_of(Action action, const ConverterBits& adc_bits, const ConverterBits& dac_bits) {
    switch (action) {
        case Action::dac_conversion:
            return dac_bits;
        case Action::transimpedance:
        case Action::sample_hold:
        case Action::adc_conversion:
            return adc_bits;
        default:
            return {};
    }
}

ConverterBits bits_of(Component component, const ConverterBits& adc_bits, const ConverterBits& dac_bits) {
    switch (component) {
        case Component::dac:
            return dac_bits;
        case Component::transimpedance:
        case Component::sample_hold:
        case Component::adc:
            return adc_bits;
        default:
            return {};
    }
}

}  // namespace imssa
