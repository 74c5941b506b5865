#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/chip/chip_config.h"
#include "models/mapping/kernel_placement.h"
#include "models/network/deployed_network.h"

namespace imssa {

// The only place where latencies are computed. The SystemC units wait for what these functions return; all values
// are cycles of TimingConfig::clock_hz.

/// Analog settling: the read time rounded up to whole cycles; bit-serial inputs take one a bit of their magnitude.
int settle_cycles(const TimingConfig& timing, const ReadConfig& read, int input_limit = 127);

/// ADCs behind `outputs` columns, and conversions of each of them per read (the multiplexer's rounds).
int adc_count(int outputs, const TimingConfig& timing);
int conversion_rounds(int outputs, const TimingConfig& timing);

/// One read of an array with its converters, or of a digital matrix.
struct ArrayReadCycles {
    int load = 0, drive = 0, settle = 0, sample = 0;
    int rounds = 0;            ///< conversions of one ADC, one after another
    int cycles_per_round = 0;  ///< of one conversion
    int digital = 0;           ///< products in digital multipliers instead
    int write_back = 0;

    int front() const { return drive + settle + sample; }
    int conversions() const { return rounds * cycles_per_round; }
    int analog() const { return front() + conversions(); }
    int total() const { return load + analog() + digital + write_back; }
};
ArrayReadCycles array_read_cycles(int outputs, const TimingConfig& timing, const ReadConfig& read,
                                  int input_limit = 127);

/// A dense matrix (encoder, mixing, decoder) in cells or in digital multipliers.
ArrayReadCycles dense_read_cycles(const QuantizedMatrix& matrix, MatrixPlace place, const TimingConfig& timing,
                                  const ReadConfig& read, const MappingOptions& mapping);

/// One kernel step: LOAD, then for every bank of tiles [SWAP], [DECAY], the reads of its tiles (DRIVE, SETTLE, SAMPLE,
/// CONVERT 1..m, one after another where heads are gated), [digital products, gains], WRITE_BACK.
struct KernelStepCycles {
    ArrayReadCycles array;        ///< one read; load and write_back of the step
    int decay = 0;                ///< digital decay: 4 products a mode, and one cycle for the pipelined add
    bool decay_overlaps = false;  ///< runs beside the analog phases (immediate form) instead of before them
    int reads = 1;                ///< of a tile in a step, one after another
    int banks = 1;                ///< tiles that a site serves, one after another
    int swap = 0;                 ///< exchange of the state registers of a site ahead of a bank
    int digital = 0;              ///< products of B and C outside cells, and the pipelined add
    int gain = 0;                 ///< digital gains of calibrated poles
    bool double_buffered = false;

    /// From one gated read's sample to the next one's.
    int read_interval() const {
        return double_buffered ? (array.front() > array.conversions() ? array.front() : array.conversions())
                               : array.analog();
    }
    int all_reads() const { return array.analog() + (reads - 1) * read_interval(); }
    /// Cycles of the decay that are left when the conversions have ended.
    int decay_after_conversion() const { return decay_overlaps && decay > all_reads() ? decay - all_reads() : 0; }
    int decay_before_drive() const { return decay_overlaps ? 0 : decay; }
    int bank() const {
        return swap + decay_before_drive() + all_reads() + decay_after_conversion() + digital + gain + array.write_back;
    }
    int total() const { return array.load + banks * bank(); }
};
/// One head on a tile of its own.
KernelStepCycles kernel_step_cycles(const DeployedKernel& kernel, const TimingConfig& timing, const ReadConfig& read);
/// All heads of a layer as the chip file maps them.
KernelStepCycles kernel_step_cycles(const DeployedLayer& layer, const ChipConfig& config);
/// The same for `heads` heads of one shape whose tiles are counted already.
KernelStepCycles kernel_step_cycles(const DeployedKernel& kernel, const KernelTileCounts& tiles,
                                    const ChipConfig& config);

/// Activation table, then the mixing array.
struct MixingCycles {
    ArrayReadCycles array;
    int table = 0;
    int total() const { return array.total() + table; }
};
MixingCycles mixing_cycles(const DeployedLayer& layer, const TimingConfig& timing, const ReadConfig& read,
                           const MappingOptions& mapping = {});

/// Passes of all heads through the digital data path: GLU and residual 1, layer norm 2 more (mean, variance); one
/// cycle of pipeline latency.
int layer_unit_cycles(const LayerUnitParameters& unit, int heads, const TimingConfig& timing);

ArrayReadCycles encoder_cycles(const DeployedNetwork& network, const TimingConfig& timing, const ReadConfig& read,
                               const MappingOptions& mapping = {});
int pooling_cycles(const TimingConfig& timing);
ArrayReadCycles classifier_cycles(const DeployedNetwork& network, const TimingConfig& timing, const ReadConfig& read,
                                  const MappingOptions& mapping = {});

/// One unit of the pipeline: it takes a token, is busy for `cycles`, and hands a token on.
struct PipelineStage {
    std::string name;
    int cycles = 0;
    bool delayed = false;  ///< operation t emits token t - 1; one more operation ends a sequence
};

/// The chip as a line of units that work on consecutive tokens, and the classifier once a sequence.
struct Pipeline {
    std::vector<PipelineStage> stages;  ///< encoder, then kernel, mixing and layer unit of every layer, pooling
    int classifier = 0;
    int channel_capacity = 1;
    int input_interval = 0;  ///< cycles between inputs at least
};
Pipeline pipeline_of(const DeployedNetwork& network, const ChipConfig& config);

/// Cycles between tokens when the line is full: the slowest unit's.
int steady_state_interval_cycles(const Pipeline& pipeline);

/// Cycles between results when sequences of `steps` stream back to back: the unit with most cycles a sequence.
std::int64_t sequence_interval_cycles(const Pipeline& pipeline, int steps);

/// Cycles from the first token's entry into an empty chip to the logits: the max-plus recurrence
/// start_i(n) = max(leave_i(n-1), leave_i-1(n)), leave_i(n) = max(start_i(n) + cycles_i, start_i+1(n - capacity)); the
/// encoder starts input n at least the input interval after input n - 1.
std::int64_t sequence_latency_cycles(const Pipeline& pipeline, int steps);

}  // namespace imssa
