// Energies and areas of the command line: explained, estimated, over time.
#include <utility>
#include <vector>

#include "tests/scenarios/command_line.h"

namespace imssa::testing {
namespace {

TEST_F(CommandLine, EnergyRowsAddUpToTheTotal) {
    const nlohmann::json result = infer_json("imssa_28nm.toml", "--sequences 8 --lanes 8");
    double total = 0.0;
    for (const nlohmann::json& row : result.at("energy_j").at("rows")) {
        EXPECT_FALSE(row.at("source").get<std::string>().empty());
        EXPECT_GE(row.at("energy_per_sequence_j"), 0.0);
        total += row.at("energy_per_sequence_j").get<double>();
    }
    EXPECT_NEAR(total, result.at("energy_j").at("sequence").get<double>(), 1e-12 * total);
    const nlohmann::json& energy = result.at("energy_j");
    EXPECT_TRUE(energy.at("warnings").empty());
    EXPECT_NEAR(energy.at("step").get<double>() * result.at("config").at("steps").get<double>(), total, 1e-12 * total);
    EXPECT_NEAR(
        energy.at("operation").get<double>() * result.at("efficiency").at("operations_per_sequence").get<double>(),
        total, 1e-12 * total);
    double of_units = 0.0;
    for (const auto& [unit, unit_j] : energy.at("by_unit").items()) {
        of_units += unit_j.get<double>();
    }
    EXPECT_NEAR(of_units, total, 1e-12 * total);
    EXPECT_GT(energy.at("by_unit").size(), 10U);
    EXPECT_GT(result.at("area_mm2").at("total"), 0.0);
}

TEST_F(CommandLine, ExplainedEnergyNamesWhatIsPricedAtZeroAndSramCellsLeak) {
    const auto explain = [](const char* chip) {
        return run(binary("infer") + " --checkpoint " + checkpoint() + " --chip " +
                   source("scenarios/chips/" + std::string(chip)) + " --engine estimate --explain energy");
    };
    const std::string reason =
        "priced at zero, without a row: leakage of cell (memristive cells hold no voltage between reads)\n";
    for (const char* chip : {"imssa_28nm.toml", "imssa_180nm.toml", "pcm_14nm.toml"}) {
        const CommandResult result = explain(chip);
        ASSERT_EQ(result.status, 0) << result.output;
        EXPECT_NE(result.output.find(reason), std::string::npos) << chip;
    }
    for (const char* chip : {"sram_22nm.toml", "sram_65nm.toml"}) {
        const CommandResult result = explain(chip);
        ASSERT_EQ(result.status, 0) << result.output;
        EXPECT_EQ(result.output.find("priced at zero"), std::string::npos) << chip;
        EXPECT_NE(result.output.find("leakage of cell "), std::string::npos) << chip;
    }
}

TEST_F(CommandLine, ArrayReadsSayWhatTheSupplyGivesAndWhatCellsDissipate) {
    const nlohmann::json result = infer_json("imssa_28nm.toml", "--sequences 2 --threads 1 --no-compare");
    double supply_j = 0.0;
    double cells_j = 0.0;
    for (const nlohmann::json& row : result.at("energy_j").at("rows")) {
        EXPECT_EQ(row.contains("dissipated_in_cells_j"), row.at("item") == "array_read") << row;
        if (row.at("item") == "array_read") {
            supply_j += row.at("energy_per_sequence_j").get<double>();
            cells_j += row.at("dissipated_in_cells_j").get<double>();
        }
    }
    const nlohmann::json& reads = result.at("energy_j").at("array_reads");
    EXPECT_NEAR(reads.at("from_supply_j").get<double>(), supply_j, 1e-12 * supply_j);
    EXPECT_NEAR(reads.at("dissipated_in_cells_j").get<double>(), cells_j, 1e-12 * cells_j);
    EXPECT_GT(cells_j, 0.0);
    // Cells see at most v_read 0.2 V, the supply gives the same charge at 0.9 V.
    EXPECT_LT(cells_j, 0.2 / 0.9 * supply_j);
}

TEST_F(CommandLine, ExplainedRowsAreCountTimesUnitCostAndAddUpToTheTotalToTheBit) {
    const CommandResult result =
        run(binary("infer") + " --checkpoint " + checkpoint() + " --chip " + source("scenarios/chips/imssa_28nm.toml") +
            " --sequences 3 --threads 1 --no-compare --explain energy");
    ASSERT_EQ(result.status, 0) << result.output;
    std::istringstream lines(result.output);
    std::string line;
    double sum = 0.0;
    double total = -1.0;
    int rows = 0;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string unit, item;
        words >> unit >> item;
        if (line.rfind("chip.", 0) == 0 && rows >= 0) {
            if (item == "leakage") {
                std::string of, component;
                words >> of >> component;
            }
            double count = 0.0, cost = 0.0, energy = 0.0, low = 0.0, high = 0.0;
            words >> count >> cost >> energy >> low >> high;
            EXPECT_NEAR(energy, count * cost, 1e-14 * energy) << line;
            EXPECT_LE(low, energy * 1.001) << line;
            EXPECT_GE(high, energy * 0.999) << line;
            EXPECT_NE(line.find(", not calibrated]"), std::string::npos) << line;
            sum += energy;
            ++rows;
        } else if (line.rfind("sum of the rows", 0) == 0) {
            std::istringstream(line.substr(15)) >> total;
        }
    }
    EXPECT_GT(rows, 100);
    EXPECT_EQ(sum, total);
    EXPECT_NE(result.output.find("energy of all 3 sequences together"), std::string::npos);
    EXPECT_NE(result.output.find("per sequence, by phase of a step"), std::string::npos);
    EXPECT_NE(result.output.find("operations counted"), std::string::npos);
}

TEST_F(CommandLine, InspectExplainsEveryRowOfAResultAndOfADesign) {
    const fs::path file = shared_folder / "explained.json";
    const std::string design = " --checkpoint " + source("scenarios/checkpoints/glyphs_small_8bit.h5") + " --chip " +
                               source("scenarios/chips/imssa_28nm.toml");
    const CommandResult made = run(binary("infer") + design + " --engine estimate --quiet --json " + file.string());
    ASSERT_EQ(made.status, 0) << made.output;
    const nlohmann::json result = nlohmann::json::parse(read_file(file));
    const auto sum_of = [](const std::string& output) {
        std::size_t rows = 0;
        double total = 0.0;
        std::istringstream lines(output);
        for (std::string line; std::getline(lines, line);) {
            rows += line.rfind("chip.", 0) == 0 ? 1 : 0;
            if (line.rfind("sum of the rows", 0) == 0) {
                std::istringstream(line.substr(15)) >> total;
            }
        }
        return std::pair(rows, total);
    };
    const double energy = result.at("energy_j").at("sequence");
    const double area = result.at("area_mm2").at("total");
    for (const auto& [what, total, rows] : {std::tuple("energy", energy, result.at("energy_j").at("rows").size()),
                                            std::tuple("area", area, result.at("area_mm2").at("rows").size())}) {
        const CommandResult of_result = run(binary("inspect") + " --result " + file.string() + " --explain " + what);
        EXPECT_EQ(sum_of(of_result.output), std::pair(rows, total)) << what;
        EXPECT_EQ(of_result.output.rfind("energy of one sequence", 0) == 0, std::string(what) == "energy");
        const CommandResult of_design = run(binary("inspect") + design + " --explain " + what);
        EXPECT_EQ(sum_of(of_design.output), std::pair(rows, total)) << what;
    }
    expect_user_error(binary("inspect") + " --chip " + source("scenarios/chips/ideal.toml") + " --explain energy",
                      "--explain needs --result");
}

TEST_F(CommandLine, RowsOfSeveralSequencesAddUpToTheTotalsOfTheResultToTheBit) {
    for (const char* sequences : {"3", "7"}) {
        const nlohmann::json energy =
            infer_json("imssa_28nm.toml", std::string("--threads 1 --no-compare --sequences ") + sequences)
                .at("energy_j");
        double total = 0.0, low = 0.0, high = 0.0;
        for (const nlohmann::json& row : energy.at("rows")) {
            total += row.at("energy_per_sequence_j").get<double>();
            low += row.at("low_j").get<double>();
            high += row.at("high_j").get<double>();
        }
        EXPECT_EQ(total, energy.at("sequence").get<double>()) << sequences;
        EXPECT_EQ(low, energy.at("sequence_low").get<double>()) << sequences;
        EXPECT_EQ(high, energy.at("sequence_high").get<double>()) << sequences;
    }
}

TEST_F(CommandLine, ExplainedColumnsHaveUnitsAndLeakageIsInWatts) {
    const fs::path file = shared_folder / "units.json";
    const std::string design = " --checkpoint " + source("scenarios/checkpoints/glyphs_small_8bit.h5") + " --chip " +
                               source("scenarios/chips/imssa_28nm.toml");
    ASSERT_EQ(run(binary("infer") + design + " --engine estimate --quiet --json " + file.string()).status, 0);
    nlohmann::json result = nlohmann::json::parse(read_file(file));
    std::size_t leaking = 0;
    for (const nlohmann::json& row : result.at("energy_j").at("rows")) {
        const bool leaks = row.at("component") == "leakage";
        leaking += leaks ? 1 : 0;
        EXPECT_EQ(row.contains("unit_power_w") && row.contains("count_instance_s"), leaks) << row;
        EXPECT_EQ(row.contains("unit_cost_j") || row.contains("count_per_sequence"), !leaks) << row;
    }
    EXPECT_GT(leaking, 0U);
    const std::string of_result = binary("inspect") + " --result " + file.string();
    for (const std::string& command :
         {of_result + " --explain energy", binary("inspect") + design + " --explain energy"}) {
        std::string heading;
        std::size_t leakage_rows = 0;
        std::istringstream lines(run(command).output);
        for (std::string line; std::getline(lines, line);) {
            heading = line.rfind("unit ", 0) == 0 ? line : heading;
            for (const char* column : {"energy [J]", "low [J]", "high [J]", "in cells [J]"}) {
                EXPECT_TRUE(heading.empty() || heading.find(column) != std::string::npos) << heading;
            }
            if (line.rfind("chip.", 0) == 0) {
                const bool leaks = line.find("leakage of ") != std::string::npos;
                leakage_rows += leaks ? 1 : 0;
                EXPECT_EQ(heading.find("instances x s       power of one [W]") != std::string::npos, leaks) << line;
                EXPECT_EQ(heading.find("actions          unit cost [J]") != std::string::npos, !leaks) << line;
            }
        }
        EXPECT_EQ(leakage_rows, leaking);
    }
    const std::string areas = run(of_result + " --explain area").output;
    for (const char* column : {"instances", "unit area [mm2]", " area [mm2]", "low [mm2]", "high [mm2]"}) {
        EXPECT_NE(areas.find(column), std::string::npos) << column;
    }
    nlohmann::json& last = result.at("energy_j").at("rows").back();
    last.erase("unit_power_w");
    std::ofstream(file) << result;
    expect_user_error(of_result + " --explain energy", "unit_power_w");
}

TEST_F(CommandLine, ValidationPageIsWhatTheMacrosGiveAndIsNeverHalfWritten) {
    const fs::path page = shared_folder / "validation.md";
    const CommandResult made =
        run(binary("validate_costs") + " --macros " + source("scenarios/macros") + " --out " + page.string());
    EXPECT_EQ(made.status, 0) << made.output;
    EXPECT_EQ(read_file(page), read_file(source("docs/results/cost-validation.md")))
        << "make it again: validate_costs --out docs/results/cost-validation.md";
    const fs::path macros = shared_folder / "macros";
    fs::create_directories(macros);
    std::ofstream(macros / "mine.toml") << "name = \"mine\"\nsource = \"a test\"\ntechnology_nm = 28\n"
                                           "v_supply_volt = 0.9\n[[component]]\n"
                                           "name = \"adc\"\nmodel = \"adc_survey_sar\"\nparameters = { bits = 8 }\n"
                                           "[[point]]\nname = \"read\"\ncounts = [64]\nmeasured_total_j = 1e-10\n";
    expect_user_error(
        binary("validate_costs") + " --macros " + macros.string() + " --out " + (macros / "page.md").string(),
        "macro mine, component adc: the model 'adc_survey_sar' needs rate_hz");
    EXPECT_FALSE(fs::exists(macros / "page.md"));
}

TEST_F(CommandLine, MacroOutsideOfTheLadderIsEstimatedOnItsOwn) {
    const fs::path macros = shared_folder / "estimated";
    fs::create_directories(macros);
    // 64 conversions of 4.5 pJ (the survey's converter at 8 bits, 100 MS/s, 28 nm), 8192 operations, 20 + 80 ns
    std::ofstream(macros / "mine.toml") << "name = \"mine\"\nsource = \"a test\"\ntechnology_nm = 28\n"
                                           "v_supply_volt = 0.9\noperations = 8192\n[[component]]\nname = \"adc\"\n"
                                           "model = \"adc_survey_sar\"\nparameters = { bits = 8, rate_hz = 1e8 }\n"
                                           "[[area]]\nname = \"adc\"\ncount = 8\nmodel = \"adc_andrulis_area\"\n"
                                           "parameters = { bits = 8, rate_hz = 1e8 }\n"
                                           "[[point]]\nname = \"read\"\ncounts = [64]\nphase_s = [20e-9, 80e-9]\n";
    const CommandResult made = run(binary("validate_costs") + " --macros " + macros.string());
    ASSERT_EQ(made.status, 0) << made.output;
    EXPECT_NE(made.output.find("No total is measured on silicon"), std::string::npos) << made.output;
    const std::size_t row = made.output.find("| read | ");
    ASSERT_NE(row, std::string::npos) << made.output;
    double total_pj = 0.0, low_pj = 0.0, high_pj = 0.0, time_ns = 0.0, tops_per_watt = 0.0;
    double low_tops_per_watt = 0.0, high_tops_per_watt = 0.0;
    ASSERT_EQ(
        std::sscanf(made.output.c_str() + row, "| read | %lf (%lf to %lf) / %*f | %*f / %*f | %lf | %lf (%lf to %lf) /",
                    &total_pj, &low_pj, &high_pj, &time_ns, &tops_per_watt, &low_tops_per_watt, &high_tops_per_watt),
        7)
        << made.output;
    EXPECT_NEAR(total_pj, 64 * 4.5, 5.0);
    EXPECT_LT(low_pj, total_pj);
    EXPECT_GT(high_pj, total_pj);
    EXPECT_EQ(time_ns, 100.0);
    EXPECT_NEAR(tops_per_watt, 8192 / total_pj, 0.001 * tops_per_watt);
    EXPECT_NEAR(low_tops_per_watt, 8192 / high_pj, 0.01 * low_tops_per_watt);
    EXPECT_NEAR(high_tops_per_watt, 8192 / low_pj, 0.01 * high_tops_per_watt);
    EXPECT_NE(made.output.find("| all parts | - | 0.0256 ("), std::string::npos) << made.output;
    fs::create_directories(shared_folder / "no_macros");
    expect_user_error(binary("validate_costs") + " --macros " + (shared_folder / "no_macros").string(),
                      "holds no macro: add a TOML file");
}

TEST_F(CommandLine, MacroWithoutEnergyHasNoEfficiencyAndTheModelsOfConvertersAreTheMacros) {
    const fs::path macros = shared_folder / "idle";
    fs::create_directories(macros);
    const auto write = [&macros](const std::string& top, const std::string& area, const std::string& counts) {
        std::ofstream(macros / "mine.toml")
            << "name = \"mine\"\nsource = \"a test\"\ntechnology_nm = 28\nv_supply_volt = 0.9\noperations = 8192\n"
            << top
            << "[[component]]\nname = \"adc\"\nmodel = \"adc_andrulis\"\nparameters = { bits = 8, rate_hz = 1e8 }\n"
            << "[[component]]\nname = \"array\"\nmodel = \"resistive_read\"\nparameters = { rows = 64, columns = 64, "
            << "mean_conductance_siemens = 40e-6, v_read_volt = 0.2, mean_input = 0, mean_square_input = 0, read_s = "
               "2e-8 }\n"
            << "[[area]]\nname = \"adc\"\ncount = 8\nmodel = \"adc_andrulis_area\"\n"
            << "parameters = { bits = 8, rate_hz = 1e8 }\n"
            << area << "[[point]]\nname = \"read\"\ncounts = " << counts << "\n";
    };
    const std::string command = binary("validate_costs") + " --macros " + macros.string();
    write("", "", "[0, 1]");
    const CommandResult idle = run(command);
    EXPECT_EQ(idle.status, 0) << idle.output;
    EXPECT_EQ(idle.output.find("inf"), std::string::npos) << idle.output;
    EXPECT_NE(idle.output.find(" | - |\n"), std::string::npos) << idle.output;
    EXPECT_NE(idle.output.find("Energies of converters by `adc_andrulis`: mine."), std::string::npos) << idle.output;
    write("measured_area_mm2 = -1\n", "", "[0, 1]");
    expect_user_error(command, "macro mine: measured_area_mm2 must be finite and at least 0");
    write("", "measured_mm2 = -2\n", "[0, 1]");
    expect_user_error(command, "area adc: measured_mm2 must be finite and at least 0");
    write("", "", "[1e308, 1]");
    expect_user_error(command, "point read: a count is above 1e18");
}

TEST_F(CommandLine, EveryExtrapolatedPointOfAMacroAndBaselineOfAnOldNodeIsMarked) {
    const fs::path macros = shared_folder / "extrapolated";
    fs::create_directories(macros);
    std::ofstream(macros / "mine.toml") << "name = \"mine\"\nsource = \"a test\"\ntechnology_nm = 28\n"
                                           "v_supply_volt = 0.9\n[[component]]\nname = \"add\"\nmodel = \"adder\"\n"
                                           "parameters = { bits = 8 }\n[[point]]\nname = \"here\"\ncounts = [1]\n"
                                           "[[point]]\nname = \"old\"\ncounts = [1]\n"
                                           "parameters = { technology_nm = 180, v_supply_volt = 1.8 }\n";
    const std::string page = run(binary("validate_costs") + " --macros " + macros.string()).output;
    EXPECT_NE(page.find("v_supply_volt = 0.9); extrapolated at 1 of 2 points: old |"), std::string::npos) << page;
    const auto estimate = [](const std::string& chip) {
        return run(binary("infer") + " --engine estimate --checkpoint " +
                   source("scenarios/checkpoints/glyphs_small_8bit.h5") + " --chip " +
                   source("scenarios/chips/" + chip))
            .output;
    };
    const std::string old = estimate("imssa_180nm.toml");
    EXPECT_NE(old.find("scaled to 180 nm, extrapolated"), std::string::npos) << old;
    const std::string recent = estimate("imssa_28nm.toml");
    EXPECT_NE(recent.find("scaled to 28 nm; no clock"), std::string::npos) << recent;
}

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
