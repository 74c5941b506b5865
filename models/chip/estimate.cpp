#include "models/chip/estimate.h"

#include <algorithm>

#include "models/chip/estimate_units.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

void set_shape(QuantizedMatrix& matrix, int inputs, int outputs, int limit, int weight_limit, int output_limit) {
    matrix.codes.resize(inputs, outputs);  // never read
    matrix.output_limit.assign(1, static_cast<float>(output_limit));
    matrix.input_limit = limit;
    matrix.code_limit = weight_limit;
}

CompiledPrices::BitFactors compiled(const ResolutionLaw& law) {
    CompiledPrices::BitFactors factors;
    for (int bits = 0; bits <= ConverterBits::kMost; ++bits) {
        factors.factors[static_cast<std::size_t>(bits)] = law.factor(bits);
    }
    return factors;
}

CompiledPrices::ActionPrice compiled(const EnergyPrice& price) {
    return {{price.energy_low_j, price.energy_j, price.energy_high_j},
            {price.power_low_w, price.power_w, price.power_high_w},
            compiled(price.law()),
            price.operating_law()};
}

std::string unit_name(int layer, const char* group, const char* name) {
    std::string full = "chip.";
    if (layer >= 0) {
        full += "layer" + std::to_string(layer) + (group[0] == '_' ? "" : ".");
    }
    return full + group + name;
}

/// Builds the units and counts of a ledger.
class LedgerSink {
public:
    void begin(int layer, const char* group, const char* name, ComponentGroup digital) {
        units.push_back({unit_name(layer, group, name), digital, {}});
    }
    void resolution(const ConverterBits& adc_bits, const ConverterBits& dac_bits) {
        units.back().adc_bits = adc_bits;
        units.back().dac_bits = dac_bits;
    }
    void part(Component component, double count) { units.back().parts[component] += count; }
    void parts(const ComponentCounts& counts) {
        for (std::size_t index = 0; index < counts.counts.size(); ++index) {
            units.back().parts.counts[index] += counts.counts[index];
        }
    }
    void action(Action action, double count) { add({action, index(), count, 0.0, 0.0}); }
    void read(double count, const ReadEnergy& energy) {
        add({Action::array_read, index(), count, energy.device_j, energy.supply_j});
    }

    std::vector<CostUnit> units;
    std::vector<ActionEvent> events;

private:
    std::int32_t index() const { return static_cast<std::int32_t>(units.size()) - 1; }
    void add(const ActionEvent& event) {
        if (event.count > 0.0) {
            events.push_back(event);
        }
    }
};

/// Adds everything up.
class TotalSink {
public:
    TotalSink(const CompiledPrices& prices, const PricingConditions& conditions)
        : prices_(prices), conditions_(conditions) {}

    void begin(int layer, const char* group, const char* name, ComponentGroup /*digital*/) {
        adc_bits_ = dac_bits_ = {};
        if (prices_.has_unit_prices()) {
            unit_ = unit_name(layer, group, name);
        }
    }
    void resolution(const ConverterBits& adc_bits, const ConverterBits& dac_bits) {
        adc_bits_ = adc_bits;
        dac_bits_ = dac_bits;
    }
    void part(Component component, double count) {
        area_parts[component] += count;
        leakage_parts[component] += count;
    }
    void parts(const ComponentCounts& counts) {
        for (std::size_t index = 0; index < counts.counts.size(); ++index) {
            area_parts.counts[index] += counts.counts[index];
            leakage_parts.counts[index] += counts.counts[index];
        }
        if (adc_bits_.bits == 0 && dac_bits_.bits == 0) {
            return;
        }
        for (const Component part :
             {Component::dac, Component::transimpedance, Component::sample_hold, Component::adc}) {
            const std::size_t index = static_cast<std::size_t>(part);
            const ConverterBits bits = bits_of(part, adc_bits_, dac_bits_);
            area_parts[part] += counts[part] * (prices_.area_of_bits[index].widest(bits) - 1.0);
            leakage_parts[part] += counts[part] * (prices_.leakage_of_bits[index].widest(bits) - 1.0);
        }
    }
    void action(Action action, double count) {
        const CompiledPrices::ActionPrice& price = prices_.price(action, unit_);
        const CompiledPrices::Range joules = price.joules(conditions_);
        const double factor = price.of_bits.mean(bits_of(action, adc_bits_, dac_bits_));
        energy.energy_low_j += count * factor * joules.low;
        energy.energy_j += count * factor * joules.nominal;
        energy.energy_high_j += count * factor * joules.high;
    }
    void read(double /*count*/, const ReadEnergy& read) {
        energy.energy_low_j += read.device_j;
        energy.energy_j += read.supply_j;
        energy.energy_high_j += read.supply_j;
    }

