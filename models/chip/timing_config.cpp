#include "models/chip/timing_config.h"

#include <string>

#include "models/common/error.h"

namespace imssa {

namespace {

void require_at_least(const char* key, int value, int least) {
    if (value < least) {
        throw UserError(std::string(key) + " = " + std::to_string(value) + " must be at least " +
                        std::to_string(least));
    }
}

}  // namespace

void TimingConfig::validate() const {
    if (!(clock_hz >= 1e3) || !(clock_hz <= 1e11)) {
        throw UserError("clock_hz = " + std::to_string(clock_hz) + " must be between 1e3 and 1e11");
    }
    require_at_least("load_cycles", load_cycles, 0);
    require_at_least("drive_cycles", drive_cycles, 0);
    require_at_least("sample_cycles", sample_cycles, 0);
    require_at_least("adc_cycles_per_conversion", adc_cycles_per_conversion, 1);
    require_at_least("columns_per_adc", columns_per_adc, 1);
    require_at_least("write_back_cycles", write_back_cycles, 0);
    require_at_least("decay_multipliers", decay_multipliers, 1);
    require_at_least("table_cycles", table_cycles, 0);
    require_at_least("layer_unit_elements_per_cycle", layer_unit_elements_per_cycle, 1);
    require_at_least("pooling_cycles", pooling_cycles, 1);
    require_at_least("channel_capacity", channel_capacity, 1);
    require_at_least("dense_multipliers", dense_multipliers, 1);
    require_at_least("kernel_sites", kernel_sites, 0);
    require_at_least("swap_cycles", swap_cycles, 0);
    require_at_least("input_interval_cycles", input_interval_cycles, 0);
}

}  // namespace imssa
