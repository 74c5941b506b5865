#include "models/chip/timing_config.h"

#include <string>

#include "models/common/error.h"

namespace imssa {

namespace {

/// Far above any design, and far below what would overflow sums of cycles over a sequence.
constexpr int kMostCycles = 1000000;

void require_range(const char* key, int value, int least, int most = kMostCycles) {
    if (value < least || value > most) {
        throw UserError(std::string(key) + " = " + std::to_string(value) + " must lie in [" + std::to_string(least) +
                        ", " + std::to_string(most) + "]");
    }
}

}  // namespace

void TimingConfig::validate() const {
    if (!(clock_hz >= 1e3) || !(clock_hz <= 1e11)) {
        throw UserError("clock_hz = " + std::to_string(clock_hz) + " must be between 1e3 and 1e11");
    }
    require_range("load_cycles", load_cycles, 0);
    require_range("drive_cycles", drive_cycles, 0);
    require_range("sample_cycles", sample_cycles, 0);
    require_range("adc_cycles_per_conversion", adc_cycles_per_conversion, 1);
    require_range("columns_per_adc", columns_per_adc, 1);
    require_range("write_back_cycles", write_back_cycles, 0);
    require_range("decay_multipliers", decay_multipliers, 1);
    require_range("table_cycles", table_cycles, 0);
    require_range("layer_unit_elements_per_cycle", layer_unit_elements_per_cycle, 1);
    require_range("pooling_cycles", pooling_cycles, 1);
    require_range("channel_capacity", channel_capacity, 1, 1024);
    require_range("dense_multipliers", dense_multipliers, 1);
    require_range("kernel_sites", kernel_sites, 0);
    require_range("swap_cycles", swap_cycles, 0);
    require_range("input_interval_cycles", input_interval_cycles, 0);
}

}  // namespace imssa
