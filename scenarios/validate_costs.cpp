// The cost models against published macros: a Markdown page of errors, uncalibrated and calibrated.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <systemc>
#include <vector>

#include "models/common/error.h"
#include "models/common/file_output.h"
#include "models/cost/macro.h"
#include "scenarios/support/converter_models.h"
#include "scenarios/support/macro_areas.h"
#include "scenarios/support/simulated_core.h"

namespace {

using namespace imssa;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

std::string with_digits(const char* format, double value) {
    char text[32];
    std::snprintf(text, sizeof(text), format, value);
    return text;
}

std::string worst_time_error(const Macro& macro, const MacroErrors& errors) {
    if (errors.time.empty()) {
        return "-";
    }
    if (macro.times_are_inputs) {
        return "input";
    }
    return with_digits("%.2f %%", 100.0 * errors.worst_time) +
           (macro.time_law.empty() ? "" : " (" + macro.time_law + ")");
}

/// Nothing without measurements: a folder may hold macros that are only estimated.
void print_silicon_summary(const std::vector<double>& factors, const std::vector<double>& calibrated_errors,
                           const MeasuredWithinRange& within, std::FILE* out) {
    if (factors.empty()) {
        std::fprintf(out, "\nNo total is measured on silicon: the figures below are estimates.\n");
        return;
    }
    double mean = 0.0;
    for (const double error : calibrated_errors) {
        mean += error / static_cast<double>(calibrated_errors.size());
    }
    std::fprintf(out,
                 "\nSilicon, all points: uncalibrated within a factor %.2f in the median and %.2f in the worst case; "
                 "calibrated %.1f %% mean, %.1f %% worst.\n%d of the %d measured totals lie within the uncalibrated "
                 "low to high.\n",
                 median(factors), *std::max_element(factors.begin(), factors.end()), 100.0 * mean,
                 100.0 * *std::max_element(calibrated_errors.begin(), calibrated_errors.end()), within.inside,
                 within.points);
}

void print_summary(const std::vector<Macro>& macros, std::FILE* out) {
    std::fprintf(
        out,
        "| macro | points | uncalibrated: median, worst error | worst factor | calibrated: mean, worst error | "
        "worst time error | area: worst factor |\n|---|---|---|---|---|---|---|\n");
    std::vector<double> factors, calibrated_errors;
    MeasuredWithinRange silicon;
    for (const Macro& macro : macros) {
        const MacroErrors plain = macro_errors(macro, false);
        const MacroErrors fitted = macro_errors(macro, true);
        double area = 0.0;
        for (const MacroAreaGroup& group : area_groups(macro)) {
            area = std::max(area, group.factor());
        }
        std::fprintf(out, "| %s%s | %zu |", macro.shown_name().c_str(), macro.independent ? "" : " (not silicon)",
                     plain.energy.size());
        if (plain.energy.empty()) {
            std::fprintf(out, " - | - | - |");
        } else {
            std::fprintf(out, " %.0f %%, %.0f %% | %.2f | %.1f %%, %.1f %% |", 100.0 * plain.median_energy,
                         100.0 * plain.worst_energy, plain.worst_factor, 100.0 * fitted.mean_energy,
                         100.0 * fitted.worst_energy);
        }
        std::fprintf(out, " %s | %s |\n", worst_time_error(macro, plain).c_str(),
                     area > 0.0 ? with_digits("%.2f", area).c_str() : "-");
        if (macro.independent) {
            for (const double error : plain.energy) {
                factors.push_back(std::max(1.0 + error, 1.0 / (1.0 + error)));
            }
            for (const double error : fitted.energy) {
                calibrated_errors.push_back(std::abs(error));
            }
            const MeasuredWithinRange within = measured_within_range(macro);
            silicon = {silicon.inside + within.inside, silicon.points + within.points};
        }
    }
    print_silicon_summary(factors, calibrated_errors, silicon, out);
}

void print_time(const Macro& macro, const MacroPoint& point, double estimate_s, std::FILE* out) {
    if (point.measured_s > 0.0) {
        std::fprintf(out, " %.4g / %.4g%s |", 1e9 * point.measured_s, 1e9 * estimate_s,
                     macro.times_are_inputs ? " (input)" : "");
    } else if (estimate_s > 0.0) {
        std::fprintf(out, " %.4g |", 1e9 * estimate_s);
    } else {
        std::fprintf(out, " |");
    }
}

void print_efficiency(double operations, double measured_j, const Figure& plain_j, const Figure& fitted_j,
                      std::FILE* out) {
    if (!(operations > 0.0)) {
        std::fprintf(out, " |\n");
        return;
    }
    const auto tops_per_watt = [operations](const char* format, double energy_j) {
        return energy_j > 0.0 ? with_digits(format, 1e-12 * operations / energy_j) : "-";
    };
    if (measured_j > 0.0) {
        std::fprintf(out, " %s /", tops_per_watt("%.4g", measured_j).c_str());
    }
    if (plain_j.high == 0.0) {
        std::fprintf(out, " - |\n");
        return;
    }
    std::fprintf(out, " %s (%s to %s) / %s |\n", tops_per_watt("%.4g", plain_j.nominal).c_str(),
                 tops_per_watt("%.3g", plain_j.high).c_str(), tops_per_watt("%.3g", plain_j.low).c_str(),
                 tops_per_watt("%.4g", fitted_j.nominal).c_str());
}

void print_point(const Macro& macro, const MacroPoint& point, std::FILE* out) {
    const MacroEstimate plain = estimate_point(macro, point, false);
    const MacroEstimate fitted = estimate_point(macro, point, true);
    std::fprintf(out, "| %s |", point.name.c_str());
    if (point.measured_total_j > 0.0) {
        std::fprintf(out, " %.4g /", 1e12 * point.measured_total_j);
    }
    std::fprintf(out, " %.4g (%.3g to %.3g) / %.4g |", 1e12 * plain.total_j.nominal, 1e12 * plain.total_j.low,
                 1e12 * plain.total_j.high, 1e12 * fitted.total_j.nominal);
    for (std::size_t index = 0; index < plain.groups_j.size(); ++index) {
        if (!point.measured_j.empty() && point.measured_j[index] > 0.0) {
            std::fprintf(out, " %.4g /", 1e12 * point.measured_j[index]);
        }
        std::fprintf(out, " %.4g / %.4g |", 1e12 * plain.groups_j[index].nominal,
                     1e12 * fitted.groups_j[index].nominal);
    }
    print_time(macro, point, plain.time_s, out);
    print_efficiency(macro.operations_of(point), point.measured_total_j, plain.total_j, fitted.total_j, out);
}

void print_points(const Macro& macro, std::FILE* out) {
    std::fprintf(out,
                 "\nEnergies in pJ: measured / uncalibrated (low to high) / calibrated. Without a measured value: "
                 "the two estimates.%s\n\n| point | total |",
                 macro.times_are_inputs ? " The model's times are the published ones: inputs, no predictions." : "");
    const std::vector<std::string> groups = macro.groups();
    for (const std::string& group : groups) {
        std::fprintf(out, " %s |", group.c_str());
    }
    std::fprintf(out, " time, ns | TOPS/W |\n|---|---|");
    for (std::size_t index = 0; index < groups.size(); ++index) {
        std::fprintf(out, "---|");
    }
    std::fprintf(out, "---|---|\n");
    for (const MacroPoint& point : macro.points) {
        print_point(macro, point, out);
    }
    if (macro.operations > 0.0) {
        std::fprintf(
            out,
            "\nTOPS/W: the operations of a run (%.6g) / its energy; in brackets from the high to the low energy.\n",
            macro.operations);
    }
    for (const MacroPoint& point : macro.points) {
        if (!point.note.empty()) {
            std::fprintf(out, "\n%s: %s.\n", point.name.c_str(), point.note.c_str());
        }
    }
}

/// Between models nothing is measured: how the parts compare, one by one.
void print_block_ratios(const Macro& macro, std::FILE* out) {
    const std::vector<std::string> groups = macro.groups();
    if (macro.independent || groups.size() < 2) {
        return;
    }
    std::fprintf(out, "\n| estimate / published |");
    for (const std::string& group : groups) {
        std::fprintf(out, " %s |", group.c_str());
    }
    std::fprintf(out, "\n|---|");
    for (std::size_t index = 0; index < groups.size(); ++index) {
        std::fprintf(out, "---|");
    }
    std::fprintf(out, "\n");
    for (const MacroPoint& point : macro.points) {
        if (point.measured_j.empty()) {
            continue;
        }
        const MacroEstimate estimate = estimate_point(macro, point, false);
        std::fprintf(out, "| %s |", point.name.c_str());
        for (std::size_t index = 0; index < groups.size(); ++index) {
            point.measured_j[index] > 0.0
                ? std::fprintf(out, " %.3g |", estimate.groups_j[index].nominal / point.measured_j[index])
                : std::fprintf(out, " |");
        }
        std::fprintf(out, "\n");
    }
}

/// The closed form beside what units of a simulated chip publish and its ledger prices.
void print_simulation(const Macro& macro, std::FILE* out) {
    if (!macro.simulation.given()) {
        return;
    }
    const std::vector<SimulatedPoint> simulated = simulate_points(macro);
    std::fprintf(out,
                 "\nThrough the simulator: a dense array of %d x %d differential weights as the encoder of a chip in "
                 "SystemC, one operation a point.\nIts units publish conversions, amplifiers, samples and cycles; the "
                 "ledger prices them with the components above, as often as the bits\nof the operation ask (two "
                 "wordlines an input, two columns an output), not with the counts of the points. The cells' own "
                 "current is left\nout in both. Equal energies say that the units' counts are those of the "
                 "description; times are the "
                 "encoder's busy cycles,\nwith those of its control.\n\n| point | measured, pJ | closed form: "
                 "uncalibrated / calibrated | "
                 "simulated: uncalibrated (low to high) / calibrated | simulated, calibrated, to measured | time, ns: "
                 "measured / closed form / simulated |\n|---|---|---|---|---|---|\n",
                 macro.simulation.inputs, macro.simulation.outputs);
    for (std::size_t index = 0; index < simulated.size(); ++index) {
        const MacroPoint& point = macro.points[index];
        const SimulatedPoint& run = simulated[index];
        const MacroEstimate plain = estimate_point(macro, point, false);
        std::fprintf(out, "| %s | %.4g | %.4g / %.4g | %.4g (%.3g to %.3g) / %.4g | %+.1f %% | %.4g / %.4g / %.4g |\n",
                     point.name.c_str(), 1e12 * point.measured_total_j, 1e12 * plain.total_j.nominal,
                     1e12 * estimate_point(macro, point, true).total_j.nominal, 1e12 * run.plain_j.nominal,
                     1e12 * run.plain_j.low, 1e12 * run.plain_j.high, 1e12 * run.calibrated_j.nominal,
                     100.0 * (run.calibrated_j.nominal / point.measured_total_j - 1.0), 1e9 * point.measured_s,
                     1e9 * plain.time_s, 1e9 * run.time_s);
    }
}

/// Parameters may differ from point to point: those after the first whose figures are extrapolated, when it is not.
std::string extrapolated_points(const Macro& macro, std::size_t component) {
    std::string names;
    std::size_t points = 0;
    for (const MacroPoint& point : macro.points) {
        if (estimate_point(macro, point, false).extrapolated[component]) {
            constexpr std::size_t kShown = 3;
            names += points >= kShown ? "" : (points == 0 ? "" : ", ") + point.name;
            names += points == kShown ? ", ..." : "";
            ++points;
        }
    }
    return points == 0 || points == macro.points.size() ? ""
                                                        : "; extrapolated at " + std::to_string(points) + " of " +
                                                              std::to_string(macro.points.size()) + " points: " + names;
}

void print_macro(const Macro& macro, std::FILE* out) {
    std::fprintf(out, "\n## %s\n\nSource: %s.%s%s\n", macro.shown_name().c_str(),
                 macro.source.empty() ? "not given" : macro.source.c_str(), macro.note.empty() ? "" : "\n\n",
                 macro.note.c_str());
    std::fprintf(out, "\n| component | model (first point) | calibration | from |\n|---|---|---|---|\n");
    const MacroEstimate first = estimate_point(macro, macro.points.front(), false);
    for (std::size_t index = 0; index < macro.components.size(); ++index) {
        const MacroComponent& component = macro.components[index];
        std::fprintf(out, "| %s | %s%s | %.3g | %s |\n", component.name.c_str(), first.sources[index].c_str(),
                     extrapolated_points(macro, index).c_str(), component.use.calibration,
                     component.calibration_reason.c_str());
    }
    print_points(macro, out);
    print_block_ratios(macro, out);
    print_simulation(macro, out);
    print_macro_areas(macro, out);
}

void print_page(const std::vector<Macro>& macros, std::FILE* out) {
    std::fprintf(
        out,
        "# Cost models against published macros\n\nMade by `build/release/bin/validate_costs --out "
        "docs/results/cost-validation.md` from `scenarios/macros/*.toml`. Every macro is described with the\n"
        "component models of our chips and the counts of its own operation. *Uncalibrated*: the models as they "
        "are.\n%s`adc_andrulis_area` is the best tenth of designs; the survey's areas (`adc_survey_sar_area`) are of "
        "stand-alone converters with\nreferences and buffers. Where an area is measured, the errors of both are "
        "given.\n*Calibrated*: times the factors named in the tables, fitted to the macro itself, so that these errors "
        "say how well one set of\nfactors fits all of its points; they are no prediction. Times are not "
        "predicted by component models: they are the published\ndurations (\"input\"), or follow from published steps "
        "and clocks by the law named.\n\n",
        converter_models(macros).c_str());
    print_summary(macros, out);
    for (const Macro& macro : macros) {
        print_macro(macro, out);
    }
}

std::string contents(std::FILE* file) {
    std::string text;
    std::rewind(file);
    for (int letter = std::fgetc(file); letter != EOF; letter = std::fgetc(file)) {
        text += static_cast<char>(letter);
    }
    return text;
}

void validate_all(const std::string& folder, const std::string& path) {
    std::vector<std::string> files;
    if (!std::filesystem::is_directory(folder)) {
        throw UserError("'" + folder + "' is not a folder: give the one with the macros' TOML files");
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".toml") {
            files.push_back(entry.path().string());
        }
    }
    std::sort(files.begin(), files.end());
    std::vector<Macro> macros;
    for (const std::string& file : files) {
        macros.push_back(load_macro(file));
    }
    std::stable_partition(macros.begin(), macros.end(), [](const Macro& macro) { return macro.independent; });
    if (macros.empty()) {
        throw UserError("'" + folder + "' holds no macro: add a TOML file (docs/energy-models.md, Another macro)");
    }
    std::FILE* out = std::tmpfile();  // a mistake in a macro must not leave half a page
    if (out == nullptr) {
        throw UserError("cannot write temporary files: is the disk full?");
    }
    print_page(macros, out);
    const std::string page = contents(out);
    std::fclose(out);
    if (path.empty()) {
        std::fputs(page.c_str(), stdout);
    } else {
        check_output_file(path);
        write_file_atomically(path, page);
    }
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    CLI::App app{"Compares the cost models with published macros and writes a page of their errors.", "validate_costs"};
    std::string folder = "scenarios/macros";
    std::string path;
    app.add_option("--macros", folder, "Folder with the macros")->capture_default_str();
    app.add_option("--out", path, "Page to write (default: standard output)")->type_name("FILE.md");
    CLI11_PARSE(app, argc, argv);
    try {
        validate_all(folder, path);
    } catch (const UserError& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 2;
    }
    return 0;
}
