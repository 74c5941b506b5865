#include "scenarios/support/energy_explanation.h"

#include "models/chip/operation_count.h"
#include "scenarios/support/si_text.h"

namespace imssa {

namespace {

/// Only array reads dissipate in cells.
std::string in_cells(const EnergyRow& row) {
    if (row.item != to_string(Action::array_read)) {
        return "-";
    }
    char text[32];
    std::snprintf(text, sizeof(text), "%.4g", row.array_device_j);
    return text;
}

void print_rows(const RunReport& report, std::FILE* out) {
    std::fprintf(out, "%-36s %-24s %14s %22s %24s %12s %12s %12s %s\n", "unit", "item", "count", "unit cost [J]",
                 "energy [J]", "low [J]", "high [J]", "in cells [J]", "source [status, calibrated or not]");
    for (const EnergyRow& row : report.energy_rows) {
        std::fprintf(out, "%-36s %-24s %14s %22s %24s %12.4g %12.4g %12s %s [%s, %s]\n", row.unit.c_str(),
                     row.item.c_str(), exact(row.count).c_str(), exact(row.unit_cost_j).c_str(),
                     exact(row.energy_j).c_str(), row.energy_low_j, row.energy_high_j, in_cells(row).c_str(),
                     row.source.c_str(), row.status.c_str(), row.calibrated ? "calibrated" : "not calibrated");
    }
}

void print_shares(const char* title, const std::vector<EnergyShare>& shares, const RunReport& report, std::FILE* out) {
    const double total = total_energy(report.energy_rows).energy_j;
    const double sequences = report.sequences;
    std::fprintf(out, "\nper sequence, by %s\n", title);
    for (const EnergyShare& share : shares) {
        const EnergyTotal& sum = share.total;
        std::fprintf(out, "  %-36s %12s %6.2f%%   (%s to %s)\n", share.name.c_str(),
                     si(sum.energy_j / sequences, "J").c_str(), total > 0.0 ? 100.0 * sum.energy_j / total : 0.0,
                     si(sum.energy_low_j / sequences, "J").c_str(), si(sum.energy_high_j / sequences, "J").c_str());
    }
}

}  // namespace

EfficiencyFigures efficiency_of(const RunReport& report, const ModelConfig& model, int steps) {
    EfficiencyFigures figures;
    figures.operations_per_sequence = model_operations(model, steps).total();
    const double energy_j = total_energy(report.energy_rows).energy_j / report.sequences;
    const double interval_s = report.seconds(report.interval_cycles);
    const double area_mm2 = total_area(report.area_rows).area_mm2;
    if (energy_j > 0.0) {
        figures.tops_per_w = 1e-12 * figures.operations_per_sequence / energy_j;
    }
    if (area_mm2 > 0.0 && interval_s > 0.0) {
        figures.tops_per_mm2 = 1e-12 * figures.operations_per_sequence / interval_s / area_mm2;
    }
    return figures;
}

void explain_energy(const RunReport& report, const RunSetup& setup, std::FILE* out) {
    const EnergyTotal total = total_energy(report.energy_rows);
    const std::string of = report.sequences == 1
                               ? "energy of one sequence"
                               : "energy of all " + std::to_string(report.sequences) + " sequences together";
    std::fprintf(out,
                 "\n%s of %d steps, prices %s; energy = count x unit cost (leakage: count is "
                 "instances x seconds, unit cost is watts); in cells: what cells and wires dissipate of an array read, whose "
                 "energy is what the supply gives\n\n",
                 of.c_str(), setup.network.steps, report.price_table.c_str());
    print_rows(report, out);
    std::fprintf(out, "%-36s %-24s %14s %22s %24s %12.4g %12.4g %12.4g\n", "sum of the rows", "", "", "",
                 exact(total.energy_j).c_str(), total.energy_low_j, total.energy_high_j,
                 total_array_device_j(report.energy_rows));
    print_shares("component", energy_by(report.energy_rows, [](const EnergyRow& row) { return to_string(row.group); }),
                 report, out);
    print_shares("layer", energy_by_layer(report.energy_rows), report, out);
    print_shares("phase of a step", energy_by_phase(report.energy_rows), report, out);
    print_shares("unit", energy_by_unit(report.energy_rows), report, out);
    const EfficiencyFigures figures = efficiency_of(report, setup.network.model, setup.network.steps);
    const double sequence_j = total.energy_j / report.sequences;
    std::fprintf(out, "\nenergy of a step         %s (a sequence has %d)\n",
                 si(sequence_j / setup.network.steps, "J").c_str(), setup.network.steps);
    std::fprintf(out, "energy of a sequence     %s\n", si(sequence_j, "J").c_str());
    std::fprintf(out, "energy of an operation   %s\n", si(sequence_j / figures.operations_per_sequence, "J").c_str());
    std::fprintf(out, "efficiency               %.4g TOPS/W, %.4g TOPS/mm2 at %.6g operations a sequence\n",
                 figures.tops_per_w, figures.tops_per_mm2, figures.operations_per_sequence);
    std::fprintf(out, "operations counted       %s\n", operation_definition());
}

void explain_area(const RunReport& report, std::FILE* out) {
    std::fprintf(out, "\n%-36s %-16s %14s %22s %24s %12s %12s %s\n", "unit", "component", "count", "unit area [mm2]",
                 "area [mm2]", "low [mm2]", "high [mm2]", "source [status, calibrated or not]");
    for (const AreaRow& row : report.area_rows) {
        std::fprintf(out, "%-36s %-16s %14s %22s %24s %12.4g %12.4g %s [%s, %s]\n", row.unit.c_str(),
                     to_string(row.component), exact(row.count).c_str(), exact(row.unit_area_mm2).c_str(),
                     exact(row.area_mm2).c_str(), row.area_low_mm2, row.area_high_mm2, row.source.c_str(),
                     row.status.c_str(), row.calibrated ? "calibrated" : "not calibrated");
    }
    const AreaTotal total = total_area(report.area_rows);
    std::fprintf(out, "%-36s %-16s %14s %22s %24s %12.4g %12.4g\n", "sum of the rows", "", "", "",
                 exact(total.area_mm2).c_str(), total.area_low_mm2, total.area_high_mm2);
}

}  // namespace imssa
