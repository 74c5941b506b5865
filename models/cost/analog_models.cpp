#include <cmath>

#include "models/cost/component_model.h"
#include "models/cost/technology.h"

namespace imssa {

namespace {

constexpr double kBoltzmann = 1.380649e-23;  // J/K, SI definition
constexpr double kPi = 3.14159265358979323846;

bool always(const ModelParameters& /*p*/) {
    return true;
}

double square(double value) {
    return value * value;
}

Figure dac_zigzag(const ModelParameters& p) {
    // low: BRAHMS 40 nm 0.291 pJ and high: Wang 22 nm 0.43 pJ, relative to 0.324 pJ at 8 bits and 0.9 V.
    const double nominal = 50e-15 * p[Parameter::bits] * square(p[Parameter::v_supply_volt]);
    return {0.9 * nominal, nominal, 1.33 * nominal};
}

/// One charge of a line: N cells of C and the driver's own output.
Figure line_charge(const ModelParameters& p) {
    const double farad = p[Parameter::cells] * p[Parameter::cell_farad] + p[Parameter::driver_farad];
    return within_factor(farad * square(p[Parameter::v_supply_volt]), 1.5);
}

/// A pulse charges its line once; a latch of 2.1 fF x nm/28 ticks through the 2^bits - 1 time steps.
Figure pulse_driver(const ModelParameters& p) {
    const double farad = p[Parameter::cells] * p[Parameter::cell_farad] + p[Parameter::driver_farad];
    const double ticks = std::pow(2.0, p[Parameter::bits]) - 1.0;
    const double latch_j =
        2.1e-15 * square(0.9) * energy_ratio({p[Parameter::technology_nm], p[Parameter::v_supply_volt]}, {28.0, 0.9});
    return within_factor(farad * square(p[Parameter::v_supply_volt]) + ticks * latch_j, 2.0);
}

Figure tia_bias(const ModelParameters& p) {
    const double closed_loop_hz = (p[Parameter::bits] + 1.0) * std::log(2.0) / (2.0 * kPi * p[Parameter::settle_s]);
    // Full scale of the column: rows x 79 uS x v_read / 4 in the references; here the mean conductance of the cells.
    const double column_siemens = p[Parameter::rows] * p[Parameter::mean_conductance_siemens];
    const double full_scale_ampere = column_siemens * p[Parameter::v_read_volt] * 79.0 / 48.6 / 4.0;
    const double noise_gain = 1.0 + p[Parameter::full_scale_volt] / full_scale_ampere * column_siemens;
    const double bias_ampere =
        2.0 * 2.0 * kPi * closed_loop_hz * noise_gain * p[Parameter::load_farad] / p[Parameter::gm_over_id_per_volt];
    return within_factor(p[Parameter::v_supply_volt] * bias_ampere, 2.0);
}

double ktc_farad(const ModelParameters& p) {
    return 12.0 * kBoltzmann * p[Parameter::temperature_kelvin] * std::pow(4.0, p[Parameter::bits]) /
           square(p[Parameter::full_scale_volt]);
}

Figure sample_hold(const ModelParameters& p) {
    return within_factor(ktc_farad(p) * square(p[Parameter::v_supply_volt]), 2.0);
}

/// Cells under voltage: the supply-side figure is nominal and high, what cells and wires dissipate is low.
Figure resistive_read(const ModelParameters& p) {
    const double siemens = p[Parameter::rows] * p[Parameter::columns] * p[Parameter::mean_conductance_siemens];
    const double device_j =
        siemens * square(p[Parameter::v_read_volt]) * p[Parameter::mean_square_input] * p[Parameter::read_s];
    const double supply_j = siemens * p[Parameter::v_supply_volt] * p[Parameter::v_read_volt] *
                            p[Parameter::mean_input] * p[Parameter::read_s];
    return {std::fmin(device_j, supply_j), supply_j, supply_j};
}

/// Charge-domain cells: each capacitor is charged by the supply in a share `activity` of the reads.
Figure charge_read(const ModelParameters& p) {
    const double nominal =
        p[Parameter::cells] * p[Parameter::cell_farad] * square(p[Parameter::v_supply_volt]) * p[Parameter::activity];
    return within_factor(nominal, 2.0);
}

Figure programming(const ModelParameters& p) {
    return within_factor(
        p[Parameter::pulses] * p[Parameter::pulse_volt] * p[Parameter::pulse_ampere] * p[Parameter::pulse_s], 10.0);
}

bool dac_holds(const ModelParameters& p) {
    return p[Parameter::bits] >= 2.0 && p[Parameter::bits] <= 10.0;
}
bool pulse_holds(const ModelParameters& p) {
    return is_tabulated({p[Parameter::technology_nm], p[Parameter::v_supply_volt]});
}
bool resistive_holds(const ModelParameters& p) {
    return p[Parameter::v_read_volt] <= 0.3 && p[Parameter::mean_input] <= 1.0;  // linear cells
}

}  // namespace

std::vector<ComponentModel> analog_models() {
    using P = Parameter;
    return {
        {"dac_zigzag",
         Quantity::energy_j,
         "conversion with its row driver",
         "50 fF x bits x v_supply^2",
         "2 to 10 bits, 28 nm; low BRAHMS 40 nm, high Wang 22 nm",
         "zigzag-imc (KU Leuven), 28 nm model",
         "R",
         {P::bits, P::v_supply_volt},
         dac_zigzag,
         dac_holds},
        {"line_charge",
         Quantity::energy_j,
         "charge of one word or bit line",
         "(cells x cell_farad + driver_farad) v_supply^2",
         "full swing; a factor 1.5 either way",
         "C V^2; cell and driver capacitance as given",
         "D",
         {P::cells, P::cell_farad, P::driver_farad, P::v_supply_volt},
         line_charge,
         always},
        {"pulse_width_driver",
         Quantity::energy_j,
         "pulse of one input",
         "(cells x cell_farad + driver_farad) v_supply^2 + (2^bits - 1) x latch(technology)",
         "latch 2.1 fF at 28 nm, scaled with Stillmaker and Baas; a factor 2 either way",
         "C V^2 and one latch a time step",
         "A",
         {P::bits, P::cells, P::cell_farad, P::driver_farad, P::technology_nm, P::v_supply_volt},
         pulse_driver,
         pulse_holds},
        {"tia_bias",
         Quantity::power_w,
         "one column's amplifier while a read lasts",
         "v_supply x 2 x 2 pi GBW load_farad / gm_over_id, GBW = (bits + 1) ln2 / (2 pi settle_s) x (1 + R_f sum G), "
         "R_f = full_scale_volt / (rows x G x v_read x 0.406)",
         "first principles; a factor 2 either way; the column's own current is in the array read",
         "settling of a two-stage amplifier to half a step",
         "A",
         {P::bits, P::settle_s, P::rows, P::mean_conductance_siemens, P::v_read_volt, P::full_scale_volt, P::load_farad,
          P::gm_over_id_per_volt, P::v_supply_volt},
         tia_bias,
         always},
        {"sample_hold_ktc",
         Quantity::energy_j,
         "one column sampled",
         "C v_supply^2, C = 12 k temperature 4^bits / full_scale_volt^2",
         "noise of a quarter step; a factor 2 either way",
         "thermal noise of a capacitor",
         "A",
         {P::bits, P::full_scale_volt, P::v_supply_volt, P::temperature_kelvin},
         sample_hold,
         always},
        {"resistive_read",
         Quantity::energy_j,
         "read of an array",
         "rows x columns x G x v_supply x v_read x mean |input| x read_s; low: G v_read^2 mean input^2 read_s",
         "linear cells, v_read <= 0.3 V; linear drivers (nominal, high), ideal drivers (low)",
         "Ohm's law; the chip computes the same from its conductances and codes",
         "D",
         {P::rows, P::columns, P::mean_conductance_siemens, P::v_supply_volt, P::v_read_volt, P::mean_input,
          P::mean_square_input, P::read_s},
         resistive_read,
         resistive_holds},
        {"charge_read",
         Quantity::energy_j,
         "read of an array of capacitors",
         "cells x cell_farad x v_supply^2 x activity",
         "charge domain; a factor 2 either way",
         "C V^2; capacitance as given",
         "D",
         {P::cells, P::cell_farad, P::v_supply_volt, P::activity},
         charge_read,
         always},
        {"programming",
         Quantity::energy_j,
         "cell written and verified",
         "pulses x pulse_volt x pulse_ampere x pulse_s",
         "write-verify; a factor 10 either way",
         "CiMLoop's 8.52 pulses a cell for NeuRRAM; current and width assumed",
         "A",
         {P::pulses, P::pulse_volt, P::pulse_ampere, P::pulse_s},
         programming,
         always},
    };
}

}  // namespace imssa
