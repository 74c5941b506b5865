#include "scenarios/support/power_trace.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "models/chip/chip_system.h"
#include "models/chip/estimate.h"
#include "models/chip/timing_model.h"
#include "models/common/file_output.h"
#include "scenarios/support/si_text.h"
#include "scenarios/support/worker_pool.h"

namespace imssa {

namespace {

using Bins = std::vector<std::array<double, kGroupCount>>;

/// Adds up joules by bin of simulated time.
class PowerObserver final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    PowerObserver(const std::vector<CostUnit>& units, const CompiledPrices& prices, const PricingConditions& conditions,
                  double bin_s)
        : units_(units), prices_(prices), conditions_(conditions), bin_s_(bin_s) {}

    void write(const ActionEvent& event) override {
        const std::size_t bin = static_cast<std::size_t>(sc_core::sc_time_stamp().to_seconds() / bin_s_);
        if (joules_.size() <= bin) {
            joules_.resize(bin + 1, {});
        }
        const CostUnit& unit = units_[static_cast<std::size_t>(event.unit)];
        const double joules = event.action == Action::array_read ? event.array_supply_j : priced(event, unit);
        const ComponentGroup group = group_of(event.action, unit.digital);
        joules_[bin][static_cast<std::size_t>(group)] += joules;
    }
    const Bins& joules() const { return joules_; }

private:
    double priced(const ActionEvent& event, const CostUnit& unit) const {
        const CompiledPrices::ActionPrice& price = prices_.price(event.action, unit.name);
        const double factor = price.of_bits.mean(bits_of(event.action, unit.adc_bits, unit.dac_bits));
        return event.count * factor * price.joules(conditions_).nominal;
    }

    const std::vector<CostUnit>& units_;
    const CompiledPrices& prices_;
    PricingConditions conditions_;
    double bin_s_;
    Bins joules_;
};

double leakage_w(const std::vector<CostUnit>& units, const CompiledPrices& prices) {
    double watts = 0.0;
    for (const CostUnit& unit : units) {
        for (std::size_t part = 0; part < unit.parts.counts.size(); ++part) {
            const ConverterBits bits = bits_of(static_cast<Component>(part), unit.adc_bits, unit.dac_bits);
            watts +=
                unit.parts.counts[part] * prices.leakage_of_bits[part].widest(bits) * prices.leakage_w[part].nominal;
        }
    }
    return watts;
}

}  // namespace

double PowerTrace::total_w(std::size_t bin) const {
    double total = 0.0;
    for (const double watts : power_w[bin]) {
        total += watts;
    }
    return total;
}

double PowerTrace::leakage_j() const {
    double sum = 0.0;
    for (const std::array<double, kGroupCount>& bin : power_w) {
        sum += bin[static_cast<std::size_t>(ComponentGroup::leakage)];
    }
    return sum * bin_s;
}

double PowerTrace::actions_j() const {
    double sum = 0.0;
    for (std::size_t bin = 0; bin < power_w.size(); ++bin) {
        sum += total_w(bin);
    }
    return sum * bin_s - leakage_j();
}

