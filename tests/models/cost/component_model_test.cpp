#include "models/cost/component_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/common/config.h"
#include "models/common/error.h"
#include "models/cost/cost_table.h"
#include "models/cost/technology.h"

namespace imssa {
namespace {

using P = Parameter;

ModelParameters given(std::initializer_list<std::pair<Parameter, double>> values) {
    ModelParameters parameters;
    for (const auto& [parameter, value] : values) {
        parameters[parameter] = value;
    }
    return parameters;
}

double nominal(const char* model, const ModelParameters& parameters) {
    return evaluate(find_component_model(model), parameters).nominal;
}

/// Every parameter a middling value: all models can be evaluated with it.
ModelParameters middling() {
    ModelParameters p;
    for (const auto& [name, parameter] : parameter_names()) {
        p[parameter] = 1.0;
    }
    p[P::bits] = 8.0;
    p[P::bits_b] = 8.0;
    p[P::rate_hz] = 1e8;
    p[P::technology_nm] = 28.0;
    p[P::reference_nm] = 45.0;
    p[P::v_supply_volt] = 0.9;
    p[P::v_nominal_volt] = 0.9;
    p[P::v_read_volt] = 0.2;
    p[P::cell_farad] = 1e-15;
    p[P::driver_farad] = 1e-15;
    p[P::load_farad] = 1e-13;
    p[P::gm_over_id_per_volt] = 15.0;
    p[P::settle_s] = 1e-8;
    p[P::read_s] = 1e-8;
    p[P::mean_conductance_siemens] = 48.6e-6;
    p[P::capacity_byte] = 8192.0;
    p[P::temperature_kelvin] = 300.0;
    p[P::full_scale_volt] = 0.4;
    return p;
}

struct AdcPoint {
    double nm, bits, rate_hz, energy_pj, area_um2;  ///< area 0: not tabulated
};

/// The points tabulated for the Andrulis model (energy per conversion and area of one converter).
const std::vector<AdcPoint>& andrulis_grid() {
    static const std::vector<AdcPoint> kPoints = {
        {180, 4, 1e7, 23.8, 31700}, {180, 6, 1e7, 27.4, 33100}, {180, 8, 1e7, 44.1, 38200}, {180, 10, 1e7, 85.1, 46500},
        {130, 4, 1e7, 12.9, 19100}, {130, 8, 1e7, 23.9, 23000}, {65, 4, 1e7, 3.50, 6500},   {65, 6, 1e7, 4.04, 6800},
        {65, 8, 1e7, 6.49, 7800},   {65, 10, 1e7, 12.5, 9500},  {28, 4, 1e7, 0.72, 1755},   {28, 5, 1e7, 0.73, 0},
        {28, 6, 1e7, 0.83, 1831},   {28, 7, 1e7, 1.02, 1949},   {28, 8, 1e7, 1.33, 2111},   {28, 9, 1e7, 1.82, 2317},
        {28, 10, 1e7, 2.57, 2570},  {28, 4, 1e8, 0.72, 2660},   {28, 6, 1e8, 0.83, 2776},   {28, 8, 1e8, 1.33, 3200},
        {28, 10, 1e8, 2.57, 3896},  {22, 4, 1e8, 0.457, 1828},  {22, 6, 1e8, 0.527, 1907},  {22, 8, 1e8, 0.847, 2199},
        {22, 10, 1e8, 1.64, 2678},  {14, 4, 1e7, 0.195, 597},   {14, 6, 1e7, 0.225, 623},   {14, 8, 1e7, 0.362, 718},
        {14, 10, 1e7, 0.70, 0},     {7, 4, 1e7, 0.053, 203},    {7, 8, 1e7, 0.098, 244},    {65, 9, 5e8, 11.3, 0},
        {65, 9, 1e9, 17.8, 24313},  {65, 10, 5e8, 33.4, 0},     {45, 8, 1e8, 3.25, 6694},   {32, 8, 1e9, 1.71, 5972},
        {22, 10, 1e9, 6.89, 6242},  {65, 8, 5e8, 6.49, 15866},
    };
    return kPoints;
}

TEST(ComponentModel, AndrulisReproducesEveryTabulatedPointToOnePercentOrItsLastDigit) {
    for (const AdcPoint& point : andrulis_grid()) {
        const ModelParameters p =
            given({{P::bits, point.bits}, {P::rate_hz, point.rate_hz}, {P::technology_nm, point.nm}});
        const double energy_pj = 1e12 * nominal("adc_andrulis", p);
        // The tables have two to three digits: half of the last one, or one per cent.
        EXPECT_NEAR(energy_pj, point.energy_pj, std::max(0.01 * point.energy_pj, 0.0005))
            << point.nm << " nm " << point.bits << " bits";
        if (point.area_um2 > 0.0) {
            EXPECT_NEAR(1e6 * nominal("adc_andrulis_area", p), point.area_um2, 0.01 * point.area_um2)
                << point.nm << " nm " << point.bits << " bits";
        }
    }
}

TEST(ComponentModel, ModelsGiveTheFiguresOfTheirSources) {
    const ModelParameters p = middling();
    EXPECT_NEAR(nominal("adc_zigzag", p), 0.70e-12, 0.005e-12);
    EXPECT_NEAR(nominal("adc_zigzag_area", p), 2.1e-3, 0.02e-3);
    EXPECT_NEAR(nominal("dac_zigzag", p), 0.324e-12, 1e-18);
    EXPECT_NEAR(nominal("adc_survey_sar", p), 4.5e-12, 0.1e-12);
    EXPECT_NEAR(nominal("adc_survey_sar_area", p), 22.9e-3, 0.3e-3);
    EXPECT_NEAR(nominal("flip_flop_write", p), 1.7e-15, 0.01e-15);
    EXPECT_NEAR(nominal("multiplier", p), 0.097e-12, 0.001e-12);
    EXPECT_NEAR(nominal("adder", p), 0.0145e-12, 0.0002e-12);
    EXPECT_NEAR(nominal("sram_bit", p), 0.075e-12, 0.001e-12);
    EXPECT_NEAR(nominal("sample_hold_ktc", p), 16e-15, 0.6e-15);
    EXPECT_NEAR(nominal("cell_area", p.with_defaults(p)) * 48.0, 0.0376e-6, 0.0001e-6);
    ModelParameters tia = p;
    tia[P::rows] = 64.0;
    EXPECT_NEAR(nominal("tia_bias", tia), 44e-6, 1.5e-6);
    ModelParameters line = given({{P::cells, 256}, {P::cell_farad, 2.1e-15}, {P::driver_farad, 48e-15}});
    line[P::v_supply_volt] = 1.8;
    EXPECT_NEAR(nominal("line_charge", line), 585.6e-15 * 3.24, 1e-18);
}

// Worked by hand at `middling`: 28 nm, 0.9 V, 8 bits, 100 MS/s. Energy ratios of Stillmaker and Baas: 0.48363 from 45
// nm, 0.7545 from 32 nm, 0.40124 from 45 nm at 1.0 V; area ratio 0.47507 from 40 nm.
TEST(ComponentModel, EveryModelHasItsHandWorkedValue) {
    const std::pair<const char*, double> by_hand[] = {
        {"adc_andrulis", 1.333e-12},  // 19.247e-12 x exp(24.961) pJ
        {"adc_andrulis_area", 3200e-6},
        {"adc_survey_all", 6.819e-12},
        {"adc_survey_all_area", 28.94e-3},
        {"adc_survey_sar", 4.522e-12},
        {"adc_survey_sar_area", 22.94e-3},
        {"adc_zigzag", 0.7011e-12},           // (800 + 65.5) fF x 0.81 V^2
        {"adc_zigzag_area", 2.085e-3},        // 8.143 x 256 um2
        {"dac_zigzag", 0.324e-12},            // 50 fF x 8 x 0.81 V^2
        {"line_charge", 1.62e-15},            // (1 + 1) fF x 0.81 V^2
        {"pulse_width_driver", 435.375e-15},  // 1.62 fJ + 255 x 1.701 fJ
        {"tia_bias", 44.33e-6},               // 0.9 V x 4 pi x 99.29 MHz x 5.921 x 100 fF / 15
        {"sample_hold_ktc", 16.49e-15},       // 12 kT 65536 / 0.16 V^2 = 20.36 fF
        {"resistive_read", 87.48e-15},        // 48.6 uS x 0.9 V x 0.2 V x 10 ns
        {"charge_read", 0.81e-15},            // 1 fF x 0.81 V^2
        {"programming", 1.0},                 // 1 pulse x 1 V x 1 A x 1 s
        {"flip_flop_write", 1.701e-15},       // 2.1 fF x 0.81 V^2
        {"flip_flop_read", 0.8505e-15},
        {"adder", 14.509e-15},            // 0.03 pJ x 0.48363
        {"multiplier", 96.73e-15},        // 0.2 pJ x 0.48363
        {"rotator", 415.9e-15},           // 4 x 96.73 + 2 x 14.51 fJ
        {"shift_add", 28.117e-15},        // 14.51 + 8 x 1.701 fJ
        {"table_lookup", 196.2e-15},      // 0.26 pJ x 0.7545
        {"gated_unit", 292.9e-15},        // 196.2 + 96.73 fJ
        {"layer_norm", 502.98e-15},       // 4 x 96.73 + 8 x 14.51 fJ
        {"control", 3.402e-15},           // 2 x 1.701 fJ
        {"scaled_measurement", 0.40124},  // 1 J at 45 nm and 1 V
        {"sram_bit", 75.57e-15},          // 10 pJ / 64 x 0.48363
        {"network_bit", 0.201e-12},       // a hop and a millimetre
        {"off_chip_bit", 8e-12},
        {"leakage", 1.0},        // 1 mm2 x 1 W/mm2
        {"cell_area", 784e-12},  // (28 nm)^2
        {"dac_area", 438e-6},
        {"capacitor_area", 43.478e-6},   // 100 fF / 2.3 fF/um2
        {"flip_flop_area", 3.684e-6},    // 6 x 0.614 um2
        {"adder_area", 38.31e-6},        // 8 x (3 + 4.8) x 0.614 um2
        {"multiplier_area", 188.54e-6},  // 6350 um2 x 64 / 1024 x 0.47507
        {"scaled_area", 0.36053},        // 1 mm2 at 45 nm: 0.033 x (0.072 / 0.033)^0.71588 / 0.16
        {"sram_bit_area", 228.93e-9},    // 292 x (28 nm)^2
        {"link_area", 1.228e-6},         // 2 x 0.614 um2
    };
    EXPECT_EQ(std::size(by_hand), component_models().size());
    for (const auto& [name, value] : by_hand) {
        EXPECT_NEAR(nominal(name, middling()) / value, 1.0, 0.002) << name;
    }
}

// 64 x 64 cells of 48.6 uS, inputs uniform over +-0.2 V, 20 ns, 0.9 V: 53 pJ in the cells, 358 pJ from the supply.
TEST(ComponentModel, ResistiveReadGivesBothSidesOfTheDriver) {
    ModelParameters p = middling();
    p[P::rows] = p[P::columns] = 64.0;
    p[P::mean_input] = 0.5;
    p[P::mean_square_input] = 1.0 / 3.0;
    p[P::read_s] = 20e-9;
    const Figure read = evaluate(find_component_model("resistive_read"), p);
    EXPECT_NEAR(read.low, 53e-12, 0.2e-12);
    EXPECT_NEAR(read.nominal, 358e-12, 0.5e-12);
}

// 28 nm over 0.3 mm: 2 x 0.614 um2, and 300 um x 0.112 um of tracks; 65 nm over 0.7 mm: 3.987 times the repeaters, and
// 700 um x 0.26 um.
TEST(ComponentModel, LinkTakesItsRepeatersAndAtMostItsTracks) {
    const ComponentModel& model = find_component_model("link_area");
    const Figure fine = evaluate(model, given({{P::technology_nm, 28.0}, {P::distance_mm, 0.3}}));
    EXPECT_NEAR(fine.low, 0.614e-6, 1e-15);
    EXPECT_NEAR(fine.nominal, 1.228e-6, 1e-15);
    EXPECT_NEAR(fine.high, 34.828e-6, 1e-15);
    const ModelParameters at_65nm = given({{P::technology_nm, 65.0}, {P::distance_mm, 0.7}});
    EXPECT_NEAR(evaluate(model, at_65nm).low, 2.448e-6, 1e-9);
    EXPECT_NEAR(evaluate(model, at_65nm).nominal, 4.896e-6, 1e-9);
    EXPECT_NEAR(evaluate(model, at_65nm).high, 186.896e-6, 1e-9);
    EXPECT_TRUE(model.holds(at_65nm));
    EXPECT_FALSE(model.holds(given({{P::technology_nm, 180.0}, {P::distance_mm, 1.2}})));
}

TEST(ComponentModel, EveryModelHasUnitsEquationRangeSourceAndASensibleFigure) {
    for (const ComponentModel& model : component_models()) {
        EXPECT_STRNE(model.what, "") << model.name;
        EXPECT_STRNE(model.equation, "") << model.name;
        EXPECT_STRNE(model.range, "") << model.name;
        EXPECT_STRNE(model.source, "") << model.name;
        EXPECT_NE(std::string("RSDMA").find(model.status), std::string::npos) << model.name;
        const Figure figure = evaluate(model, middling());
        EXPECT_GT(figure.nominal, 0.0) << model.name;
        EXPECT_LT(figure.low, figure.high) << model.name;
        EXPECT_EQ(&find_component_model(model.name), &model);
    }
}

TEST(ComponentModel, ScalingLawsHold) {
    const ModelParameters p = middling();
    for (const ComponentModel& model : component_models()) {
        // One more bit never makes anything cheaper; a finer technology never costs more.
        ModelParameters more = p;
        more[P::bits] = 9.0;
        EXPECT_GE(evaluate(model, more).nominal, evaluate(model, p).nominal) << model.name;
        ModelParameters finer = p;
        finer[P::technology_nm] = 14.0;
        EXPECT_LE(evaluate(model, finer).nominal, evaluate(model, p).nominal) << model.name;
        ModelParameters higher = p;
        higher[P::v_supply_volt] = 1.0;
        EXPECT_GE(evaluate(model, higher).nominal, evaluate(model, p).nominal) << model.name;
    }
    ModelParameters doubled = p;
    doubled[P::columns] = 2.0 * p[P::columns];
    doubled[P::bits_b] = 16.0;
    EXPECT_DOUBLE_EQ(nominal("resistive_read", doubled), 2.0 * nominal("resistive_read", p));
    EXPECT_DOUBLE_EQ(nominal("multiplier", doubled), 2.0 * nominal("multiplier", p));
}

TEST(Technology, ScalesFrom45To28NmAsDerivedAndExtrapolatesTo180Nm) {
    EXPECT_NEAR(energy_ratio({28.0, 0.9}, {45.0, 0.9}), 0.483, 0.001);
    EXPECT_NEAR(energy_ratio({130.0, 1.2}, {45.0, 0.9}), 6.1, 0.1);
    EXPECT_NEAR(energy_ratio({180.0, 1.8}, {45.0, 0.9}), 19.8, 0.1);
    EXPECT_FALSE(is_tabulated({180.0, 1.8}));
    EXPECT_TRUE(is_tabulated({28.0, 0.9}));
    EXPECT_DOUBLE_EQ(area_ratio(65.0, 130.0), 0.23);
    EXPECT_DOUBLE_EQ(area_ratio(260.0, 130.0), 4.0);
    for (const double volt : {0.3, 0.5, 0.6, 0.8, 1.0, 1.2, 1.3, 1.8, 3.3}) {
        double before = energy_ratio({4.0, volt}, {45.0, 0.9});
        for (double nm = 5.0; nm < 400.0; nm *= 1.1) {
            const double now = energy_ratio({nm, volt}, {45.0, 0.9});
            EXPECT_GT(now, before) << nm << " nm, " << volt << " V";
            before = now;
        }
    }
}

TEST(Technology, EnergyIsContinuousAtTheEdgesOfTheTables) {
    constexpr double kStep = 1e-9;
    for (const double volt : {0.3, 0.5, 0.6, 0.8, 1.0, 1.2, 1.3, 1.8, 3.3}) {
        for (const double nm : {130.0, 7.0}) {
            const double jump = energy_ratio({nm * (1.0 + kStep), volt}, {nm * (1.0 - kStep), volt});
            EXPECT_NEAR(jump, 1.0, 10.0 * kStep) << nm << " nm, " << volt << " V";
        }
    }
    for (const double nm : {180.0, 28.0, 5.0}) {
        for (const double volt : {0.5, 1.3}) {
            const double jump = energy_ratio({nm, volt * (1.0 + kStep)}, {nm, volt * (1.0 - kStep)});
            EXPECT_NEAR(jump, 1.0, 10.0 * kStep) << nm << " nm, " << volt << " V";
        }
    }
}

// As published: the parabola of 65 nm has its minimum inside the range.
TEST(Technology, At65NmEnergyRisesByFourPercentBelow580Millivolts) {
    EXPECT_NEAR(energy_ratio({65.0, 0.5}, {65.0, 0.5856}), 1.04, 0.005);
    EXPECT_GT(energy_ratio({65.0, 0.7}, {65.0, 0.6}), 1.0);
}

TEST(Technology, NodesAndSuppliesInOtherUnitsAreRefused) {
    const auto message = [](double nm, double volt) -> std::string {
        try {
            evaluate(find_component_model("adder"),
                     given({{P::bits, 8.0}, {P::technology_nm, nm}, {P::v_supply_volt, volt}}));
        } catch (const UserError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_THAT(message(1e-9, 0.9), testing::HasSubstr("technology_nm = 1e-09 is out of range: give the node"));
    EXPECT_THAT(message(28.0, 1e6), testing::HasSubstr("v_supply_volt = 1e+06 is out of range: give the supply"));
    EXPECT_EQ(message(1000.0, 10.0), "");
    ModelParameters optional = middling();
    optional[P::v_nominal_volt] = 0.9;
    EXPECT_GT(nominal("adc_survey_sar", optional), 0.0);
    optional[P::v_supply_volt] = 1e6;
    EXPECT_THROW(evaluate(find_component_model("adc_survey_sar"), optional), UserError);
}

TEST(ComponentModel, MissingOrImpossibleParametersAreNamed) {
    const auto message = [](const ModelParameters& p) -> std::string {
        try {
            evaluate(find_component_model("adc_survey_sar"), p);
        } catch (const UserError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_THAT(message(given({{P::bits, 8.0}})), testing::HasSubstr("needs rate_hz"));
    ModelParameters p = middling();
    p[P::bits] = -1.0;
    EXPECT_THAT(message(p), testing::HasSubstr("bits = -1"));
    EXPECT_THROW(find_component_model("adc"), UserError);
    p = middling();
    p[P::rate_hz] = 1e10;
    EXPECT_THAT(describe(find_component_model("adc_survey_sar"), p), testing::HasSubstr("extrapolated"));
}

TEST(ComponentModel, ADriverMayHaveNoCellsButSomethingHasACapacitance) {
    ModelParameters driver = given({{P::cells, 0.0}, {P::cell_farad, 1e-15}, {P::driver_farad, 48e-15}});
    driver[P::v_supply_volt] = 1.2;
    EXPECT_NEAR(nominal("line_charge", driver), 48e-15 * 1.44, 1e-24);
    driver[P::driver_farad] = 0.0;
    EXPECT_THROW(nominal("line_charge", driver), UserError);
    driver[P::activity] = 0.5;
    EXPECT_THROW(nominal("charge_read", driver), UserError) << "an array without cells";
}

TEST(CostTable, AnEntryMayNameAModelAndTellsItAsItsSource) {
    std::ifstream stream(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
    std::ostringstream text;
    text << stream.rdbuf();
    const std::string path = ::testing::TempDir() + "/costs_with_model.toml";
    std::ofstream(path) << text.str();
    const CostTable table = load_cost_table(
        path, {"energy.3.energy_j=0", "energy.3.energy_low_j=0", "energy.3.energy_high_j=0",
               "energy.3.model=adc_survey_sar", "energy.3.parameters.bits=8", "energy.3.parameters.rate_hz=1e8"});
    const EnergyPrice& adc = table.energy(Action::adc_conversion);
    EXPECT_NEAR(adc.energy_j, 4.5e-12, 0.1e-12);
    EXPECT_LT(adc.energy_low_j, adc.energy_j);
    EXPECT_THAT(adc.provenance.source, testing::HasSubstr("adc_survey_sar(bits = 8, rate_hz = 1e+08"));
    EXPECT_EQ(adc.provenance.status, "D");
    const auto refused = [&path](const std::vector<std::string>& overrides, const char* needle) {
        try {
            load_cost_table(path, overrides);
            ADD_FAILURE() << "no error for " << needle;
        } catch (const UserError& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(needle));
        }
    };
    refused({"energy.3.model=adc_survey_sar"}, "keep one");
    refused({"energy.3.calibration=2"}, "without a model");
    std::filesystem::remove(path);
}

/// The script prints the coefficients that the models hold, from the survey itself.
TEST(AdcRegression, TheScriptMakesTheCoefficientsAgain) {
    const char* data = std::getenv("IMSSA_DATA");
    const std::filesystem::path survey =
        std::filesystem::path(data != nullptr ? data : IMSSA_SOURCE_DIR "/../shared/data") / "adc-survey" /
        "ADCsurvey_rev20250609.csv";
    if (!std::filesystem::exists(survey) || std::system("python3 -c '' 2>/dev/null") != 0) {
        GTEST_SKIP() << "needs the ADC survey and python3";
    }
    const std::string command = "python3 '" IMSSA_SOURCE_DIR "/scripts/adc_regression.py' '" + survey.string() + "'";
    std::FILE* pipe = ::popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string output;
    char buffer[512];
    while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) {
        output += buffer;
    }
    ASSERT_EQ(::pclose(pipe), 0);
    EXPECT_THAT(output, testing::HasSubstr("sar,ln_energy_pj,73,-11.5527,0.5105,1.1737,0.2748,1.57"));
    EXPECT_THAT(output, testing::HasSubstr("sar,ln_area_um2,70,5.6692,0.1012,0.8865,0.0330,1.43"));
    EXPECT_THAT(output, testing::HasSubstr("all,ln_energy_pj,225,-15.4648,0.6723,2.1400,0.2648,1.77"));
    EXPECT_THAT(output, testing::HasSubstr("all,ln_area_um2,220,-1.3484,0.2683,1.6915,0.2084,1.35"));
}

}  // namespace
}  // namespace imssa
