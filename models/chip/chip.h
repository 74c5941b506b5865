#pragma once

#include <systemc>

#include <memory>
#include <utility>
#include <vector>

#include "models/chip/batch_result.h"
#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/chip_layer.h"
#include "models/chip/classifier.h"
#include "models/chip/encoder_unit.h"
#include "models/chip/pooling_unit.h"

namespace imssa {

/// The chip: encoder, layers, pooling and classifier, each at work on another time step, joined by bounded channels.
/// Construction programs all tiles; tile indices count encoder, heads and mixing of each layer, decoder. Throws
/// UserError when a kernel does not fit a tile.
class Chip final : public sc_core::sc_module {
public:
    Chip(const sc_core::sc_module_name& name, const DeployedNetwork& network, const ChipConfig& config,
         std::uint64_t seed);

    const DeployedNetwork& network() const { return context_.network; }
    const ChipConfig& config() const { return context_.config; }
    std::uint64_t seed() const { return context_.seed; }
    const sc_core::sc_time& clock_period() const { return context_.period; }

    /// Tokens of input codes (channels x lanes), step by step, sequence after sequence.
    TokenChannel& input() { return *channels_.front(); }
    const TokenChannel& input() const { return *channels_.front(); }
    /// One result a batch. A full channel stops the classifier.
    Channel<ResultPtr>& results() { return results_; }

    /// Units that publish, in the order of ActionEvent::unit.
    const std::vector<CostUnit>& units() const { return context_.units.units(); }
    const std::vector<CrossbarTile*>& tiles() const { return context_.tiles; }
    /// Weight codes of all tiles (inputs x outputs each): the image of the network that software loads.
    std::vector<MatrixRM> weight_image() const;
    /// Programs weight codes into the cells of one tile; the same errors are drawn as at construction.
    void program_tile(int index, const MatrixRM& codes);
    /// Programs zeros into all tiles.
    void erase_tiles();
    /// Programming of all tiles together; time_s of one tile after another.
    ProgrammingSummary programming() const;
    /// Conversions of all lanes so far, and how many of them saturated.
    const ConversionCounts& conversions() const { return context_.conversions; }
    /// Pole calibration of all layers after programming; all zero without.
    CalibrationSummary calibration() const;

    /// Attach before the simulation starts.
    void observe(tlm::tlm_analysis_if<ActionEvent>& observer) { context_.units.observe(observer); }
    /// Null: none. The probe must outlive the chip's simulation.
    void set_probe(ChipProbe* probe) { context_.probe = probe; }
    /// Makes every phase of the sequencers a wait of its own.
    void trace_phases() { context_.phase_trace = true; }
    bool traces_phases() const { return context_.phase_trace; }

    /// Runs the body of a host process: a UserError in it stops that process and comes out of rethrow_fault().
    template <class Body>
    void guard(Body&& body) {
        context_.guard(std::forward<Body>(body));
    }
    bool faulted() const { return context_.fault != nullptr; }
    /// Throws the error that stopped a unit, if one did.
    void rethrow_fault() const;

    // for traces
    const EncoderUnit& encoder() const { return encoder_; }
    int layer_count() const { return static_cast<int>(layers_.size()); }
    ChipLayer& layer(int index) { return *layers_[static_cast<std::size_t>(index)]; }
    const ChipLayer& layer(int index) const { return *layers_[static_cast<std::size_t>(index)]; }
    const PoolingUnit& pooling() const { return pooling_; }
    const Classifier& classifier() const { return classifier_; }
    /// Input, then the input of each layer, of the pooling unit and of the classifier.
    const std::vector<std::unique_ptr<TokenChannel>>& channels() const { return channels_; }

private:
    ChipContext context_;
    std::vector<std::unique_ptr<TokenChannel>> channels_;
    Channel<ResultPtr> results_;
    EncoderUnit encoder_;
    std::vector<std::unique_ptr<ChipLayer>> layers_;
    PoolingUnit pooling_;
    Classifier classifier_;
};

}  // namespace imssa
