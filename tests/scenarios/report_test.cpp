// Reports, pictures, waveforms, help and inspect.
#include "tests/scenarios/command_line.h"

namespace imssa::testing {
namespace {

TEST_F(CommandLine, LinesOfTheReportFitATerminal) {
    const CommandResult result = run(binary("infer") + " --checkpoint " + checkpoint() + " --chip " +
                                     source("scenarios/chips/imssa_28nm_delta.toml") + " --sequences 2");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("ADC complexity"), std::string::npos);
    std::istringstream lines(result.output);
    int number = 0;
    for (std::string line; std::getline(lines, line); ++number) {
        EXPECT_LE(line.size(), 120U) << line;
    }
    EXPECT_GT(number, 50);
}

TEST_F(CommandLine, InspectPrintsThePapersMetricsOfAFakeQuantizedModel) {
    const fs::path folder = shared_folder / "fake";
    const CommandResult trained = run(
        train("--set finetune.precision=fake_quantized --set finetune.epochs=1 --set finetune.calibration_sequences=16"
              " --set fake_quantization.c.quantizer=max_scale --set fake_quantization.c.bits=1"
              " --set fake_quantization.state.quantizer=max_scale --set fake_quantization.state.bits=8"
              " --set model.layers=1 --out " +
              folder.string()));
    ASSERT_EQ(trained.status, 0) << trained.output;
    const CommandResult result = run(binary("inspect") + " --checkpoint " + (folder / "glyphs_small_8bit.h5").string());
    ASSERT_EQ(result.status, 0) << result.output;
    // H = 6, N = 8, one input, ten classes: 48 (32 x 8 + 1 x 8) + 36 x 32 x 32 + 6 x 11 x 32 x 32.
    for (const char* part : {"c 1, d 32, state 8, activations 32", "(ACE) 117120 bit^2"}) {
        EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
    }
    EXPECT_EQ(result.output.find("deployment"), std::string::npos) << "codes of a chip that it does not have";
}

TEST_F(CommandLine, WritesPicturesAndAWaveform) {
    const CommandResult result =
        run(infer("imssa_28nm.toml", "--sequences 4 --out " + (shared_folder / "out").string() + " --vcd " +
                                         (shared_folder / "wave.vcd").string()));
    ASSERT_EQ(result.status, 0) << result.output;
    for (const char* picture : {"imssa_28nm_confusion.png", "imssa_28nm_energy.png", "imssa_28nm_state.png"}) {
        EXPECT_GT(fs::file_size(shared_folder / "out" / picture), 2000U) << picture;
    }
    EXPECT_GT(fs::file_size(shared_folder / "wave.vcd"), 10000U);
}

TEST_F(CommandLine, CalibrationsAreReportedWithTheirPrices) {
    const nlohmann::json result = infer_json("imssa_28nm_delta.toml", "--sequences 4 --lanes 4");
    const nlohmann::json& calibration = result.at("programming").at("calibration");
    EXPECT_EQ(calibration.at("poles"), 2 * 6 * 4);
    EXPECT_GT(calibration.at("corrected_poles"), 0);
    EXPECT_GT(calibration.at("energy_j"), 0.0);
    EXPECT_GT(calibration.at("time_s"), 0.0);
    for (const char* name : {"gain_calibration", "converter_calibration"}) {
        EXPECT_GT(result.at("programming").at(name).at("adc_conversions"), 0.0) << name;
        EXPECT_GT(result.at("programming").at(name).at("energy_j"), 0.0) << name;
        EXPECT_GT(result.at("programming").at(name).at("time_s"), 0.0) << name;
    }
    const nlohmann::json ideal = infer_json("ideal.toml", "--sequences 4 --lanes 4");
    EXPECT_FALSE(ideal.at("programming").contains("gain_calibration"));
    EXPECT_FALSE(ideal.at("programming").contains("converter_calibration"));
    expect_user_error(infer("imssa_28nm.toml", "--set calibration.poles='\"stability\"'"), "fused");
}

TEST_F(CommandLine, ProgrammingHasAPriceOrSaysThatItHasNone) {
    for (const char* chip : {"ideal.toml", "sram_22nm.toml", "sram_65nm.toml"}) {
        const nlohmann::json programming = infer_json(chip, "--sequences 1 --no-compare").at("programming");
        EXPECT_GT(programming.at("pulses"), 0.0) << chip;
        EXPECT_GT(programming.at("energy_j"), 0.0) << chip;
        EXPECT_GT(programming.at("time_s"), 0.0) << chip;
    }
    const char* const free_of_charge =
        "--sequences 1 --no-compare --set device.programming_pulse_energy_j=0 --set device.programming_pulse_time_s=0";
    const nlohmann::json unknown = infer_json("imssa_28nm.toml", free_of_charge).at("programming");
    EXPECT_TRUE(unknown.at("energy_j").is_null()) << unknown;
    EXPECT_TRUE(unknown.at("time_s").is_null()) << unknown;
    const auto report = [](const std::string& options) {
        return run(binary("infer") + " --checkpoint " + checkpoint() + " --chip " +
                   source("scenarios/chips/imssa_28nm.toml") + " " + options)
            .output;
    };
    const std::string without_figures = report(free_of_charge);
    EXPECT_NE(without_figures.find("energy not priced"), std::string::npos) << without_figures;
    EXPECT_NE(without_figures.find("time not priced"), std::string::npos) << without_figures;
    const std::string without_pulses = report("--sequences 1 --set device.programming_pulses_per_cell=0");
    EXPECT_NE(without_pulses.find("energy not priced"), std::string::npos) << without_pulses;
}

/// Joules of one conversion of the mixing matrix.
double mixing_conversion_j(const nlohmann::json& result) {
    for (const nlohmann::json& row : result.at("energy_j").at("rows")) {
        if (row.at("unit") == "chip.layer0.mixing.array.adc" && row.at("item") == "adc_conversion") {
            return row.at("unit_cost_j");
        }
    }
    return 0.0;
}

TEST_F(CommandLine, ConvertersOfFewerBitsChangeCodesAndPrices) {
    const std::string few = "--sequences 4 --lanes 4 --set adc.bits=6 --set dac.bits=7";
    const CommandResult text = run(binary("infer") + " --checkpoint " + checkpoint() + " --chip " +
                                   source("scenarios/chips/ideal.toml") + " " + few);
    EXPECT_NE(text.output.find("converters              ADC 6 bits, DAC 7 bits"), std::string::npos) << text.output;
    const nlohmann::json wide = infer_json("ideal.toml", "--sequences 4 --lanes 4");
    const nlohmann::json same = infer_json("ideal.toml", "--sequences 4 --lanes 4 --set adc.bits=8 --set dac.bits=8");
    const nlohmann::json coarse = infer_json("ideal.toml", few);
    EXPECT_EQ(wide.at("mismatched_codes"), 0);
    EXPECT_EQ(same.at("mismatched_codes"), 0);
    EXPECT_GT(coarse.at("mismatched_codes"), 0);
    EXPECT_EQ(coarse.at("config").at("chip").at("adc").at("bits"), 6);
    EXPECT_DOUBLE_EQ(mixing_conversion_j(same), mixing_conversion_j(wide));
    EXPECT_LT(mixing_conversion_j(coarse), 0.8 * mixing_conversion_j(wide));
    const nlohmann::json estimate = infer_json("ideal.toml", "--engine estimate --set adc.bits=6 --set dac.bits=7");
    EXPECT_DOUBLE_EQ(mixing_conversion_j(estimate), mixing_conversion_j(coarse));
    expect_user_error(infer("ideal.toml", "--set adc.bits=9"), "adc.bits = 9");
}

TEST_F(CommandLine, AWaveformShowsWhatWasChosen) {
    const std::string all = (shared_folder / "all.vcd").string();
    const std::string part = (shared_folder / "part.vcd").string();
    ASSERT_EQ(run(infer("ideal.toml", "--sequences 1 --vcd " + all)).status, 0);
    ASSERT_EQ(run(infer("ideal.toml",
                        "--sequences 1 --vcd-layers 1 --vcd-heads 2,3 --vcd-modes 0 --vcd-from 10 "
                        "--vcd-to 12 --vcd " +
                            part))
                  .status,
              0);
    EXPECT_LT(fs::file_size(part), fs::file_size(all));
    const std::string text = read_file(part);
    EXPECT_NE(text.find("head3"), std::string::npos);
    EXPECT_EQ(text.find("head0"), std::string::npos);
    EXPECT_EQ(text.find("re_1 "), std::string::npos);
    expect_user_error(infer("ideal.toml", "--sequences 1 --vcd-heads 99 --vcd " + part), "head 99");
    expect_user_error(infer("ideal.toml", "--sequences 1 --vcd-from 9 --vcd-to 3 --vcd " + part), "steps 9 to 3");
}

TEST_F(CommandLine, InspectMapsComplexKernelsAndComparesTheirCells) {
    const fs::path file = shared_folder / "kernels.json";
    // One mode: A = 1 - i/2, B = i, C = 1/2, D = 0 on 8 x 8 cells; one cell of the last row is not as mapped.
    std::ofstream(file) << R"({"one": {"A": [[1, -0.5]], "B": [[0, 1]], "C": [[0.5, 0]], "D": [0, 0], "G": [
        [1, 0, 0, 0.5, 0.5, 0, 0, 0], [0, 1, 0.5, 0, 0, 0.5, 0, 0],
        [0.5, 0, 1, 0, 0, 0, 0.5, 0], [0, 0.5, 0, 1, 0, 0, 0, 0.5],
        [0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0.25]]}})";
    const std::string command = binary("inspect") + " --chip " + source("scenarios/chips/ideal.toml") +
                                " --set device.conductance_levels=3 --kernels ";
    const CommandResult mapped = run(command + file.string() + " --out " + (shared_folder / "kernels").string());
    EXPECT_EQ(mapped.status, 0) << mapped.output;
    EXPECT_NE(mapped.output.find("1 modes, 8 x 8 cells"), std::string::npos) << mapped.output;
    EXPECT_NE(mapped.output.find("63 of 64 cells as in the file, largest difference 0.25"), std::string::npos)
        << mapped.output;
    EXPECT_GT(fs::file_size(shared_folder / "kernels" / "one.png"), 1000U);
    std::ofstream(file) << R"({"one": {"A": [[1, 0]]}})";
    expect_user_error(command + file.string(), "kernel 'one' needs A, B, C");
    expect_user_error(command + (shared_folder / "missing.json").string(), "missing.json");
}

