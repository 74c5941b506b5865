// Estimates without simulation beside simulated chips, and power over time.
#include <utility>
#include <vector>

#include "tests/scenarios/command_line.h"

namespace imssa::testing {
namespace {

TEST_F(CommandLine, EstimateHasTheLatencyAndAreaOfTheSimulationAndItsEnergyWithinThreePercent) {
    for (const char* chip : {"imssa_28nm.toml", "imssa_28nm_fused.toml"}) {
        const auto result = [chip](const std::string& options) {
            const fs::path file = shared_folder / "estimate.json";
            const CommandResult done =
                run(binary("infer") + " --checkpoint " + source("scenarios/checkpoints/glyphs_small_8bit.h5") +
                    " --chip " + source(std::string("scenarios/chips/") + chip) +
                    " --sequences 32 --threads 1 --quiet " + options + " --json " + file.string());
            EXPECT_EQ(done.status, 0) << done.output;
            return nlohmann::json::parse(read_file(file));
        };
        const std::string activity = (shared_folder / "activity.toml").string();
        const nlohmann::json simulated = result("--no-compare --write-activity " + activity);
        const nlohmann::json estimate = result("--engine estimate");
        const nlohmann::json informed = result("--engine estimate --activity " + activity);
        const std::string statistics = read_file(activity);
        EXPECT_NE(statistics.find("drives and shares are defaults"), std::string::npos) << statistics;
        EXPECT_NE(statistics.find("# measured: supply, device; defaults: drive, drive_square\n[encoder]"),
                  std::string::npos)
            << statistics;
        EXPECT_NE(statistics.find("# measured: nothing; defaults: supply, device, drive, drive_square\n"
                                  "[kernel_increments]"),
                  std::string::npos)
            << statistics;
        EXPECT_EQ(estimate.at("engine"), "estimate");
        EXPECT_FALSE(estimate.contains("accuracy"));
        EXPECT_EQ(estimate.at("latency_s"), simulated.at("latency_s"));
        EXPECT_EQ(estimate.at("throughput_sequences_per_s"), simulated.at("throughput_sequences_per_s"));
        EXPECT_EQ(estimate.at("area_mm2"), simulated.at("area_mm2"));
        const double energy = simulated.at("energy_j").at("sequence");
        EXPECT_NEAR(estimate.at("energy_j").at("sequence").get<double>(), energy, 0.03 * energy) << chip;
        EXPECT_NEAR(informed.at("energy_j").at("sequence").get<double>(), energy, 1e-4 * energy) << chip;
        const nlohmann::json& draws = estimate.at("energy_j").at("monte_carlo");
        EXPECT_LT(draws.at("quantile_05_j"), draws.at("median_j"));
        EXPECT_LT(draws.at("median_j"), draws.at("quantile_95_j"));
        EXPECT_EQ(estimate.at("baselines").at("computed").size(), 2U);
    }
    expect_user_error(infer("ideal.toml", "--activity nowhere.toml"), "--activity needs --engine estimate");
    expect_user_error(infer("ideal.toml", "--engine estimate --activity nowhere.toml"), "nowhere.toml");
}

TEST_F(CommandLine, FasterThanThePricesHoldIsWarnedOfInReportAndResult) {
    const fs::path file = shared_folder / "fast.json";
    const std::string design = binary("infer") + " --engine estimate --checkpoint " +
                               source("scenarios/checkpoints/glyphs_small_8bit.h5") + " --chip " +
                               source("scenarios/chips/imssa_28nm.toml") + " --json " + file.string();
    const auto warnings = [&](const std::string& change) {
        const CommandResult made = run(design + change);
        EXPECT_EQ(made.status, 0) << made.output;
        const nlohmann::json energy = nlohmann::json::parse(read_file(file)).at("energy_j");
        EXPECT_EQ(made.output.find("warning: price of") != std::string::npos, !energy.at("warnings").empty());
        return energy.at("warnings").get<std::vector<std::string>>();
    };
    EXPECT_TRUE(warnings("").empty());
    const std::vector<std::string> converters = warnings(" --set timing.clock_hz=2e9");
    ASSERT_EQ(converters.size(), 1U);
    EXPECT_EQ(converters[0],
              "price of adc_conversion extrapolated: 1e+09 conversions/s, price holds to 1e+08: "
              "x 1.883, adc_survey_sar; areas and leakage are not extrapolated");
    const std::vector<std::string> amplifiers = warnings(" --set read.t_read_s=1e-9");
    ASSERT_EQ(amplifiers.size(), 1U);
    EXPECT_EQ(amplifiers[0].rfind("price of transimpedance extrapolated: 1e-09 s to settle", 0), 0U) << amplifiers[0];
}

TEST_F(CommandLine, ConvertersOfTheSramChipRunAtTheRateOfTheirSourceOrAreMarked) {
    const auto of = [](const std::string& change) {
        const fs::path file = shared_folder / "sram.json";
        const CommandResult made = run(binary("infer") + " --engine estimate --quiet --checkpoint " +
                                       source("scenarios/checkpoints/glyphs_small_8bit.h5") + " --chip " +
                                       source("scenarios/chips/sram_65nm.toml") + change + " --json " + file.string());
        EXPECT_EQ(made.status, 0) << made.output;
        return nlohmann::json::parse(read_file(file)).at("energy_j");
    };
    const nlohmann::json published = of("");
    EXPECT_TRUE(published.at("warnings").empty()) << published.at("warnings");
    const nlohmann::json fast = of(" --set timing.adc_cycles_per_conversion=2");
    ASSERT_EQ(fast.at("warnings").size(), 1U);
    EXPECT_NE(fast.at("warnings")[0].get<std::string>().find("5e+07 conversions/s, price holds to 1.852e+06: x 2.474"),
              std::string::npos);
    EXPECT_NEAR(fast.at("by_component").at("adc").get<double>(),
                2.474 * published.at("by_component").at("adc").get<double>(),
                1e-3 * fast.at("by_component").at("adc").get<double>());
}

// The simulation's units come from other processes: their resolution must come along.
TEST_F(CommandLine, EstimateOfSixBitCodesHasTheUnitCostsAndSourcesOfTheSimulation) {
    const std::string six_bits =
        "--set kernel.state_bits=6 --set calibration.poles='\"none\"' --sequences 2 --threads 1 --no-compare";
    const std::string activity = (shared_folder / "six_bits.toml").string();
    const nlohmann::json simulated = infer_json("imssa_28nm_fused.toml", six_bits + " --write-activity " + activity);
    const nlohmann::json estimate =
        infer_json("imssa_28nm_fused.toml", six_bits + " --engine estimate --activity " + activity);
    const nlohmann::json eight = infer_json("imssa_28nm_fused.toml", "--engine estimate");
    EXPECT_EQ(simulated.at("area_mm2"), estimate.at("area_mm2"));
    const nlohmann::json& rows = simulated.at("energy_j").at("rows");
    const nlohmann::json& estimated = estimate.at("energy_j").at("rows");
    ASSERT_EQ(rows.size(), estimated.size());
    int six = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string what =
            rows[row].at("unit").get<std::string>() + " " + rows[row].at("item").get<std::string>();
        EXPECT_EQ(rows[row].at("source"), estimated[row].at("source")) << what;
        if (rows[row].at("item") != "array_read") {
            const char* key = rows[row].at("component") == "leakage" ? "unit_power_w" : "unit_cost_j";
            EXPECT_EQ(rows[row].at(key), estimated[row].at(key)) << what;
        }
        six += rows[row].at("source").get<std::string>().find("-bit price x 0.") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(six, 2 * 4) << "DAC, amplifier, sample and ADC of two layers";
    const double energy = simulated.at("energy_j").at("sequence");
    EXPECT_NEAR(estimate.at("energy_j").at("sequence").get<double>(), energy, 1e-4 * energy);
    const auto adc_j = [](const nlohmann::json& of) {
        return of.at("energy_j").at("by_component").at("adc").get<double>();
    };
    EXPECT_LT(adc_j(estimate), 0.6 * adc_j(eight));
}

TEST_F(CommandLine, EstimateOfEveryChipAndMappingIsWithinThreePercentOfTheSimulation) {
    const std::string fused = kFused;
    const std::string increments = fused + " --set kernel.form=immediate";
    const std::pair<const char*, std::string> designs[] = {
        {"imssa_28nm_delta.toml", ""},
        {"imssa_28nm_delta.toml", " --set mapping.kernel_input=digital"},
        {"ideal.toml", fused + " --set kernel.form=delayed --set kernel.representation=abar_cartesian --set "
                               "kernel.registers=replace --set kernel.rounding=dithered"},
        {"imssa_28nm_fused.toml", " --set device.programming_sigma_siemens=1.5e-6"},
        {"imssa_180nm.toml", ""},
        {"pcm_14nm.toml", ""},
        {"sram_65nm.toml", ""},
        {"sram_22nm.toml", ""},
        {"ideal.toml",
         " --set kernel.form=immediate --set kernel.input_matrix=cells --set mapping.weight_slices=2 "
         "--set mapping.tile_columns=128"},
        {"ideal.toml",
         " --set kernel.form=immediate --set kernel.input_matrix=cells --set mapping.kernel_input="
         "digital --set timing.double_buffering=true --set mapping.packing=row_gated"},
        {"ideal.toml", increments + " --set mapping.packing=diagonal --set mapping.cells_per_weight=2"},
        {"ideal.toml", increments + " --set mapping.tile_rows=18 --set mapping.split_heads=true --set "
                                    "timing.input_interval_cycles=90"},
        {"ideal.toml", increments + " --set mapping.packing=row_gated --set timing.kernel_sites=2 --set "
                                    "calibration.poles=stability --set calibration.reads_per_mode=16"},
    };
    for (const auto& [chip, options] : designs) {
        SCOPED_TRACE(chip + options);
        const auto result = [&, name = chip, own = options](const std::string& more) {
            const fs::path file = shared_folder / "estimate.json";
            const CommandResult done =
                run(binary("infer") + " --checkpoint " + source("scenarios/checkpoints/glyphs_small_8bit.h5") +
                    " --chip " + source(std::string("scenarios/chips/") + name) +
                    " --sequences 2 --threads 1 --quiet --no-compare" + own + more + " --json " + file.string());
            EXPECT_EQ(done.status, 0) << done.output;
            return nlohmann::json::parse(read_file(file));
        };
        const nlohmann::json simulated = result("");
        const nlohmann::json estimate = result(" --engine estimate");
        EXPECT_EQ(estimate.at("latency_s"), simulated.at("latency_s"));
        EXPECT_EQ(estimate.at("throughput_sequences_per_s"), simulated.at("throughput_sequences_per_s"));
        EXPECT_DOUBLE_EQ(estimate.at("area_mm2").at("total"), simulated.at("area_mm2").at("total"));
        const double energy = simulated.at("energy_j").at("sequence");
        EXPECT_NEAR(estimate.at("energy_j").at("sequence"), energy, 0.03 * energy);
    }
}

TEST_F(CommandLine, PowerOverTimeIntegratesToTheEnergyOfTheSequence) {
    const fs::path csv = shared_folder / "power.csv";
    const fs::path vcd = shared_folder / "power.vcd";
    const nlohmann::json result = infer_json(
        "imssa_28nm.toml", "--sequences 1 --lanes 1 --no-compare --power " + csv.string() + " --power " + vcd.string());
    std::istringstream lines(read_file(csv));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line.rfind("time_s,adc_w,", 0), 0U) << line;
    double sum_w = 0.0;
    double leakage_w = 0.0;
    int bins = 0;
    double first_s = -1.0;
    double bin_s = 0.0;
    while (std::getline(lines, line)) {
        std::vector<double> values;
        std::istringstream cells(line);
        for (std::string cell; std::getline(cells, cell, ',');) {
            values.push_back(std::stod(cell));
        }
        ASSERT_EQ(values.size(), 15U);
        ++bins;
        sum_w += values[14] - values[13];  // all but leakage
        leakage_w += values[13];
        bin_s = first_s >= 0.0 && bin_s == 0.0 ? values[0] - first_s : bin_s;
        first_s = first_s < 0.0 ? values[0] : first_s;
    }
    const nlohmann::json& energy = result.at("energy_j");
    const double dynamic = energy.at("sequence").get<double>() - energy.at("by_component").at("leakage").get<double>();
    EXPECT_NEAR(sum_w * bin_s, dynamic, 1e-6 * dynamic);
    // Leakage: of the time of the bins, where the report has the interval of streaming sequences.
    const double interval_s = 1.0 / result.at("throughput_sequences_per_s").get<double>();
    EXPECT_NEAR(leakage_w * bin_s, energy.at("by_component").at("leakage").get<double>() * bins * bin_s / interval_s,
                1e-6 * leakage_w * bin_s);
    EXPECT_GT(bins * bin_s, interval_s);
    const std::string waveform = read_file(vcd);
    EXPECT_NE(waveform.find("$var real 64 ! adc $end"), std::string::npos);
    EXPECT_EQ(waveform.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace imssa::testing
