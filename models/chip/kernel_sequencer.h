#pragma once

#include <systemc>

#include <memory>
#include <vector>

#include "models/chip/action_model.h"
#include "models/chip/channel.h"
#include "models/chip/chip_context.h"
#include "models/chip/kernel_head.h"
#include "models/chip/kernel_signals.h"
#include "models/chip/kernel_tiles.h"
#include "models/chip/phase_timer.h"

namespace imssa {

/// State machine of the kernels of one layer: LOAD, [DECAY], DRIVE, SETTLE, SAMPLE, CONVERT k of m, WRITE_BACK. All
/// heads work in lock-step, those that share converters one after another. It takes codes of u_t and hands on codes of
/// y_t with u_t as residual.
class KernelSequencer final : public sc_core::sc_module {
public:
    SC_HAS_PROCESS(KernelSequencer);
    KernelSequencer(const sc_core::sc_module_name& name, int layer, ChipContext& context);

    void bind(TokenChannel& input, TokenChannel& output);

    const KernelHead& head(int index) const { return *heads_[static_cast<std::size_t>(index)]; }
    /// The tiles that hold a head.
    const KernelTiles& tiles_of(int head) const;
    int head_count() const { return static_cast<int>(heads_.size()); }
    const KernelStepCycles& cycles() const { return cycles_; }
    const CalibrationSummary& calibration() const { return calibration_; }

    /// Heads to show in a trace, before the simulation starts.
    void trace_heads(const std::vector<int>& heads);
    /// Steps that the trace shows codes of; last_step -1: to the end.
    void trace_window(int first_step, int last_step) { signals_.set_window(first_step, last_step); }
    const KernelSignals& signals() const { return signals_; }

private:
    struct Units {
        std::int32_t sequencer, dac, tile, adc, registers, decay, output, coefficients, buffer, state_buffer;
    };

    HeadPlace place_of(int head) const;
    void program_tiles(const std::vector<TileGroup>& groups);
    void add_heads();
    void add_shared_tiles();
    void calibrate();
    void calibrate_group(KernelTiles& tiles);
    void add_units();
    void run();
    void immediate_step(const TokenPtr& input);
    void delayed_step(const TokenPtr& input);
    /// One array operation of all heads; y codes land in `output`.
    void operate(const Batch& batch, int step, const LaneMatrix* input, LaneMatrix& output);
    void compute(const Batch& batch, int step, const LaneMatrix* input, LaneMatrix& output);
    void spend_phases();
    void spend_bank(int bank);
    void spend_read(int bank, int read);
    void phase(KernelPhase value, int cycles);
    void publish(int lanes, const ReadEnergy& energy, bool writes_registers);
    void emit(const std::shared_ptr<Token>& output, const TokenPtr& source);

    ChipContext& context_;
    int layer_;
    KernelStepCycles cycles_;
    PhaseTimer timer_;
    std::vector<std::unique_ptr<KernelHead>> heads_;
    std::vector<std::unique_ptr<KernelTiles>> tiles_;
    std::vector<std::unique_ptr<CrossbarTile>> shared_tiles_;  ///< none where every head has its own
    std::vector<const StateRegisterFile*> register_files_;
    KernelActionCounts counts_;               ///< of one operation of one head, one lane
    KernelCoefficientBits coefficient_bits_;  ///< of one head
    KernelTileCounts tile_counts_;            ///< of one operation of all heads, one lane
    CalibrationSummary calibration_;
    Units units_{};
    std::vector<HeadRead> reads_;  ///< of the heads of one group; all groups, one after another, use the same
    LaneMatrix codes_;
    KernelSignals signals_;
    TokenPool pool_;
    TokenPtr previous_;  ///< u_{t-1} of the delayed form
    TokenChannel* input_ = nullptr;
    TokenChannel* output_ = nullptr;
};

}  // namespace imssa
