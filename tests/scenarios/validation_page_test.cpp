// Macros of the validation ladder, and others, priced by validate_costs.
#include "tests/scenarios/command_line.h"

namespace imssa::testing {
namespace {

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

}  // namespace
}  // namespace imssa::testing
