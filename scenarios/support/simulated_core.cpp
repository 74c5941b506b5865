#include "scenarios/support/simulated_core.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "models/chip/chip_system.h"
#include "models/cost/ledger.h"
#include "trainer/initialize.h"

namespace imssa {

namespace {

/// One operation of a core with bit-serial inputs: pulses of the magnitude's bits, integrated 1, 2, 4, ... times by
/// each column, in two phases when there are more than three; a search of one step an output bit ends each phase.
struct Operation {
    Operation(int output_bits, int input_bits) : pulses(std::max(input_bits - 1, 1)) {
        const int first = pulses <= 3 ? pulses : (pulses + 1) / 2;
        int done = 0;
        for (const int part : {first, pulses - first}) {
            if (part > 0) {
                ++phases;
                integrations += (1 << part) - 1;
                steps += output_bits - done;
                done += part;
            }
        }
    }
    int pulses, phases = 0, integrations = 0, steps = 0;
};

ChipConfig core(const CoreSimulation& simulation, const Operation& operation) {
    ChipConfig config;
    config.mapping.tile_rows = 2 * simulation.inputs;
    config.mapping.tile_columns = 2 * simulation.outputs;
    config.mapping.kernel_output = config.mapping.mixing_matrix = MatrixPlace::digital;  // only the encoder matters
    config.read.t_read_s = simulation.integration_s * operation.integrations;
    config.timing.clock_hz = simulation.clock_hz;
    config.timing.columns_per_adc = 1;
    config.timing.adc_cycles_per_conversion =
        static_cast<int>(std::lround(simulation.step_s * (operation.steps + operation.phases) * simulation.clock_hz));
    return config;
}

/// A network whose encoder fills the core.
DeployedNetwork network_of(const CoreSimulation& simulation) {
    ModelConfig model;
    model.channels = simulation.inputs;
    model.heads = simulation.outputs;
    model.layers = 1;
    model.states = 2;
    model.classes = 2;
    CalibrationRanges ranges = zero_ranges(model);
    for_each_range(ranges, [](const std::string&, float* data, auto size) { std::fill_n(data, size, 3.0F); });
    return deploy(model, initialize_parameters(model, 1), ranges, DeploymentOptions{}, 1);
}

/// Actions of the macro's component in one action of the simulated chip. An input has two wordlines, an output two
/// columns that share one integrator.
double repeats(Action action, const Operation& operation) {
    constexpr double kSearchStepsOfConversion = 8.0;
    switch (action) {
        case Action::dac_conversion:
            return 2.0 * operation.pulses;
        case Action::sample_hold:
            return 0.5 * operation.pulses;
        case Action::transimpedance:
            return 0.5 * operation.integrations;
        case Action::adc_conversion:
            return operation.steps / kSearchStepsOfConversion;
        case Action::register_bit_write:  // written and shifted at every step
            return 2.0 * operation.steps;
        default:
            throw UserError("a simulated core has no component with the action " + std::string(to_string(action)));
    }
}

Action action_of(const MacroComponent& component) {
    for (const auto& [name, action] : enum_names(Action{})) {
        if (component.action == name) {
            return action;
        }
    }
    throw UserError("component " + component.name + ": a simulated core needs its action");
}

/// Prices of the chip's actions: the macro's components, as often as the operation asks. Result bits go with the
/// conversion, since no unit of the encoder publishes them.
CostTable prices(const Macro& macro, const MacroPoint& point, const Operation& operation, bool calibrated) {
    CostTable table;
    MacroPoint once = point;
    std::fill(once.counts.begin(), once.counts.end(), 1.0);
    const std::vector<Figure> unit_j = estimate_point(macro, once, calibrated).components_j;
    for (std::size_t index = 0; index < macro.components.size(); ++index) {
        const Action made = action_of(macro.components[index]);
        const Figure figure = times(unit_j[index], repeats(made, operation));
        const Action action = made == Action::register_bit_write ? Action::adc_conversion : made;
        auto at = std::find_if(table.energies.begin(), table.energies.end(),
                               [action](const EnergyPrice& price) { return price.action == action; });
        if (at == table.energies.end()) {
            EnergyPrice price;
            price.action = action;
            price.provenance = {macro.source, "D", calibrated};
            at = table.energies.insert(table.energies.end(), price);
        }
        at->energy_low_j += figure.low;
        at->energy_j += figure.nominal;
        at->energy_high_j += figure.high;
    }
    return table;
}

/// Takes what the converters of the encoder's array do. The cells' own current is not part of the description, and its
/// drivers have their lines in them.
class CoreObserver final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    explicit CoreObserver(const std::vector<CostUnit>& units) : ledger_(units) {}
    void write(const ActionEvent& event) override {
        const std::string& unit = ledger_.units()[static_cast<std::size_t>(event.unit)].name;
        const bool encoder = unit.size() > 8 && unit.compare(unit.size() - 8, 8, ".encoder") == 0;
        if (encoder && event.action == Action::control_cycle) {
            cycles_ += event.count;
        } else if (unit.find(".encoder.array.") != std::string::npos && event.action != Action::array_read &&
                   event.action != Action::row_line_cell) {
            ledger_.record(event);
        }
    }
    double cycles() const { return cycles_; }
    Figure energy(const CostTable& table) const {
        const EnergyTotal total = total_energy(ledger_.price(table, {}));
        return {total.energy_low_j, total.energy_j, total.energy_high_j};
    }

private:
    EnergyLedger ledger_;
    double cycles_ = 0.0;
};

}  // namespace

std::vector<SimulatedPoint> simulate_points(const Macro& macro) {
    const CoreSimulation& simulation = macro.simulation;
    const DeployedNetwork network = network_of(simulation);
    std::vector<Operation> operations;
    std::vector<std::unique_ptr<ChipSystem>> systems;  // all are built before the first runs
    std::vector<std::unique_ptr<CoreObserver>> observers;
    for (std::size_t index = 0; index < macro.points.size(); ++index) {
        operations.emplace_back(simulation.output_bits[index], simulation.input_bits[index]);
        systems.push_back(std::make_unique<ChipSystem>(network, core(simulation, operations.back()), 1,
                                                       (macro.name + std::to_string(index)).c_str()));
        observers.push_back(std::make_unique<CoreObserver>(systems.back()->chip().units()));
        systems.back()->chip().observe(*observers.back());
    }
    const std::vector<float> inputs(static_cast<std::size_t>(simulation.inputs), 0.5F);
    std::vector<SimulatedPoint> results;
    for (std::size_t index = 0; index < macro.points.size(); ++index) {
        BatchInput batch;
        batch.values.push_back(inputs.data());
        batch.sequence_ids.push_back(0);
        systems[index]->run({batch});
        const auto energy = [&](bool calibrated) {
            return observers[index]->energy(prices(macro, macro.points[index], operations[index], calibrated));
        };
        results.push_back({energy(false), energy(true), observers[index]->cycles() / simulation.clock_hz});
    }
    return results;
}

}  // namespace imssa