    /// Parts of all units, in instances of the price's resolution.
    ComponentCounts area_parts, leakage_parts;
    EnergyTotal energy;

private:
    const CompiledPrices& prices_;
    PricingConditions conditions_;
    std::string unit_;
    ConverterBits adc_bits_, dac_bits_;
};

}  // namespace

DeployedNetwork shape_of(const ModelConfig& model, const DeploymentOptions& options, int steps) {
    DeployedNetwork network;
    network.model = model;
    network.options = options;
    network.steps = steps;
    const int activation_limit = code_limit(options.activation_bits);
    set_shape(network.encoder, model.channels, model.heads, code_limit(options.input_bits),
              code_limit(options.bits_of(options.encoder_bits)), activation_limit);
    set_shape(network.decoder, model.heads, model.classes, activation_limit,
              code_limit(options.bits_of(options.decoder_bits)), code_limit(options.logit_bits));
    network.layers.resize(static_cast<std::size_t>(model.layers));
    const KernelOptions& kernel = options.kernel;
    for (DeployedLayer& layer : network.layers) {
        layer.kernels.resize(1);
        DeployedKernel& one = layer.kernels.front();
        one.options = kernel;
        one.modes = model.modes();
        one.array_makes_state = kernel.mapping == KernelMapping::fused || kernel.input_matrix == InputMatrix::cells;
        one.array_replaces_state =
            kernel.mapping == KernelMapping::fused && kernel.representation == StateRepresentation::abar_cartesian;
        const int state_inputs = one.array_makes_state ? 1 : 0;
        set_shape(one.array, 2 * one.modes + state_inputs + (one.digital_feedthrough() ? 0 : 1),
                  one.output_column() + 1, std::max(code_limit(kernel.state_bits), activation_limit),
                  code_limit(kernel.weight_bits), activation_limit);
        set_shape(layer.mixing, model.heads, model.mixing_outputs(), activation_limit,
                  code_limit(options.bits_of(options.mixing_bits)), activation_limit);
        layer.unit.glu = model.glu;
        layer.unit.residual = model.residual;
        layer.unit.norm = model.norm;
    }
    return network;
}

std::int64_t closed_latency_cycles(const Pipeline& pipeline, int steps) {
    const std::vector<PipelineStage>& stages = pipeline.stages;
    const auto delayed = std::count_if(stages.begin(), stages.end(), [](const auto& stage) { return stage.delayed; });
    if (steps <= delayed) {  // too short for every delayed unit to find its operation where it costs most
        return sequence_latency_cycles(pipeline, steps);
    }
    // The input rate is the period of the first unit, whatever its latency.
    const auto period = [&](std::size_t stage) {
        return std::max(stages[stage].cycles, stage == 0 ? pipeline.input_interval : 0);
    };
    std::int64_t total = pipeline.classifier;
    std::size_t slowest = 0;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        total += stages[i].cycles;
        slowest = period(i) > period(slowest) ? i : slowest;
    }
    total += static_cast<std::int64_t>(steps - 1) * period(slowest);
    for (std::size_t i = 0; i < stages.size(); ++i) {
        if (!stages[i].delayed) {
            continue;
        }
        int cycles = stages[i].cycles;
        const std::size_t first = i < slowest ? 0 : i;
        const std::size_t last = i < slowest ? i : stages.size() - 1;
        for (std::size_t j = first; j <= last; ++j) {
            cycles = std::max(cycles, period(j));
        }
        total += cycles;
    }
    return total;
}

const CompiledPrices::ActionPrice& CompiledPrices::price(Action action, const std::string& unit) const {
    for (const UnitPrice& own : of_units_) {
        if (own.action == action && unit.size() >= own.unit.size() &&
            unit.compare(unit.size() - own.unit.size(), own.unit.size(), own.unit) == 0) {
            return own.price;
        }
    }
    return prices_[static_cast<std::size_t>(action)];
}

