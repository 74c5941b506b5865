// Energies of the command line, row by row.
#include <utility>

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

}  // namespace
}  // namespace imssa::testing
