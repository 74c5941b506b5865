#include "scenarios/support/energy_explanation.h"

#include <algorithm>

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

std::string provenance(const std::string& source, const std::string& status, bool calibrated) {
    return source + " [" + status + (calibrated ? ", calibrated]" : ", not calibrated]");
}

/// Actions, or leakage, under headings with their units.
void print_part(const std::vector<EnergyRow>& rows, bool leakage, std::FILE* out) {
    std::fprintf(out, "%-36s %-24s %14s %22s %24s %12s %12s %12s %s\n", "unit", "item",
                 leakage ? "instances x s" : "actions", leakage ? "power of one [W]" : "unit cost [J]", "energy [J]",
                 "low [J]", "high [J]", "in cells [J]", "source [status, calibrated or not]");
    for (const EnergyRow& row : rows) {
        if ((row.group == ComponentGroup::leakage) == leakage) {
            std::fprintf(out, "%-36s %-24s %14s %22s %24s %12.4g %12.4g %12s %s\n", row.unit.c_str(), row.item.c_str(),
                         exact(row.count).c_str(), exact(row.unit_cost_j).c_str(), exact(row.energy_j).c_str(),
                         row.energy_low_j, row.energy_high_j, in_cells(row).c_str(),
                         provenance(row.source, row.status, row.calibrated).c_str());
        }
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

void print_energy_rows(const std::vector<EnergyRow>& rows, std::FILE* out) {
    print_part(rows, false, out);
    const bool leaks = std::any_of(rows.begin(), rows.end(),
                                   [](const EnergyRow& row) { return row.group == ComponentGroup::leakage; });
    if (leaks) {
        std::fprintf(out, "\n");
        print_part(rows, true, out);
        std::fprintf(out, "\n");
    }
    const EnergyTotal total = total_energy(rows);
    std::fprintf(out, "%-36s %-24s %14s %22s %24s %12.4g %12.4g %12.4g\n", "sum of the rows", "", "", "",
                 exact(total.energy_j).c_str(), total.energy_low_j, total.energy_high_j, total_array_device_j(rows));
}

void print_area_rows(const std::vector<AreaRow>& rows, std::FILE* out) {
    std::fprintf(out, "%-36s %-16s %14s %22s %24s %12s %12s %s\n", "unit", "component", "instances", "unit area [mm2]",
                 "area [mm2]", "low [mm2]", "high [mm2]", "source [status, calibrated or not]");
    for (const AreaRow& row : rows) {
        std::fprintf(out, "%-36s %-16s %14s %22s %24s %12.4g %12.4g %s\n", row.unit.c_str(), to_string(row.component),
                     exact(row.count).c_str(), exact(row.unit_area_mm2).c_str(), exact(row.area_mm2).c_str(),
                     row.area_low_mm2, row.area_high_mm2, provenance(row.source, row.status, row.calibrated).c_str());
    }
    const AreaTotal total = total_area(rows);
    std::fprintf(out, "%-36s %-16s %14s %22s %24s %12.4g %12.4g\n", "sum of the rows", "", "", "",
                 exact(total.area_mm2).c_str(), total.area_low_mm2, total.area_high_mm2);
}

EfficiencyFigures efficiency_of(const RunReport& report, const ModelConfig& model, int steps) {
    EfficiencyFigures figures;
    figures.operations_per_sequence = model_operations(model, steps).total();
    const double energy_j = total_energy(rows_per_sequence(report.energy_rows, report.sequences)).energy_j;
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

void print_priced_at_zero(const std::vector<std::string>& parts, std::FILE* out) {
    std::string names;
    for (const std::string& part : parts) {
        names += (names.empty() ? "" : ", ") + part;
    }
    if (!names.empty()) {
        std::fprintf(out, "priced at zero, without a row: %s\n", names.c_str());
    }
}

void explain_energy(const RunReport& report, const RunSetup& setup, std::FILE* out) {
    const EnergyTotal total = total_energy(report.energy_rows);
    const std::string of = report.sequences == 1
                               ? "energy of one sequence"
                               : "energy of all " + std::to_string(report.sequences) + " sequences together";
    std::fprintf(out, "\n%s of %d steps, prices %s; %s\n\n", of.c_str(), setup.network.steps,
                 report.price_table.c_str(), explained_columns());
    print_energy_rows(report.energy_rows, out);
    print_priced_at_zero(report.priced_at_zero, out);
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

const char* explained_columns() {
    return "energy = count x unit cost; in cells: what cells and wires dissipate of an array read, whose energy is "
           "what "
           "the supply gives";
}

void explain_area(const RunReport& report, std::FILE* out) {
    std::fprintf(out, "\n");
    print_area_rows(report.area_rows, out);
}

}  // namespace imssa
