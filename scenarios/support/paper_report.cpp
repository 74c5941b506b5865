#include "scenarios/support/paper_report.h"

#include "scenarios/support/si_text.h"
#include "scenarios/support/wrapped_text.h"

namespace imssa {

namespace {

/// Energy of groups of a step of one sequence.
double step_energy_j(const RunReport& report, std::initializer_list<ComponentGroup> groups) {
    const std::array<EnergyTotal, kGroupCount> totals = energy_by_group(report.energy_rows);
    double sum = 0.0;
    for (const ComponentGroup group : groups) {
        sum += totals[static_cast<std::size_t>(group)].energy_j;
    }
    return sum / report.sequences / report.steps;
}

double converter_energy_j(const RunReport& report) {
    return step_energy_j(report, {ComponentGroup::adc});
}

double arithmetic_energy_j(const RunReport& report) {
    return step_energy_j(report, {ComponentGroup::array, ComponentGroup::dac_drivers, ComponentGroup::tia_sample_hold,
                                  ComponentGroup::adc, ComponentGroup::digital});
}

double per(double energy_j, double count) {
    return count > 0.0 ? energy_j / count : 0.0;
}

}  // namespace

nlohmann::ordered_json paper_metrics_json(const RunReport& report) {
    const PaperFigures& paper = report.paper;
    const double converters = converter_energy_j(report);
    const double arithmetic = arithmetic_energy_j(report);
    nlohmann::ordered_json json;
    json["source"] = "QS4D, arXiv 2507.06079; memory: ours";
    json["ace_bit2_per_step"] = paper.ace;
    json["model_size_bits"] = paper.model_size_bits;
    json["adc_complexity_bits_per_step"] = paper.adc_complexity;
    json["memory_bits"] = {{"parameters", paper.memory.parameters},
                           {"states", paper.memory.states},
                           {"activations", paper.memory.activations}};
    json["chip"] = {{"arithmetic_energy_per_step_j", arithmetic},
                    {"arithmetic_energy_per_ace_j", per(arithmetic, paper.ace)},
                    {"weight_cells", paper.chip_weight_cells},
                    {"conversions_per_step", paper.chip_conversions},
                    {"converted_bits_per_step", paper.chip_converted_bits},
                    {"adc_energy_per_step_j", converters},
                    {"adc_energy_per_converted_bit_j", per(converters, paper.chip_converted_bits)}};
    return json;
}

void print_paper_metrics(const RunReport& report, std::FILE* out) {
    const PaperFigures& paper = report.paper;
    const double converters = converter_energy_j(report);
    const double arithmetic = arithmetic_energy_j(report);
    std::fprintf(out,
                 "\nthe papers' metrics (QS4D, arXiv 2507.06079) of a step, and what this chip does and pays for it\n");
    std::fprintf(out, "  %-24s %11.4g bit^2   arrays, converters, multipliers %s: %s a bit^2\n",
                 "computation effort (ACE)", paper.ace, si(arithmetic, "J").c_str(),
                 si(per(arithmetic, paper.ace), "J").c_str());
    std::fprintf(out, "  %-24s %11.4g kB      %.6g cells hold weights; parameters, states and activations %.4g kB\n",
                 "model size", paper.model_size_bits / 8e3, paper.chip_weight_cells, paper.memory.total() / 8e3);
    std::fprintf(out, "  %-24s %11.4g bit     %.6g bit in %.5g conversions, %s: %s a bit\n", "ADC complexity",
                 paper.adc_complexity, paper.chip_converted_bits, paper.chip_conversions, si(converters, "J").c_str(),
                 si(per(converters, paper.chip_converted_bits), "J").c_str());
    print_wrapped(out,
                  "  the metrics count bits, whatever a bit costs: they take every state through a converter, and a "
                  "converter's energy for linear in its bits",
                  2);
}

}  // namespace imssa
