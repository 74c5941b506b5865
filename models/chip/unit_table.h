#pragma once

#include <systemc>

#include <tlm>

#include <cstdint>
#include <string>
#include <vector>

#include "models/array/crossbar.h"
#include "models/cost/action.h"
#include "models/cost/component.h"

namespace imssa {

/// The units of a chip and the port through which they publish what they do.
class UnitTable {
public:
    /// Units of the heads of a layer share one entry. The index is ActionEvent::unit.
    std::int32_t add(const std::string& name, const ComponentCounts& parts,
                     ComponentGroup digital = ComponentGroup::digital);
    /// A unit of converters: their resolution prices them.
    std::int32_t add_converters(const std::string& name, const ComponentCounts& parts, const ConverterBits& adc_bits,
                                const ConverterBits& dac_bits);
    const std::vector<CostUnit>& units() const { return units_; }

    /// Observers attach here before the simulation starts; without one, units do not compute energies.
    void observe(tlm::tlm_analysis_if<ActionEvent>& observer);
    bool observed() const { return observed_; }

    void publish(Action action, std::int32_t unit, double count) {
        if (observed_) {
            port_.write({action, unit, count, 0.0, 0.0});
        }
    }
    void publish_read(std::int32_t unit, double count, const ReadEnergy& energy) {
        if (observed_) {
            port_.write({Action::array_read, unit, count, energy.device_j, energy.supply_j});
        }
    }

private:
    std::vector<CostUnit> units_;
    tlm::tlm_analysis_port<ActionEvent> port_{"actions"};
    bool observed_ = false;
};

}  // namespace imssa
