#include "scenarios/support/macro_areas.h"

#include <algorithm>
#include <string>

namespace imssa {

namespace {

/// Which model, and of converters what the other one would give.
void print_models(const Macro& macro, std::FILE* out) {
    if (!macro.independent) {  // grids of a model: its name and parameters are the row's
        return;
    }
    std::fprintf(out, "\n| area | count | model | calibration | from |\n|---|---|---|---|---|\n");
    for (const MacroArea& area : macro.areas) {
        std::string source;
        estimate_area(macro, area, false, &source);
        std::fprintf(out, "| %s | %.6g | %s | %.3g | %s |\n", area.name.c_str(), area.count, source.c_str(),
                     area.use.calibration, area.calibration_reason.c_str());
    }
    for (const MacroArea& area : macro.areas) {
        if (area.use.model != "adc_andrulis_area" || !(area.measured_mm2 > 0.0) || !area.group.empty()) {
            continue;
        }
        MacroArea other = area;
        other.use.model = "adc_survey_sar_area";
        const double ratio = estimate_area(macro, area, false).nominal / area.measured_mm2;
        const double other_mm2 = estimate_area(macro, other, false).nominal;
        std::fprintf(out,
                     "\nConverters (%s) by both models, uncalibrated: `adc_andrulis_area` %.3g times the measured %.4g "
                     "mm2, `adc_survey_sar_area` %.4g mm2, %.3g times.\n",
                     area.name.c_str(), ratio, area.measured_mm2, other_mm2, other_mm2 / area.measured_mm2);
    }
}

}  // namespace

void print_macro_areas(const Macro& macro, std::FILE* out) {
    if (macro.areas.empty()) {
        return;
    }
    std::fprintf(
        out, "\n| area, mm2 | measured | uncalibrated (low to high) | factor | calibrated |\n|---|---|---|---|---|\n");
    const auto row = [out](const std::string& name, double measured, const Figure& plain, double fitted) {
        std::fprintf(out, "| %s | ", name.c_str());
        measured > 0.0 ? std::fprintf(out, "%.4g", measured) : std::fprintf(out, "-");
        std::fprintf(out, " | %.4g (%.3g to %.3g) | ", plain.nominal, plain.low, plain.high);
        measured > 0.0 ? std::fprintf(out, "%.3g", fitted / plain.nominal) : std::fprintf(out, "-");
        std::fprintf(out, " | %.4g |\n", fitted);
    };
    Figure sum;
    double fitted_sum = 0.0;
    for (const MacroAreaGroup& group : area_groups(macro)) {
        row(group.name, group.measured_mm2, group.plain, group.calibrated.nominal);
        sum = {sum.low + group.plain.low, sum.nominal + group.plain.nominal, sum.high + group.plain.high};
        fitted_sum += group.calibrated.nominal;
    }
    for (const MacroArea& area : macro.areas) {
        if (!area.group.empty()) {
            row("of " + area.group + ": " + area.name, 0.0, estimate_area(macro, area, false),
                estimate_area(macro, area, true).nominal);
        }
    }
    if (macro.measured_area_mm2 > 0.0) {
        row("macro", macro.measured_area_mm2, sum, fitted_sum);
    } else if (macro.points.front().measured_total_j == 0.0) {  // nothing but an estimate: the reader wants its sum
        row("all parts", 0.0, sum, fitted_sum);
    }
    print_models(macro, out);
}

}  // namespace imssa