CompiledPrices::CompiledPrices(const CostTable& table) {
    for (const auto& [name, action] : enum_names(Action{})) {
        if (action != Action::array_read) {
            prices_[static_cast<std::size_t>(action)] = compiled(table.energy(action));
        }
    }
    for (const EnergyPrice& price : table.energies) {
        if (!price.unit.empty()) {
            of_units_.push_back({price.action, price.unit, compiled(price)});
        }
    }
    for (const auto& [name, component] : enum_names(Component{})) {
        const AreaPrice& area = table.area(component);
        const LeakagePrice& leakage = table.leakage(component);
        const std::size_t at = static_cast<std::size_t>(component);
        area_mm2[at] = {area.area_low_mm2, area.area_mm2, area.area_high_mm2};
        leakage_w[at] = {leakage.power_low_w, leakage.power_w, leakage.power_high_w};
        area_of_bits[at] = compiled(area.law());
        leakage_of_bits[at] = compiled(leakage.law());
    }
}

PricingConditions operating_conditions(const ChipConfig& config, int input_limit) {
    PricingConditions conditions;
    conditions.read_time_s = config.read.read_time_s(input_limit);
    conditions.settle_time_s = config.read.t_read_s;  // bit-serial inputs: of one pulse
    conditions.conversion_rate_hz = config.timing.clock_hz / config.timing.adc_cycles_per_conversion;
    return conditions;
}

EnergyLedger estimated_ledger(const DeployedNetwork& network, const ChipConfig& config,
                              const ActivityStatistics& activity, int sequences) {
    LedgerSink sink;
    const CellResponse response = cell_response(config.device);
    UnitWalk<LedgerSink>(network, config, activity, response, sink).walk();
    EnergyLedger ledger(sink.units);
    for (ActionEvent event : sink.events) {
        event.count *= sequences;
        event.array_device_j *= sequences;
        event.array_supply_j *= sequences;
        ledger.record(event);
    }
    return ledger;
}

DesignEstimate estimate_design(const ModelConfig& model, const DeploymentOptions& options, const ChipConfig& config,
                               int steps, const ActivityStatistics& activity, const CompiledPrices& prices) {
    return estimate_design(model, options, config, steps, activity, cell_response(config.device), prices);
}

DesignEstimate estimate_design(const ModelConfig& model, const DeploymentOptions& options, const ChipConfig& config,
                               int steps, const ActivityStatistics& activity, const CellResponse& response,
                               const CompiledPrices& prices) {
    const DeployedNetwork network = shape_of(model, options, steps);
    const Pipeline pipeline = pipeline_of(network, config);
    DesignEstimate estimate;
    estimate.step_cycles = steady_state_interval_cycles(pipeline);
    estimate.latency_cycles = closed_latency_cycles(pipeline, steps);
    estimate.interval_cycles = sequence_interval_cycles(pipeline, steps);
    const double interval_s = static_cast<double>(estimate.interval_cycles) / config.timing.clock_hz;
    estimate.latency_s = static_cast<double>(estimate.latency_cycles) / config.timing.clock_hz;
    estimate.throughput_sequences_per_s = 1.0 / interval_s;

    TotalSink sink(prices, operating_conditions(config, network.encoder.input_limit));
    UnitWalk<TotalSink>(network, config, activity, response, sink).walk();
    EnergyTotal& energy = estimate.sequence;
    energy = sink.energy;
    for (std::size_t component = 0; component < sink.area_parts.counts.size(); ++component) {
        const double count = sink.leakage_parts.counts[component];
        const CompiledPrices::Range& watt = prices.leakage_w[component];
        energy.energy_low_j += count * watt.low * interval_s;
        energy.energy_j += count * watt.nominal * interval_s;
        energy.energy_high_j += count * watt.high * interval_s;
        const CompiledPrices::Range& mm2 = prices.area_mm2[component];
        const double placed = sink.area_parts.counts[component];
        estimate.area.area_low_mm2 += placed * mm2.low;
        estimate.area.area_mm2 += placed * mm2.nominal;
        estimate.area.area_high_mm2 += placed * mm2.high;
    }
    return estimate;
}

}  // namespace imssa
