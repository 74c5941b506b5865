#include "models/chip/chip_config.h"

namespace imssa {

void ChipConfig::validate() const {
    device.validate();
    mapping.validate();
    read.validate();
    adc.validate();
    timing.validate();
    calibration.validate();
    kernel.validate();
}

}  // namespace imssa
