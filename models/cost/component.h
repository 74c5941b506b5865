#pragma once

#include <array>
#include <string>
#include <utility>

#include "models/cost/action.h"

namespace imssa {

/// Physical parts of a chip: they have an area and a leakage power.
enum class Component {
    cell,            ///< one memristive cell with its access transistor (all cells of a tile, used or not)
    dac,             ///< one input converter with its row driver
    transimpedance,  ///< one column's amplifier
    sample_hold,     ///< one column's sample and hold
    adc,             ///< one converter
    register_bit,    ///< one flip-flop
    multiplier,      ///< 8 x 8 bits
    adder,           ///< 8 bits
    table,           ///< one activation table
    norm_element,    ///< one element that the norm unit takes a cycle
    buffer_bit,      ///< one bit of a channel between units
    link_bit,        ///< one wire of a link between units, with its repeaters
    sequencer,       ///< one state machine
    count_           ///< number of components
};

constexpr int kComponentCount = static_cast<int>(Component::count_);

constexpr std::array<std::pair<const char*, Component>, kComponentCount> enum_names(Component) {
    return {{{"cell", Component::cell},
             {"dac", Component::dac},
             {"transimpedance", Component::transimpedance},
             {"sample_hold", Component::sample_hold},
             {"adc", Component::adc},
             {"register_bit", Component::register_bit},
             {"multiplier", Component::multiplier},
             {"adder", Component::adder},
             {"table", Component::table},
             {"norm_element", Component::norm_element},
             {"buffer_bit", Component::buffer_bit},
             {"link_bit", Component::link_bit},
             {"sequencer", Component::sequencer}}};
}

const char* to_string(Component component);

/// Instances of every component.
struct ComponentCounts {
    std::array<double, kComponentCount> counts{};

    double& operator[](Component component) { return counts[static_cast<std::size_t>(component)]; }
    double operator[](Component component) const { return counts[static_cast<std::size_t>(component)]; }
};

/// Rows of a report.
enum class ComponentGroup {
    adc,
    dac_drivers,
    array,
    tia_sample_hold,
    state_registers,
    coefficients,
    digital,
    layer_units,
    buffers,
    interconnect,
    off_chip,
    control,
    leakage,
    count_
};

constexpr int kGroupCount = static_cast<int>(ComponentGroup::count_);

/// Name as in results (`energy_j.by_component`).
const char* to_string(ComponentGroup group);

/// The group of an action or a part. `digital` is the group of multiplications and additions: `digital` beside the
/// arrays, `layer_units` in a layer unit. A unit of `coefficients` has its registers and memory in that group.
ComponentGroup group_of(Action action, ComponentGroup digital);
ComponentGroup group_of(Component component, ComponentGroup digital);

/// Resolution of the converters of a unit: `bits` of its codes, but `other_bits` of a share of them (the output's
/// beside the states').
struct ConverterBits {
    int bits = 0;  ///< 0: not known, prices hold as they are
    int other_bits = 0;
    double other_share = 0.0;

    /// What the converters must resolve.
    int widest() const { return other_share > 0.0 && other_bits > bits ? other_bits : bits; }
    static constexpr int kMost = 24;
};

/// A publishing unit as the ledger sees it; the index in a list of these is ActionEvent::unit.
struct CostUnit {
    std::string name;  ///< hierarchical, as in the module tree
    ComponentGroup digital = ComponentGroup::digital;
    ComponentCounts parts;     ///< instances in this unit (all heads of the unit together)
    ConverterBits adc_bits{};  ///< of its analog-to-digital converters, amplifiers, samples
    ConverterBits dac_bits{};  ///< of its input converters
};

/// The resolution that an action or a part goes with: of a unit's ADCs, of its DACs, or (not known) of neither.
ConverterBits bits_of(Action action, const ConverterBits& adc_bits, const ConverterBits& dac_bits);
ConverterBits bits_of(Component component, const ConverterBits& adc_bits, const ConverterBits& dac_bits);

}  // namespace imssa
