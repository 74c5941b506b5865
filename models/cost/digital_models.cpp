#include "models/cost/component_model.h"
#include "models/cost/technology.h"

namespace imssa {

namespace {

Technology asked(const ModelParameters& p) {
    return {p[Parameter::technology_nm], p[Parameter::v_supply_volt]};
}
bool tabulated(const ModelParameters& p) {
    return is_tabulated(asked(p));
}

constexpr Technology kHorowitz = {45.0, 0.9};
constexpr Technology kZigzag = {28.0, 0.9};
constexpr Technology kPuma = {32.0, 0.9};
constexpr double kMultiply8 = 0.2e-12;   // J, 8 x 8 bits, 45 nm
constexpr double kAdd8 = 0.03e-12;       // J, 8 bits, 45 nm
constexpr double kFlipFlop = 1.701e-15;  // J, 2.1 fF x (0.9 V)^2, 28 nm

double multiply_j(const ModelParameters& p, double bits_a, double bits_b) {
    return kMultiply8 * bits_a * bits_b / 64.0 * energy_ratio(asked(p), kHorowitz);
}
double add_j(const ModelParameters& p, double bits) {
    return kAdd8 * bits / 8.0 * energy_ratio(asked(p), kHorowitz);
}
double flip_flop_j(const ModelParameters& p) {
    return kFlipFlop * energy_ratio(asked(p), kZigzag);
}

Figure flip_flop_write(const ModelParameters& p) {
    return {0.5 * flip_flop_j(p), flip_flop_j(p), 5.3 * flip_flop_j(p)};  // NeuroSim's activity; Aladdin's register
}
Figure flip_flop_read(const ModelParameters& p) {
    return {0.12 * flip_flop_j(p), 0.5 * flip_flop_j(p), 5.3 * flip_flop_j(p)};
}
Figure adder(const ModelParameters& p) {
    return within_factor(add_j(p, p[Parameter::bits]), 2.0);
}
Figure multiplier(const ModelParameters& p) {
    return within_factor(multiply_j(p, p[Parameter::bits], p[Parameter::bits_b]), 2.0);
}
/// Complex product: four products and two sums of the wider operand.
Figure rotator(const ModelParameters& p) {
    const double one =
        4.0 * multiply_j(p, p[Parameter::bits], p[Parameter::bits_b]) + 2.0 * add_j(p, p[Parameter::bits]);
    return within_factor(p[Parameter::modes] * one, 2.0);
}
/// An addition into an accumulator register of the same width.
Figure shift_add(const ModelParameters& p) {
    return within_factor(add_j(p, p[Parameter::bits]) + p[Parameter::bits] * flip_flop_j(p), 2.0);
}
double lookup_j(const ModelParameters& p) {
    return 0.26e-12 * energy_ratio(asked(p), kPuma);
}
Figure table_lookup(const ModelParameters& p) {
    return within_factor(lookup_j(p), 2.0);
}
Figure gated_unit(const ModelParameters& p) {
    return within_factor(lookup_j(p) + multiply_j(p, p[Parameter::bits], p[Parameter::bits]), 2.0);
}
Figure layer_norm(const ModelParameters& p) {
    const double bits = p[Parameter::bits];
    return within_factor(4.0 * multiply_j(p, bits, bits) + 8.0 * add_j(p, bits), 2.0);
}
/// Flip-flops of a state machine, and as much again for clock tree and logic.
Figure control(const ModelParameters& p) {
    const double nominal = 2.0 * p[Parameter::flip_flops] * flip_flop_j(p);
    return {0.5 * nominal, nominal, 5.0 * nominal};
}
/// A measured block of another technology.
Figure scaled(const ModelParameters& p) {
    const Technology from = {p[Parameter::reference_nm], p[Parameter::reference_volt]};
    return within_factor(p[Parameter::reference] * energy_ratio(asked(p), from), 2.0);
}
bool scaled_holds(const ModelParameters& p) {
    return tabulated(p) && is_tabulated({p[Parameter::reference_nm], p[Parameter::reference_volt]});
}

constexpr const char* kRange = "130 to 7 nm and 0.5 to 1.3 V, extrapolated outside; a factor 2 either way";
constexpr const char* kHorowitzSource = "Horowitz ISSCC 2014, 45 nm 0.9 V, scaled with Stillmaker and Baas 2017";
constexpr const char* kZigzagSource = "zigzag-imc 28 nm flip-flop, 2.1 fF, scaled with Stillmaker and Baas 2017";

}  // namespace

std::vector<ComponentModel> digital_models() {
    using P = Parameter;
    const std::vector<Parameter> node = {P::technology_nm, P::v_supply_volt};
    const std::vector<Parameter> one = {P::bits, P::technology_nm, P::v_supply_volt};
    const std::vector<Parameter> two = {P::bits, P::bits_b, P::technology_nm, P::v_supply_volt};
    return {
        {"flip_flop_write", Quantity::energy_j, "bit written", "2.1 fF x (0.9 V)^2 x ratio(28 nm)",
         "low: activity 0.5 (NeuroSim); high: Aladdin 40 nm register", kZigzagSource, "D", node, flip_flop_write,
         tabulated},
        {"flip_flop_read", Quantity::energy_j, "bit read", "half a write", "high: Aladdin 40 nm register",
         kZigzagSource, "A", node, flip_flop_read, tabulated},
        {"adder", Quantity::energy_j, "addition", "0.03 pJ x bits / 8 x ratio(45 nm)", kRange, kHorowitzSource, "D",
         one, adder, tabulated},
        {"multiplier", Quantity::energy_j, "multiplication", "0.2 pJ x bits x bits_b / 64 x ratio(45 nm)", kRange,
         kHorowitzSource, "D", two, multiplier, tabulated},
        {"rotator",
         Quantity::energy_j,
         "decay of a head's modes",
         "modes x (4 products of bits x bits_b + 2 additions of bits)",
         kRange,
         kHorowitzSource,
         "D",
         {P::modes, P::bits, P::bits_b, P::technology_nm, P::v_supply_volt},
         rotator,
         tabulated},
        {"shift_add", Quantity::energy_j, "addition into a register", "adder(bits) + bits x flip_flop_write", kRange,
         kHorowitzSource, "D", one, shift_add, tabulated},
        {"table_lookup", Quantity::energy_j, "activation", "0.26 mW x 1 ns x ratio(32 nm)", kRange,
         "PUMA (ASPLOS 2019), 32 nm sigmoid, scaled with Stillmaker and Baas 2017", "D", node, table_lookup, tabulated},
        {"gated_unit", Quantity::energy_j, "element of a gated linear unit", "table_lookup + multiplier(bits, bits)",
         kRange, "PUMA and Horowitz, scaled with Stillmaker and Baas 2017", "D", one, gated_unit, tabulated},
        {"layer_norm", Quantity::energy_j, "element", "4 multiplier(bits, bits) + 8 adder(bits)", kRange,
         "mean, variance, scale and shift of an element; Horowitz ISSCC 2014", "A", one, layer_norm, tabulated},
        {"control",
         Quantity::energy_j,
         "clock cycle of a busy state machine",
         "2 x flip_flops x flip_flop_write",
         "clock tree and logic as much as the flip-flops; high: five times",
         kZigzagSource,
         "A",
         {P::flip_flops, P::technology_nm, P::v_supply_volt},
         control,
         tabulated},
        {"scaled_measurement",
         Quantity::energy_j,
         "as measured",
         "reference x ratio(reference_nm, reference_volt)",
         kRange,
         "a measured figure, scaled with Stillmaker and Baas 2017",
         "D",
         {P::reference, P::reference_nm, P::reference_volt, P::technology_nm, P::v_supply_volt},
         scaled,
         scaled_holds},
    };
}

}  // namespace imssa
