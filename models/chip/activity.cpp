#include "models/chip/activity.h"

#include <cstdio>

#include "models/common/config.h"
#include "models/common/error.h"

namespace imssa {

namespace {

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Energies of all units whose name ends so.
ReadEnergy array_energy(const EnergyLedger& ledger, const std::string& end) {
    ReadEnergy energy;
    for (std::size_t unit = 0; unit < ledger.units().size(); ++unit) {
        if (ends_with(ledger.units()[unit].name, end)) {
            energy.device_j += ledger.array_device_j(static_cast<std::int32_t>(unit));
            energy.supply_j += ledger.array_supply_j(static_cast<std::int32_t>(unit));
        }
    }
    return energy;
}

ArrayActivity relative(const ReadEnergy& energy, const ReadEnergy& full_scale, double reads) {
    return {energy.supply_j / (full_scale.supply_j * reads), energy.device_j / (full_scale.device_j * reads)};
}

}  // namespace

void ArrayActivity::validate() const {
    // Programming errors can lift a conductance above its window.
    for (const double value : {supply, device}) {
        if (!(value >= 0.0 && value <= 2.0)) {
            throw UserError("an activity of " + std::to_string(value) +
                            " is out of range: it is a share of full-scale energy, between 0 and 2");
        }
    }
}

ReadEnergy full_scale_read(const QuantizedMatrix& matrix, const ChipConfig& config) {
    const double cells = static_cast<double>(matrix.inputs()) * config.mapping.rows_per_input() * matrix.outputs() *
                         MappingOptions::columns_per_output();
    const double siemens_seconds = cells * config.device.g_max_siemens * config.read.read_time_s(matrix.input_limit);
    const double volt = config.read.v_read_volt;
    return {volt * volt * siemens_seconds, config.read.v_supply_volt * volt * siemens_seconds};
}

ActivityStatistics measured_activity(const EnergyLedger& ledger, const DeployedNetwork& network,
                                     const ChipConfig& config, int sequences) {
    const double steps = static_cast<double>(network.steps) * sequences;
    const double layers = static_cast<double>(network.layers.size());
    const DeployedLayer& layer = network.layers.front();
    const DeployedKernel& kernel = layer.kernels.front();
    const double operations = steps + (kernel.options.form == OutputForm::delayed ? sequences : 0);
    ActivityStatistics statistics;
    statistics.encoder =
        relative(array_energy(ledger, "encoder.array.tile"), full_scale_read(network.encoder, config), steps);
    ArrayActivity& of_kernel =
        kernel.options.mapping == KernelMapping::fused ? statistics.kernel_fused : statistics.kernel_digital;
    of_kernel = relative(array_energy(ledger, "kernel.tile"), full_scale_read(kernel.array, config),
                         operations * layers * network.model.heads);
    statistics.mixing =
        relative(array_energy(ledger, "mixing.array.tile"), full_scale_read(layer.mixing, config), steps * layers);
    statistics.classifier =
        relative(array_energy(ledger, "classifier.array.tile"), full_scale_read(network.decoder, config), sequences);
    return statistics;
}

ActivityStatistics load_activity(const std::string& path) {
    ActivityStatistics statistics;
    ConfigReader reader = ConfigReader::from_file(path);
    reader.read(statistics);
    reader.reject_unknown_keys();
    return statistics;
}

std::string activity_toml(const ActivityStatistics& statistics) {
    std::string text =
        "# Share of full-scale read energy that the arrays take: supply is the mean of (G / G_max) |v / v_read| over "
        "the\n# cells of used rows and columns, device that of (G / G_max) (v / v_read)^2.\nsource = \"" +
        statistics.source + "\"\n";
    const std::pair<const char*, const ArrayActivity*> parts[] = {{"encoder", &statistics.encoder},
                                                                  {"kernel_fused", &statistics.kernel_fused},
                                                                  {"kernel_digital", &statistics.kernel_digital},
                                                                  {"mixing", &statistics.mixing},
                                                                  {"classifier", &statistics.classifier}};
    for (const auto& [name, activity] : parts) {
        char lines[120];
        std::snprintf(lines, sizeof(lines), "\n[%s]\nsupply = %.6g\ndevice = %.6g\n", name, activity->supply,
                      activity->device);
        text += lines;
    }
    return text;
}

}  // namespace imssa
