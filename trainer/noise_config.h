#pragma once

#include "models/device/device_config.h"
#include "models/mapping/tile_mapping.h"

namespace imssa {

/// Errors that are drawn afresh for every optimisation step, so that the network learns to bear them. 0: off.
struct NoiseConfig {
    /// Standard deviation of Re A and Im A (continuous time) over the range of each in its layer (QS4D, section 5.1);
    /// behind the rounding of A with precision `fake_quantized`, ahead of that of Abar with `quantized`.
    double continuous_a = 0.0;
    /// Chip domain: factor on the programming errors of `device` in the cells that every array occupies under
    /// `mapping`; 1 draws the errors of a chip.
    double cell_errors = 0.0;
    double activations = 0.0;  ///< standard deviation of kernel outputs over their full scale
    double states = 0.0;       ///< standard deviation of state conversions over their full scale
    double input = 0.0;        ///< standard deviation added to the network's input (data units)
    DeviceConfig device;
    MappingOptions mapping;

    bool any() const {
        return continuous_a > 0.0 || cell_errors > 0.0 || activations > 0.0 || states > 0.0 || input > 0.0;
    }
    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, NoiseConfig& c) {
    visit("continuous_a", c.continuous_a);
    visit("cell_errors", c.cell_errors);
    visit("activations", c.activations);
    visit("states", c.states);
    visit("input", c.input);
    visit.table("device", c.device);
    visit.table("mapping", c.mapping);
}

}  // namespace imssa