TEST_F(CommandLine, InspectShowsModelChipResultAndPoles) {
    const fs::path json = shared_folder / "inspected.json";
    ASSERT_EQ(run(infer("imssa_28nm_fused.toml", "--sequences 4 --json " + json.string())).status, 0);
    const CommandResult inspected = run(binary("inspect") + " --checkpoint " + checkpoint() + " --chip " +
                                        source("scenarios/chips/imssa_28nm_fused.toml") + " --result " + json.string() +
                                        " --out " + (shared_folder / "inspect").string());
    ASSERT_EQ(inspected.status, 0) << inspected.output;
    for (const char* part : {"parameters", "poles", "head0.tile", "programming_sigma_siemens", "accuracy"}) {
        EXPECT_NE(inspected.output.find(part), std::string::npos) << part;
    }
    EXPECT_GT(fs::file_size(shared_folder / "inspect" / "imssa_28nm_fused_poles.png"), 2000U);
    EXPECT_GT(fs::file_size(shared_folder / "inspect" / "imssa_28nm_fused_tile.png"), 2000U);
    expect_user_error(binary("inspect"), "nothing to inspect");
    expect_user_error(binary("inspect") + " --kernels FILE.json", "--kernels needs --chip");
    expect_user_error(binary("inspect") + " --result missing.json", "missing.json");
}

TEST_F(CommandLine, HelpTeaches) {
    for (const char* program : {"infer", "train", "inspect"}) {
        const CommandResult help = run(binary(program) + " --help");
        EXPECT_EQ(help.status, 0);
        EXPECT_NE(help.output.find("examples:"), std::string::npos);
        EXPECT_NE(help.output.find("exit status"), std::string::npos);
    }
}

}  // namespace
}  // namespace imssa::testing
