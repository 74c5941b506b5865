#pragma once

#include <string>

#include "models/device/device_config.h"

namespace imssa {

/// Reads `config.table_csv` (relative to `folder`) into the table_* lists of the configuration; does nothing when it is
/// empty. The file has an optional header line and three columns, conductance, mean error and standard deviation of
/// the programming error, or two, conductance and standard deviation (no mean error); all in siemens, conductances
/// ascending. Lines that begin with # are comments. Throws UserError with file and line.
void load_device_table(DeviceConfig& config, const std::string& folder);

}  // namespace imssa
