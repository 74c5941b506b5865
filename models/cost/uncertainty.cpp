#include "models/cost/uncertainty.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "models/common/error.h"

namespace imssa {

namespace {

/// Inverse distribution function of a triangle.
double triangular(double low, double peak, double high, double probability) {
    const double width = high - low;
    if (!(width > 0.0)) {
        return peak;
    }
    const double below = (peak - low) / width;
    return probability < below ? low + std::sqrt(probability * width * (peak - low))
                               : high - std::sqrt((1.0 - probability) * width * (high - peak));
}

double draw(const EnergyTotal& item, double probability) {
    if (!(item.energy_high_j > item.energy_low_j)) {
        return item.energy_j;
    }
    if (item.energy_low_j > 0.0) {
        return std::exp(triangular(std::log(item.energy_low_j), std::log(item.energy_j), std::log(item.energy_high_j),
                                   probability));
    }
    return triangular(item.energy_low_j, item.energy_j, item.energy_high_j, probability);
}

/// Uniform in (0, 1): std::uniform_real_distribution differs between libraries.
double uniform(std::mt19937_64& engine) {
    return (static_cast<double>(engine() >> 11) + 0.5) / 9007199254740992.0;
}

double quantile(const std::vector<double>& sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const std::size_t index = static_cast<std::size_t>(at);
    const double next = sorted[std::min(index + 1, sorted.size() - 1)];
    return sorted[index] + (at - static_cast<double>(index)) * (next - sorted[index]);
}

double variance(double sum, double squares, int count) {
    const double mean = sum / count;
    return std::max(0.0, squares / count - mean * mean);
}

}  // namespace

std::vector<PricedItem> priced_items(const std::vector<EnergyRow>& rows) {
    std::vector<PricedItem> items;
    for (const EnergyRow& row : rows) {
        auto at =
            std::find_if(items.begin(), items.end(), [&row](const PricedItem& item) { return item.name == row.item; });
        if (at == items.end()) {
            items.push_back({row.item, {}});
            at = items.end() - 1;
        }
        at->total.energy_j += row.energy_j;
        at->total.energy_low_j += row.energy_low_j;
        at->total.energy_high_j += row.energy_high_j;
    }
    return items;
}

EnergyDistribution sample_energy(const std::vector<EnergyRow>& rows, int draws, std::uint64_t seed) {
    if (draws < 1) {
        throw UserError("a Monte Carlo of " + std::to_string(draws) + " draws is not possible: set at least 1");
    }
    const std::vector<PricedItem> items = priced_items(rows);
    std::mt19937_64 engine(seed);
    std::vector<double> totals;
    std::vector<double> sums(items.size(), 0.0);
    std::vector<double> squares(items.size(), 0.0);
    for (int i = 0; i < draws; ++i) {
        double total = 0.0;
        for (std::size_t item = 0; item < items.size(); ++item) {
            const double joules = draw(items[item].total, uniform(engine));
            total += joules;
            sums[item] += joules;
            squares[item] += joules * joules;
        }
        totals.push_back(total);
    }
    EnergyDistribution result;
    result.seed = seed;
    result.draws = draws;
    double squared = 0.0;
    for (const double total : totals) {
        result.mean_j += total / draws;
    }
    for (const double total : totals) {
        squared += (total - result.mean_j) * (total - result.mean_j) / draws;
    }
    result.standard_deviation_j = std::sqrt(squared);
    std::sort(totals.begin(), totals.end());
    result.quantile_05_j = quantile(totals, 0.05);
    result.median_j = quantile(totals, 0.5);
    result.quantile_95_j = quantile(totals, 0.95);

    const double nominal = total_energy(rows).energy_j;
    double variances = 0.0;
    for (std::size_t item = 0; item < items.size(); ++item) {
        const EnergyTotal& own = items[item].total;
        const double spread = variance(sums[item], squares[item], draws);
        variances += spread;
        result.sensitivities.push_back({items[item].name, nominal - own.energy_j + own.energy_low_j,
                                        nominal - own.energy_j + own.energy_high_j, spread});
    }
    for (Sensitivity& one : result.sensitivities) {
        one.variance_share = variances > 0.0 ? one.variance_share / variances : 0.0;
    }
    std::stable_sort(
        result.sensitivities.begin(), result.sensitivities.end(),
        [](const Sensitivity& a, const Sensitivity& b) { return a.at_high_j - a.at_low_j > b.at_high_j - b.at_low_j; });
    return result;
}

}  // namespace imssa
