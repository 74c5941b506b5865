#include <cmath>

#include "models/cost/component_model.h"
#include "models/cost/technology.h"

namespace imssa {

namespace {

double nand2_28nm() {
    return 0.614e-6;  // mm2, zigzag-imc 28 nm
}

bool digital_holds(const ModelParameters& p) {
    return p[Parameter::technology_nm] >= 7.0 && p[Parameter::technology_nm] <= 130.0;
}
bool always(const ModelParameters& /*p*/) {
    return true;
}

Figure cell(const ModelParameters& p) {
    const double f_mm = 1e-6 * p[Parameter::technology_nm];
    return within_factor(p[Parameter::cell_f2] * f_mm * f_mm, 3.0);
}
Figure dac(const ModelParameters& p) {
    // MNSIM doubles the area with every bit from 0.166 um2; drivers and buffers of real converters are above it.
    const double mnsim = 0.166e-6 * std::pow(2.0, p[Parameter::bits] - 1.0);
    const double measured = 438e-6 * std::pow(2.0, p[Parameter::bits] - 8.0);
    return {std::fmin(mnsim, measured), measured, 1.33 * measured};
}
Figure capacitor(const ModelParameters& p) {
    // 2.3 fF/um2 metal-oxide-metal
    return within_factor(1e-6 * p[Parameter::load_farad] / 2.3e-15, 2.0);
}
Figure flip_flop(const ModelParameters& p) {
    return within_factor(6.0 * nand2_28nm() * area_ratio(p[Parameter::technology_nm], 28.0), 2.0);
}
Figure adder(const ModelParameters& p) {
    const double full_adder = (3.0 + 2.0 * 2.4) * nand2_28nm();
    return within_factor(p[Parameter::bits] * full_adder * area_ratio(p[Parameter::technology_nm], 28.0), 2.0);
}
Figure multiplier(const ModelParameters& p) {
    const double aladdin = 6350e-6 / 1024.0;  // 32 x 32 bits at 40 nm
    return within_factor(
        aladdin * p[Parameter::bits] * p[Parameter::bits_b] * area_ratio(p[Parameter::technology_nm], 40.0), 2.0);
}
/// A measured block of another technology.
Figure scaled(const ModelParameters& p) {
    const double ratio = area_ratio(p[Parameter::technology_nm], p[Parameter::reference_nm]);
    return within_factor(p[Parameter::area_mm2] * ratio, 2.0);
}
Figure sram_bit(const ModelParameters& p) {
    const double f_mm = 1e-6 * p[Parameter::technology_nm];
    return {146.0 * f_mm * f_mm, 292.0 * f_mm * f_mm, 2920.0 * f_mm * f_mm};
}
/// Wires run above the units: a link takes the place of its repeaters, at most that of its tracks as well.
Figure link(const ModelParameters& p) {
    const double repeaters = 2.0 * nand2_28nm() * area_ratio(p[Parameter::technology_nm], 28.0);
    const double pitch_mm = 4e-6 * p[Parameter::technology_nm];
    return {0.5 * repeaters, repeaters, repeaters + p[Parameter::distance_mm] * pitch_mm};
}

}  // namespace

std::vector<ComponentModel> area_models() {
    using P = Parameter;
    return {
        {"cell_area",
         Quantity::area_mm2,
         "cell",
         "cell_f2 x technology_nm^2",
         "a factor 3 either way (16 to 126 F^2)",
         "48 F^2 for 1T1R in NeuroSim V1.4, 16 in ISAAC's cell file, 125.7 in NeuRRAM",
         "D",
         {P::cell_f2, P::technology_nm},
         cell,
         always},
        {"dac_area",
         Quantity::area_mm2,
         "converter",
         "438 um2 x 2^(bits - 8)",
         "low: MNSIM 0.166 um2 x 2^(bits - 1)",
         "BRAHMS 40 nm 8-bit converter; growth with bits as in MNSIM 2.0",
         "D",
         {P::bits},
         dac,
         always},
        {"capacitor_area",
         Quantity::area_mm2,
         "capacitor",
         "load_farad / (2.3 fF/um2)",
         "metal-oxide-metal, 22 nm",
         "CiMLoop component tables",
         "R",
         {P::load_farad},
         capacitor,
         always},
        {"flip_flop_area",
         Quantity::area_mm2,
         "bit",
         "6 x 0.614 um2 x area ratio(28 nm)",
         "7 to 130 nm",
         "zigzag-imc 28 nm, scaled with Stillmaker and Baas 2017",
         "D",
         {P::technology_nm},
         flip_flop,
         digital_holds},
        {"adder_area",
         Quantity::area_mm2,
         "adder",
         "bits x (3 NAND2 + 2 XOR2) x area ratio(28 nm)",
         "7 to 130 nm",
         "zigzag-imc 28 nm, scaled with Stillmaker and Baas 2017",
         "D",
         {P::bits, P::technology_nm},
         adder,
         digital_holds},
        {"multiplier_area",
         Quantity::area_mm2,
         "multiplier",
         "6350 um2 x bits x bits_b / 1024 x area ratio(40 nm)",
         "7 to 130 nm",
         "Aladdin 40 nm 32 x 32 bits, scaled with Stillmaker and Baas 2017",
         "D",
         {P::bits, P::bits_b, P::technology_nm},
         multiplier,
         digital_holds},
        {"scaled_area",
         Quantity::area_mm2,
         "as measured",
         "area_mm2 x area ratio(reference_nm)",
         "7 to 130 nm; a factor 2 either way",
         "a measured figure, scaled with Stillmaker and Baas 2017",
         "D",
         {P::area_mm2, P::reference_nm, P::technology_nm},
         scaled,
         digital_holds},
        {"sram_bit_area",
         Quantity::area_mm2,
         "bit",
         "2 x 146 F^2: half of a macro is cells",
         "low: cells alone; high: ten times, small buffers",
         "NVMExplorer cell",
         "A",
         {P::technology_nm},
         sram_bit,
         digital_holds},
        {"link_area",
         Quantity::area_mm2,
         "bit of a link",
         "2 x 0.614 um2 x area ratio(28 nm): repeaters and driver of one wire",
         "7 to 130 nm; low: half; high: also distance_mm x 4 technology_nm, tracks that nothing else can use",
         "NAND2 of zigzag-imc 28 nm, scaled with Stillmaker and Baas 2017; pitch: twice NeuroSim's wire widths",
         "A",
         {P::technology_nm, P::distance_mm},
         link,
         digital_holds},
    };
}

}  // namespace imssa
