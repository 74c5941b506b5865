#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/chip/activity.h"
#include "models/chip/timing_model.h"
#include "models/cost/area.h"
#include "models/cost/cost_table.h"
#include "models/cost/ledger.h"

namespace imssa {

// Latency, energy and area without a simulation, from shapes and activity statistics: the same units, counts and prices
// as the simulated chip. Only the energy of array reads is a mean instead of a sum over data.

/// A network of the right shapes without weights: one kernel a layer stands for all heads.
DeployedNetwork shape_of(const ModelConfig& model, const DeploymentOptions& options, int steps);

/// The latency that `sequence_latency_cycles` finds step by step, in closed form: a path through all units that spends
/// every spare step in the slowest one; a delayed unit before it costs one operation of the slowest unit up to there, a
/// delayed unit behind it one of the slowest unit from there on. (Sequences shorter than the number of delayed units go
/// through the recurrence.)
std::int64_t closed_latency_cycles(const Pipeline& pipeline, int steps);

/// Units and counts of `sequences` sequences, as the simulated chip's ledger has them.
EnergyLedger estimated_ledger(const DeployedNetwork& network, const ChipConfig& config,
                              const ActivityStatistics& activity, int sequences);

/// Of the chip's amplifiers and converters, for inputs of this code range; without a duration, so without leakage.
PricingConditions operating_conditions(const ChipConfig& config, int input_limit);

/// A price table as arrays, for many estimates with the same table.
class CompiledPrices {
public:
    explicit CompiledPrices(const CostTable& table);

    struct Range {
        double low = 0.0, nominal = 0.0, high = 0.0;
    };
    /// By bits of the codes; entry 0 for bits that are not known.
    struct BitFactors {
        std::array<double, ConverterBits::kMost + 1> factors{};
        double mean(const ConverterBits& bits) const {
            const double most = (*this)[bits.bits];
            return bits.other_share > 0.0 ? most + bits.other_share * ((*this)[bits.other_bits] - most) : most;
        }
        double widest(const ConverterBits& bits) const { return (*this)[bits.widest()]; }
        double operator[](int bits) const { return factors[static_cast<std::size_t>(bits)]; }
    };
    struct ActionPrice {
        Range energy_j, power_w;
        BitFactors of_bits;  ///< what the price is multiplied with
        OperatingLaw of_speed;
        Range joules(const PricingConditions& conditions) const {
            const double read_s = conditions.read_time_s;
            const double factor = of_speed.factor(conditions);
            return {factor * (energy_j.low + power_w.low * read_s),
                    factor * (energy_j.nominal + power_w.nominal * read_s),
                    factor * (energy_j.high + power_w.high * read_s)};
        }
    };
    /// The price in a unit of this name.
    const ActionPrice& price(Action action, const std::string& unit) const;
    bool has_unit_prices() const { return !of_units_.empty(); }

    std::array<Range, kComponentCount> area_mm2{}, leakage_w{};
    std::array<BitFactors, kComponentCount> area_of_bits{}, leakage_of_bits{};

private:
    struct UnitPrice {
        Action action;
        std::string unit;
        ActionPrice price;
    };
    std::array<ActionPrice, kActionCount> prices_{};
    std::vector<UnitPrice> of_units_;  ///< entries for single units
};

/// Figures of one design.
struct DesignEstimate {
    std::int64_t step_cycles = 0, latency_cycles = 0, interval_cycles = 0;
    double latency_s = 0.0, throughput_sequences_per_s = 0.0;
    EnergyTotal sequence;  ///< energy of one sequence, streaming back to back
    AreaTotal area;
};

/// Screens a design: some microseconds. Throws UserError when the mapping is not possible. The one without `response`
/// works it out of the device first, which for cells with errors takes longer than all the rest.
DesignEstimate estimate_design(const ModelConfig& model, const DeploymentOptions& options, const ChipConfig& config,
                               int steps, const ActivityStatistics& activity, const CompiledPrices& prices);
DesignEstimate estimate_design(const ModelConfig& model, const DeploymentOptions& options, const ChipConfig& config,
                               int steps, const ActivityStatistics& activity, const CellResponse& response,
                               const CompiledPrices& prices);

}  // namespace imssa
