#include <cmath>

#include "models/cost/component_model.h"
#include "models/cost/technology.h"

namespace imssa {

namespace {

constexpr double kReferenceBytes = 8192.0;

double capacity_factor(const ModelParameters& p, double exponent) {
    return std::pow(p[Parameter::capacity_byte] / kReferenceBytes, exponent);
}

/// The exponent is what is least known: 0.13 (Jouppi 7 nm) to 0.78 (CACTI's depth rule).
Figure sram(const ModelParameters& p) {
    const double at_8k =
        10e-12 / 64.0 * energy_ratio({p[Parameter::technology_nm], p[Parameter::v_supply_volt]}, {45.0, 0.9});
    const double factors[] = {capacity_factor(p, 0.13), capacity_factor(p, 0.5), capacity_factor(p, 0.78)};
    return {0.5 * at_8k * std::fmin(factors[0], factors[2]), at_8k * factors[1],
            2.0 * at_8k * std::fmax(factors[0], factors[2])};
}

Figure network_on_chip(const ModelParameters& p) {
    const double hops = p[Parameter::hops];
    const double mm = p[Parameter::distance_mm];
    return {0.5 * (0.08e-12 * hops + 0.121e-12 * mm), 0.08e-12 * hops + 0.121e-12 * mm,
            0.25e-12 * hops + 0.24e-12 * mm};
}

Figure off_chip(const ModelParameters& /*p*/) {
    return {3.9e-12, 8e-12, 70e-12};
}

Figure leakage(const ModelParameters& p) {
    const double nominal = p[Parameter::area_mm2] * p[Parameter::leakage_w_per_mm2];
    return {0.1 * nominal, nominal, 8.6 * nominal};
}

bool sram_holds(const ModelParameters& p) {
    return p[Parameter::capacity_byte] >= 1024.0 && p[Parameter::capacity_byte] <= 1048576.0 &&
           is_tabulated({p[Parameter::technology_nm], p[Parameter::v_supply_volt]});
}
bool always(const ModelParameters& /*p*/) {
    return true;
}

}  // namespace

std::vector<ComponentModel> memory_models() {
    using P = Parameter;
    return {
        {"sram_bit",
         Quantity::energy_j,
         "bit read or written",
         "10 pJ / 64 bits at 8 KB and 45 nm x ratio(45 nm) x sqrt(capacity_byte / 8192)",
         "1 KB to 1 MB; exponent 0.13 (Jouppi 7 nm) to 0.78 (CACTI), and a factor 2 either way",
         "Horowitz ISSCC 2014, scaled with Stillmaker and Baas 2017",
         "D",
         {P::capacity_byte, P::technology_nm, P::v_supply_volt},
         sram,
         sram_holds},
        {"network_bit",
         Quantity::energy_j,
         "bit moved on the chip",
         "0.08 pJ x hops + 0.121 pJ/mm x distance_mm",
         "32 to 40 nm; high: 0.25 pJ a hop, 0.24 pJ/mm (every bit toggles)",
         "ISAAC 32 nm router (20.74 pJ / 256 bits); Keckler 2011 40 nm wires",
         "S",
         {P::hops, P::distance_mm},
         network_on_chip,
         always},
        {"off_chip_bit",
         Quantity::energy_j,
         "bit to or from memory outside",
         "8 pJ",
         "LPDDR4; low: HBM2 3.9 pJ, high: DDR3 70 pJ",
         "accelergy DRAM tables",
         "R",
         {},
         off_chip,
         always},
        {"leakage",
         Quantity::power_w,
         "instance",
         "area_mm2 x leakage_w_per_mm2",
         "1e-3 W/mm2 is an assumption for 28 nm; low 0.1, high 8.6 (Aladdin 40 nm adder) times",
         "area times a density",
         "A",
         {P::area_mm2, P::leakage_w_per_mm2},
         leakage,
         always},
    };
}

}  // namespace imssa
