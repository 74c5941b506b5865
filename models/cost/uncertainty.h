#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/cost/ledger.h"

namespace imssa {

/// All rows that share one price: their errors go together.
struct PricedItem {
    std::string name;  ///< action, or "leakage of <component>"
    EnergyTotal total;
};
std::vector<PricedItem> priced_items(const std::vector<EnergyRow>& rows);

/// What one price does to the total when it alone goes from its low to its high value.
struct Sensitivity {
    std::string name;
    double at_low_j = 0.0, at_high_j = 0.0;  ///< the total then
    double variance_share = 0.0;             ///< of the Monte Carlo variance
};

/// Distribution of the total when every price is drawn on its own.
struct EnergyDistribution {
    std::uint64_t seed = 0;
    int draws = 0;
    double mean_j = 0.0, standard_deviation_j = 0.0;
    double quantile_05_j = 0.0, median_j = 0.0, quantile_95_j = 0.0;
    std::vector<Sensitivity> sensitivities;  ///< the widest first
};

/// Each price is drawn independently from a triangle over ln(price) with its corners at low and high and its peak at
/// the nominal value (over the price itself where low is zero). Same seed, same result, on every machine.
EnergyDistribution sample_energy(const std::vector<EnergyRow>& rows, int draws, std::uint64_t seed);

}  // namespace imssa
