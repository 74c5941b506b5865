#pragma once

#include <string>

#include "models/array/converters.h"
#include "models/array/crossbar.h"
#include "models/chip/calibration_config.h"
#include "models/chip/timing_config.h"
#include "models/device/device_config.h"
#include "models/mapping/tile_mapping.h"
#include "models/network/kernel_options.h"

namespace imssa {

/// One chip: cells, tiles, read conditions and latencies. A chip file holds these fields.
struct ChipConfig {
    std::string name = "ideal";
    DeviceConfig device;
    MappingOptions mapping;
    ReadConfig read;
    AdcConfig adc;
    TimingConfig timing;
    CalibrationConfig calibration;
    /// What the model is deployed with: a chip file's [kernel] keys over the options that it was trained with.
    KernelOptions kernel;
    std::string cost_table;  ///< energy and area table, relative to the chip file

    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, ChipConfig& config) {
    visit("name", config.name);
    visit("cost_table", config.cost_table);
    visit.table("device", config.device);
    visit.table("mapping", config.mapping);
    visit.table("read", config.read);
    visit.table("wires", config.read.wires);
    visit.table("dac", config.read.dac);
    visit.table("adc", config.adc);
    visit.table("timing", config.timing);
    visit.table("calibration", config.calibration);
    visit.table("kernel", config.kernel);
}

}  // namespace imssa
