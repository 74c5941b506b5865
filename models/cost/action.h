#pragma once

#include <array>
#include <cstdint>
#include <utility>

namespace imssa {

/// What units do. Units publish actions; the ledger prices them; units know no prices.
enum class Action {
    dac_conversion,      ///< one input converted to a voltage
    array_read,          ///< one read of one tile for one lane; its energy comes with the event (data dependent)
    transimpedance,      ///< one column's amplifier active during one read
    sample_hold,         ///< one column sampled
    adc_conversion,      ///< one conversion
    register_bit_write,  ///< one flip-flop bit written
    register_bit_read,   ///< one flip-flop bit read
    digital_multiply,    ///< one 8-bit multiply (wider operands count as several: bits_a * bits_b / 64)
    digital_add,         ///< one 8-bit add (wider ones count bits / 8)
    table_lookup,        ///< one activation or sigmoid table look-up
    norm_element,        ///< one element through the norm unit
    buffer_bit,          ///< one bit written to or read from a channel buffer between units
    control_cycle,       ///< one clock cycle of one busy unit's sequencer
    network_bit,         ///< one bit moved over the wires between two units
    off_chip_bit,        ///< one bit into or out of the chip: inputs and logits
    row_line_cell,       ///< one cell's share of the capacitance of a driven row line, charged once
    count_               ///< number of actions
};

constexpr int kActionCount = static_cast<int>(Action::count_);

/// Names as in cost tables and results.
constexpr std::array<std::pair<const char*, Action>, kActionCount> enum_names(Action) {
    return {{{"dac_conversion", Action::dac_conversion},
             {"array_read", Action::array_read},
             {"transimpedance", Action::transimpedance},
             {"sample_hold", Action::sample_hold},
             {"adc_conversion", Action::adc_conversion},
             {"register_bit_write", Action::register_bit_write},
             {"register_bit_read", Action::register_bit_read},
             {"digital_multiply", Action::digital_multiply},
             {"digital_add", Action::digital_add},
             {"table_lookup", Action::table_lookup},
             {"norm_element", Action::norm_element},
             {"buffer_bit", Action::buffer_bit},
             {"control_cycle", Action::control_cycle},
             {"network_bit", Action::network_bit},
             {"off_chip_bit", Action::off_chip_bit},
             {"row_line_cell", Action::row_line_cell}}};
}

const char* to_string(Action action);

/// One publication: `count` actions of one unit, summed over lanes. `array_device_j` / `array_supply_j` only for
/// array_read.
struct ActionEvent {
    Action action = Action::dac_conversion;
    std::int32_t unit = 0;  ///< index of the publishing unit in the chip's unit table
    double count = 0.0;
    double array_device_j = 0.0;
    double array_supply_j = 0.0;
};

}  // namespace imssa
