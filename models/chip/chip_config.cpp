#include "models/chip/chip_config.h"

namespace imssa {

void ChipConfig::validate() const {
    device.validate();
    mapping.validate();
    read.validate();
    adc.validate();
    timing.validate();
    if (override_kernel) {
        kernel.validate();
    }
}

}  // namespace imssa
