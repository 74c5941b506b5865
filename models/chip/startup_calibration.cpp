#include "models/chip/startup_calibration.h"

#include "models/chip/kernel_hardware.h"
#include "models/chip/timing_model.h"

namespace imssa {

CalibrationSummary gain_calibration(const Chip& chip) {
    CalibrationSummary total;
    const ChipConfig& config = chip.config();
    if (!config.read.gain_calibration) {
        return total;
    }
    const int samples = config.adc.calibration_samples;
    for (const CrossbarTile* tile : chip.tiles()) {
        const Crossbar& array = tile->array();
        const double reads = static_cast<double>(array.inputs()) * samples;
        ArrayReadCycles cycles = array_read_cycles(array.outputs(), config.timing, config.read, array.input_limit());
        cycles.rounds = tile->lines().conversion_rounds;
        total.array_reads += reads;
        total.dac_conversions += reads * tile->lines().driven_inputs;
        total.row_line_cells += reads * row_line_cells(tile->lines().driven_inputs, array.input_limit(), config);
        total.columns += reads * array.outputs() * MappingOptions::columns_per_output();
        total.adc_conversions += reads * array.outputs();
        total.device_j += array.trim_energy().device_j;
        total.supply_j += array.trim_energy().supply_j;
        total.cycles += static_cast<std::int64_t>(reads) * (cycles.load + cycles.analog());
    }
    return total;
}

CalibrationSummary converter_calibration(const Chip& chip) {
    CalibrationSummary total;
    const ChipConfig& config = chip.config();
    if (!config.adc.calibrate) {
        return total;
    }
    const int conversions = 2 * config.adc.calibration_samples;  // offset and gain
    for (const CostUnit& unit : chip.units()) {
        total.adc_conversions += unit.parts[Component::adc] * conversions;
    }
    total.cycles = static_cast<std::int64_t>(conversions) * config.timing.adc_cycles_per_conversion;
    return total;
}

}  // namespace imssa
