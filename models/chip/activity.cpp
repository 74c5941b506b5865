#include "models/chip/activity.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "models/common/config.h"
#include "models/common/error.h"

namespace imssa {

namespace {

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Energies of all units whose name ends so, and whether there were reads at all.
ReadEnergy array_energy(const EnergyLedger& ledger, const std::string& end, bool& in_cells) {
    ReadEnergy energy;
    in_cells = false;
    for (std::size_t unit = 0; unit < ledger.units().size(); ++unit) {
        if (ends_with(ledger.units()[unit].name, end)) {
            in_cells = in_cells || ledger.count(static_cast<std::int32_t>(unit), Action::array_read) > 0.0;
            energy.device_j += ledger.array_device_j(static_cast<std::int32_t>(unit));
            energy.supply_j += ledger.array_supply_j(static_cast<std::int32_t>(unit));
        }
    }
    return energy;
}

/// The activity for which `joules` of a read has the measured value. Where conductances without weight take more than
/// that already, the drive gives way.
template <class Joules>
void solve(double measured_j, double& activity, double& drive, const Joules& joules) {
    activity = 0.0;
    const double floor_j = joules();
    if (measured_j <= floor_j) {
        drive *= floor_j > 0.0 ? measured_j / floor_j : 0.0;
        return;
    }
    double low = 0.0;
    double high = 2.0;
    constexpr int kHalvings = 70;
    for (int step = 0; step < kHalvings; ++step) {
        activity = 0.5 * (low + high);
        (joules() < measured_j ? low : high) = activity;
    }
}

void measure(const ReadEnergy& total, double reads, const ReadShape& shape, const CellResponse& response,
             const ChipConfig& config, ArrayActivity& activity) {
    solve(total.supply_j / reads, activity.supply, activity.drive,
          [&] { return mean_read(shape, activity, response, config).supply_j; });
    if (config.read.input == InputMode::amplitude) {
        solve(total.device_j / reads, activity.device, activity.drive_square,
              [&] { return mean_read(shape, activity, response, config).device_j; });
    }
}

}  // namespace

void ArrayActivity::validate() const {
    // Programming errors can lift a conductance above its window.
    for (const double value : {supply, device, drive, drive_square}) {
        if (!(value >= 0.0 && value <= 2.0)) {
            throw UserError("an activity of " + std::to_string(value) +
                            " is out of range: it is a share of full-scale energy, between 0 and 2");
        }
    }
}

void KernelActivity::validate() const {
    array.validate();
    if (!(output_share >= 0.0 && output_share <= 1.0)) {
        throw UserError("output_share = " + std::to_string(output_share) + " is out of range: it is between 0 and 1");
    }
}

KernelActivity ActivityStatistics::of(const DeployedKernel& kernel, double cell_spread) const {
    if (kernel.options.mapping == KernelMapping::digital_decay) {
        return kernel.array_makes_state ? kernel_digital_input : kernel_digital;
    }
    if (!kernel.array_replaces_state) {
        return kernel.planes() ? kernel_planes : kernel_increments;
    }
    const double share = std::min(1.0, cell_spread / kFusedSpread);
    const auto between = [share](double exact, double programmed) { return exact + share * (programmed - exact); };
    const ArrayActivity& exact = kernel_fused_exact.array;
    const ArrayActivity& programmed = kernel_fused.array;
    return {{between(exact.supply, programmed.supply), between(exact.device, programmed.device),
             between(exact.drive, programmed.drive), between(exact.drive_square, programmed.drive_square)},
            between(kernel_fused_exact.output_share, kernel_fused.output_share)};
}

void ActivityStatistics::set(const DeployedKernel& kernel, const KernelActivity& activity) {
    if (kernel.options.mapping == KernelMapping::digital_decay) {
        (kernel.array_makes_state ? kernel_digital_input : kernel_digital) = activity;
    } else if (kernel.array_replaces_state) {
        kernel_fused = kernel_fused_exact = activity;
    } else {
        (kernel.planes() ? kernel_planes : kernel_increments) = activity;
    }
}

ActivityStatistics measured_activity(const EnergyLedger& ledger, const DeployedNetwork& network,
                                     const ChipConfig& config, int sequences) {
    const double steps = static_cast<double>(network.steps) * sequences;
    // Layers in units of the first: where pruned kernels were removed, others have more or fewer.
    double layers = 0.0;
    for (const DeployedLayer& one : network.layers) {
        layers += static_cast<double>(one.kernel_count()) / network.layers.front().kernel_count();
    }
    const DeployedLayer& layer = network.layers.front();
    const DeployedKernel& kernel = layer.kernels.front();
    const double operations = steps + (kernel.options.form == OutputForm::delayed ? sequences : 0);
    const CellResponse response = cell_response(config.device);
    ActivityStatistics statistics;
    const auto take = [&](const char* unit, double reads, const ReadShape& shape, ArrayActivity& activity) {
        bool in_cells = false;
        const ReadEnergy energy = array_energy(ledger, unit, in_cells);
        if (in_cells) {
            measure(energy, reads, shape, response, config, activity);
        }
    };
    take("encoder.array.tile", steps, dense_shape(network.encoder), statistics.encoder);
    take("mixing.array.tile", steps * layers, dense_shape(layer.mixing), statistics.mixing);
    take("classifier.array.tile", sequences, dense_shape(network.decoder), statistics.classifier);
    KernelActivity of_kernel = statistics.of(kernel, response.spread);
    const KernelTileCounts tiles = count_kernel_tiles(kernel, layer.kernel_count(), config.mapping, "the kernel");
    take("kernel.tile", operations * layers,
         kernel_shape(kernel, layer.kernel_count(), tiles, of_kernel, config.mapping), of_kernel.array);
    statistics.set(kernel, of_kernel);
    return statistics;
}

ActivityStatistics load_activity(const std::string& path) {
    ActivityStatistics statistics;
    ConfigReader reader = ConfigReader::from_file(path);
    reader.read(statistics);
    reader.reject_unknown_keys();
    return statistics;
}

namespace {

/// Which values a simulation has measured: those that are not the defaults any more.
std::string measured_note(const ArrayActivity& activity, const ArrayActivity& usual) {
    const std::pair<const char*, bool> keys[] = {{"supply", activity.supply != usual.supply},
                                                 {"device", activity.device != usual.device},
                                                 {"drive", activity.drive != usual.drive},
                                                 {"drive_square", activity.drive_square != usual.drive_square}};
    std::string measured;
    std::string left;
    for (const auto& [key, is_measured] : keys) {
        std::string& list = is_measured ? measured : left;
        list += (list.empty() ? "" : ", ") + std::string(key);
    }
    return "\n# measured: " + (measured.empty() ? "nothing" : measured) + (left.empty() ? "" : "; defaults: " + left);
}

}  // namespace

std::string activity_toml(const ActivityStatistics& statistics) {
    const ActivityStatistics usual;
    std::string text =
        "# Share of full-scale read energy that the arrays take if their cells reach from zero to G_max without "
        "errors: supply is\n# the mean of (G / G_max) |v / v_read| over the cells of used rows and columns, device "
        "that of (G / G_max) (v / v_read)^2;\n# drive and drive_square the means of |v / v_read| and (v / v_read)^2 "
        "over the rows.\n# Measured energies fix one of the two: supply and device, with the drives and shares of the "
        "demo networks; where "
        "conductance without\n# weight alone takes more than was measured, the drive. Arrays that the chip does not "
        "read keep their defaults.\nsource = \"" +
        statistics.source + "\"\n";
    const auto add = [&text](const char* name, const ArrayActivity& activity, const ArrayActivity& of_default) {
        text += measured_note(activity, of_default);
        char lines[200];
        std::snprintf(lines, sizeof(lines), "\n[%s]\nsupply = %.6g\ndevice = %.6g\ndrive = %.6g\ndrive_square = %.6g\n",
                      name, activity.supply, activity.device, activity.drive, activity.drive_square);
        text += lines;
    };
    const auto add_kernel = [&](const char* name, const KernelActivity& activity, const KernelActivity& of_default) {
        add(name, activity.array, of_default.array);
        char line[60];
        std::snprintf(line, sizeof(line), "output_share = %.6g  # default\n", activity.output_share);
        text += line;
    };
    add("encoder", statistics.encoder, usual.encoder);
    add_kernel("kernel_fused", statistics.kernel_fused, usual.kernel_fused);
    add_kernel("kernel_fused_exact", statistics.kernel_fused_exact, usual.kernel_fused_exact);
    add_kernel("kernel_increments", statistics.kernel_increments, usual.kernel_increments);
    add_kernel("kernel_planes", statistics.kernel_planes, usual.kernel_planes);
    add_kernel("kernel_digital", statistics.kernel_digital, usual.kernel_digital);
    add_kernel("kernel_digital_input", statistics.kernel_digital_input, usual.kernel_digital_input);
    add("mixing", statistics.mixing, usual.mixing);
    add("classifier", statistics.classifier, usual.classifier);
    return text;
}

}  // namespace imssa
