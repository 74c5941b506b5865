#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>

#include "scenarios/support/run_report.h"

namespace imssa {

/// The published metrics beside what the chip does and pays under the same heading.
nlohmann::ordered_json paper_metrics_json(const RunReport& report);
void print_paper_metrics(const RunReport& report, std::FILE* out);

}  // namespace imssa
