#include "scenarios/support/baselines.h"

#include <algorithm>

#include "models/cost/technology.h"
#include "scenarios/support/si_text.h"
#include "scenarios/support/wrapped_text.h"

namespace imssa {

namespace {

Figure model_figure(const char* name, const CostTable& table, double bits, double capacity_byte) {
    ModelParameters parameters;
    parameters[Parameter::technology_nm] = table.technology_nm;
    parameters[Parameter::v_supply_volt] = table.v_supply_volt;
    parameters[Parameter::bits] = bits;
    parameters[Parameter::bits_b] = bits;
    parameters[Parameter::capacity_byte] = capacity_byte;
    return evaluate(find_component_model(name), parameters);
}

Figure sum(const Figure& a, const Figure& b) {
    return {a.low + b.low, a.nominal + b.nominal, a.high + b.high};
}

// STM32L4R5 in MLPerf Tiny v1.1: 5627.5 uJ for a keyword-spotting inference (read there); the network's 2.7 million
// multiply-accumulates are from memory.
constexpr double kMicrocontrollerMacJ = 5627.5e-6 / 2.7e6;

}  // namespace

DigitalCounts digital_counts(const ModelConfig& model, int steps, int register_bits) {
    const double heads = model.heads;
    const double kernels = heads * model.layers * steps;
    const double modes = model.modes();
    const double dense =
        heads * model.channels * steps + heads * model.mixing_outputs() * model.layers * steps + heads * model.classes;
    DigitalCounts counts;
    // A mode: four products of the register (wider than 8 bits) with Abar, two of the state with C; D once a head.
    const double per_kernel = modes * (4.0 * register_bits / 8.0 + 2.0) + 1.0;
    counts.multiply_8x8 = dense + kernels * per_kernel;
    counts.accumulations = dense + kernels * (6.0 * modes + 1.0);
    const double weights_per_kernel = 8.0 * (4.0 * modes + 1.0);  // A and C, complex, and D
    const double states_per_kernel = 2.0 * modes * register_bits;
    counts.sram_bits = 8.0 * dense + kernels * (weights_per_kernel + 2.0 * states_per_kernel);
    counts.memory_byte =
        heads * (model.channels + model.classes) +
        heads * model.layers * (model.mixing_outputs() + (weights_per_kernel + states_per_kernel) / 8.0);
    return counts;
}

std::vector<Baseline> digital_baselines(const ModelConfig& model, int steps, int register_bits,
                                        const CostTable& table) {
    const DigitalCounts counts = digital_counts(model, steps, register_bits);
    const double capacity = std::max(1024.0, counts.memory_byte);
    const Figure arithmetic = sum(times(model_figure("multiplier", table, 8.0, capacity), counts.multiply_8x8),
                                  times(model_figure("adder", table, 32.0, capacity), counts.accumulations));
    const Figure memory = times(model_figure("sram_bit", table, 8.0, capacity), counts.sram_bits);
    char how[480];
    std::snprintf(how, sizeof(how),
                  "%.4g 8x8-bit products and %.4g additions into 32 bits, %.4g bits of a %.0f-byte SRAM (every weight "
                  "read every step, states read and written); Horowitz scaled to %.4g nm%s; no clock tree, control, "
                  "activations, norms or leakage",
                  counts.multiply_8x8, counts.accumulations, counts.sram_bits, capacity, table.technology_nm,
                  extrapolation_note({table.technology_nm, table.v_supply_volt}));
    std::vector<Baseline> baselines;
    baselines.push_back({"int8 MAC array with SRAM", sum(arithmetic, memory), how});
    std::snprintf(how, sizeof(how),
                  "%.4g multiply-accumulates x %.3g nJ (STM32L4R5, MLPerf Tiny v1.1 keyword spotting: 5627.5 uJ, about "
                  "2.7 million multiply-accumulates [the network's number from memory: M]); a factor 3 either way",
                  counts.accumulations, 1e9 * kMicrocontrollerMacJ);
    baselines.push_back(
        {"microcontroller (Cortex-M4)", within_factor(kMicrocontrollerMacJ * counts.accumulations, 3.0), how});
    return baselines;
}

const std::vector<ReferenceSystem>& reference_systems() {
    static const std::vector<ReferenceSystem> kSystems = {
        {"Loihi 2, S4D", "1000x less energy than recurrent S4D on a Jetson Orin Nano, 75x lower latency",
         "same task and token-by-token mode; a ratio only, absolute figures are not published in the abstract", "R"},
        {"DeltaKWS, 65 nm", "36 nJ a decision, 90.5 %",
         "silicon, whole chip; 11 keywords from features, another network and far fewer steps", "R"},
        {"Xylo Audio 2", "6.6 uJ an inference, 95 %", "silicon; spiking network, one keyword, includes idle power",
         "R"},
        {"MAX78000", "251 uJ an inference", "silicon; convolutional keyword spotting, whole system", "S"},
        {"STM32L4R5", "5627.5 uJ an inference", "silicon; convolutional keyword spotting, whole microcontroller", "R"},
        {"CIM-SSM, 65 nm", "34 mW estimated, converters 43.7 %",
         "state-space model on memristor arrays; an estimate, other task and rate", "S"},
    };
    return kSystems;
}

nlohmann::ordered_json baselines_json(const std::vector<Baseline>& baselines) {
    nlohmann::ordered_json json;
    for (const Baseline& baseline : baselines) {
        json["computed"].push_back({{"name", baseline.name},
                                    {"sequence_j", baseline.sequence_j.nominal},
                                    {"low_j", baseline.sequence_j.low},
                                    {"high_j", baseline.sequence_j.high},
                                    {"how", baseline.how}});
    }
    for (const ReferenceSystem& system : reference_systems()) {
        json["published"].push_back({{"name", system.name},
                                     {"figure", system.figure},
                                     {"comparable", system.comparable},
                                     {"status", system.status}});
    }
    return json;
}

void print_baselines(const std::vector<Baseline>& baselines, double chip_sequence_j, std::FILE* out) {
    std::fprintf(out, "\nthe same inference elsewhere, by operation counts (energy of a sequence)\n");
    for (const Baseline& baseline : baselines) {
        std::fprintf(out, "  %-28s %10s  (%s to %s)  %.3g x this chip\n", baseline.name.c_str(),
                     si(baseline.sequence_j.nominal, "J").c_str(), si(baseline.sequence_j.low, "J").c_str(),
                     si(baseline.sequence_j.high, "J").c_str(), baseline.sequence_j.nominal / chip_sequence_j);
        print_wrapped(out, "    " + baseline.how, 4);
    }
    std::fprintf(out, "published systems, for orientation only\n");
    for (const ReferenceSystem& system : reference_systems()) {
        char name[40];
        std::snprintf(name, sizeof(name), "  %-28s ", system.name);
        print_wrapped(out, std::string(name) + system.figure + " [" + system.status + "]: " + system.comparable, 31);
    }
}

}  // namespace imssa
