#include <algorithm>
#include <cmath>

#include "models/cost/component_model.h"

namespace imssa {

namespace {

/// Silicon against the model, either way: CiMLoop's factors to three chips are 0.275, 3.15 and 3.5.
constexpr double kUncalibratedFactor = 3.5;

double andrulis_energy_pj(double bits, double rate_hz, double nm) {
    const double clipped = std::clamp(std::ceil(bits), 0.0, 20.0);
    const double foms_db = std::min(213.7806687 - 2.871903040 * std::log(rate_hz), 128.3068287 + 3.220511511 * clipped);
    const double sndr_db = 20.0 * std::log10(2.0) * bits + 10.0 * std::log10(1.5);
    const double start = 1.0 / (2.0 * std::pow(10.0, (foms_db - sndr_db) / 10.0));
    return start * std::exp(26.0496215686518 + 1.88003692068150 * std::log(nm) - 2.82912560505945 * std::log(bits) -
                            1.47020221338377);
}

Figure andrulis_energy(const ModelParameters& p) {
    return within_factor(
        1e-12 * andrulis_energy_pj(p[Parameter::bits], p[Parameter::rate_hz], p[Parameter::technology_nm]),
        kUncalibratedFactor);
}

Figure andrulis_area(const ModelParameters& p) {
    const double energy_pj = andrulis_energy_pj(p[Parameter::bits], p[Parameter::rate_hz], p[Parameter::technology_nm]);
    const double um2 = std::exp(1.34619164399 + 0.99327947447 * std::log(p[Parameter::technology_nm]) +
                                0.18071538425 * std::log(p[Parameter::rate_hz]) + 0.29912426193 * std::log(energy_pj));
    return within_factor(1e-6 * um2, kUncalibratedFactor);
}

/// exp(constant + per_bit ENOB + per_ln_nm ln(nm) + per_ln_hz ln(rate)); scripts/adc_regression.py prints them.
struct Regression {
    double constant, per_bit, per_ln_nm, per_ln_hz, deviation;
};
constexpr Regression kAllEnergy = {-15.465, 0.672, 2.140, 0.2648, 1.77};
constexpr Regression kAllArea = {-1.348, 0.268, 1.692, 0.2084, 1.35};
constexpr Regression kSarEnergy = {-11.553, 0.511, 1.174, 0.2748, 1.57};
constexpr Regression kSarArea = {5.669, 0.101, 0.887, 0.033, 1.43};

Figure regression(const Regression& line, const ModelParameters& p) {
    const double center = std::exp(line.constant + line.per_bit * p[Parameter::bits] +
                                   line.per_ln_nm * std::log(p[Parameter::technology_nm]) +
                                   line.per_ln_hz * std::log(p[Parameter::rate_hz]));
    return within_factor(center, std::exp(line.deviation));
}

/// Energy goes with the square of the supply around the node's nominal one, when both are given.
double supply_factor(const ModelParameters& p) {
    if (!p.has(Parameter::v_supply_volt) || !p.has(Parameter::v_nominal_volt)) {
        return 1.0;
    }
    const double ratio = p[Parameter::v_supply_volt] / p[Parameter::v_nominal_volt];
    return ratio * ratio;
}

Figure all_energy(const ModelParameters& p) {
    return times(regression(kAllEnergy, p), 1e-12 * supply_factor(p));
}
Figure all_area(const ModelParameters& p) {
    return times(regression(kAllArea, p), 1e-6);
}
Figure sar_energy(const ModelParameters& p) {
    return times(regression(kSarEnergy, p), 1e-12 * supply_factor(p));
}
Figure sar_area(const ModelParameters& p) {
    return times(regression(kSarArea, p), 1e-6);
}

Figure zigzag_energy(const ModelParameters& p) {
    const double bits = p[Parameter::bits];
    const double volt = p[Parameter::v_supply_volt];
    return within_factor((100e-15 * bits + 1e-18 * std::pow(4.0, bits)) * volt * volt, kUncalibratedFactor);
}
Figure zigzag_area(const ModelParameters& p) {
    const double bits = p[Parameter::bits];
    return within_factor(std::pow(10.0, -0.0369 * bits + 1.206) * std::pow(2.0, bits) * 1e-6, kUncalibratedFactor);
}

bool andrulis_holds(const ModelParameters& p) {
    return p[Parameter::bits] >= 4.0 && p[Parameter::bits] <= 14.0 && p[Parameter::rate_hz] <= 1e10 &&
           p[Parameter::technology_nm] >= 5.0 && p[Parameter::technology_nm] <= 180.0;
}
bool survey_holds(const ModelParameters& p) {
    return p[Parameter::bits] >= 3.5 && p[Parameter::bits] <= 10.5 && p[Parameter::rate_hz] >= 1e5 &&
           p[Parameter::rate_hz] <= 1e9 && p[Parameter::technology_nm] >= 3.0 && p[Parameter::technology_nm] <= 500.0;
}
bool zigzag_holds(const ModelParameters& p) {
    return p[Parameter::bits] >= 1.0 && p[Parameter::bits] <= 10.0;
}

constexpr const char* kSurvey =
    "least squares on Murmann's survey (2025-06-09), made again by scripts/adc_regression.py";

}  // namespace

std::vector<ComponentModel> adc_models() {
    const std::vector<Parameter> converter = {Parameter::bits, Parameter::rate_hz, Parameter::technology_nm};
    const std::vector<Parameter> supply = {Parameter::v_supply_volt, Parameter::v_nominal_volt};
    const char* survey_range = "3.5 <= bits (effective) <= 10.5, 1e5 <= rate_hz <= 1e9; range: one residual deviation";
    return {
        {"adc_andrulis", Quantity::energy_j, "conversion; best fifth of designs",
         "E0(FOM_S(rate, bits)) x exp(26.05 + 1.880 ln nm - 2.829 ln bits - 1.470) pJ",
         "4 <= bits <= 14, rate_hz <= 1e10, 5 to 180 nm; silicon within a factor 3.5 either way",
         "Andrulis et al., arXiv 2404.06553, accelergy-adc-plug-in", "R", converter, andrulis_energy, andrulis_holds},
        {"adc_andrulis_area", Quantity::area_mm2, "converter; best tenth of designs",
         "exp(1.346 + 0.9933 ln nm + 0.1807 ln rate + 0.2991 ln(E / pJ)) um2", "as adc_andrulis",
         "Andrulis et al., arXiv 2404.06553, accelergy-adc-plug-in", "R", converter, andrulis_area, andrulis_holds},
        {"adc_survey_all", Quantity::energy_j, "conversion; centre of all architectures",
         "exp(-15.465 + 0.672 bits + 2.140 ln nm + 0.2648 ln rate) pJ x (v_supply / v_nominal)^2 where given",
         survey_range, kSurvey, "D", converter, all_energy, survey_holds, supply},
        {"adc_survey_all_area", Quantity::area_mm2, "stand-alone converter",
         "exp(-1.348 + 0.268 bits + 1.692 ln nm + 0.2084 ln rate) um2", survey_range, kSurvey, "D", converter, all_area,
         survey_holds},
        {"adc_survey_sar", Quantity::energy_j, "conversion; centre of the successive-approximation designs",
         "exp(-11.553 + 0.511 bits + 1.174 ln nm + 0.2748 ln rate) pJ x (v_supply / v_nominal)^2 where given",
         survey_range, kSurvey, "D", converter, sar_energy, survey_holds, supply},
        {"adc_survey_sar_area", Quantity::area_mm2, "stand-alone converter with references and buffers",
         "exp(5.669 + 0.101 bits + 0.887 ln nm + 0.033 ln rate) um2", survey_range, kSurvey, "D", converter, sar_area,
         survey_holds},
        {"adc_zigzag",
         Quantity::energy_j,
         "conversion",
         "(100 fF x bits + 1 aF x 4^bits) v_supply^2",
         "28 nm, 1 to 10 bits",
         "zigzag-imc (KU Leuven), 28 nm model",
         "R",
         {Parameter::bits, Parameter::v_supply_volt},
         zigzag_energy,
         zigzag_holds},
        {"adc_zigzag_area",
         Quantity::area_mm2,
         "converter",
         "10^(-0.0369 bits + 1.206) 2^bits um2",
         "28 nm, 1 to 10 bits",
         "zigzag-imc (KU Leuven), 28 nm model",
         "R",
         {Parameter::bits},
         zigzag_area,
         zigzag_holds},
    };
}

}  // namespace imssa
