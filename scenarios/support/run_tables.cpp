#include <algorithm>
#include <cmath>
#include <map>

#include "models/chip/converter_check.h"
#include "models/chip/operation_count.h"
#include "scenarios/support/energy_explanation.h"
#include "scenarios/support/paper_report.h"
#include "scenarios/support/run_report.h"
#include "scenarios/support/si_text.h"
#include "scenarios/support/wrapped_text.h"

namespace imssa {

namespace {

void print_accuracy(const RunReport& report, std::FILE* out) {
    if (report.accuracy.chips.size() > 1) {
        std::fprintf(out,
                     "accuracy on the chip    %6.2f %%   mean of %zu chips, %.2f to %.2f %%, standard deviation %.2f\n",
                     100.0 * report.accuracy.mean, report.accuracy.chips.size(), 100.0 * report.accuracy.lowest,
                     100.0 * report.accuracy.highest, 100.0 * report.accuracy.standard_deviation);
    } else {
        std::fprintf(out, "accuracy on the chip    %6.2f %%   %d sequences, chip seed %llu\n",
                     100.0 * report.accuracy.mean, report.sequences, static_cast<unsigned long long>(report.seed));
    }
    if (report.compared) {
        std::fprintf(out, "accuracy, reference     %6.2f %%   exact integer inference of the same sequences\n",
                     100.0 * report.accuracy_reference);
        std::fprintf(out, "mismatched codes        %lld of %lld\n", static_cast<long long>(report.codes.mismatched()),
                     static_cast<long long>(report.codes.compared()));
    }
}

void print_latency(const RunReport& report, std::FILE* out) {
    std::fprintf(out, "\nlatency (clock %s)\n", si(report.clock_hz, "Hz").c_str());
    std::fprintf(out, "  step       %8lld cycles  %10s   between steps, set by the slowest unit\n",
                 static_cast<long long>(report.step_cycles), si(report.seconds(report.step_cycles), "s").c_str());
    std::fprintf(out, "  sequence   %8lld cycles  %10s   first input to logits\n",
                 static_cast<long long>(report.latency_cycles), si(report.seconds(report.latency_cycles), "s").c_str());
    std::fprintf(out, "  throughput %28s/s back to back\n",
                 si(1.0 / report.seconds(report.interval_cycles), "sequences").c_str());
    std::string units = "  units:";
    for (const auto& [name, cycles] : report.stages) {
        units += " " + name + " " + std::to_string(cycles);
    }
    print_wrapped(out, units + " cycles", 9);
    if (report.input_interval_cycles >= report.step_cycles) {
        std::fprintf(out, "  idle:  inputs come every %d cycles; the units wait and leak in between\n",
                     report.input_interval_cycles);
    }
}

void print_array_reads(const RunReport& report, std::FILE* out) {
    const double sequences = report.sequences;
    const double supply_j =
        energy_by_group(report.energy_rows)[static_cast<std::size_t>(ComponentGroup::array)].energy_j;
    std::fprintf(out, "  array reads: %s from the supply (in the sum), of which cells and wires dissipate %s\n",
                 si(supply_j / sequences, "J").c_str(),
                 si(total_array_device_j(report.energy_rows) / sequences, "J").c_str());
}

/// Rows of all units that share item, cost and source.
struct ItemTotal {
    EnergyRow row;
};

void print_energy(const RunReport& report, std::FILE* out) {
    std::vector<ItemTotal> items;
    for (const EnergyRow& row : report.energy_rows) {
        const auto same = std::find_if(items.begin(), items.end(), [&row](const ItemTotal& item) {
            return item.row.group == row.group && item.row.item == row.item;
        });
        if (same == items.end()) {
            items.push_back({row});
            continue;
        }
        same->row.count += row.count;
        same->row.energy_j += row.energy_j;
        same->row.energy_low_j += row.energy_low_j;
        same->row.energy_high_j += row.energy_high_j;
        same->row.array_device_j += row.array_device_j;
    }
    std::sort(items.begin(), items.end(),
              [](const ItemTotal& a, const ItemTotal& b) { return a.row.energy_j > b.row.energy_j; });
    const EnergyTotal total = total_energy(report.energy_rows);
    const double sequences = report.sequences;
    std::fprintf(out, "\nenergy per sequence     %s   (%s to %s; prices: %s; chip seed %llu)\n",
                 si(total.energy_j / sequences, "J").c_str(), si(total.energy_low_j / sequences, "J").c_str(),
                 si(total.energy_high_j / sequences, "J").c_str(), report.price_table.c_str(),
                 static_cast<unsigned long long>(report.seed));
    std::fprintf(out, "  %-16s %-26s %12s %10s %10s %6s  %-22s\n", "component", "action", "count", "each", "energy",
                 "share", "low to high");
    std::vector<std::string> sources;
    double shown = 0.0;
    for (const ItemTotal& item : items) {
        const EnergyRow& row = item.row;
        if (row.energy_j < 1e-3 * total.energy_j) {
            continue;
        }
        shown += row.energy_j;
        // Leakage counts seconds of instances, and one costs a power.
        const bool leaks = row.group == ComponentGroup::leakage;
        char count[32];
        std::snprintf(count, sizeof(count), leaks ? "%.4g s" : "%.6g", row.count / sequences);
        const double each = row.count > 0.0 ? row.energy_j / row.count : 0.0;
        std::fprintf(out, "  %-16s %-26s %12s %10s %10s %5.1f%%  %-22s\n", to_string(row.group), row.item.c_str(),
                     count, si(each, leaks ? "W" : "J").c_str(), si(row.energy_j / sequences, "J").c_str(),
                     100.0 * row.energy_j / total.energy_j,
                     (si(row.energy_low_j / sequences, "J") + " to " + si(row.energy_high_j / sequences, "J")).c_str());
        const std::string source = "    " + row.item + " [" + row.status + "]: " + row.source;
        if (std::find(sources.begin(), sources.end(), source) == sources.end()) {
            sources.push_back(source);
        }
    }
    std::fprintf(out, "  %-16s %-26s %12s %10s %10s %5.1f%%  rows below 0.1 %%\n", "others", "", "", "",
                 si((total.energy_j - shown) / sequences, "J").c_str(),
                 100.0 * (total.energy_j - shown) / total.energy_j);
    print_array_reads(report, out);
    std::fprintf(out, "  prices (R read, S second hand, D derived, M from memory, A assumed):\n");
    for (const std::string& source : sources) {
        print_wrapped(out, source, 8);
    }
}

void print_uncertainty(const RunReport& report, std::FILE* out) {
    const EnergyDistribution& distribution = report.distribution;
    std::fprintf(out, "  prices drawn independently (%d draws): median %s, 90 %% between %s and %s\n",
                 distribution.draws, si(distribution.median_j, "J").c_str(),
                 si(distribution.quantile_05_j, "J").c_str(), si(distribution.quantile_95_j, "J").c_str());
    std::string movers = "  prices that move the total most (low to high):";
    for (std::size_t index = 0; index < std::min<std::size_t>(5, distribution.sensitivities.size()); ++index) {
        const Sensitivity& one = distribution.sensitivities[index];
        movers += (index == 0 ? " " : ", ") + one.name + " " + si(one.at_low_j, "J") + " to " + si(one.at_high_j, "J");
    }
    print_wrapped(out, movers, 6);
}

void print_area(const RunReport& report, std::FILE* out) {
    const AreaTotal total = total_area(report.area_rows);
    std::fprintf(out,
                 "\narea                    %.4g mm2   (%.4g to %.4g; sum of parts, links by their repeaters, no "
                 "wiring in units)\n",
                 total.area_mm2, total.area_low_mm2, total.area_high_mm2);
    std::map<Component, AreaRow> parts;
    for (const AreaRow& row : report.area_rows) {
        const auto [at, inserted] = parts.emplace(row.component, row);
        if (!inserted) {
            at->second.count += row.count;
            at->second.area_mm2 += row.area_mm2;
        }
    }
    for (const auto& [component, row] : parts) {
        std::fprintf(out, "  %-16s %10.0f x %-10.3g mm2 = %10.4g mm2 %5.1f%%\n", to_string(component), row.count,
                     row.unit_area_mm2, row.area_mm2, 100.0 * row.area_mm2 / total.area_mm2);
    }
    std::fprintf(out, "  utilisation: %.2f %% of the cells hold weights; converters convert %.1f %% of the time\n",
                 100.0 * report.paper.chip_weight_cells / std::max(1.0, report.cells_present),
                 100.0 * report.adc_utilisation);
    std::fprintf(out, "  sources:\n");
    for (const auto& [component, row] : parts) {
        print_wrapped(out, "    " + std::string(to_string(component)) + " [" + row.status + "]: " + row.source, 8);
    }
}

/// Tiles of equal shape in one line.
void print_tiles(const RunReport& report, std::FILE* out) {
    std::fprintf(out, "tiles                   %zu, %.1f %% of their cells above g_min\n", report.tiles.size(),
                 100.0 * report.utilisation);
    for (std::size_t first = 0; first < report.tiles.size();) {
        const TileUse& tile = report.tiles[first];
        std::size_t last = first;
        double sum = 0.0;
        while (last < report.tiles.size() && report.tiles[last].rows == tile.rows &&
               report.tiles[last].columns == tile.columns) {
            sum += report.tiles[last++].utilisation;
        }
        std::fprintf(out, "  %4zu x %4d x %-4d cells %5.1f %%  %s%s\n", last - first, tile.rows, tile.columns,
                     100.0 * sum / static_cast<double>(last - first), tile.name.c_str(),
                     last - first > 1 ? " ..." : "");
        first = last;
    }
}

std::string bits_text(int bits) {
    return bits > 0 ? std::to_string(bits) + " bits" : "as wide as the codes";
}

void print_converter_bits(const RunSetup& setup, std::FILE* out) {
    const ChipConfig& chip = setup.chip;
    const int partial = partial_sum_bits(setup.network, chip);
    if (chip.adc.bits == 0 && partial > setup.network.options.activation_bits) {
        std::fprintf(out, "partial sums            taken as converted with up to %d bits, at the price of %d\n\n",
                     partial, setup.network.options.activation_bits);
    }
    if (chip.adc.bits > 0 || chip.read.dac.bits > 0) {
        std::fprintf(out, "converters              ADC %s, DAC %s\n\n", bits_text(chip.adc.bits).c_str(),
                     bits_text(chip.read.dac.bits).c_str());
    }
}

void print_programming(const ProgrammingSummary& programming, std::FILE* out) {
    const std::string energy = programming.energy_is_priced()
                                   ? si(programming.energy_j, "J")
                                   : "energy not priced (device.programming_pulse_energy_j, _pulses_per_cell)";
    const std::string time = programming.time_is_priced()
                                 ? si(programming.time_s, "s")
                                 : "time not priced (device.programming_pulse_time_s, _pulses_per_cell)";
    std::fprintf(out, "\nprogramming             %lld cells, %s, %s, %.4g pulses, %lld stuck, yield %.2f %%\n",
                 static_cast<long long>(programming.cells), energy.c_str(), time.c_str(), programming.pulses,
                 static_cast<long long>(programming.stuck_cells), 100.0 * programming.yield());
}

}  // namespace

void print_report(const RunReport& report, const RunSetup& setup, std::FILE* out) {
    const KernelOptions& kernel = setup.network.options.kernel;
    std::fprintf(
        out, "chip %s, kernel %s (%s), %d layers x %d heads x %d modes, %d steps, data %s\n\n", setup.chip.name.c_str(),
        kernel.mapping == KernelMapping::fused ? "fused" : "digital_decay",
        kernel.form == OutputForm::current ? "current" : (kernel.form == OutputForm::delayed ? "delayed" : "immediate"),
        setup.network.model.layers, setup.network.model.heads, setup.network.model.modes(), setup.network.steps,
        setup.dataset.name.c_str());
    print_converter_bits(setup, out);
    if (setup.kernels.kept_modes < setup.kernels.modes) {
        std::fprintf(out, "pruning                 %d of %d kernels and %d of %d modes are on the chip\n\n",
                     setup.kernels.kept_kernels, setup.kernels.kernels, setup.kernels.kept_modes, setup.kernels.modes);
    }
    if (report.simulated()) {
        print_accuracy(report, out);
    } else {
        std::fprintf(out, "estimate without simulation; activity of the arrays: %s\n", report.activity_source.c_str());
    }
    print_latency(report, out);
    print_energy(report, out);
    for (const std::string& warning : report.price_warnings) {
        print_wrapped(out, "  warning: " + warning, 8);
    }
    print_uncertainty(report, out);
    print_area(report, out);
    const EfficiencyFigures figures = efficiency_of(report, setup.network.model, setup.network.steps);
    std::fprintf(out, "\nefficiency              %.4g TOPS/W, %.4g TOPS/mm2 at %.6g operations a sequence\n",
                 figures.tops_per_w, figures.tops_per_mm2, figures.operations_per_sequence);
    print_wrapped(out, std::string("  operations counted:   ") + operation_definition(), 24);
    print_paper_metrics(report, out);
    print_baselines(report.baselines, total_energy(report.energy_rows).energy_j / report.sequences, out);
    if (!report.simulated()) {
        return;
    }
    print_programming(report.programming, out);
    std::fprintf(out, "loading                 %.4g bits of parameters into the chip, once: %s\n", report.load_bits,
                 si(report.load_energy_j, "J").c_str());
    std::fprintf(out, "conversions             %.4g, %.3g %% of them saturated\n",
                 static_cast<double>(report.conversions.conversions),
                 100.0 * static_cast<double>(report.conversions.saturated) /
                     static_cast<double>(std::max<std::int64_t>(1, report.conversions.conversions)));
    print_calibrations(report.calibrations, out);
    print_tiles(report, out);
    std::fprintf(out, "simulation              %.1f s wall, %.1f s CPU, %d lanes, %d workers, %.0f MB\n", report.wall_s,
                 report.cpu_s, report.lanes, report.workers, report.peak_memory_mb);
    std::fprintf(out, "                        %.3g array operations, %.3g a CPU-second\n", report.array_operations,
                 report.array_operations / std::max(report.simulation_cpu_s, 1e-9));
}

}  // namespace imssa
