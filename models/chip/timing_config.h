#pragma once

namespace imssa {

/// Latencies of the chip's units. Every time is an integer number of cycles of one clock.
struct TimingConfig {
    double clock_hz = 200e6;
    int load_cycles = 1;                    ///< a token into a unit's input registers
    int drive_cycles = 1;                   ///< settling of the DACs
    int sample_cycles = 1;                  ///< sample and hold of all columns
    int adc_cycles_per_conversion = 4;      ///< one conversion of one ADC
    int columns_per_adc = 8;                ///< output columns that share one ADC through its multiplexer
    int write_back_cycles = 1;              ///< codes into registers
    int decay_multipliers = 4;              ///< digital decay: multipliers per head; one product a cycle each
    int table_cycles = 1;                   ///< activation look-up, one table a head
    int layer_unit_elements_per_cycle = 4;  ///< width of the digital GLU, residual and norm data path
    int pooling_cycles = 1;                 ///< accumulation of one token, one adder a head
    int channel_capacity = 2;               ///< tokens that fit between two units
    int dense_multipliers = 16;             ///< of an encoder, mixing matrix or decoder that is digital
    int kernel_sites = 0;           ///< sets of drivers, converters and registers of a layer; 0: one for every tile.
                                    ///< With fewer, each serves several tiles one after another
    int swap_cycles = 1;            ///< a site exchanges its state registers with the state buffer
    bool double_buffering = false;  ///< two samples a column: gated reads overlap with the conversions before them
    int input_interval_cycles = 0;  ///< between inputs; 0: as fast as the chip takes them

    void validate() const;
};

template <class Visitor>
void visit_fields(Visitor& visit, TimingConfig& config) {
    visit("clock_hz", config.clock_hz);
    visit("load_cycles", config.load_cycles);
    visit("drive_cycles", config.drive_cycles);
    visit("sample_cycles", config.sample_cycles);
    visit("adc_cycles_per_conversion", config.adc_cycles_per_conversion);
    visit("columns_per_adc", config.columns_per_adc);
    visit("write_back_cycles", config.write_back_cycles);
    visit("decay_multipliers", config.decay_multipliers);
    visit("table_cycles", config.table_cycles);
    visit("layer_unit_elements_per_cycle", config.layer_unit_elements_per_cycle);
    visit("pooling_cycles", config.pooling_cycles);
    visit("channel_capacity", config.channel_capacity);
    visit("dense_multipliers", config.dense_multipliers);
    visit("kernel_sites", config.kernel_sites);
    visit("swap_cycles", config.swap_cycles);
    visit("double_buffering", config.double_buffering);
    visit("input_interval_cycles", config.input_interval_cycles);
}

}  // namespace imssa
