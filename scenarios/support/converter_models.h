#pragma once

#include <string>
#include <vector>

#include "models/cost/macro.h"

namespace imssa {

/// Lines that say by which models the energies and areas of converters are, and in which macros.
std::string converter_models(const std::vector<Macro>& macros);

}  // namespace imssa
