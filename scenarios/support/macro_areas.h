#pragma once

#include <cstdio>

#include "models/cost/macro.h"

namespace imssa {

/// Areas of a macro's parts beside the measured ones, with their models and factors, as Markdown.
void print_macro_areas(const Macro& macro, std::FILE* out);

}  // namespace imssa
