#include "models/chip/chip_config.h"

#include <algorithm>
#include <cctype>

#include "models/common/error.h"

namespace imssa {

void ChipConfig::validate() const {
    const auto in_file_name = [](unsigned char letter) {
        return std::isalnum(letter) != 0 || letter == '_' || letter == '-' || letter == '.';
    };
    if (name.empty() || name.front() == '.' || !std::all_of(name.begin(), name.end(), in_file_name)) {
        throw UserError("name '" + name + "' must be letters, digits, '_', '-' and '.': pictures are named after it");
    }
    device.validate();
    mapping.validate();
    read.validate();
    adc.validate();
    timing.validate();
    calibration.validate();
    kernel.validate();
    if (device.parallel_cells > 1 && mapping.spare_rows + mapping.spare_columns > 0) {
        throw UserError(
            "spare lines take the place of single stuck cells: set device.parallel_cells = 1, or mapping.spare_rows "
            "and mapping.spare_columns = 0");
    }
}

}  // namespace imssa
