// Scaling laws, prices and limits of the estimate without simulation.
#include "models/chip/estimate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/models/chip/estimate_design.h"
#include "tests/models/chip/hand_worked.h"
#include "tests/models/cost/small_table.h"

namespace imssa::testing {
namespace {

TEST(Estimate, ScalingLawsHold) {
    Design design;
    design.model.heads = 16;
    design.steps = 100;
    const DesignEstimate base = estimate(design);
    Design other = design;
    other.steps = 200;
    EXPECT_NEAR(estimate(other).sequence.energy_j / base.sequence.energy_j, 2.0, 0.02);
    other = design;
    other.model.heads = 32;
    EXPECT_GT(estimate(other).sequence.energy_j, 1.9 * base.sequence.energy_j);
    EXPECT_GT(estimate(other).area.area_mm2, 1.9 * base.area.area_mm2);
    other = design;
    other.chip.timing.columns_per_adc =
        4;  // half the sharing: twice the converters, fewer rounds, the same conversions
    EXPECT_GT(estimate(other).area.area_mm2, base.area.area_mm2);
    EXPECT_LT(estimate(other).latency_cycles, base.latency_cycles);
    other = design;
    other.chip.timing.clock_hz *= 2.0;
    EXPECT_LT(estimate(other).latency_s, base.latency_s);
    other = design;
    other.chip.read.t_read_s *= 2.0;
    EXPECT_GT(estimate(other).sequence.energy_j, base.sequence.energy_j);
    other = design;
    other.options.kernel.register_bits = 17;
    EXPECT_GT(estimate(other).sequence.energy_j, base.sequence.energy_j);
}

TEST(Estimate, EnergiesOfPartsFollowTheirScalingLaws) {
    Design design;
    design.model.heads = 16;
    design.steps = 100;
    const auto ledger = [](const Design& one) {
        return estimated_ledger(shape_of(one.model, one.options, one.steps), one.chip, {}, 1);
    };
    const auto count = [](const EnergyLedger& of, Action action) {
        double sum = 0.0;
        for (std::size_t unit = 0; unit < of.units().size(); ++unit) {
            sum += of.count(static_cast<std::int32_t>(unit), action);
        }
        return sum;
    };
    const auto joules = [](const EnergyLedger& of, bool supply) {
        double sum = 0.0;
        for (std::size_t unit = 0; unit < of.units().size(); ++unit) {
            const std::int32_t index = static_cast<std::int32_t>(unit);
            sum += supply ? of.array_supply_j(index) : of.array_device_j(index);
        }
        return sum;
    };
    const EnergyLedger base = ledger(design);
    Design other = design;
    other.chip.read.v_read_volt *= 2.0;  // twice the current from the same supply; four times the heat in cells
    EXPECT_NEAR(joules(ledger(other), true) / joules(base, true), 2.0, 1e-12);
    EXPECT_NEAR(joules(ledger(other), false) / joules(base, false), 4.0, 1e-12);
    other = design;
    other.chip.device.g_max_siemens *= 2.0;
    EXPECT_NEAR(joules(ledger(other), true) / joules(base, true), 2.0, 1e-12);
    other = design;
    other.chip.mapping.weight_slices = 2;  // two columns a weight
    EXPECT_DOUBLE_EQ(count(ledger(other), Action::adc_conversion), 2.0 * count(base, Action::adc_conversion));
    EXPECT_DOUBLE_EQ(count(ledger(other), Action::dac_conversion), count(base, Action::dac_conversion));
    other = design;
    other.chip.mapping.tile_columns *= 2;
    double cells = 0.0;
    double before = 0.0;
    const EnergyLedger wide = ledger(other);
    for (const CostUnit& unit : wide.units()) {
        cells += unit.parts[Component::cell];
    }
    for (const CostUnit& unit : base.units()) {
        before += unit.parts[Component::cell];
    }
    EXPECT_DOUBLE_EQ(cells, 2.0 * before) << "tiles are there whether used or not";
    other = design;
    other.options.activation_bits = 9;  // one more bit in every code between units
    EXPECT_DOUBLE_EQ(count(ledger(other), Action::network_bit), 9.0 / 8.0 * count(base, Action::network_bit));
    other = design;
    other.model.layers = 2 * design.model.layers;
    const auto kernels_only = [&](const EnergyLedger& of) { return count(of, Action::register_bit_read); };
    EXPECT_GT(kernels_only(ledger(other)), 1.9 * kernels_only(base));
}

TEST(Estimate, FasterDesignsPayTheSameInTheScreenAndInTheLedger) {
    CostTable table = testing_support::small_table();
    for (EnergyPrice& price : table.energies) {
        price.settle_s = price.power_w > 0.0 ? 10e-9 : 0.0;
        price.rate_hz = price.action == Action::adc_conversion ? 1e8 : 0.0;
    }
    const CompiledPrices prices(table);
    double before = 0.0;
    for (const double faster : {1.0, 2.0, 10.0, 100.0}) {
        Design design;
        design.chip.read.t_read_s = 10e-9 / faster;
        design.chip.timing.adc_cycles_per_conversion = 2;
        design.chip.timing.clock_hz = 200e6 * faster;
        const DesignEstimate screened =
            estimate_design(design.model, design.options, design.chip, design.steps, {}, prices);
        const DeployedNetwork network = shape_of(design.model, design.options, design.steps);
        PricingConditions conditions = operating_conditions(design.chip, network.encoder.input_limit);
        conditions.duration_s = static_cast<double>(screened.interval_cycles) / design.chip.timing.clock_hz;
        double converters = 0.0;
        double amplifiers = 0.0;
        EnergyTotal total;
        for (const EnergyRow& row : estimated_ledger(network, design.chip, {}, 1).price(table, conditions)) {
            total.energy_j += row.energy_j;
            total.energy_low_j += row.energy_low_j;
            converters += row.item == "adc_conversion" ? row.energy_j : 0.0;
            amplifiers += row.item == "transimpedance" ? row.energy_j / row.count : 0.0;
            const bool marked = row.source.find("extrapolated") != std::string::npos;
            const bool limited = row.item == "adc_conversion" || row.item == "transimpedance";
            EXPECT_EQ(marked, limited && faster > 1.0) << row.item << " x " << faster;
        }
        EXPECT_NEAR(screened.sequence.energy_j / total.energy_j, 1.0, 1e-9) << faster;
        EXPECT_NEAR(screened.sequence.energy_low_j / total.energy_low_j, 1.0, 1e-9) << faster;
        EXPECT_GT(converters, before) << faster;
        EXPECT_GT(amplifiers, 0.4e-12) << faster;
        before = converters;
    }
}

TEST(Estimate, AUnitMayHaveAPriceOfItsOwn) {
    Design design;
    CostTable table = testing_support::small_table();
    EnergyPrice own = table.energy(Action::buffer_bit);
    own.unit = "pooling_input";
    own.energy_low_j = own.energy_j = own.energy_high_j = 1e-15;
    table.energies.push_back(own);
    EXPECT_NO_THROW(table.validate());
    const EnergyLedger ledger =
        estimated_ledger(shape_of(design.model, design.options, design.steps), design.chip, {}, 1);
    const PricingConditions conditions{design.chip.read.t_read_s, 0.0};
    int rows = 0;
    for (const EnergyRow& row : ledger.price(table, conditions)) {
        if (row.item == "buffer_bit") {
            const bool pooled = row.unit == "chip.pooling_input";
            EXPECT_DOUBLE_EQ(row.unit_cost_j, pooled ? 1e-15 : table.energy(Action::buffer_bit).energy_j) << row.unit;
            rows += pooled ? 1 : 0;
        }
    }
    EXPECT_EQ(rows, 1);
    // The figures for screening use the same price.
    const auto energy = [&design](const CostTable& prices) {
        return estimate_design(design.model, design.options, design.chip, design.steps, {}, CompiledPrices(prices))
            .sequence.energy_j;
    };
    double before = 0.0;
    double after = 0.0;
    for (const EnergyRow& row : ledger.price(testing_support::small_table(), conditions)) {
        before += row.energy_j;
    }
    for (const EnergyRow& row : ledger.price(table, conditions)) {
        after += row.energy_j;
    }
    EXPECT_NEAR(energy(testing_support::small_table()) - energy(table), before - after, 1e-9 * before);
    EXPECT_GT(before, after);
    table.energies.push_back(own);
    EXPECT_THROW(table.validate(), UserError);
}

TEST(Estimate, OneStepMillionStepsAndZeroActivityAreSane) {
    Design design;
    for (const int steps : {1, 1000000}) {
        design.steps = steps;
        const DesignEstimate one = estimate(design);
        EXPECT_GT(one.latency_cycles, 0);
        EXPECT_GT(one.sequence.energy_low_j, 0.0);
        EXPECT_LT(one.sequence.energy_low_j, one.sequence.energy_j);
        EXPECT_TRUE(std::isfinite(one.sequence.energy_high_j));
    }
    ActivityStatistics still;
    for (ArrayActivity* activity : {&still.encoder, &still.kernel_digital.array, &still.mixing, &still.classifier}) {
        *activity = {};
    }
    design.steps = 100;
    const CompiledPrices prices(testing_support::small_table());
    const DesignEstimate idle = estimate_design(design.model, design.options, design.chip, design.steps, still, prices);
    EXPECT_GT(idle.sequence.energy_j, 0.0);
    EXPECT_LT(idle.sequence.energy_j, estimate(design).sequence.energy_j);
}

TEST(Estimate, ReadsOfAbarInCellsGoFromExactToProgrammedWithTheSpreadOfTheCells) {
    DeployedKernel kernel;
    kernel.options = fused(OutputForm::delayed);
    kernel.array_replaces_state = true;
    ActivityStatistics activity;
    EXPECT_DOUBLE_EQ(activity.of(kernel, 0.0).array.supply, activity.kernel_fused_exact.array.supply);
    EXPECT_DOUBLE_EQ(activity.of(kernel, 0.5 * ActivityStatistics::kFusedSpread).array.device,
                     0.5 * (activity.kernel_fused_exact.array.device + activity.kernel_fused.array.device));
    EXPECT_DOUBLE_EQ(activity.of(kernel, 1.0).array.drive, activity.kernel_fused.array.drive);
    const KernelActivity measured{{0.01, 0.004, 0.2, 0.08}, 0.2};
    activity.set(kernel, measured);
    EXPECT_DOUBLE_EQ(activity.of(kernel, 0.01).array.supply, 0.01) << "whatever the spread";
    kernel.array_replaces_state = false;
    EXPECT_DOUBLE_EQ(activity.of(kernel, 0.01).array.supply, activity.kernel_increments.array.supply);
    DeviceConfig device;
    EXPECT_EQ(cell_response(device).spread, 0.0);
    device.programming_sigma_siemens = 3e-6;  // of 150 uS
    EXPECT_NEAR(cell_response(device).spread, 0.02, 0.001);
}

TEST(Estimate, TheDirectTermCostsTheWidthOfItsFactor) {
    Design design;
    design.model.heads = 4;
    design.steps = 10;
    const auto ledger = [&design] {
        return estimated_ledger(shape_of(design.model, design.options, design.steps), design.chip, {}, 1);
    };
    const auto output = [](const EnergyLedger& of) {
        for (std::size_t unit = 0; unit < of.units().size(); ++unit) {
            if (of.units()[unit].name.find(".output") != std::string::npos) {
                return std::pair(of.count(static_cast<std::int32_t>(unit), Action::digital_multiply),
                                 of.units()[unit].parts[Component::multiplier]);
            }
        }
        return std::pair(0.0, 0.0);
    };
    const double updates = 4.0 * 10.0;
    EXPECT_EQ(output(ledger()), std::pair(updates * 3.0, 12.0)) << "float32: 24 bits";
    design.options.kernel.d_bits = 8;
    EXPECT_EQ(output(ledger()), std::pair(updates, 4.0));
    design.options.kernel.d_bits = 12;
    EXPECT_EQ(output(ledger()), std::pair(updates * 1.5, 6.0));
}

TEST(Estimate, AKernelThatDoesNotFitIsRefused) {
    Design design;
    design.model.states = 64;
    design.options.kernel = fused(OutputForm::delayed);
    EXPECT_THROW(estimate(design), UserError);
    design.chip.mapping.split_heads = true;
    EXPECT_GT(estimate(design).area.area_mm2, 0.0);
}

TEST(Estimate, MeanReadOfEqualWeightsAndInputsIsTheProductByHand) {
    ChipConfig config;  // 150 uS window, 0.2 V, 20 ns, 0.9 V, four cells a weight
    ReadShape shape;
    shape.positions = shape.matrix_positions = 6.0;
    // Inputs at half scale, weights at a fifth: one of two signs conducts.
    const ArrayActivity activity{0.5 * 0.5 * 0.2, 0.5 * 0.25 * 0.2, 0.5, 0.25};
    const double cell_siemens_s = 150e-6 * 20e-9;
    const ReadEnergy ideal = mean_read(shape, activity, cell_response(config.device), config);
    EXPECT_NEAR(ideal.supply_j, 24 * cell_siemens_s * 0.9 * 0.2 * 0.05, 1e-22);
    EXPECT_NEAR(ideal.device_j, 24 * cell_siemens_s * 0.2 * 0.2 * 0.025, 1e-22);
    config.device.g_min_siemens = 15e-6;  // every cell conducts a tenth, and the window is a tenth smaller
    const ReadEnergy leaky = mean_read(shape, activity, cell_response(config.device), config);
    EXPECT_NEAR(leaky.supply_j, 24 * cell_siemens_s * 0.9 * 0.2 * (0.1 * 0.5 + 0.9 * 0.05), 1e-22);
    config.device.g_min_siemens = 0.0;
    config.device.programming_sigma_siemens = 1.5e-6;  // zeros cannot go below zero: on average sigma / sqrt(2 pi)
    EXPECT_NEAR(cell_response(config.device).at_zero, 0.01 / std::sqrt(2.0 * 3.14159265), 3e-4);
    EXPECT_NEAR(cell_response(config.device).slope, 1.0, 0.01);
}

}  // namespace
}  // namespace imssa::testing
