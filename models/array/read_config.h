#pragma once

#include "models/array/wire_config.h"

namespace imssa {

/// Electrical conditions of a read.
struct ReadConfig {
    double v_read_volt = 0.2;  ///< full-scale input amplitude
    double t_read_s = 20e-9;   ///< time the inputs are driven
    double v_supply_volt = 0.9;
    WireConfig wires;  ///< a table of its own in chip files: [wires]

    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, ReadConfig& config) {
    visit("v_read_volt", config.v_read_volt);
    visit("t_read_s", config.t_read_s);
    visit("v_supply_volt", config.v_supply_volt);
}

}  // namespace imssa