PowerTrace trace_power(const RunSetup& setup, std::uint64_t seed, int sequence, int bin_cycles) {
    const int cycles =
        bin_cycles > 0 ? bin_cycles : steady_state_interval_cycles(pipeline_of(setup.network, setup.chip));
    PowerTrace trace;
    trace.bin_s = cycles / setup.chip.timing.clock_hz;
    const std::vector<std::string> results = run_in_processes(
        1, 1,
        [&](int /*job*/, const std::function<void(int)>& /*progress*/) {
            const CompiledPrices prices(load_cost_table(setup.cost_table));
            ChipSystem system(setup.network, setup.chip, seed);
            PowerObserver observer(system.chip().units(), prices,
                                   operating_conditions(setup.chip, setup.network.encoder.input_limit), trace.bin_s);
            system.chip().observe(observer);
            BatchInput batch;
            batch.values.push_back(setup.dataset.sequence(sequence));
            batch.sequence_ids.push_back(static_cast<std::uint64_t>(sequence));
            system.run({batch});
            nlohmann::json result = {{"joules", observer.joules()},
                                     {"leakage_w", leakage_w(system.chip().units(), prices)}};
            const std::vector<std::uint8_t> packed = nlohmann::json::to_cbor(result);
            return std::string(packed.begin(), packed.end());
        },
        [](int /*done*/) {});
    const nlohmann::json result = nlohmann::json::from_cbor(results.at(0));
    trace.power_w = result.at("joules").get<Bins>();
    for (std::array<double, kGroupCount>& bin : trace.power_w) {
        for (double& value : bin) {
            value /= trace.bin_s;
        }
        bin[static_cast<std::size_t>(ComponentGroup::leakage)] = result.at("leakage_w").get<double>();
    }
    return trace;
}

std::string power_csv(const PowerTrace& trace) {
    std::string text = "time_s";
    for (int group = 0; group < kGroupCount; ++group) {
        text += std::string(",") + to_string(static_cast<ComponentGroup>(group)) + "_w";
    }
    text += ",total_w\n";
    char number[40];
    for (std::size_t bin = 0; bin < trace.power_w.size(); ++bin) {
        std::snprintf(number, sizeof(number), "%.9g", static_cast<double>(bin) * trace.bin_s);
        text += number;
        for (const double watts : trace.power_w[bin]) {
            std::snprintf(number, sizeof(number), ",%.9g", watts);
            text += number;
        }
        std::snprintf(number, sizeof(number), ",%.9g\n", trace.total_w(bin));
        text += number;
    }
    return text;
}

std::string power_vcd(const PowerTrace& trace) {
    std::string text = "$timescale 1 ns $end\n$scope module power_w $end\n";
    for (int group = 0; group <= kGroupCount; ++group) {
        const char* name = group == kGroupCount ? "total" : to_string(static_cast<ComponentGroup>(group));
        text += std::string("$var real 64 ") + static_cast<char>('!' + group) + " " + name + " $end\n";
    }
    text += "$upscope $end\n$enddefinitions $end\n";
    char line[64];
    for (std::size_t bin = 0; bin <= trace.power_w.size(); ++bin) {
        std::snprintf(line, sizeof(line), "#%.0f\n", std::round(1e9 * static_cast<double>(bin) * trace.bin_s));
        text += line;
        for (int group = 0; group <= kGroupCount && bin < trace.power_w.size(); ++group) {
            const double watts =
                group == kGroupCount ? trace.total_w(bin) : trace.power_w[bin][static_cast<std::size_t>(group)];
            std::snprintf(line, sizeof(line), "r%.9g %c\n", watts, '!' + group);
            text += line;
        }
    }
    return text;
}

void print_power(const PowerTrace& trace, const std::vector<std::string>& files, int sequence, double interval_s,
                 std::FILE* out) {
    for (const std::string& file : files) {
        std::fprintf(out, "power over time         %s: %zu bins of %s, sequence %d alone on an empty chip\n",
                     file.c_str(), trace.power_w.size(), si(trace.bin_s, "s").c_str(), sequence);
    }
    const double actions_j = trace.actions_j();
    const double leakage_j = trace.leakage_j();
    std::fprintf(out, "                        bins add up to %.6g J = actions %.6g J + leakage %.6g J over %s;\n",
                 actions_j + leakage_j, actions_j, leakage_j, si(trace.seconds(), "s").c_str());
    std::fprintf(out, "                        the report takes leakage over %s, sequences streaming back to back\n",
                 si(interval_s, "s").c_str());
}

void write_power(const PowerTrace& trace, const std::string& path) {
    const bool waveform = path.size() > 4 && path.compare(path.size() - 4, 4, ".vcd") == 0;
    write_file_atomically(path, waveform ? power_vcd(trace) : power_csv(trace));
}

}  // namespace imssa
